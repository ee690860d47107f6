"""What the rollouts of a version cost: per attempt, per problem and per correct rollout, over all runs that made it."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from curate.records import with_facts
from distill.account import Spent
from distill.budget import Prices
from distill.sample import SampleSummary

if TYPE_CHECKING:
    from curate.flow import Flow


@dataclass(frozen=True)
class Bill:
    """What one teacher was asked for a version, and what it took."""

    teacher: str
    """Model and revision."""
    stage: str
    """Who asked: `teacher.openai_server` for the rollouts, or a stage such as `verdicts.judge`, `hygiene.open_form`."""
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
    max_tokens: int
    """What the first draw of a rollout may take."""

    @property
    def usd(self) -> float | None:
        """What all attempts cost; None without prices."""
        return self.prices.usd(self.spent.prompt_tokens, self.spent.completion_tokens) if self.prices else None

    @property
    def correct(self) -> int:
        """Rollouts whose verdict is correct."""
        return self.verdicts.get("correct", 0)

    @property
    def not_told(self) -> dict[str, float | None] | None:
        """What the failed attempts took at most: a timeout is billed by many servers and told by none."""
        told = self.spent.attempts - self.spent.failed_attempts
        if not self.spent.failed_attempts:
            return None
        read = round(self.spent.failed_attempts * self.spent.prompt_tokens / told) if told else 0
        written = self.spent.failed_attempts * self.max_tokens
        usd = self.prices.usd(read, written) if self.prices else None
        return {"prompt_tokens": read, "completion_tokens": written, "usd": usd}

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
            "failed_attempts": self.spent.failed_attempts,
            "failed_took_at_most": self.not_told,
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
    wanted = flow.manifest.rollouts
    own = f"teacher.{wanted.teacher.name}" if wanted else None
    kinds = (("", flow.manifest.problems), ("verdicts.", flow.manifest.verdicts), ("tags.", flow.manifest.tags))
    stages = {f"{kind}{use.name}": use.plug for kind, uses in kinds for use in uses}
    made = []
    for stage, spent in flow.asker.accounts.items():
        run = flow.asker.runs.get(stage, SampleSummary(reused=spent.answered))  # offline nothing runs
        if wanted and stage == own:
            teacher, sampling, prices = wanted.teacher.plug, wanted.sampling, wanted.prices
            rollouts = flow.rollouts.filter(pl.col("sampling").is_not_null())
        else:
            teacher, sampling, prices = stages[stage].teacher, stages[stage].sampling, None
            rollouts = flow.rollouts.clear()
        made.append(
            Bill(
                teacher=f"{teacher.model}@{teacher.revision}" if teacher.revision else teacher.model,
                stage=stage,
                problems=rollouts["problem_id"].n_unique() if rollouts.height else spent.rollouts,
                cut_off=rollouts.filter(pl.col("finish_reason") == "length").height,
                verdicts=_verdicts(rollouts),
                run=run,
                spent=spent,
                prices=prices,
                max_tokens=sampling.max_tokens,
            )
        )
    return made


def _verdicts(rollouts: pl.DataFrame) -> dict[str, int]:
    verdicts = with_facts(rollouts).select(verdict=pl.col("verdict").fill_null("none"))
    counts = verdicts.group_by("verdict").len("rows").sort("rows", "verdict", descending=[True, False])
    return dict(counts.iter_rows())
