"""Lot: the verdicts of a problem's rollouts, dealt out among them at random. A control, never a verdict."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import polars as pl
from pydantic import Field

from curate.records import draws

DEALT = ("correct", "wrong")


@dataclass(frozen=True)
class Lot:
    """Deal the verdicts `correct` and `wrong` of each problem out among its rollouts anew, by lot.

    What a trainer learns from pairs or filters made of these cannot come from the verdicts: every problem keeps its
    pass rate and, but for lengths, as many pairs. It stands after `rule`, whose own verdict stays in `rule_verdict`.

    Example:
        >>> rows = pl.DataFrame({"id": ["a", "b", "c", "d"], "problem_id": "p",
        ...     "verdict": ["correct", "wrong", "wrong", "truncated"]})
        >>> sorted(Lot()(rows)["verdict"].drop_nulls())
        ['correct', 'wrong', 'wrong']
    """

    over = "rollouts"
    marks = "rollouts"
    scope = "table"
    reads = ("id", "problem_id", "verdict")
    writes: ClassVar = {"verdict": pl.String, "verdict_by": pl.String}
    drops = ()
    REV = 1

    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0
    """Another seed deals otherwise."""

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`verdict` of every rollout that was judged correct or wrong; null for the others, whose verdict stays."""
        judged = rows.filter(pl.col("verdict").is_in(DEALT))
        dealt = judged.with_columns(draws(judged["id"], self.seed)).select(
            "id", verdict=pl.col("verdict").sort_by("draw", "id").over("problem_id"), verdict_by=pl.lit("lot")
        )
        told = rows.select("id").join(dealt, on="id", how="left", maintain_order="left")
        return told.with_columns(drop=pl.lit(None, pl.String)).select("id", *self.writes, "drop")
