"""A task of an engine, in a process of its own: marks shards, or asks a teacher, and says how it ended.

Tasks are described in JSON and in tables, never pickled: the folder lies on a disk that machines share.
"""

import importlib
import json
import os
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import polars as pl

from curate import plug
from curate.asking.draw import Draw
from curate.asking.lost_reasoning import ReasoningWatch
from curate.cache import Cache
from curate.engine import Job, Shard, run_job
from curate.recipes.manifest_plugs import adapter, plain, teacher_options
from curate.workers.blocks import WORK
from curate.workers.launch import end, write_whole
from distill.cut_off import CutOff
from distill.request import Sampling
from distill.sample import SampleSummary, sample
from distill.store import Store

BEAT_S = 1.0

BESIDE = "beside.arrow"
"""Among the tables of a run: what all of its tasks read."""

TOLD = ("TeacherError", "LostReasoningError")
"""Errors that the build raises as what they are."""

Fault = Callable[[str, Exception], None]


def main() -> None:
    """The process of one task: `python -c ... RUN RANK`."""
    run, rank = Path(sys.argv[1]), int(sys.argv[2])
    task = json.loads((run / "tasks" / f"{rank:05d}.json").read_text(encoding="utf-8"))
    pulse = Pulse(run, rank)
    pulse.start()
    faults: list[dict[str, str]] = []

    def fault(what: str, error: Exception) -> None:
        traceback.print_exception(error)
        names = [kind.__name__ for kind in type(error).__mro__]
        kind = next((name for name in names if name in TOLD), names[0])
        faults.append({"what": what, "kind": kind, "text": str(error)})

    perform = {"mark": _mark, "ask": _ask, "sign": _make, "meet": _make}[task["does"]]
    try:
        result = perform(task, run, pulse, fault)
    # Here an error becomes a line of the build's report; what was finished before it is kept.
    except Exception as error:
        fault("", error)
        result = None
    end(run, rank, {"faults": faults, "done": pulse.done, "result": result})
    sys.exit(1 if faults else 0)


class Pulse(threading.Thread):
    """Shows on the disk that the task lives, and how far it is; ends the process with whoever started it."""

    def __init__(self, run: Path, rank: int) -> None:
        super().__init__(daemon=True)
        self.file = run / "beats" / f"{rank:05d}"
        self.stop = run / "stop"
        self.parent = os.getppid()
        self.done = 0

    def add(self, count: int) -> None:
        """So many rows or rollouts more are done."""
        self.done += count

    def run(self) -> None:
        """Beats as long as the process lives."""
        beat = 0
        while os.getppid() == self.parent and not self.stop.exists():
            write_whole(self.file, f"{beat} {self.done} {os.getpid()}")
            beat += 1
            time.sleep(BEAT_S)
        os._exit(1)


def written(made: Any) -> dict[str, Any]:
    """A plug as JSON: its module and its options, teachers among them.

    Raises:
        TypeError: it is no plug of a plug folder; a worker could not find it.
    """
    module = type(made).__module__
    if module.rpartition(".")[0] not in _folders():
        raise TypeError(f"{type(made).__name__} is no plug of a plug folder: workers cannot load it")
    whole = plug.plug_class(importlib.import_module(module))
    if type(made) is not whole:  # the row stage of a table stage
        if made != getattr(whole, "per_rollout", None):
            raise TypeError(f"{type(made).__name__} is no plug: workers cannot load it")
        return {"plug": module, "per_rollout": True}
    teachers = teacher_options(type(made))
    options = {f.name: getattr(made, f.name) for f in fields(made) if f.init}
    told = {
        name: written(value) if name in teachers and value is not None else plain(value)
        for name, value in options.items()
    }
    return {"plug": module, "options": told}


