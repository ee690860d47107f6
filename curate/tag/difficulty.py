"""Difficulty: how often a problem's rollouts are right, how sure that is, and the level that this makes it."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import Field

from curate.interval import wilson
from curate.records import LEVELS
from curate.votes import of_teacher


@dataclass(frozen=True)
class Difficulty:
    """Per problem: the share of judged rollouts that are correct, how many were judged, whose they are, and a level.

    The share is seen through few rollouts: `pass_rate_low` and `pass_rate_high` are its 95 % interval (Wilson), so that
    0 of 4 (up to 0.49) and 0 of 64 (up to 0.06) are told apart. Judged are `correct`, `wrong` and `no_answer`: a
    timeout, an undecided reply or an unreadable gold answer says nothing of the problem and counts on neither side.

    A source's own level is never overwritten: the one from the pass rate is a fact of its own, `pass_rate_level`, and
    stands in where the source has none (`records.effective_level`).

    Example:
        >>> rows = pl.DataFrame({"problem_id": ["p"] * 4, "verdict": ["correct", "wrong", "wrong", "timeout"],
        ...                      "teacher": ["m"] * 4})
        >>> Difficulty(least=3)(rows).select("pass_rate_n", "pass_rate_level", pl.col("pass_rate_high").round(2)).rows()
        [(3, 'college', 0.79)]
    """

    over = "rollouts"
    marks = "problems"
    scope = "table"
    reads = ("problem_id", "verdict", "teacher")
    writes: ClassVar = {
        "pass_rate": pl.Float64,
        "pass_rate_low": pl.Float64,
        "pass_rate_high": pl.Float64,
        "pass_rate_n": pl.Int64,
        "pass_rate_teacher": pl.String,
        "pass_rate_level": pl.String,
    }
    drops = ()
    REV = 2

    by: Literal["pass_rate"] = "pass_rate"
    """What difficulty is measured by."""

    teacher: str | None = None
    """Count only rollouts of this teacher (`model` or `model@revision`); None counts all, imported ones too."""

    truncated: bool = False
    """Count cut-off replies as failures."""

    least: Annotated[int, Field(ge=1)] = 4
    """Fewer judged rollouts than this give a pass rate but no level."""

    thresholds: tuple[float, float, float, float] = (0.9, 0.7, 0.4, 0.1)
    """Lowest pass rate of an elementary, middle, high and college problem; below the last it is graduate. Ours: no
    published recipe states any, and they mean something for one teacher only."""

    def __post_init__(self) -> None:
        if list(self.thresholds) != sorted(self.thresholds, reverse=True):
            raise ValueError(f"thresholds: from the highest to the lowest, got {list(self.thresholds)}")

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """One row per problem: `pass_rate` is null where nothing was judged."""
        judged = ["correct", "wrong", "no_answer", *(["truncated"] if self.truncated else [])]
        counts = pl.col("verdict").is_in(judged) & of_teacher(self.teacher)
        right = (counts & (pl.col("verdict") == "correct")).sum()
        teachers = pl.col("teacher").filter(counts).drop_nulls().unique().sort().str.join(", ")
        rate, n = pl.col("pass_rate"), pl.col("pass_rate_n")
        low, high = wilson(pl.col("right"), n)
        return (
            rows.group_by(id="problem_id", maintain_order=True)
            .agg(pass_rate_n=counts.sum().cast(pl.Int64), right=right, pass_rate_teacher=teachers)
            .with_columns(pass_rate=pl.when(n > 0).then(pl.col("right") / n))
            .select(
                "id",
                "pass_rate",
                low.alias("pass_rate_low"),
                high.alias("pass_rate_high"),
                "pass_rate_n",
                pl.when(n > 0).then("pass_rate_teacher").alias("pass_rate_teacher"),
                pl.when(n >= self.least).then(self._level(rate)).alias("pass_rate_level"),
                drop=pl.lit(None, dtype=pl.String),
            )
        )

    def _level(self, rate: pl.Expr) -> pl.Expr:
        level = pl.lit(LEVELS[-1])
        for least, name in reversed(list(zip(self.thresholds, LEVELS, strict=False))):
            level = pl.when(rate >= least).then(pl.lit(name)).otherwise(level)
        return level
