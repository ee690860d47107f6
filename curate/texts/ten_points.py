"""From ten points, as AoPS rates contest problems, to our five levels."""

import polars as pl

from curate.records import LEVELS

Ends = tuple[float, float, float, float]

TEN: Ends = (2.0, 3.0, 5.0, 7.0)
"""The lowest middle, high, college and graduate number. Ours, after the contests that AoPS names for the points: 3 is
the end of AMC 10, 5 that of AIME, 7 and more the IMO."""


def of_ten(number: pl.Expr, ends: Ends) -> pl.Expr:
    """The level of a number on a scale to ten; null for none.

    Example:
        >>> pl.DataFrame({"n": [1.5, 3.0, 9.0, None]}).select(of_ten(pl.col("n"), TEN)).to_series().to_list()
        ['elementary', 'high', 'graduate', None]
    """
    level: pl.Expr = pl.when(number.is_not_null()).then(pl.lit(LEVELS[0]))
    for end, name in zip(ends, LEVELS[1:], strict=True):
        level = pl.when(number >= end).then(pl.lit(name)).otherwise(level)
    return level


def check_ends(ends: Ends) -> None:
    """Raises ValueError for ends out of order."""
    if list(ends) != sorted(ends):
        raise ValueError(f"ten: from the lowest to the highest, got {list(ends)}")
