"""Many machines: a build's shards and requests as tasks of an engine, whose work is believed only where it lies whole.

A task writes marks into the cache of the build and replies into its store, as the build itself would: by rename, and
by the key of the request. So what is finished stays finished, whoever was killed, and the rows are the same as on one
machine. The workers share the data folder; nothing goes over the network but through it.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from curate.asking.draw import Draw
from curate.cache import Cache
from curate.engine import Job, whole
from curate.fingerprint import fingerprint
from curate.progress import Steps
from curate.workers.faults import failure, faults_of
from curate.workers.launch import Engine, EngineError, Launcher, Order, check_engine, write_whole
from curate.workers.rank import BESIDE, ask_task, mark_task, summed, written
from curate.workers.watch import watched
from distill.sample import SampleSummary
from distill.store import Store

if TYPE_CHECKING:
    from curate.manifest import Manifest

ENGINE = ".engine"
"""Beside `.stages` in the data folder: tasks under way, and the logs of those that failed."""


@dataclass
class Crew:
    """The workers of one build, launched when first needed."""

    name: str
    engine: Engine
    folder: Path
    """Holds a folder for every stage that runs."""
    steps: Steps

    def __post_init__(self) -> None:
        self._launcher = Launcher(self.name, self.engine, self.folder)

    def runs(self, what: str) -> bool:
        """Whether `stages`, or `rollouts`, are for the workers."""
        return what in self.engine.runs

    def marks(
        self, name: str, jobs: dict[str, Job], cache: Cache, done: Callable[[int], None]
    ) -> Iterator[tuple[str, pl.DataFrame]]:
        """Marks by key, of all jobs, each looked at before it is believed.

        Raises:
            RankError: shards have none. Those that have keep them.
        """
        if not jobs:
            return
        stage = next(iter(jobs.values())).stage
        run = self.folder / f"{name}-{fingerprint(_written(self.name, stage))[:12]}"
        if self._joined(run):
            found = {key: marks for key, job in jobs.items() if (marks := _whole(cache, key, job)) is not None}
            yield from found.items()
            done(sum(marks.height for marks in found.values()))
            jobs = {key: job for key, job in jobs.items() if key not in found}
        sizes = [job.rows.height for job in jobs.values()]
        parts = _parts(list(jobs), sizes, self.engine.workers * self.engine.waves)
        self._clear(run)
        for key, job in jobs.items():
            job.rows.write_ipc(run / "rows" / f"{key}.arrow")
        tasks = [mark_task(stage, {key: jobs[key] for key in part}, cache.folder) for part in parts]
        ended = self._run(Order(run.absolute(), len(tasks), asks=False), tasks, done)
        lacking = []
        for key, job in jobs.items():
            marks = _whole(cache, key, job)
            if marks is not None:
                yield key, marks
            else:
                lacking.append(job.shard.path.stem)
        if lacking or faults_of(ended):
            kept = f"{len(jobs) - len(lacking):,} of {len(jobs):,} shards are done and kept"
            raise failure(name, self.name, run, ended, kept, lacking)
        shutil.rmtree(run, ignore_errors=True)

    def ask(self, stage: str, title: str, teacher: Any, draw: Draw, no_reasoning: float, store: Store) -> SampleSummary:
        """Every request of the draw has a reply in the store; what this build's tasks asked.

        A prompt that several problems share is asked by one task only, so that nothing is paid for twice.

        Raises:
            TeacherError, LostReasoningError: as one of the tasks said.
            RankError: tasks failed; what they were answered is in the store.
        """
        started = time.monotonic()
        run = self.folder / f"{stage}-{fingerprint(_written(self.name, teacher), draw.model, draw.revision)[:12]}"
        self._joined(run)
        with self.steps.sampling(title, draw.total) as pace:
            lacking = _lacking(draw, store)
            reused = draw.total - lacking.total
            pace.done(reused)
            if not lacking.total:
                return SampleSummary(reused=reused)
            sizes = (lacking.problems["stop"] - lacking.problems["start"]).to_list()
            parts = _parts(list(range(lacking.problems.height)), sizes, self.engine.workers)
            self._clear(run)
            for rank, places in enumerate(parts):
                lacking.problems[places].write_ipc(run / "rows" / f"{rank:05d}.arrow")
            task = ask_task(teacher, lacking, no_reasoning, store.folder)
            ended = self._run(Order(run.absolute(), len(parts), asks=True), [task] * len(parts), pace.done)
            if faults_of(ended):
                raise failure(stage, self.name, run, ended, "What was answered is kept")
            shutil.rmtree(run, ignore_errors=True)
            asked = summed([said["result"] for said in ended if said], time.monotonic() - started)
            return replace(asked, reused=asked.reused + reused)

    def tables(
        self, name: str, task: dict[str, Any], parts: list[pl.DataFrame], beside: pl.DataFrame
    ) -> list[pl.DataFrame]:
        """What a task makes of each part, a row for each row.

        Args:
            beside: what all tasks read.

        Raises:
            RankError: a task failed; all parts are done again by the next build.
        """
        run = self.folder / f"{name}-{fingerprint(task)[:12]}"
        self._joined(run)
        self._clear(run)
        beside.write_ipc(run / "rows" / BESIDE)
        for rank, part in enumerate(parts):
            part.write_ipc(run / "rows" / f"{rank:05d}.arrow")
        order = Order(run.absolute(), len(parts), asks=False)
        ended = self._run(order, [task] * len(parts), lambda count: None)
        files = [run / "made" / f"{rank:05d}.arrow" for rank in range(len(parts))]
        made = [pl.read_ipc(file) if file.exists() else pl.DataFrame() for file in files]
        lacking = [str(rank) for rank, part in enumerate(parts) if made[rank].height != part.height]
        if lacking or faults_of(ended):
            kept = f"{len(parts) - len(lacking)} of {len(parts)} parts were done, and are done again by the next build"
            raise failure(name, self.name, run, ended, kept, lacking)
        shutil.rmtree(run, ignore_errors=True)
        return made

    def close(self, at_once: bool = False) -> None:
        """The launcher has ended, and with it all tasks but those of a batch system.

        Args:
            at_once: it is not given the time to end what it started.
        """
        self._launcher.close(at_once)

    def _clear(self, run: Path) -> None:
        """An empty folder for a run."""
        shutil.rmtree(run, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in ("tasks", "rows", "logs", "beats", "ended", "made"):
            (run / name).mkdir(parents=True)

    def _joined(self, run: Path) -> bool:
        """Whether an earlier build's tasks were still under way in this folder. They have ended now."""
        if not self.engine.lives(run):
            return False
        self.steps.say(f"engine {self.name}: {run.name} was submitted before and still runs; waiting for it")
        count = len(list((run / "tasks").glob("[0-9]*.json")))
        watched(run, count, lambda done: None, self.engine, self._launcher)
        return True

    def _run(
        self, order: Order, tasks: Sequence[dict[str, Any]], done: Callable[[int], None]
    ) -> list[dict[str, Any] | None]:
        """What each task said at its end; None of one that said nothing."""
        for rank, task in enumerate(tasks):
            write_whole(order.run / "tasks" / f"{rank:05d}.json", json.dumps(task))
        self._launcher.order(order)
        try:
            return watched(order.run, order.tasks, done, self.engine, self._launcher)
        except BaseException:
            if not self.engine.detached:
                write_whole(order.run / "stop", "")  # for workers on other machines, whom no signal reaches
                self.close(at_once=True)
            raise


