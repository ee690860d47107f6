"""Many machines: a build's shards and requests as tasks of an engine, whose work is believed only where it lies whole.

A task writes marks into the cache of the build and replies into its store, as the build itself would: by rename, and
by the key of the request. So what is finished stays finished, whoever was killed, and the rows are the same as on one
machine. The workers share the data folder; nothing goes over the network but through it.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from curate.asking.draw import Draw
from curate.asking.lost_reasoning import LostReasoningError
from curate.cache import Cache
from curate.engine import Job, WorkerError, whole
from curate.fingerprint import fingerprint
from curate.progress import Steps
from curate.workers.launch import DIED, Engine, EngineError, Order, as_argument, check_engine, write_whole
from curate.workers.rank import ask_task, mark_task, summed, written
from distill.request import TeacherError
from distill.sample import SampleSummary
from distill.store import Store

if TYPE_CHECKING:
    from curate.manifest import Manifest

ENGINE = ".engine"
"""Beside `.stages` in the data folder: tasks under way, and the logs of those that failed."""
LOOK_S = 0.5
SILENT_S = 120.0
"""A task that has shown no sign of life for so long is lost; on network disks one is seen a minute late."""
GRACE_S = 15.0
"""What is waited for the last files after the executor has returned, and for an executor whose tasks have all ended."""
SHOWN = 5


class RankError(WorkerError):
    """Tasks of an engine failed; what the others made is kept."""

    resumable = True


@dataclass
class Crew:
    """The workers of one build, launched when first needed."""

    name: str
    engine: Engine
    folder: Path
    """Holds a folder for every stage that runs."""
    steps: Steps
    _launcher: subprocess.Popen[str] | None = field(default=None, repr=False)

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
        if lacking or _faults(ended):
            kept = f"{len(jobs) - len(lacking):,} of {len(jobs):,} shards are done and kept"
            raise self._failed(name, run, ended, kept, lacking)
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
            if _faults(ended):
                raise self._failed(stage, run, ended, "What was answered is kept", [])
            shutil.rmtree(run, ignore_errors=True)
            asked = summed([said["result"] for said in ended if said], time.monotonic() - started)
            return replace(asked, reused=asked.reused + reused)

    def tables(self, name: str, task: dict[str, Any], parts: list[pl.DataFrame]) -> list[pl.DataFrame]:
        """What a task makes of each part, a row for each row.

        Raises:
            RankError: a task failed; all parts are done again by the next build.
        """
        run = self.folder / f"{name}-{fingerprint(task)[:12]}"
        self._joined(run)
        self._clear(run)
        for rank, part in enumerate(parts):
            part.write_ipc(run / "rows" / f"{rank:05d}.arrow")
        order = Order(run.absolute(), len(parts), asks=False)
        ended = self._run(order, [task] * len(parts), lambda count: None)
        files = [run / "made" / f"{rank:05d}.arrow" for rank in range(len(parts))]
        made = [pl.read_ipc(file) if file.exists() else pl.DataFrame() for file in files]
        lacking = [str(rank) for rank, part in enumerate(parts) if made[rank].height != part.height]
        if lacking or _faults(ended):
            kept = f"{len(parts) - len(lacking)} of {len(parts)} parts were done, and are done again by the next build"
            raise self._failed(name, run, ended, kept, lacking)
        shutil.rmtree(run, ignore_errors=True)
        return made

    def close(self, at_once: bool = False) -> None:
        """The launcher has ended, and with it all tasks but those of a batch system.

        Args:
            at_once: it is not given the time to end what it started.
        """
        launcher, self._launcher = self._launcher, None
        if launcher is None:
            return
        assert launcher.stdin
        launcher.stdin.close()
        try:
            launcher.wait(timeout=0 if at_once else GRACE_S)
        except subprocess.TimeoutExpired:
            launcher.kill()
            launcher.wait()

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
        self._watched(run, len(list((run / "tasks").glob("[0-9]*.json"))), lambda count: None)
        return True

    def _run(
        self, order: Order, tasks: Sequence[dict[str, Any]], done: Callable[[int], None]
    ) -> list[dict[str, Any] | None]:
        """What each task said at its end; None of one that said nothing."""
        for rank, task in enumerate(tasks):
            write_whole(order.run / "tasks" / f"{rank:05d}.json", json.dumps(task))
        self._order(order)
        try:
            return self._watched(order.run, order.tasks, done)
        except BaseException:
            if not self.engine.detached:
                write_whole(order.run / "stop", "")  # for workers on other machines, whom no signal reaches
                self.close(at_once=True)
            raise

    def _order(self, order: Order) -> None:
        if self._launcher is None or self._launcher.poll() is not None:
            with (self.folder / "launch.log").open("ab") as log:
                # A session of its own: Ctrl-C is for the build, which ends the launcher, or leaves its jobs alone.
                self._launcher = subprocess.Popen(
                    [
                        sys.executable,
                        "-c",
                        "from curate.workers.launch import main; main()",
                        as_argument(self.name, self.engine),
                    ],
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    text=True,
                    start_new_session=True,
                )
        assert self._launcher.stdin
        print(json.dumps([str(order.run), order.tasks, order.asks]), file=self._launcher.stdin, flush=True)

    def _watched(self, run: Path, count: int, done: Callable[[int], None]) -> list[dict[str, Any] | None]:
        """Waits until every task has ended, or none that lacks can be expected any more."""
        watch = _Watch(run, count, done)
        over_since: float | None = None
        while watch.look():
            time.sleep(LOOK_S)
            over_since = (over_since or time.monotonic()) if self._over(run) else None
            if watch.lost or (over_since and time.monotonic() - over_since > GRACE_S):
                break
        if self.engine.detached:
            return watch.ended
        # Of an executor that waits for a worker that was killed, nothing more comes.
        deadline = time.monotonic() + GRACE_S
        while not watch.lost and not (run / "over.json").exists() and self._launches() and time.monotonic() < deadline:
            time.sleep(LOOK_S / 5)
        if not (run / "over.json").exists():
            self.close(at_once=True)
        return watch.ended

    def _over(self, run: Path) -> bool:
        """Whether the executor has returned, or the batch system no longer knows the job."""
        if not (run / "over.json").exists():
            return not self._launches() and not self.engine.lives(run)
        return not self.engine.detached or not self.engine.lives(run)

    def _launches(self) -> bool:
        return self._launcher is not None and self._launcher.poll() is None

    def _failed(
        self,
        name: str,
        run: Path,
        ended: list[dict[str, Any] | None],
        kept: str,
        lacking: list[str],
    ) -> Exception:
        faults = _faults(ended)
        told = [f"  task {rank}: {_said(fault)}" for rank, fault in faults[:SHOWN]]
        told += [f"  and {len(faults) - SHOWN} more"] if len(faults) > SHOWN else []
        if not faults:
            told.append(f"  all tasks ended well, but shards {', '.join(lacking[:SHOWN])} have no whole marks here")
        if all(said is None for said in ended):
            told.append(f"  no task left a word: do all workers see {run.absolute()}?")
            told += [f"  {fault}" for fault in [_launch_fault(run)] if fault]
        bad = len({rank for rank, _ in faults})
        text = "\n".join(
            [
                f"{name}: {bad} of {len(ended)} tasks failed on engine {self.name}. {kept}",
                *told,
                f"  logs: {run.absolute() / 'logs'}, {self.folder.absolute() / 'launch.log'}",
            ]
        )
        kinds = {"TeacherError": TeacherError, "LostReasoningError": LostReasoningError}
        return next((kinds[fault["kind"]](text) for _, fault in faults if fault["kind"] in kinds), RankError(text))


class _Watch:
    """What can be seen of a run's tasks on the disk."""

    def __init__(self, run: Path, count: int, done: Callable[[int], None]) -> None:
        self.run, self.done = run, done
        self.ended: list[dict[str, Any] | None] = [None] * count
        self._beats: dict[int, tuple[str, float]] = {}
        """The last beat of each task, and when it was first seen here: clocks of other machines are not asked."""
        self._counts = [0] * count

    def look(self) -> bool:
        """Looks again; whether there are tasks that have not ended."""
        for file in (self.run / "ended").glob("[0-9]*.json"):
            rank = int(file.stem)
            if self.ended[rank] is None:
                said = json.loads(file.read_text(encoding="utf-8"))
                self.ended[rank] = said
                self._count(rank, said.get("done", self._counts[rank]))
        now = time.monotonic()
        for file in (self.run / "beats").glob("[0-9]*"):
            rank, beat = int(file.name), file.read_text(encoding="utf-8")
            if self.ended[rank] is None and self._beats.get(rank, ("", 0.0))[0] != beat:
                self._beats[rank] = (beat, now)
                self._count(rank, int(beat.split()[1]))
        return None in self.ended

    @property
    def lost(self) -> bool:
        """Whether every task that began and has not ended has been silent for long."""
        began = [moment for rank, (_, moment) in self._beats.items() if self.ended[rank] is None]
        return bool(began) and max(began) < time.monotonic() - SILENT_S

    def _count(self, rank: int, count: int) -> None:
        # A task that was begun anew counts from nothing; what was told is not taken back.
        if count > self._counts[rank]:
            self.done(count - self._counts[rank])
            self._counts[rank] = count


