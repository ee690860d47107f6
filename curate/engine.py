"""Runs stages: a table stage on its columns, a row stage shard by shard in processes. Marks are kept by fingerprint."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from curate.cache import Cache
from curate.fingerprint import fingerprint, row_digest
from curate.plug import Stage
from curate.recipes.manifest_plugs import path_options
from curate.records import TEXT_COLUMNS

if TYPE_CHECKING:
    from curate.workers.crew import Crew

BATCH_ROWS = 2048
"""Rows of a shard whose texts are in memory at once."""


@dataclass(frozen=True)
class Shard:
    """The texts of all rollouts of a run of problems, on disk."""

    path: Path
    sha256: str


@dataclass(frozen=True)
class Job:
    """One row stage on one shard: the rows it is to mark, and where their texts lie."""

    stage: Any
    rows: pl.DataFrame
    """Everything that the stage reads but the texts; with `id`."""
    shard: Shard
    texts: tuple[str, ...]


def table_marks(name: str, stage: Stage, rows: pl.DataFrame, cache: Cache) -> pl.DataFrame:
    """The stage's marks on the rows, from the cache where the same options met the same rows before."""
    key = fingerprint("marks", *identity(name, stage), row_digest([rows]))
    return cache.frame(key, lambda: stage(rows))


def shard_marks(
    name: str,
    stage: Any,
    rows: pl.DataFrame,
    shards: list[Shard],
    cache: Cache,
    pool: "Pool",
    done: Callable[[int], None],
) -> pl.DataFrame:
    """The stage's marks over all shards, in their order.

    Args:
        rows: what the stage reads but the texts, and `shard`: each row's place in `shards`, never falling.
        done: called with the number of rows finished.
    """
    texts = tuple(column for column in stage.reads if column in TEXT_COLUMNS)
    if rows.is_empty():
        marks: pl.DataFrame = stage(rows.drop("shard").with_columns(pl.lit(None, pl.String).alias(c) for c in texts))
        return marks
    waiting: dict[str, Job] = {}
    found: dict[str, pl.DataFrame | None] = {}
    for (place,), part in rows.partition_by("shard", include_key=False, maintain_order=True, as_dict=True).items():
        shard = shards[place]
        key = fingerprint("marks", *identity(name, stage), row_digest([part]), shard.sha256 if texts else "")
        kept = found[key] = cache.read(key)
        if kept is not None and whole(kept, part):
            done(part.height)
        else:
            # A worker that was killed may have left a table that can be read and lacks rows.
            cache.forget(key)
            waiting[key] = Job(stage, part, shard, texts)
    found |= pool.marks(name, waiting, cache, done)
    return pl.concat([marks for marks in found.values() if marks is not None])


def whole(marks: pl.DataFrame, rows: pl.DataFrame) -> bool:
    """Whether there is one mark for each of the rows."""
    return "id" in marks.columns and marks["id"].sort().equals(rows["id"].sort())


def identity(name: str, stage: Any) -> tuple[str, int, dict[str, Any]]:
    """What decides a stage's marks beside its rows: its name, its revision, its options."""
    options = {f.name: plain(getattr(stage, f.name)) for f in fields(stage) if f.init}
    # What an option names may change, or lie elsewhere on another machine: a stage then tells what stands behind it.
    behind = stage.inputs() if hasattr(stage, "inputs") else {}
    return name, getattr(stage, "REV", 1), options | behind


def source_identity(name: str, source: Any, state: dict[str, str]) -> dict[str, Any]:
    """What decides a source's rows: which plug, its options less those that say where on this machine, its state.

    A revision is told by the state alone, so that a source pinned by its first build stays the same source.
    """
    _, rev, options = identity(name, source)
    aside = path_options(type(source)) | ({"revision"} if "revision" in state else set())
    return {"use": name, "rev": rev, "options": {k: v for k, v in options.items() if k not in aside}, "state": state}


def plain(value: Any) -> Any:
    """Options as JSON knows them; of a teacher, what decides its replies: model and revision."""
    if hasattr(value, "ask"):
        return {"model": value.model, "revision": value.revision}
    if is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value) if f.init}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


