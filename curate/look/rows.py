"""Problems with their rollouts and what became of them, read for showing: few rows, long texts, one pass a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from curate.look.show import views
from curate.version import Version, VersionError

ABSTAINED = ("undecided", "timeout", "error", "unreadable_gold")
"""Verdicts that say nothing of the answer: no disagreement with any other."""
OPINIONS = {
    "rules and judge": ("rule_verdict", "judge_verdict"),
    "rules and math-verify alone": ("rule_verdict", "second_verdict"),
    "verdict and the source's label": ("verdict", "source_verdict"),
}
"""Pairs of columns that say the same of a rollout, or disagree."""


@dataclass(frozen=True)
class Shown:
    """One problem to show."""

    problem: dict[str, Any]
    """Its row."""
    rollouts: list[dict[str, Any]]
    """Rows of its rollouts; `disagrees` names the pairs of opinions that differ."""
    hidden: int
    """Further rollouts that are not among them."""
    fates: dict[str, list[str]]
    """By id of a problem or rollout: the views it stands in, and what left it out."""


def find_problem(version: Version, row: str) -> str:
    """The id of the one problem that an id, its beginning, a `source_id` or one of its rollouts' ids names.

    Raises:
        VersionError: there is none, or several.
    """
    for table, column in (("problems", "id"), ("problems", "source_id"), ("rollouts", "id")):
        named = pl.col(column) == row if column == "source_id" else pl.col(column).str.starts_with(row)
        owner = "problem_id" if table == "rollouts" else "id"
        found = version.table(table).filter(named).select(owner).unique().head(3).collect().to_series().to_list()
        if len(found) > 1 and row not in found:
            raise VersionError(f"{version.name}: several {table} are named {row!r}: {', '.join(found)} ...")
        if found:
            return row if row in found else str(found[0])
    raise VersionError(f"{version.name} has no problem or rollout {row!r}. Ids stand in the column `id` of v.problems")


def disagreements(columns: Sequence[str]) -> dict[str, pl.Expr]:
    """By name of the pair: whether one opinion says correct and the other, none of ABSTAINED, does not."""
    return {
        name: ((pl.col(ours) == "correct") != (pl.col(theirs) == "correct"))
        & ~pl.col(ours).is_in(ABSTAINED)
        & ~pl.col(theirs).is_in(ABSTAINED)
        for name, (ours, theirs) in OPINIONS.items()
        if ours in columns and theirs in columns
    }


def shown(version: Version, ids: Sequence[str], most: int) -> list[Shown]:
    """The problems of these ids, in this order, each with at most so many rollouts: first those of disagreement."""
    wanted = pl.col("problem_id").is_in(list(ids))
    problems = version.table("problems").filter(pl.col("id").is_in(list(ids))).collect()
    rows = {row["id"]: row for row in problems.iter_rows(named=True)}
    rollouts = version.table("rollouts")
    pairs = disagreements(rollouts.collect_schema().names())
    names = [pl.when(differs.fill_null(False)).then(pl.lit(name)) for name, differs in pairs.items()]
    disagrees = pl.concat_list(names).list.drop_nulls() if names else pl.lit([], dtype=pl.List(pl.String))
    first = pl.struct(pl.col("disagrees").list.len() == 0, "index").rank("ordinal").over("problem_id")
    found = (
        rollouts.filter(wanted)
        .with_columns(disagrees=disagrees)
        .with_columns(rank=first, of=pl.len().over("problem_id"))
        .filter(pl.col("rank") <= most)
        .drop("rank")
        .collect()
        .sort("index", maintain_order=True)
    )
    owned = found.partition_by("problem_id", as_dict=True)
    fates = _fates(version, [*rows, *found["id"]])
    chosen = []
    for row in ids:
        own = owned.get((row,))
        mine = own.rows(named=True) if own is not None else []
        hidden = mine[0]["of"] - len(mine) if mine else 0
        about = {key: fates[key] for key in (row, *(r["id"] for r in mine)) if key in fates}
        chosen.append(Shown(rows[row], mine, hidden, about))
    return chosen


def _fates(version: Version, ids: Sequence[str]) -> dict[str, list[str]]:
    """By id: `in sft`, `in dpo (heldout) as rejected`, `views.sft: over_cap`."""
    wanted = list(ids)
    said: dict[str, list[str]] = {}
    for view in views(version):
        for split in version.lock["tables"][view]:
            rows = version.table(view, split)
            if "rollout_ids" in rows.collect_schema().names():  # the format of OpenR1-Math: a row per problem
                rows = rows.select(id="rollout_ids").explode("id")
            columns = [c for c in ("id", "chosen_id", "rejected_id") if c in rows.collect_schema().names()]
            place = view if split == "train" else f"{view} ({split})"
            for column in columns:
                there = rows.filter(pl.col(column).is_in(wanted)).select(pl.col(column).unique()).collect()
                as_ = "" if column == "id" else f" as {column.removesuffix('_id')}"
                for row in there.to_series():
                    said.setdefault(row, []).append(f"in {place}{as_}")
    left_out = version.table("ledger").filter(pl.col("id").is_in(wanted)).select("id", "stage", "reason").collect()
    for row, stage, reason in left_out.iter_rows():
        said.setdefault(row, []).append(f"{stage}: {reason}")
    return said
