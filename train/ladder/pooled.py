"""Scores and differences pooled over seeds, with intervals that say what they are over.

The problems are the sample. Every seed is asked the same ones, so a problem's values at three seeds are no three
independent ones: they are averaged first, and the bootstrap is over problems. That interval speaks of these runs on
further problems. How other seeds would have come out is told by the seeds themselves, shown apart, and by a wider
interval that draws seeds as well as problems; with three seeds that one is rough.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from train.scores import Interval, by_problem, interval

RESAMPLES = 4_000

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pooled:
    """A mean over seeds and problems."""

    over_problems: Interval
    """With the 95 % interval over problems, the seeds as they are."""
    over_both: Interval
    """With the 95 % interval over problems and seeds; with one seed, the same."""
    by_seed: tuple[float, ...]
    """The mean of each seed alone."""

    @property
    def spread(self) -> float:
        """Standard deviation between the seeds; nan for one."""
        return float(np.std(self.by_seed, ddof=1)) if len(self.by_seed) > 1 else float("nan")


def averages(rollouts: Sequence[pl.DataFrame], ids: pl.Series) -> Floats:
    """avg@k by seed and problem; nan where no rollout of the problem was judged.

    Args:
        rollouts: judged, of one seed each.
        ids: the problems that count, in order.
    """
    rows = [
        pl.DataFrame({"problem_id": ids}).join(by_problem(own), on="problem_id", how="left", maintain_order="left")
        for own in rollouts
    ]
    return np.array([row["average"].fill_null(np.nan).to_numpy() for row in rows], dtype=np.float64)


def pooled(values: Floats, seed: int = 0) -> Pooled:
    """The mean over all.

    Args:
        values: by seed and problem, nan where there is none.
        seed: of the bootstrap.
    """
    there = values[:, ~np.isnan(values).all(axis=0)]
    if not there.size:
        nothing = Interval(float("nan"), float("nan"), float("nan"))
        return Pooled(nothing, nothing, tuple(float("nan") for _ in values))
    over_problems = interval(np.nanmean(there, axis=0), seed)
    by_seed = tuple(float(np.nanmean(row)) if (~np.isnan(row)).any() else float("nan") for row in there)
    return Pooled(over_problems, _over_both(there, seed) if len(there) > 1 else over_problems, by_seed)


def _over_both(values: Floats, seed: int) -> Interval:
    """Seeds and problems drawn anew, each with replacement (the two-way bootstrap)."""
    random = np.random.default_rng(seed)
    known = ~np.isnan(values)
    filled = np.where(known, values, 0.0)
    seeds, problems = values.shape
    means = []
    for _ in range(RESAMPLES // 500):
        ws = random.multinomial(seeds, np.full(seeds, 1 / seeds), size=500)
        wp = random.multinomial(problems, np.full(problems, 1 / problems), size=500)
        total = np.einsum("rs,rp,sp->r", ws, wp, filled, optimize=True)
        count = np.einsum("rs,rp,sp->r", ws, wp, known, optimize=True)
        means.append(total[count > 0] / count[count > 0])
    low, high = np.quantile(np.concatenate(means), [0.025, 0.975])
    return Interval(float(np.nanmean(values)), float(low), float(high))