def read(told: dict[str, Any]) -> Any:
    """The plug that was written."""
    if told["plug"].rpartition(".")[0] not in _folders():
        raise TypeError(f"{told['plug']} is no plug of a plug folder")
    cls = plug.plug_class(importlib.import_module(told["plug"]))
    if told.get("per_rollout"):
        return cls.per_rollout
    teachers = {name: read(told["options"][name]) for name in teacher_options(cls) if told["options"].get(name)}
    return replace(adapter(cls).validate_json(json.dumps(told["options"])), **teachers)


def _folders() -> set[str]:
    return {folder for folders in plug.FOLDERS.values() for folder in folders}


def mark_task(stage: Any, jobs: dict[str, Job], cache: Path) -> dict[str, Any]:
    """A task that marks shards; the rows lie beside it, by key."""
    told = [
        {"key": key, "shard": str(job.shard.path.absolute()), "sha256": job.shard.sha256, "texts": job.texts}
        for key, job in jobs.items()
    ]
    return {"does": "mark", "stage": written(stage), "cache": str(cache.absolute()), "jobs": told}


def _mark(task: dict[str, Any], run: Path, pulse: Pulse, fault: Fault) -> None:
    """Every shard has its marks in the cache, where the stage gave some."""
    stage, cache = read(task["stage"]), Cache(Path(task["cache"]))
    for told in task["jobs"]:
        rows = pl.read_ipc(run / "rows" / f"{told['key']}.arrow")
        job = Job(stage, rows, Shard(Path(told["shard"]), told["sha256"]), tuple(told["texts"]))
        try:
            cache.frame(told["key"], lambda job=job: run_job(job))  # type: ignore[misc]  # mypy: a lambda's default
        # As above, for this shard alone: the others are done.
        except Exception as error:
            fault(f"shard {Path(told['shard']).stem}", error)
        pulse.add(rows.height)


def ask_task(teacher: Any, draw: Draw, no_reasoning: float, store: Path) -> dict[str, Any]:
    """A task that asks a teacher; the problems lie beside it, by the number of the task."""
    return {
        "does": "ask",
        "teacher": written(teacher),
        "draw": {"model": draw.model, "revision": draw.revision, "sampling": asdict(draw.sampling)},
        "cut_off": asdict(draw.cut_off) if draw.cut_off else None,
        "no_reasoning": no_reasoning,
        "store": str(store.absolute()),
    }


def _ask(task: dict[str, Any], run: Path, pulse: Pulse, _: Fault) -> dict[str, Any]:
    """Every request of the task's problems has a reply in the store; what this run did for it."""
    problems = pl.read_ipc(run / "rows" / f"{pulse.file.name}.arrow")
    told, cut = task["draw"], task["cut_off"]
    sampling = adapter(Sampling).validate_json(json.dumps(told["sampling"]))
    cut_off = adapter(CutOff).validate_json(json.dumps(cut)) if cut else None
    draw = Draw(told["model"], told["revision"], sampling, problems, cut_off)
    watch = ReasoningWatch(draw.model, task["no_reasoning"])
    store = Store(task["store"])
    asked = sample(
        read(task["teacher"]), draw.requests(), store, on_progress=pulse.add, cut_off=cut_off, watches=(watch,)
    )
    return asdict(asked)


def _make(task: dict[str, Any], run: Path, pulse: Pulse, _: Fault) -> None:
    """What a block of datatrove makes of the task's texts lies in `made/`."""
    texts = pl.read_ipc(run / "rows" / f"{pulse.file.name}.arrow")["text"].to_list()
    with tempfile.TemporaryDirectory() as scratch:
        made = WORK[task["does"]](texts, pl.read_ipc(run / "rows" / BESIDE), Path(scratch), **task["options"])
    aside = run / "made" / f".{pulse.file.name}"
    made.write_ipc(aside)
    aside.rename(run / "made" / f"{pulse.file.name}.arrow")
    pulse.add(len(texts))


def summed(results: list[dict[str, Any] | None], seconds: float) -> SampleSummary:
    """What all tasks did, in so many seconds of the build."""
    total = sum((SampleSummary(**result) for result in results if result), SampleSummary())
    return SampleSummary(**asdict(total) | {"seconds": seconds, "first_s": 0.0})
