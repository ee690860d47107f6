"""Scores of an evaluation, with intervals: the mean over k rollouts, one of k, the majority of k, and pairs of them.

An interval is the 95 % bootstrap over problems: the problems are the sample, their rollouts are not independent.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

RESAMPLES = 10_000
UNJUDGED = ("unreadable_gold", "undecided", "timeout", "error")
"""Verdicts that count neither for nor against a model; how many there are stands beside the score. A problem with
nothing else is left out of every score."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A mean over problems, with the bounds between which 95 % of the resampled means lie."""

    mean: float
    low: float
    high: float

    def text(self) -> str:
        """In per cent."""
        return f"{self.mean:6.1%}  [{self.low:.1%}, {self.high:.1%}]"


@dataclass(frozen=True)
class Scores:
    """What one model reached on one set of problems."""

    problems: int
    """All that were asked."""
    k: int
    """Rollouts per problem."""
    average: Interval
    """avg@k: the share of correct rollouts among those judged, over problems."""
    any_of_k: Interval
    """pass@k: problems with at least one correct rollout."""
    majority: Interval
    """maj@k: problems whose most frequent answer is correct."""
    truncated: float
    """The share of rollouts that were cut off: they count as not correct, and do not vote."""
    boxless: float
    """The share of finished rollouts without an answer: not correct by form, not by reckoning."""
    unjudged: int
    """Rollouts that count neither for nor against the model."""
    mean_tokens: float
    verdicts: dict[str, int]

    def facts(self) -> dict[str, Any]:
        """For result.json."""
        return asdict(self)


def scores(rollouts: pl.DataFrame, seed: int = 0) -> Scores:
    """The scores of judged rollouts.

    Args:
        rollouts: `problem_id`, `index`, `verdict`, `extracted_answer`, `finish_reason`, `completion_tokens`.
        seed: of the bootstrap.
    """
    problems = by_problem(rollouts)
    verdicts = dict(rollouts["verdict"].value_counts().sort("count", descending=True).iter_rows())
    finished = rollouts.filter(pl.col("finish_reason") != "length")
    return Scores(
        problems=rollouts["problem_id"].n_unique(),
        k=int(rollouts["problem_id"].value_counts()["count"].max() or 0),  # type: ignore[arg-type]  # any value
        average=interval(problems["average"].to_numpy(), seed),
        any_of_k=interval(problems["any"].cast(pl.Float64).to_numpy(), seed),
        majority=interval(problems["majority"].cast(pl.Float64).to_numpy(), seed),
        truncated=_share(rollouts["finish_reason"] == "length"),
        boxless=_share(finished["verdict"] == "no_answer"),
        unjudged=rollouts.filter(pl.col("verdict").is_in(UNJUDGED)).height,
        mean_tokens=float(rollouts["completion_tokens"].mean() or 0.0),  # type: ignore[arg-type]  # any value
        verdicts=verdicts,
    )


def difference(a: pl.DataFrame, b: pl.DataFrame, seed: int = 0) -> tuple[int, Interval]:
    """How many problems both have, and the paired difference of avg@k, b minus a."""
    ours = by_problem(a).select("problem_id", "average")
    both = ours.join(by_problem(b).select("problem_id", other="average"), on="problem_id")
    return both.height, interval((both["other"] - both["average"]).to_numpy(), seed)


def interval(values: Floats, seed: int = 0) -> Interval:
    """The mean, and its 95 % bootstrap interval over the values.

    Example:
        >>> interval(np.array([1.0, 1.0, 1.0]))
        Interval(mean=1.0, low=1.0, high=1.0)
    """
    if not len(values):
        return Interval(float("nan"), float("nan"), float("nan"))
    random = np.random.default_rng(seed)
    # A thousand resamples at a time: with 5,000 problems that is 40 MB.
    means = np.concatenate(
        [
            values[random.integers(len(values), size=(1_000, len(values)))].mean(axis=1)
            for _ in range(RESAMPLES // 1_000)
        ]
    )
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(values.mean()), float(low), float(high))


def by_problem(rollouts: pl.DataFrame) -> pl.DataFrame:
    """Per problem with a judged rollout, over its judged rollouts: `average`, `any`, `majority`."""
    judged = rollouts.filter(~pl.col("verdict").is_in(UNJUDGED))
    correct = pl.col("verdict") == "correct"
    # All correct answers are one answer, however they are written; wrong ones are told apart by their text.
    answer = pl.when(correct).then(pl.lit("")).otherwise(pl.col("extracted_answer"))
    votes = (
        judged.with_columns(answer=answer)
        .filter(pl.col("answer").is_not_null())
        .group_by("problem_id", "answer", maintain_order=True)
        .agg(votes=pl.len(), first=pl.col("index").min())
        .sort("problem_id", "votes", "first", descending=[False, True, False])
        .unique("problem_id", keep="first", maintain_order=True)
        .select("problem_id", majority=pl.col("answer") == "")
    )
    seen = judged.group_by("problem_id", maintain_order=True).agg(average=correct.mean(), any=correct.any())
    return seen.join(votes, on="problem_id", how="left", maintain_order="left").with_columns(
        pl.col("majority").fill_null(False)
    )


def _share(flags: pl.Series) -> float:
    return float(flags.sum() / len(flags)) if len(flags) else 0.0
