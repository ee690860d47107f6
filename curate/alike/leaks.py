"""The leak matrix: which problems two views, or a view and a benchmark, have in common."""

from dataclasses import asdict, dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import polars as pl

from curate.alike.contamination import VARIANT_RULE, lookup
from curate.alike.wording import form, question
from curate.records import content_hash

if TYPE_CHECKING:
    from curate.reading.benchmarks import Questions


_PROBLEM = pl.col("problem")


class LeakError(ValueError):
    """A problem stands in the training rows of one view and in the held-out rows of another."""


@dataclass(frozen=True)
class Overlap:
    """What two sides have in common. A side is a view and a split, such as `sft:train`, or a benchmark."""

    left: str
    right: str
    exact: int
    """Problem clusters of both; against a benchmark, problems of the left side with the text of one of the right."""
    near: int
    """Further problems of the left side that say the same as one of the right. Between views: numbers and punctuation
    aside, so another form of it, or its neighbour with other numbers. Against a benchmark: by the rules of
    decontamination at their defaults (curate.alike.contamination), in other words or another language, with its
    numbers."""
    variants: int | None = None
    """Against a benchmark: further problems that are one of its questions with other numbers or signs."""


def view_overlaps(problems: pl.DataFrame, views: dict[str, pl.Series]) -> list[Overlap]:
    """One entry for every two sides that have rows.

    Args:
        problems: `id`, `problem`, `cluster`, `split`.
        views: ids of the problems that stand in each view.

    Raises:
        LeakError: training and held-out rows share a cluster.
    """
    sides = _sides(problems, views)
    overlaps = [_between(a, sides[a], b, sides[b]) for a, b in combinations(sides, 2)]
    leaks = [o for o in overlaps if o.exact and o.left.rpartition(":")[2] != o.right.rpartition(":")[2]]
    if leaks:
        listed = ", ".join(f"{o.left} and {o.right} {o.exact:,}" for o in leaks)
        raise LeakError(f"problems stand in training and in held-out rows: {listed}. Nothing was written.")
    return overlaps


def benchmark_overlaps(
    problems: pl.DataFrame, views: dict[str, pl.Series], benchmarks: "list[Questions]"
) -> list[Overlap]:
    """One entry for every side and benchmark. `problems` and `views` as in `view_overlaps`.

    A problem is near the question that is nearest to it, and counts for every benchmark that asks that one.
    """
    sides = _sides(problems, views)
    found = _found(problems, sides, benchmarks)
    overlaps = []
    for side, rows in sides.items():
        for b in benchmarks:
            same = rows["text"].is_in(content_hash(b.problems["problem"]).implode())
            left = rows.filter(~same).select("id").join(found.filter(pl.col("benchmark") == b.name), on="id")
            variants = int((left["rule"] == VARIANT_RULE).sum())
            overlaps.append(Overlap(side, b.name, int(same.sum()), left.height - variants, variants))
    return overlaps


def leak_facts(views: list[Overlap], benchmarks: list[Overlap] | None) -> dict[str, Any]:
    """The matrix as the lock holds it; `benchmarks` is null where none was named."""
    return {
        "views": [asdict(overlap) for overlap in views],
        "benchmarks": None if benchmarks is None else [asdict(overlap) for overlap in benchmarks],
    }


def _sides(problems: pl.DataFrame, views: dict[str, pl.Series]) -> dict[str, pl.DataFrame]:
    """Of every view and split with rows: each problem's `cluster`, `form` and `text` (a content hash)."""
    picked = pl.concat([pl.Series("id", [], dtype=pl.String), *views.values()]).unique()
    rows = problems.filter(pl.col("id").is_in(picked.implode()))
    rows = rows.select("id", "cluster", "split", form=_form(pl.col("problem")), text=content_hash(rows["problem"]))
    sides = {}
    for view, ids in views.items():
        own = rows.filter(pl.col("id").is_in(ids.unique().implode()))
        for split in ("train", "heldout"):
            if not (part := own.filter(pl.col("split") == split)).is_empty():
                sides[f"{view}:{split}"] = part
    return sides


def _found(problems: pl.DataFrame, sides: dict[str, pl.DataFrame], benchmarks: "list[Questions]") -> pl.DataFrame:
    """`id`, `benchmark`, `rule`: of every problem that is a benchmark's question by some rule, or a variant of it."""
    picked = pl.concat([problems.select("id").clear(), *(rows.select("id") for rows in sides.values())]).unique()
    rows = problems.join(picked, on="id", how="semi", maintain_order="left").select("id", "problem")
    rows = rows.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    known = pl.concat([b.problems.select("problem", benchmark=pl.lit(b.name)) for b in benchmarks])
    known = known.with_row_index("known").with_columns(
        pl.col("known").cast(pl.Int64), form=form(question(known["problem"]))
    )
    found = lookup(known, rows).find(rows).join(known.select("known", "form"), on="known", maintain_order="left")
    asking = known.select("form", "benchmark").unique(maintain_order=True)
    return found.join(asking, on="form").join(rows, on="row").select("id", "benchmark", "rule")


def _between(left: str, ours: pl.DataFrame, right: str, theirs: pl.DataFrame) -> Overlap:
    same = ours["cluster"].is_in(theirs["cluster"].implode())
    alike = ours["form"].is_in(theirs["form"].implode()) & ~same
    return Overlap(left, right, ours.filter(same)["cluster"].n_unique(), int(alike.sum()))


def _form(problem: pl.Expr) -> pl.Expr:
    """The text's letters and nothing else, case folded; the whole text where there are no letters."""
    letters = problem.str.to_lowercase().str.replace_all(r"[^\p{Alphabetic}]+", " ").str.strip_chars()
    return pl.when(letters == "").then(problem).otherwise(letters)