def crew_of(manifest: "Manifest", root: Path, steps: Steps) -> Crew | None:
    """The crew of the engine that the manifest names; None without one.

    Raises:
        EngineError: the engine cannot run this manifest here.
    """
    check_engine(manifest)
    if manifest.engine is None:
        return None
    return Crew(manifest.engine.name, manifest.engine.plug, root / ENGINE / manifest.name, steps)


def standing_crew() -> Crew | None:
    """The crew of the build under way, for a table stage that has work for it; None without one.

    Not handed to stages: what they make of their rows must not depend on who works.
    """
    return _STANDING.get()


@contextmanager
def standing(crew: Crew | None) -> Iterator[None]:
    """As long as it lasts, `standing_crew` is this one, if it is for stages."""
    token = _STANDING.set(crew if crew and crew.runs("stages") else None)
    try:
        yield
    finally:
        _STANDING.reset(token)


_STANDING: ContextVar[Crew | None] = ContextVar("_STANDING", default=None)


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


def _faults(ended: list[dict[str, Any] | None]) -> list[tuple[int, dict[str, str]]]:
    """Every fault, with the task that told it."""
    silent = {"what": "", "kind": DIED, "text": "ended without a word: killed, or its machine was lost"}
    return [
        (rank, fault | ({"what": f"{fault['what']} on {said['host']}".strip()} if said else {}))
        for rank, said in enumerate(ended)
        for fault in (said["faults"] if said else [silent])
    ]


def _said(fault: dict[str, str]) -> str:
    kind = "" if fault["kind"] == DIED else f"{fault['kind']}: "
    where = f" ({fault['what']})" if fault["what"] else ""
    return f"{kind}{fault['text'][:500]}{where}"


def _launch_fault(run: Path) -> str | None:
    over = run / "over.json"
    fault: str | None = json.loads(over.read_text(encoding="utf-8"))["fault"] if over.exists() else None
    return fault
