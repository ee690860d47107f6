"""Contaminated: problems that a benchmark asks, in its words, in other words or in another language."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

import polars as pl
from pydantic import Field

from curate.benchmarks import Questions, check_reference, read_benchmark, state_of
from curate.contamination import VARIANT_RULE, lookup
from curate.plug import BenchmarkName

QUOTED_CHARS = 300


@dataclass(frozen=True)
class Ngrams:
    """Drop every problem that is a question of a benchmark.

    The rules, in their order: `exact` (spacing, mark-up, prompts and option lists aside), `ngrams` and `characters`
    (the question stands in the problem, with all its numbers), `paraphrase` (the rare words and the numbers agree),
    `translation` (all numbers agree, in another language). The same sentence with other numbers is another problem:
    it stays, marked as a variant. What each rule finds and misses is measured in docs/decontamination.md.
    """

    over = "problems"
    marks = "problems"
    scope = "table"
    reads = ("id", "problem")
    writes: ClassVar = {
        "contaminated_by": pl.String,
        "contamination_rule": pl.String,
        "contamination_similarity": pl.Float64,
        "variant_in_benchmark": pl.String,
        "benchmark_question": pl.String,
    }
    drops = ("contaminated", "variant")
    REV = 1

    against: Annotated[tuple[BenchmarkName, ...], Field(min_length=1)]
    """Benchmarks by name (`math500`, or `math500@COMMIT`), and files of one's own (`mine.jsonl`). A name without a
    commit is resolved by the first build, and pinned in the lock."""
    n: Annotated[int, Field(ge=2)] = 8
    """Words that make a run; 13 and 32 are usual too. A question of fewer words is compared whole."""
    paraphrase: Annotated[float, Field(gt=0)] = 0.38
    """Likeness from which a problem is a paraphrase: lower finds more, and flags more that is none. Above 1: never."""
    variants: Annotated[str, Field(pattern="^(keep|drop)$")] = "keep"
    """`drop`: the same sentence with other numbers goes too."""

    def __post_init__(self) -> None:
        for reference in self.against:
            check_reference(reference)

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The facts `contaminated_by`, or `variant_in_benchmark`: the nearest question, as `benchmark:its id`."""
        asked = pl.concat(
            [b.problems.select("problem", by=pl.lit(f"{b.name}:") + pl.col("id")) for b in self.benchmarks()]
        ).with_row_index("known")
        asked = asked.with_columns(pl.col("known").cast(pl.Int64))
        numbered = rows.select("id", "problem").with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
        found = lookup(asked, numbered, self.n, self.paraphrase).find(numbered)
        found = found.join(asked, on="known", how="left", maintain_order="left")
        marked = numbered.select("id", "row").join(found, on="row", how="left", maintain_order="left")
        variant = pl.col("rule") == VARIANT_RULE
        dropped_variant = pl.lit("variant" if self.variants == "drop" else None, pl.String)
        return marked.select(
            "id",
            contaminated_by=pl.when(~variant).then("by"),
            contamination_rule="rule",
            contamination_similarity="similarity",
            variant_in_benchmark=pl.when(variant).then("by"),
            benchmark_question=pl.col("problem").str.slice(0, QUOTED_CHARS),
            drop=pl.when(variant).then(dropped_variant).when(pl.col("rule").is_not_null()).then(pl.lit("contaminated")),
        )

    def benchmarks(self) -> list[Questions]:
        """The questions of every benchmark.

        Raises:
            SourceError: a benchmark has no questions, or the Hub or a file does not give it.
        """
        return [read_benchmark(reference) for reference in self.against]

    def inputs(self) -> dict[str, Any]:
        """What stands behind `against`: commits and digests, by name."""
        return {"against": [{"name": _name(r), "state": state_of(r)} for r in self.against]}

    def pinned(self, earlier: list[dict[str, Any]]) -> "Ngrams":
        """The stage with every name at a commit: the one that `inputs` told earlier, or the one of today.

        Args:
            earlier: what an earlier build knew of its stages of this kind.
        """
        against = [entry for stage in earlier for entry in stage.get("against", [])]
        told = {entry["name"]: entry["state"].get("revision") for entry in against}
        return replace(self, against=tuple(_at(r, told.get(_name(r))) for r in self.against))


def _name(reference: str) -> str:
    return Path(reference).name if Path(reference).suffix else reference.partition("@")[0]


def _at(reference: str, revision: str | None) -> str:
    if Path(reference).suffix or "@" in reference:
        return reference
    return f"{reference}@{revision or state_of(reference)['revision']}"
