"""Length: questions too short to ask anything, or too long to be one."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import polars as pl
from pydantic import Field


@dataclass(frozen=True)
class Length:
    """Mark how long every question is, and drop those out of bounds.

    Of 14,000 questions of benchmarks the shortest has 13 characters and the longest 4,300.

    Example:
        >>> rows = pl.DataFrame({"id": ["a", "b"], "problem": ["1+1?", "?"]})
        >>> Length(at_least=3)(rows).select("problem_chars", "drop").rows()
        [(4, None), (1, 'too_short')]
    """

    over = "problems"
    marks = "problems"
    scope = "row"
    reads = ("id", "problem")
    writes: ClassVar = {"problem_chars": pl.Int64}
    drops = ("too_short", "too_long")
    REV = 1

    at_least: Annotated[int, Field(ge=0)] = 5
    """Characters, spacing at the ends aside."""
    at_most: Annotated[int, Field(ge=1)] = 6_000
    """Characters."""

    def __post_init__(self) -> None:
        if self.at_least > self.at_most:
            raise ValueError(f"at_least: {self.at_least} is above at_most: {self.at_most}, and nothing would stay")

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`problem_chars`, 0 without a text."""
        chars = pl.col("problem").fill_null("").str.strip_chars().str.len_chars().cast(pl.Int64)
        short, long = pl.col("problem_chars") < self.at_least, pl.col("problem_chars") > self.at_most
        return rows.select("id", problem_chars=chars).with_columns(
            drop=pl.when(short).then(pl.lit("too_short")).when(long).then(pl.lit("too_long"))
        )