class WorkerError(RuntimeError):
    """A worker process died without saying why."""


class Pool:
    """Worker processes, started when first needed, kept for the whole build."""

    def __init__(self, workers: int, crew: "Crew | None" = None) -> None:
        self.workers, self.crew = workers, crew
        self._executor: ProcessPoolExecutor | None = None

    def marks(
        self, name: str, jobs: dict[str, Job], cache: Cache, done: Callable[[int], None]
    ) -> Iterator[tuple[str, pl.DataFrame]]:
        """Marks by key, kept in the cache; by the workers of an engine where the manifest names one."""
        if self.crew and self.crew.runs("stages"):
            yield from self.crew.marks(name, jobs, cache, done)
            return
        keys = list(jobs)
        for place, marks in self.run(dict(enumerate(jobs.values()))):
            yield keys[place], cache.frame(keys[place], marks.clone)
            done(marks.height)

    def run(self, jobs: dict[int, Job]) -> Iterator[tuple[int, pl.DataFrame]]:
        """Marks by job, in the order in which they end; a few jobs ahead of the workers and no more."""
        if self.workers == 1 or len(jobs) == 1:
            yield from ((index, run_job(job)) for index, job in jobs.items())
            return
        ahead: dict[Future[pl.DataFrame], int] = {}
        for index, job in jobs.items():
            ahead[self._start().submit(run_job, job)] = index
            if len(ahead) >= 2 * self.workers:
                yield from self._ended(ahead)
        while ahead:
            yield from self._ended(ahead)

    def close(self) -> None:
        """Ends the workers; what they were at is done again by the next build."""
        if self.crew:
            self.crew.close()
        if self._executor is not None:
            # As Python 3.14's terminate_workers does. Left to end their jobs, they would hold up Ctrl-C for as long.
            workers = list((self._executor._processes or {}).values())
            self._executor.shutdown(wait=False, cancel_futures=True)
            for worker in workers:
                worker.terminate()

    def _ended(self, ahead: dict[Future[pl.DataFrame], int]) -> Iterator[tuple[int, pl.DataFrame]]:
        # Looks up now and then: where a signal wakes another thread, Ctrl-C would wait for a job to end.
        while not (ended := wait(ahead, timeout=0.5, return_when=FIRST_COMPLETED).done):
            pass
        for future in ended:
            try:
                yield ahead.pop(future), future.result()
            except BrokenProcessPool as error:
                raise WorkerError(
                    "a worker process died: out of memory (try --workers 1), or, where a script calls build(), "
                    'without the line `if __name__ == "__main__":` before the call'
                ) from error

    def _start(self) -> ProcessPoolExecutor:
        if self._executor is None:
            # Not fork: polars' threads do not survive one.
            self._executor = ProcessPoolExecutor(self.workers, mp_context=get_context("forkserver"), initializer=_quiet)
        return self._executor


@contextmanager
def worker_pool(workers: int | None = None, crew: "Crew | None" = None) -> Iterator[Pool]:
    """A pool of as many workers as cores, unless said; beside it the crew of an engine, if there is one."""
    pool = Pool(workers or len(os.sched_getaffinity(0)), crew)
    try:
        yield pool
    finally:
        pool.close()


def run_job(job: Job) -> pl.DataFrame:
    """The stage's marks on one shard, its texts read in batches."""
    batches = [job.rows[start : start + BATCH_ROWS] for start in range(0, job.rows.height, BATCH_ROWS)] or [job.rows]
    marks: list[pl.DataFrame] = [job.stage(_with_texts(rows, job)) for rows in batches]
    return pl.concat(marks)


def _with_texts(rows: pl.DataFrame, job: Job) -> pl.DataFrame:
    if not job.texts:
        return rows
    wanted = pl.col("id").is_in(rows["id"].implode())
    texts = pl.scan_parquet(job.shard.path).filter(wanted).select("id", *job.texts).collect()
    return rows.join(texts, on="id", how="left", maintain_order="left")


def _quiet() -> None:
    """Ctrl-C ends the build in the parent; a worker's own traceback would only hide the message."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
