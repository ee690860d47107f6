"""The climb: every run in its turn, several at once where asked, and after the last one the report.

Killed at any point it goes on where it stood: what is done is recognised, a half-finished training goes on from its
last checkpoint or begins anew, and no rollout is drawn twice.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from curate.version import data_root
from train.ladder.file import read_ladder
from train.ladder.plan import SETS, Run, from_stage, runs
from train.ladder.processes import Processes
from train.ladder.steps import Done, Steps
from train.settings import SettingsError


@dataclass(frozen=True)
class Climb:
    """A ladder to be climbed; calling it gives the folder of the report.

    Example:
        >>> Climb(Path("manifests/ladder/cpu.yaml"), seeds=(0,), controls=()).jobs
        1
    """

    path: Path
    """The ladder file."""
    overrides: tuple[str, ...] = ()
    """Laid over it: `stages.grpo.set.max_steps=20`."""
    seeds: tuple[int, ...] | None = None
    """Which of the file's; None for all."""
    controls: tuple[str, ...] | None = None
    """Which of the file's; None for all."""
    stage: str | None = None
    """Everything from this stage or control on is trained anew."""
    on: tuple[str, ...] = SETS
    """Which sets are asked. While choices are made: `validation` alone."""
    jobs: int = 1
    """Runs at a time, of different seeds or branches; the cores are shared among them."""
    root: Path | None = None
    """Folder of the datasets and of the rollout store; None means COTILLION_DATA, else `data`."""
    out: Path | None = None
    """Runs, records, logs and report; None means `runs/NAME`."""
    say: Callable[[str], None] = print

    def __call__(self) -> Path:
        """Every run is done, and the report is written.

        Raises:
            LadderError: the file cannot be climbed, or what was asked of it is not there.
            StepError: a command failed; what was done before is kept.
            LeakError: a stage would train on problems that are asked afterwards.
        """
        from train.ladder.report import write_report

        ladder = read_ladder(self.path, self.overrides)
        if unknown := set(self.on) - set(SETS):
            raise SettingsError(f"--on {', '.join(sorted(unknown))}: expected any of {', '.join(SETS)}")
        planned = runs(ladder, self.controls, self.seeds)
        again = from_stage(planned, self.stage)
        out = (self.out or Path("runs") / ladder.name).absolute()
        with _alone(out, self.say) as lock:
            processes = Processes(lock, self.jobs)
            steps = Steps(ladder, data_root(self.root).absolute(), out, self.on, processes, again, say=self.say)
            began = time.monotonic()
            steps.build_sets()
            done = self._take_all(planned, steps)
            report = write_report(ladder, done, steps, time.monotonic() - began)
        self.say(report.text)
        self.say(f"{report.folder / 'report.md'}\n{report.folder / 'report.html'}")
        return report.folder

    def _take_all(self, planned: Sequence[Run], steps: Steps) -> list[Done]:
        """All runs, each after its parent, at most `jobs` at once, in the order of the plan."""
        done: dict[str, Done] = {}
        waiting, going = list(planned), dict[Future[Done], Run]()
        with ThreadPoolExecutor(self.jobs) as pool:
            try:
                while waiting or going:
                    ready = [run for run in waiting if run.parent is None or run.parent.name in done]
                    for run in ready[: self.jobs - len(going)]:
                        before = done[run.parent.name] if run.parent else None
                        going[pool.submit(steps.take, run, before)] = run
                        waiting.remove(run)
                    for future in wait(going, return_when=FIRST_COMPLETED).done:
                        run = going.pop(future)
                        done[run.name] = future.result()
                        self.say(f"{len(done):3} of {len(planned)}  {self._told(done[run.name])}")
            except BaseException as stop:
                steps.processes.end()
                if isinstance(stop, KeyboardInterrupt):
                    raise KeyboardInterrupt("Run the same command again to go on, without --stage.") from None
                raise
        return [done[run.name] for run in planned]

    def _told(self, done: Done) -> str:
        took = done.record["seconds"].get("train")
        return f"{done.run.name:28} {f'{took:7.0f} s' if took is not None else ''}  {done.folder.name}"


@contextmanager
def _alone(out: Path, say: Callable[[str], None]) -> Iterator[int]:
    """Holds the ladder's folder. What a killed ladder left running holds it, too: that is waited for, and kept."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / ".lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(
                f"{out.name} is being climbed, or a command of a ladder that was killed still runs: waiting for its end"
            )
            fcntl.flock(file, fcntl.LOCK_EX)
        os.set_inheritable(file.fileno(), True)
        yield file.fileno()
