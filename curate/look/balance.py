"""Balance: how the kept problems spread over sources, domains and levels."""

from typing import TYPE_CHECKING

import polars as pl

from curate.records import LEVELS, effective_level, with_facts

if TYPE_CHECKING:
    from curate.version import Version

UNKNOWN = "unknown"
LEVEL_ORDER = (*LEVELS, UNKNOWN)
"""Columns of every table of levels."""

MOST_ROWS = 40
"""Pairs of source and domain that a table lists; the others are one row."""

Row = tuple[str, str, tuple[int, ...]]
"""Source, domain, problems by LEVEL_ORDER."""


def balance_counts(problems: pl.DataFrame) -> pl.DataFrame:
    """`source`, `domain`, `level`, `problems`: kept ones, sorted by what tells them apart; null is `unknown`.

    Args:
        problems: `source`, `domain`, `level`, `drop_reason`, and `pass_rate_level` where a stage wrote it.
    """
    kept = with_facts(problems.filter(pl.col("drop_reason").is_null())).with_columns(effective_level())
    level = pl.when(pl.col("level").is_in(LEVELS)).then("level").otherwise(pl.lit(UNKNOWN))
    named = kept.select(pl.col("source", "domain").fill_null(UNKNOWN), level=level)
    return named.group_by("source", "domain", "level").agg(problems=pl.len()).sort("source", "domain", "level")


def balance_rows(counts: pl.DataFrame) -> list[Row]:
    """One row per source and domain, the most frequent ones first, as many as a table lists; then all others."""
    groups: dict[tuple[str, str], dict[str, int]] = {}
    for source, domain, level, n in counts.select("source", "domain", "level", "problems").iter_rows():
        groups.setdefault((source, domain), {})[level] = n
    rows = [(*group, tuple(levels.get(level, 0) for level in LEVEL_ORDER)) for group, levels in groups.items()]
    rows.sort(key=lambda row: (-sum(row[2]), row))
    listed, others = rows[:MOST_ROWS], rows[MOST_ROWS:]
    if others:
        sums = tuple(sum(column) for column in zip(*(levels for _, _, levels in others), strict=True))
        listed.append((f"{len(others)} others", "", sums))
    return listed


def balance_text(version: "Version") -> str:
    """The table for a terminal, with what each level and the whole has."""
    from curate.look.prose import one_line, seen
    from curate.look.show import text_table

    there = version.problems.collect_schema().names()
    names = [c for c in ("source", "domain", "level", "pass_rate_level", "drop_reason") if c in there]
    rows = balance_rows(balance_counts(version.problems.select(names).collect()))
    # Sources and datasets name themselves: foreign text.
    lines = [
        (*(one_line(seen(name)) for name in row[:2]), *map("{:,}".format, row[2]), f"{sum(row[2]):,}") for row in rows
    ]
    sums = [sum(column) for column in zip(*(row[2] for row in rows), strict=True)] or [0] * len(LEVEL_ORDER)
    whole = ("all", "", *map("{:,}".format, sums), f"{sum(sums):,}")
    return text_table(("source", "domain", *LEVEL_ORDER, "problems"), [*lines, whole])
