"""Which problems a site shows, and under which lists they stand: read from key columns only, never from texts."""

from dataclasses import dataclass

import polars as pl

from curate.look.rows import OPINIONS, disagreements
from curate.records import draws
from curate.version import Version

SEED = 0
PER_REASON = 10
"""Dropped problems that are shown of each reason, however rare."""


@dataclass(frozen=True)
class Picked:
    """Ids of problems in the order of the version, and lists of some of them by what they have in common."""

    ids: list[str]
    of: int
    """Problems in the version."""
    differing: dict[tuple[str, str, str], tuple[int, list[str]]]
    """By pair of opinions and what each says: rollouts, and the problems they are of."""
    dropped: dict[tuple[str, str], list[str]]
    """By stage or view and reason: shown problems that left there, or one of whose rollouts did."""
    domains: dict[str, list[str]]
    """Shown problems by domain."""


def pick(version: Version, problems: int, all_: bool) -> Picked:
    """Every problem with a disagreement, some of each reason for a drop, and a seeded sample of the others."""
    named = version.table("problems").collect_schema().names()
    columns = ["id", "domain", "drop_reason"]
    rows = version.table("problems").select([c for c in columns if c in named]).collect()
    differing = _differing(version)
    must = pl.Series("id", [i for _, ids in differing.values() for i in ids], dtype=pl.String).unique()
    if not all_:
        draw = rows.with_columns(draws(rows["id"], SEED))
        rare = pl.col("drop_reason").is_not_null() & (pl.col("draw").rank("ordinal").over("drop_reason") <= PER_REASON)
        sampled = pl.col("draw").rank("ordinal") <= problems
        rows = draw.filter(sampled | rare | pl.col("id").is_in(must.implode())).drop("draw")
    ids = rows["id"].to_list()
    domains = (
        rows.filter(pl.col("domain").is_not_null()).group_by("domain", maintain_order=True).agg("id").sort("domain")
    )
    return Picked(
        ids=ids,
        of=version.table("problems").select(pl.len()).collect().item(),
        differing=differing,
        dropped=_dropped(version, rows["id"]),
        domains=dict(domains.iter_rows()),
    )


def _differing(version: Version) -> dict[tuple[str, str, str], tuple[int, list[str]]]:
    rollouts = version.table("rollouts")
    found: dict[tuple[str, str, str], tuple[int, list[str]]] = {}
    for name, differs in disagreements(rollouts.collect_schema().names()).items():
        ours, theirs = OPINIONS[name]
        groups = rollouts.filter(differs.fill_null(False)).group_by(ours, theirs)
        counted = groups.agg(rows=pl.len(), ids=pl.col("problem_id").unique()).collect()
        ordered = counted.sort("rows", ours, theirs, descending=[True, False, False])
        found |= {(name, row[0], row[1]): (row[2], sorted(row[3])) for row in ordered.iter_rows()}
    return found


def _dropped(version: Version, ids: pl.Series) -> dict[tuple[str, str], list[str]]:
    shown = ids.to_list()
    owners = version.table("rollouts").filter(pl.col("problem_id").is_in(shown)).select("id", "problem_id")
    own = pl.LazyFrame({"id": ids, "problem_id": ids})
    ledger = version.table("ledger").select("id", "stage", "reason")
    left = ledger.join(pl.concat([owners, own]), on="id").select("stage", "reason", "problem_id").unique()
    groups = left.group_by("stage", "reason").agg("problem_id").sort("stage", "reason").collect()
    return {(stage, reason): sorted(ids) for stage, reason, ids in groups.iter_rows()}
