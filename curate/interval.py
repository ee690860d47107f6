"""How sure a share is: the interval in which the true rate lies, seen through a few rollouts."""

import polars as pl

Z = 1.959963984540054
"""95 % of a normal distribution lie within so many standard deviations."""


def wilson(right: pl.Expr, n: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Lowest and highest rate that `right` of `n` agree with at 95 % (Wilson 1927); null where n is 0.

    Unlike rate +- 2 standard errors it says something of 0 of n, and never leaves 0 to 1.

    Example:
        >>> low, high = wilson(pl.col("right"), pl.col("n"))
        >>> rows = pl.DataFrame({"right": [0, 0, 4], "n": [4, 64, 8]})
        >>> rows.select(low.round(3).alias("low"), high.round(3).alias("high")).rows()
        [(0.0, 0.49), (0.0, 0.057), (0.215, 0.785)]
    """
    trials = pl.when(n > 0).then(n).cast(pl.Float64)
    rate = right / trials
    middle = (rate + Z**2 / (2 * trials)) / (1 + Z**2 / trials)
    half = Z / (1 + Z**2 / trials) * (rate * (1 - rate) / trials + Z**2 / (4 * trials**2)).sqrt()
    # At the ends the formula gives 0 and 1 but for rounding; a reader looks for just these.
    low = pl.when(right == 0).then(trials * 0).otherwise(middle - half)
    high = pl.when(right == n).then(trials * 0 + 1).otherwise(middle + half)
    return low, high


def shortfall(n: int) -> float:
    """The highest rate that no success in `n` agrees with at 95 %.

    Example:
        >>> round(shortfall(4), 2), round(shortfall(64), 2)
        (0.49, 0.06)
    """
    return Z**2 / (n + Z**2)
