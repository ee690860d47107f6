"""Asks teachers on behalf of a build: rollouts in one round or in rounds until a goal is reached, and second opinions.

Offline nobody is asked: what the store does not have is missing, is said to be, and makes the version another one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import polars as pl

from curate.asking.draw import Draw
from curate.asking.goal_verdicts import GoalVerdicts
from curate.asking.lost_reasoning import FIRST, ReasoningWatch
from curate.plug import asks
from curate.progress import Steps
from curate.recipes.recipe import Rollouts
from distill.account import Spent, costs, spent
from distill.budget import Meter
from distill.cut_off import CutOff, follow
from distill.goals import draw_to_goal
from distill.request import Message, Request, Teacher, TeacherError
from distill.sample import LOOK_UP, SampleSummary, Watch, sample
from distill.store import Store

if TYPE_CHECKING:
    from curate.workers.crew import Crew


@dataclass
class Asker:
    """Asks for what the store lacks, and keeps account by stage: `teacher.tutor`, `verdicts.judge`."""

    store: Store
    steps: Steps
    offline: bool = False
    runs: dict[str, SampleSummary] = field(default_factory=dict)
    """What this run asked; nothing offline."""
    accounts: dict[str, Spent] = field(default_factory=dict)
    """What the stage's requests cost in all runs, and what is missing."""
    crew: "Crew | None" = None
    """Whose workers ask for rollouts; None where they are asked for here."""

    def rollouts(self, stage: str, wanted: Rollouts, draw: Draw, verdicts: GoalVerdicts | None) -> Draw:
        """What was drawn: its replies are in the store, or are missing there.

        Args:
            draw: the first round.
            verdicts: who says when a goal is reached; None without a goal.

        Raises:
            BudgetError: the budget is spent and rollouts are lacking.
            LostReasoningError: too many of the first replies have no reasoning.
        """
        teacher: Teacher = wanted.teacher.plug
        meter = Meter(wanted.budget, wanted.prices) if wanted.budget else None
        reasoning = ReasoningWatch(draw.model, wanted.no_reasoning)
        watches: list[Watch] = [reasoning, *([meter] if meter else [])]
        title = f"rollouts of {draw.model}"

        def ask(asked: Draw, title: str) -> None:
            if self.offline:
                return
            if meter:
                meter.begin()
                meter.add(self._spent_before(asked))
            if not reasoning.count:
                self._remember(reasoning, asked)
            if self.crew and self.crew.runs("rollouts"):
                if lost := reasoning.stop():
                    raise lost
                self._ask_by_crew(self.crew, stage, title, teacher, asked, wanted.no_reasoning)
                return
            self._ask(stage, title, teacher, asked.requests(), asked.total, draw.cut_off, watches)

        if wanted.goal is None or verdicts is None:
            ask(draw, title)
            return draw
        counts = draw_to_goal(
            wanted.goal,
            draw.sampling.n,
            draw.problems.height,
            lambda current: ask(draw.round(current), f"{title}, round {current.number}"),
            lambda current: verdicts.judged(draw.round(current), current),
        )
        return draw.drawn(counts)

    def with_replies(self, name: str, stage: Any, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows; for a stage that asks, with the column `reply`, null where it does not ask or nobody answered.

        Equal questions are asked once. A stage that wants `several` has `replies`: lists of `sampling.n`.
        """
        if not hasattr(stage, "prompts"):
            return rows
        several = getattr(stage, "several", False)
        column, kind = ("replies", pl.List(pl.String)) if several else ("reply", pl.String())
        if not asks(stage):
            return rows.with_columns(pl.lit(None, kind).alias(column))
        asked: pl.DataFrame = stage.prompts(rows)
        n = stage.sampling.n if several else 1
        teacher = stage.teacher.model, stage.teacher.revision
        questions = [(Message("user", text),) for text in asked["prompt"]]
        requests = [Request(turns, *teacher, stage.sampling, index) for turns in questions for index in range(n)]
        texts = self.replies(name, stage.teacher, requests)
        given = [texts[at : at + n] for at in range(0, len(texts), n)] if several else texts
        replies = asked.select("id", pl.Series(column, given, dtype=kind))
        return rows.join(replies, on="id", how="left", maintain_order="left")

    def replies(self, stage: str, teacher: Teacher, requests: Sequence[Request]) -> list[str | None]:
        """The text of each reply; None where the store has none and nobody is asked."""
        self._ask(stage, f"{stage} asks {teacher.model}", teacher, iter(requests), len(requests), None, ())
        trails = follow(self.store, requests, None)
        paid = costs(self.store, trails)
        self.accounts[stage] = spent(trails, paid)
        self.say_missing(stage)
        asked = set(paid["key"])
        there = [request.key for request in requests if request.key in asked]
        texts = {reply.key: reply.content for reply in self.store.get(there)}
        return [texts.get(request.key) for request in requests]

    def say_missing(self, stage: str) -> None:
        """Says how much of what the stage asked is not in the store, if anything."""
        account = self.accounts[stage]
        if account.missing:
            self.steps.say(f"{stage}: asked {account.rollouts:,}, not in the store {account.missing:,}")

    def _ask(
        self,
        stage: str,
        title: str,
        teacher: Teacher,
        requests: Iterator[Request],
        total: int,
        cut_off: CutOff | None,
        watches: Sequence[Watch],
    ) -> None:
        """Every request is answered in the store; offline, nobody is asked."""
        if self.offline:
            return
        with self.steps.sampling(title, total) as pace:
            watches = (*watches, pace)
            try:
                run = sample(teacher, requests, self.store, on_progress=pace.done, cut_off=cut_off, watches=watches)
            except TeacherError as error:
                came = pace.attempts - pace.failed
                # A spent budget says itself what was kept.
                kept = (
                    f". What this run was answered ({came:,}) is kept" if came and type(error) is TeacherError else ""
                )
                raise type(error)(f"{stage}: {error}{kept}") from error
        self.runs[stage] = self.runs.get(stage, SampleSummary()) + run

    def _ask_by_crew(
        self, crew: "Crew", stage: str, title: str, teacher: Teacher, asked: Draw, no_reasoning: float
    ) -> None:
        """As `_ask`, on the workers of an engine; each of them looks at the reasoning of its own first replies."""
        run = crew.ask(stage, title, teacher, asked, no_reasoning, self.store)
        self.runs[stage] = self.runs.get(stage, SampleSummary()) + run

    def _spent_before(self, draw: Draw) -> Spent:
        """What earlier runs paid for this draw."""
        total, requests = Spent(), draw.requests()
        while batch := list(islice(requests, LOOK_UP)):
            trails = follow(self.store, batch, draw.cut_off)
            total += spent(trails, costs(self.store, trails))
        return total

    def _remember(self, reasoning: ReasoningWatch, draw: Draw) -> None:
        """The watch knows replies of earlier runs, as far as the first requests have some."""
        first = list(islice(draw.requests(), LOOK_UP))
        old = self.store.answered([request.key for request in first])
        known = [request.key for request, answered in zip(first, old, strict=True) if answered]
        reasoning.know(self.store.get(known[:FIRST]))


def check_offline(model: str, there: Spent) -> None:
    """Passes if the store has some of the rollouts: a version of none would be no version.

    Raises:
        TeacherError: it has not one.
    """
    if there.rollouts and not there.answered:
        raise TeacherError(
            f"offline there is nothing to build from: of the {there.rollouts:,} rollouts of {model} not one is in the "
            "store. Build without --offline, or bring in a store that has them: curate store merge OTHER. There they "
            "are known by model and revision, prompt and sampling: was one of these changed?"
        )
