"""Verdicts while sampling goes on: the manifest's own rule says when a problem has the rollouts that it should have."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from curate.asking.draw import Draw
from curate.cache import Cache
from curate.engine import Job, Pool, Shard, identity
from curate.fingerprint import fingerprint, row_digest
from curate.shards import sampled
from distill.goals import Round
from distill.store import Store

if TYPE_CHECKING:
    from curate.manifest import Use

BATCH_ROLLOUTS = 512
"""Rollouts whose texts are in memory at once, for every worker twice."""


@dataclass(frozen=True)
class GoalVerdicts:
    """Judges a round of rollouts as the manifest's verdict stage will judge them later."""

    stage: "Use"
    problems: pl.DataFrame
    """With all columns that the stage reads of a problem."""
    store: Store
    cache: Cache
    pool: Pool

    def judged(self, draw: Draw, current: Round) -> Iterator[tuple[int, Sequence[str | None]]]:
        """Each problem's place and the verdicts of its rollouts in this round; None where a reply is missing.

        Args:
            draw: what the round asked, one problem for each of its places.
        """
        n = current.stop - current.start
        at_once = max(1, BATCH_ROLLOUTS // n)
        starts = range(0, draw.problems.height, at_once)
        for group in (starts[i : i + 2 * self.pool.workers] for i in range(0, len(starts), 2 * self.pool.workers)):
            parts = {start: draw.part(start, at_once) for start in group}
            for start, verdicts in self._verdicts(parts).items():
                places = current.problems[start : start + at_once].tolist()
                for place, owner in zip(places, parts[start].problems["id"], strict=True):
                    known = verdicts.get(owner, [])
                    yield place, known + [None] * (n - len(known))

    def _verdicts(self, parts: dict[int, Draw]) -> dict[int, dict[str, list[str | None]]]:
        """By part, and in it by problem."""
        rows = {start: sampled(part, self.store) for start, part in parts.items()}
        shown = {start: self._shown(frame) for start, frame in rows.items()}
        keys = {
            start: fingerprint("goal", *identity(self.stage.name, self.stage.plug), row_digest([frame]))
            for start, frame in shown.items()
        }
        marks = {start: kept for start, key in keys.items() if (kept := self.cache.read(key)) is not None}
        nowhere = Shard(self.cache.folder, "")
        jobs = {start: Job(self.stage.plug, frame, nowhere, ()) for start, frame in shown.items() if start not in marks}
        for start, given in self.pool.run(jobs):
            marks[start] = self.cache.frame(keys[start], given.select("id", "verdict").clone)
        return {start: _by_problem(frame, marks[start]) for start, frame in rows.items()}

    def _shown(self, rows: pl.DataFrame) -> pl.DataFrame:
        """What the stage reads of these rollouts, texts included."""
        reads = list(dict.fromkeys(("id", *self.stage.plug.reads)))
        theirs = [name for name in reads if name not in rows.columns]
        about = self.problems.select(*theirs, problem_id="id")
        return rows.join(about, on="problem_id", how="left", maintain_order="left").select(reads)


def _by_problem(rows: pl.DataFrame, marks: pl.DataFrame) -> dict[str, list[str | None]]:
    """The verdicts of each problem; None for a rollout whose last request has no reply."""
    judged = rows.join(marks, on="id", how="left", maintain_order="left")
    verdict = pl.when("answered").then(pl.col("verdict").fill_null("undecided"))
    grouped = judged.group_by("problem_id", maintain_order=True).agg(verdict)
    return dict(grouped.iter_rows())
