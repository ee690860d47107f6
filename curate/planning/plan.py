"""The plan: what a build would ask of the teacher, and what that will take, judged by the rollouts there are."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import polars as pl

from curate.asking.asker import Asker
from curate.asking.draw import Draw
from curate.asking.lost_reasoning import check_reasoning
from curate.asking.ready import check_ready
from curate.build import resolved
from curate.cache import Cache
from curate.engine import worker_pool
from curate.flow import Flow
from curate.look.show import funnel_text
from curate.manifest import Manifest
from curate.planning.forecast import Forecast
from curate.planning.projection import project
from curate.progress import Steps
from curate.reading.absent import check_there
from curate.recipes.order import check_order
from curate.shards import sampled
from curate.version import versions
from curate.versions.lock import find, recipe
from distill.account import Spent, costs
from distill.sample import SampleSummary


@dataclass(frozen=True)
class Plan:
    """What a build would do."""

    standing: str | None
    """The version that stands already, if nothing changed."""
    funnel: str = ""
    forecast: Forecast | None = None
    """What is asked of the teacher; None without one."""
    stages: dict[str, Spent] = field(default_factory=dict)
    """Of stages on problems that ask a teacher: their questions, by stage. A plan asks none of them."""

    @property
    def asked(self) -> int:
        """Rollouts that the version will have; with a goal, those that are known to be needed."""
        return self.forecast.asked if self.forecast else 0

    @property
    def stored(self) -> int:
        """How many of them the store has."""
        return self.forecast.stored if self.forecast else 0

    def text(self) -> str:
        """For people."""
        if self.standing:
            return f"nothing to do: {self.standing} stands"
        teacher = self.forecast.text() if self.forecast else "rollouts: no teacher; those of the sources only"
        asked = [
            f"{stage}: {spent.rollouts:,} questions, {spent.answered:,} in the store, {spent.missing:,} to be asked; "
            "what its answers change is not in this plan"
            for stage, spent in self.stages.items()
            if spent.rollouts
        ]
        teacher = "\n".join([*asked, teacher])
        return f"{self.funnel}\n\n{teacher}\nthen verdicts, tags and views on all of them, reused where nothing changed"


def plan_build(manifest: Manifest, root: Path, steps: Steps, pilot: int = 0) -> Plan:
    """What a build would ask of the teacher. Reads the sources and marks the problems, and keeps that work.

    Args:
        pilot: so many problems, spread over the table, are asked now. Their rollouts are those of the build and stay
            in the store: nothing is paid twice.

    Raises:
        OrderError, SourceError: as a build does.
        TeacherError, LostReasoningError: of the pilot; nothing was read where the teacher is not ready.
    """
    check_order(manifest)
    made = versions(root, manifest.name)
    manifest, states = resolved(manifest, made)
    if same := find(made, recipe(manifest, states)):
        return Plan(same.name)
    check_there(manifest)
    if pilot:
        check_ready(manifest)
    with worker_pool() as pool:
        # Stages that ask, too, have what the store has: a plan spends nothing but what --pilot says.
        flow = Flow(manifest, root, Cache(root / ".stages"), pool, steps, offline=True)
        flow.read(states)
        flow.mark_problems()
        asked = dict(flow.asker.accounts)
        return Plan(None, funnel_text(flow.ledger.funnel().to_dicts()), _forecast(flow, pilot), asked)


def _forecast(flow: Flow, pilot: int) -> Forecast | None:
    draw, wanted = flow.to_draw(), flow.manifest.rollouts
    if draw is None or wanted is None:
        return None
    stage, verdicts = f"teacher.{wanted.teacher.name}", flow.goal_verdicts()
    asker = Asker(flow.asker.store, flow.steps)
    if pilot and draw.problems.height:
        drawn = asker.rollouts(stage, wanted, _spread(draw, pilot, flow.manifest.seed), verdicts)
        rows = pl.concat([sampled(part, flow.asker.store) for part in drawn.shards()])
        check_reasoning(drawn.model, wanted.no_reasoning, rows, lambda few: few["response"].to_list())
    # The goal's own rounds, with nobody asked: they end where the store ends.
    told = Asker(flow.asker.store, flow.steps, offline=True)
    there = told.rollouts(stage, wanted, draw, verdicts)
    problems = _by_problem(there, told)
    whole = pl.col("answered") == pl.col("rollouts")
    # Of a build that was interrupted, the short replies came first: problems whose replies are all there say more.
    known = problems.filter(whole)
    if known.is_empty() and not wanted.goal:
        known = problems.filter(pl.col("answered") > 0)
    lacking = problems.filter(~whole)
    asked = known.with_columns(rollouts="answered")
    unasked = lacking.with_columns(rollouts=pl.col("rollouts") - pl.col("answered"))
    to_goal = wanted.goal is not None
    run = asker.runs.get(stage, SampleSummary())
    return Forecast(
        wanted=wanted,
        problems=problems.height,
        stored=int(problems["answered"].sum()),
        drawn=int(asked["rollouts"].sum()),
        settled=problems.height - lacking.height,
        lacking=int(unasked["rollouts"].sum()),
        projection=project(asked, unasked, flow.manifest.seed, to_goal=to_goal) if asked.height else None,
        pilot_pace=run.pace,
        spent=Spent(**{name: int(problems[name].sum()) for name in ("prompt_tokens", "completion_tokens")}),
    )


def _spread(draw: Draw, count: int, seed: int) -> Draw:
    """The draw of so many problems only, evenly over the table from a place that the seed decides."""
    there = draw.problems.height
    count = min(count, there)
    start = Random(seed).random()
    return replace(draw, problems=draw.problems[[int((place + start) * there / count) for place in range(count)]])


def _by_problem(draw: Draw, asker: Asker) -> pl.DataFrame:
    """Of every problem: `characters` of its prompt, `rollouts` asked for, `answered`, and what all attempts took."""
    costs_of = ("prompt_tokens", "completion_tokens", "seconds")
    found = [_Nothing]
    for part in draw.shards():
        trails = part.trails(asker.store)
        owners = part.problems.select(
            "id", rollouts=pl.col("stop") - pl.col("start"), characters=_characters(), place=pl.int_range(pl.len())
        )
        counts = owners["rollouts"].to_list()
        own = [place for place, count in enumerate(counts) for _ in range(count)]
        answered = pl.DataFrame({"place": own, "answered": [trail.answered for trail in trails]})
        requests = [(place, r.key) for place, trail in zip(own, trails, strict=True) for r in trail.requests]
        paid = pl.DataFrame(requests, schema={"place": pl.Int64, "key": pl.String}, orient="row")
        paid = paid.join(costs(asker.store, trails), on="key")
        found.append(
            owners.join(answered.group_by("place").agg(pl.col("answered").sum()), on="place", how="left")
            .join(paid.group_by("place").agg(pl.col(costs_of).sum()), on="place", how="left")
            .select(_Nothing.columns)
            .fill_null(0)
            .cast(_Nothing.schema)
        )
    return pl.concat(found)


def _characters() -> pl.Expr:
    return pl.col("prompt").list.eval(pl.element().struct.field("content").str.len_chars()).list.sum()


_Nothing = pl.DataFrame(
    schema={
        "characters": pl.Int64,
        "rollouts": pl.Int64,
        "answered": pl.Int64,
        "prompt_tokens": pl.Int64,
        "completion_tokens": pl.Int64,
        "seconds": pl.Float64,
    }
)
