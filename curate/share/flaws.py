"""What tags found wrong with rollouts, counted by teacher, and the card's section about it."""

from collections.abc import Mapping

import polars as pl

from curate.share.markdown import table

WHOLE = ("whole", "no_thinking")
"""Shapes that are no flaw: a model that does not think aloud writes its work in the response."""


def flaws(rollouts: pl.DataFrame) -> dict[str, dict[str, int]]:
    """By teacher: `rollouts`, and how many of them loop, mix languages, or are of each shape that is a flaw.

    Empty where no tag of the three was asked for; flaws that nobody has are left out.
    """
    there = [name for name in ("loops", "mixes", "shape") if name in rollouts.columns]
    if not there:
        return {}
    found = [rollouts.select("teacher", flaw=pl.when(pl.col(n)).then(pl.lit(n))) for n in there if n != "shape"]
    if "shape" in there:
        bad = ~pl.col("shape").is_in(WHOLE)
        found.append(rollouts.select("teacher", flaw=pl.when(bad).then(pl.col("shape"))))
    named = pl.concat(found).drop_nulls("flaw").group_by("teacher", "flaw").len("rows").sort("flaw", "teacher")
    names = named["flaw"].unique(maintain_order=True).to_list()
    total = rollouts.group_by("teacher", maintain_order=True).len("rows")
    counted = {teacher or "unknown": {"rollouts": rows, **dict.fromkeys(names, 0)} for teacher, rows in total.rows()}
    for teacher, flaw, rows in named.iter_rows():
        counted[teacher or "unknown"][flaw] = rows
    return counted


def flaws_section(counted: Mapping[str, Mapping[str, int]]) -> str:
    """The card's section; empty where nothing was looked for."""
    if not counted:
        return ""
    names = list(next(iter(counted.values())))
    rows = [(teacher, *(own[name] for name in names)) for teacher, own in counted.items()]
    note = "Shapes, loops and languages are marks; the column `drop_reason` says which rollouts went for them."
    return f"## Flaws of rollouts\n\n{table(('teacher', *names), rows)}\n\n{note}"