def crew_of(manifest: "Manifest", root: Path, steps: Steps) -> Crew | None:
    """The crew of the engine that the manifest names; None without one.

    Raises:
        EngineError: the engine cannot run this manifest here.
    """
    check_engine(manifest)
    if manifest.engine is None:
        return None
    return Crew(manifest.engine.name, manifest.engine.plug, root / ENGINE / manifest.name, steps)


def _written(engine: str, made: Any) -> dict[str, Any]:
    try:
        return written(made)
    except TypeError as error:
        raise EngineError(f"engine {engine}: {error}") from None


def _whole(cache: Cache, key: str, job: Job) -> pl.DataFrame | None:
    """The job's marks in the cache; None, and nothing is there any more, if some are missing."""
    marks = cache.read(key)
    if marks is not None and not whole(marks, job.rows):
        cache.forget(key)
        return None
    return marks


def _parts(items: list[Any], sizes: list[int], count: int) -> list[list[Any]]:
    """The items in their order, cut into at most so many runs of about equal size; none is empty."""
    ends = list(accumulate(sizes))
    parts: list[list[Any]] = [[] for _ in range(count)]
    for item, size, stop in zip(items, sizes, ends, strict=True):
        parts[min(count - 1, (stop - (size + 1) // 2) * count // max(1, ends[-1]))].append(item)
    return [part for part in parts if part]


def _lacking(draw: Draw, store: Store) -> Draw:
    """Of the draw, the problems with a rollout that the store lacks; of equal prompts the first."""
    lacks = []
    for part in draw.shards():
        trails = iter(part.trails(store))
        counts = (part.problems["stop"] - part.problems["start"]).to_list()
        for count in counts:
            answered = [next(trails).answered for _ in range(count)]
            lacks.append(not all(answered))
    text = pl.col("prompt").list.eval(pl.element().struct.field("content")).list.join("\0")
    rows = draw.problems.filter(pl.Series(lacks, dtype=pl.Boolean))
    return replace(draw, problems=rows.filter(text.is_first_distinct()))
