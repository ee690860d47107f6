"""The watch over a run's tasks: what each said at its end, how far each is, and when nothing more is to be expected."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from curate.workers.launch import GRACE_S, Engine, Launcher

LOOK_S = 0.5
SILENT_S = 120.0
"""A task that has shown no sign of life for so long is lost; on network disks one is seen a minute late."""


def watched(
    run: Path, count: int, done: Callable[[int], None], engine: Engine, launcher: Launcher
) -> list[dict[str, Any] | None]:
    """What each task said at its end; None of one that said nothing.

    Waits until every task has ended, or none that lacks can be expected any more.
    """
    watch = Watch(run, count, done)
    over_since: float | None = None
    while watch.look():
        time.sleep(LOOK_S)
        over_since = (over_since or time.monotonic()) if _over(run, engine, launcher) else None
        if watch.lost or (over_since and time.monotonic() - over_since > GRACE_S):
            break
    deadline = time.monotonic() + GRACE_S
    if engine.detached:
        # An executor writes into the folder for a moment longer than its tasks.
        while not watch.lost and engine.lives(run) and time.monotonic() < deadline:
            time.sleep(LOOK_S)
        return watch.ended
    # Of an executor that waits for a worker that was killed, nothing more comes.
    while not watch.lost and not (run / "over.json").exists() and launcher.lives and time.monotonic() < deadline:
        time.sleep(LOOK_S / 5)
    if not (run / "over.json").exists():
        launcher.close(at_once=True)
    return watch.ended


class Watch:
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


def _over(run: Path, engine: Engine, launcher: Launcher) -> bool:
    """Whether the executor has returned, or the batch system no longer knows the job."""
    if not (run / "over.json").exists():
        return not launcher.lives and not engine.lives(run)
    return not engine.detached or not engine.lives(run)
