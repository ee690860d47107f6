"""What the runs of a ladder came to, read from their folders: scores by stage and level, outcomes, differences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from curate.records import LEVELS
from curate.version import Version
from train.evaluate import ROLLOUTS
from train.ladder.apart import asked_problems
from train.ladder.file import Ladder
from train.ladder.plan import LADDER
from train.ladder.pooled import Floats, Pooled, averages, pooled
from train.ladder.steps import Done, measured_in
from train.scores import UNJUDGED

OUTCOMES = ("correct", "wrong answer", "no boxed answer", "cut off", "not judged")


@dataclass(frozen=True)
class Rung:
    """One stage of a branch, at all its seeds."""

    branch: str
    stage: str
    runs: tuple[Done, ...]
    """By seed."""
    version: Version
    """Of the set that was asked."""
    split: str

    @property
    def name(self) -> str:
        """`dpo`, or `random_pairs` for the last stage of a control."""
        return self.stage if self.branch == LADDER else self.branch

    @property
    def seeds(self) -> tuple[int, ...]:
        """In their order."""
        return tuple(done.run.seed for done in self.runs)

    @cached_property
    def problems(self) -> pl.DataFrame:
        """What was asked: `id`, `prompt`, `solution`, `level`, ..."""
        return asked_problems(self.version, self.split)

    @cached_property
    def rollouts(self) -> tuple[pl.DataFrame, ...]:
        """Judged, by seed."""
        return tuple(
            pl.read_parquet(measured_in(done.folder, self.version, self.split) / ROLLOUTS) for done in self.runs
        )

    @cached_property
    def values(self) -> Floats:
        """avg@k by seed and problem."""
        return averages(self.rollouts, self.problems["id"])

    def score(self, levels: Sequence[str] | None = None) -> Pooled:
        """avg@k, pooled; of the problems of these levels, or of all."""
        return pooled(self.values if levels is None else self.values[:, self._of(levels)])

    def above(self, other: "Rung", levels: Sequence[str] | None = None) -> Pooled:
        """The paired difference, this one minus the other, seed by seed."""
        ours = dict(zip(self.seeds, self.values, strict=True))
        theirs = dict(zip(other.seeds, other.values, strict=True))
        both = np.array([ours[seed] - theirs[seed] for seed in ours if seed in theirs])
        return pooled(both if levels is None else both[:, self._of(levels)])

    def _of(self, levels: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        return self.problems["level"].is_in(list(levels)).to_numpy()

    @cached_property
    def outcomes(self) -> dict[str, int]:
        """How many rollouts came to each of OUTCOMES, over all seeds."""
        counts = dict(pl.concat([rows.select(outcome()) for rows in self.rollouts]).group_by("outcome").len().rows())
        return {name: counts.get(name, 0) for name in OUTCOMES}

    @cached_property
    def verdicts(self) -> dict[str, int]:
        """How many rollouts have each verdict, over all seeds."""
        rows = pl.concat([own.select("verdict") for own in self.rollouts])["verdict"].value_counts(sort=True)
        return dict(rows.iter_rows())

    @property
    def mean_tokens(self) -> float:
        """Of a rollout, over all seeds."""
        return float(pl.concat([rows.select("completion_tokens") for rows in self.rollouts]).mean().item() or 0.0)


def outcome() -> pl.Expr:
    """One of OUTCOMES for each rollout: a form that was missed is told apart from a sum that was missed."""
    boxed = pl.col("response").fill_null("").str.contains("\\boxed", literal=True)
    told = (
        pl.when(pl.col("verdict").is_in(UNJUDGED))
        .then(pl.lit("not judged"))
        .when(pl.col("verdict") == "correct")
        .then(pl.lit("correct"))
        .when(pl.col("finish_reason") == "length")
        .then(pl.lit("cut off"))
        .when(~boxed)
        .then(pl.lit("no boxed answer"))
        .otherwise(pl.lit("wrong answer"))
    )
    return told.alias("outcome")


@dataclass(frozen=True)
class Results:
    """A ladder as one set of problems measured it."""

    name: str
    """`heldout` or `validation`."""
    ladder: Ladder
    rungs: tuple[Rung, ...]
    """Of the ladder, from the bottom."""
    controls: Mapping[str, Rung]
    """The last stage of each control that was run."""

    @property
    def levels(self) -> list[str]:
        """Of the problems that were asked, the easiest first."""
        there = set(self.rungs[0].problems["level"].drop_nulls())
        return [level for level in LEVELS if level in there] + sorted(there - set(LEVELS))

    def steps(self) -> list[tuple[Rung, Rung, Pooled]]:
        """Each stage, the one before it, and the difference."""
        return [(high, low, high.above(low)) for low, high in zip(self.rungs, self.rungs[1:], strict=False)]

    def rung(self, name: str) -> Rung | None:
        """The stage or control of that name, if it was run."""
        return next((rung for rung in self.rungs if rung.stage == name), self.controls.get(name))


def results(name: str, ladder: Ladder, done: Sequence[Done], version: Version, split: str) -> Results:
    """The runs gathered by branch and stage."""
    gathered: dict[tuple[str, str], list[Done]] = {}
    for one in done:
        gathered.setdefault((one.run.branch, one.run.stage.name), []).append(one)
    rungs = [Rung(branch, stage, tuple(runs), version, split) for (branch, stage), runs in gathered.items()]
    own = tuple(rung for rung in rungs if rung.branch == LADDER)
    return Results(name, ladder, own, {rung.branch: rung for rung in rungs if rung.branch != LADDER})
