"""What the rollouts of a version cost: per attempt, per problem and per correct rollout, over all runs that made it."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from curate.records import with_facts
from distill.account import Spent
from distill.budget import Prices
from distill.request import Teacher
from distill.sample import SampleSummary

if TYPE_CHECKING:
    from curate.flow import Flow


@dataclass(frozen=True)
class Bill:
    """What one teacher was asked for a version, and what it took."""

    teacher: str
    """Model and revision."""
    stage: str
    """Who asked: `teacher.openai_server` for the rollouts, or a stage such as `verdicts.judge`."""
    problems: int
    """How many problems it was asked about; rows, where a stage asked."""
    cut_off: int
    """Rollouts that stayed cut off."""
    verdicts: dict[str, int]
    """Rollouts by verdict, most frequent first; empty where a stage asked."""
    run: SampleSummary
    """The run that made the version."""
    spent: Spent
    """All runs, failed and repeated attempts included: what the store says of these requests."""
    prices: Prices | None

    @property
    def usd(self) -> float | None:
        """What all attempts cost; None without prices."""
        return self.prices.usd(self.spent.prompt_tokens, self.spent.completion_tokens) if self.prices else None

    @property
    def correct(self) -> int:
        """Rollouts whose verdict is correct."""
        return self.verdicts.get("correct", 0)

    @property
    def failed_attempts(self) -> int:
        """Attempts that ended in an error. Their tokens count where the server told them; few do."""
        return self.spent.attempts - self.spent.answered - self.spent.drawn_longer

    def facts(self) -> dict[str, Any]:
        """As the lock keeps it. No part of a version's identity: an interrupted build pays more for the same rows."""
        spent = self.spent
        return {
            "teacher": self.teacher,
            "stage": self.stage,
            "problems": self.problems,
            "rollouts": spent.rollouts,
            "asked": self.run.asked,
            "reused": self.run.reused,
            "attempts": spent.attempts,
            "failed_attempts": self.failed_attempts,
            "no_reply": spent.rollouts - spent.answered,
            "cut_off": self.cut_off,
            "drawn_longer": spent.drawn_longer,
            "prompt_tokens": spent.prompt_tokens,
            "completion_tokens": spent.completion_tokens,
            "teacher_seconds": round(spent.seconds, 1),
            "prices": asdict(self.prices) if self.prices else None,
            "usd": self.usd,
            "verdicts": self.verdicts,
            "per_attempt": self._per(spent.attempts),
            "per_problem": self._per(self.problems),
            "per_correct": self._per(self.correct),
        }

    def _per(self, count: int) -> dict[str, float | None] | None:
        """The mean share of one in so many; None where there are none."""
        if not count:
            return None
        return {
            "prompt_tokens": round(self.spent.prompt_tokens / count, 1),
            "completion_tokens": round(self.spent.completion_tokens / count, 1),
            "usd": None if self.usd is None else self.usd / count,
        }


def bills(flow: "Flow") -> list[Bill]:
    """What the teacher of the rollouts took, and those whom stages asked."""
    wanted, asker = flow.manifest.rollouts, flow.asker
    made = []
    for stage, spent in asker.accounts.items():
        if wanted and stage == f"teacher.{wanted.teacher.name}":
            drawn, prices, teacher = (
                flow.rollouts.filter(pl.col("sampling").is_not_null()),
                wanted.prices,
                wanted.teacher.plug,
            )
        else:
            drawn, prices = flow.rollouts.clear(), None
            stages = (("verdicts", flow.manifest.verdicts), ("tags", flow.manifest.tags))
            named = {f"{kind}.{use.name}": use.plug for kind, uses in stages for use in uses}
            teacher = named[stage].teacher
        made.append(_bill(teacher, stage, asker.runs.get(stage, SampleSummary()), spent, prices, drawn))
    return made


def _bill(
    teacher: Teacher, stage: str, run: SampleSummary, spent: Spent, prices: Prices | None, rollouts: pl.DataFrame
) -> Bill:
    verdicts = with_facts(rollouts).select(verdict=pl.col("verdict").fill_null("none"))
    counts = verdicts.group_by("verdict").len("rows").sort("rows", "verdict", descending=[True, False])
    return Bill(
        teacher=f"{teacher.model}@{teacher.revision}" if teacher.revision else teacher.model,
        stage=stage,
        problems=rollouts["problem_id"].n_unique() if rollouts.height else spent.rollouts,
        cut_off=rollouts.filter(pl.col("finish_reason") == "length").height,
        verdicts=dict(counts.iter_rows()),
        run=run,
        spent=spent,
        prices=prices,
    )
