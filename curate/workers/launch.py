"""Launches the tasks of a stage: a process beside the build, which hands them to one of datatrove's executors.

A process of its own, since an executor may hang: `multiprocessing.Pool`, on which datatrove's local and Ray executors
rest, waits for ever for a worker that was killed. Each task then runs in a process of its own once more, started
afresh and not forked (polars' threads do not survive a fork), so that a task that runs out of memory is told from the
others and ends alone. Nothing here is believed by the build: it looks at what lies on the disk (`curate.workers.crew`).
"""

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from curate.plug import load

if TYPE_CHECKING:
    from curate.manifest import Manifest

POLL_S = 0.1
GRACE_S = 15.0
"""What is waited for the last files after the executor has returned, and for an executor whose tasks have all ended."""

DIED = "died"
"""The kind of fault of a task whose process was killed."""


class EngineError(ValueError):
    """An engine that cannot run this manifest here."""


@dataclass(frozen=True)
class Order:
    """So many tasks, described in a folder."""

    run: Path
    tasks: int
    asks: bool
    """Whether they ask a teacher."""


@dataclass(frozen=True, kw_only=True)
class Engine:
    """The options that all engines share. They are no part of what decides the rows."""

    needs: ClassVar[tuple[str, ...]] = ("datatrove",)
    """Modules that it cannot do without; all in the extra `ray`."""
    waves: ClassVar[int] = 2
    """Tasks per worker of a stage: more balance better, fewer start faster."""
    detached: ClassVar[bool] = False
    """Whether its tasks go on when the build is interrupted."""

    workers: Annotated[int, Field(ge=1, le=1000)] = 2
    """Tasks that run at a time."""
    cpus: Annotated[int, Field(ge=1, le=1024)] = 1
    """Cores for each task."""
    runs: Annotated[tuple[Literal["stages", "rollouts"], ...], Field(min_length=1)] = ("stages", "rollouts")
    """What the workers do: row stages, sampling, or both. The rest is done where the build was started."""

    def ready(self) -> str | None:
        """Why it cannot run here; None if it can."""
        missing = [module for module in self.needs if importlib.util.find_spec(module) is None]
        return f"{' and '.join(missing)} not installed. pip install 'cotillion[ray]'" if missing else None

    @contextlib.contextmanager
    def started(self) -> Iterator[None]:
        """What lasts for the whole build is there, such as a cluster on this machine."""
        yield

    def lives(self, run: Path) -> bool:
        """Whether tasks that an earlier build ordered in this folder may still run."""
        return False

    def options(self, run: Path, tasks: int) -> dict[str, Any]:
        """Arguments that all executors of datatrove take."""
        step = Step(str(run), self.cpus)
        return {"pipeline": [step], "tasks": tasks, "workers": self.workers, "logging_dir": str(run / "executor")}


@dataclass(frozen=True)
class Step:
    """The one step of datatrove's pipeline: the task of a rank, in a process of its own."""

    run: str
    cpus: int = 1
    raises: bool = True
    """Whether the executor is told that a task failed. The local one would then kill all others."""

    def __call__(self, data: Any, rank: int, world_size: int) -> None:
        """The task has ended, with a file in `ended/` that says how.

        Raises:
            RuntimeError: it failed.
        """
        command = [sys.executable, "-c", "from curate.workers.rank import main; main()", self.run, str(rank)]
        threads = dict.fromkeys(("POLARS_MAX_THREADS", "OMP_NUM_THREADS"), str(self.cpus))
        parent, log = os.getppid(), Path(self.run, "logs", f"{rank:05d}.log")
        with log.open("ab") as output:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=threads | os.environ
            )
        while process.poll() is None:
            if os.getppid() != parent:  # a killed launcher leaves its workers behind, and they would go on asking
                process.kill()
                os._exit(1)
            time.sleep(POLL_S)
        code = process.returncode
        if code and not ended_file(Path(self.run), rank).exists():
            memory = " (out of memory?)" if code == -signal.SIGKILL else ""
            text = f"killed by signal {-code}{memory}" if code < 0 else f"ended with {code}; its log says why"
            end(Path(self.run), rank, {"faults": [{"what": "", "kind": DIED, "text": text}]})
        if code and self.raises:
            raise RuntimeError(f"task {rank} ended with {code}; see {log}")


def end(run: Path, rank: int, said: dict[str, Any]) -> None:
    """What a task leaves behind, whole or not at all."""
    write_whole(ended_file(run, rank), json.dumps({"host": os.uname().nodename, **said}))


def ended_file(run: Path, rank: int) -> Path:
    """Where a task says how it ended."""
    return run / "ended" / f"{rank:05d}.json"


def write_whole(path: Path, text: str) -> None:
    """The file is there with all of the text, or as it was before."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)


def check_engine(manifest: "Manifest") -> None:
    """Passes if the engine that the manifest names, if any, can run it here.

    Raises:
        EngineError: what is missing, or does not go together.
    """
    if manifest.engine is None:
        return
    name, engine = manifest.engine.name, manifest.engine.plug
    here = "or build here: --set engine=null"
    if fault := engine.ready():
        raise EngineError(f"engine {name}: {fault}, {here}")
    if manifest.rollouts and manifest.rollouts.budget and "rollouts" in engine.runs:
        raise EngineError(
            f"engine {name}: rollouts.budget is not kept by several workers, who do not see each other's spending. "
            f"Sample here and run the stages there: --set 'engine.runs=[stages]', {here}"
        )


class Launcher:
    """The process beside the build, started with the first order."""

    def __init__(self, name: str, engine: Engine, folder: Path) -> None:
        self.name, self.engine, self.folder = name, engine, folder
        self._process: subprocess.Popen[str] | None = None

    @property
    def lives(self) -> bool:
        """Whether it takes orders."""
        return self._process is not None and self._process.poll() is None

    def order(self, order: Order) -> None:
        """The tasks are its to launch."""
        if self._process is None or self._process.poll() is not None:
            told = json.dumps([self.name, asdict(self.engine)])
            command = [sys.executable, "-c", "from curate.workers.launch import main; main()", told]
            with (self.folder / "launch.log").open("ab") as log:
                # A session of its own: Ctrl-C is for the build, which ends the launcher, or leaves its jobs alone.
                self._process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=log, stderr=log, text=True, start_new_session=True
                )
        assert self._process.stdin
        print(json.dumps([str(order.run), order.tasks, order.asks]), file=self._process.stdin, flush=True)

    def close(self, at_once: bool = False) -> None:
        """It has ended, and with it all tasks but those of a batch system.

        Args:
            at_once: it is not given the time to end what it started.
        """
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin
        process.stdin.close()
        try:
            process.wait(timeout=0 if at_once else GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def main() -> None:
    """The launcher: reads orders on standard input, and says in each one's folder when its executor has returned."""
    name, options = json.loads(sys.argv[1])
    # From JSON, which has no tuples.
    engine = load("engine", name)(**{key: tuple(v) if isinstance(v, list) else v for key, v in options.items()})
    with engine.started():
        for line in sys.stdin:
            run, tasks, asks = json.loads(line)
            try:
                engine(Order(Path(run), tasks, asks))
                fault = None
            # An executor of datatrove may raise whatever a cluster raises; the build tells it, with its log.
            except Exception as error:
                fault = f"{type(error).__name__}: {error}"
            write_whole(Path(run, "over.json"), json.dumps({"fault": fault}))
