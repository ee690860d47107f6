"""What one process knows of a rollout store: the index of its files, and what came since that was read.

A folder whose list of names is as it was holds the same segments, and these never change. So a look at it is one
listing and the sizes of its few logs: 0.1 ms beside 100 segments.
"""

import json
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from distill.storing.frames import frames
from distill.storing.segments import current_files
from distill.storing.store_index import Index, indexed, read_rows

T = TypeVar("T")


class View:
    """The attempts in a folder, as of its last look, and those of its own process and of others since then."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fresh: dict[str, bool] = {}
        """Answered since the index was read, by this process or as far as it has looked by others; whether cut off."""
        self.index: Index | None = None
        self._of: tuple[list[Path], dict[Path, int]] = ([], {})
        """The files of the index, and the lengths in bytes of the logs among them."""
        self._read: dict[Path, int] = {}
        """How far each file was read since; a segment is here if it holds nothing new."""
        self._names: set[str] | None = None
        self._files: list[Path] = []
        self._logs: list[Path] = []
        self._segments: set[Path] = set()

    def look(self) -> Index:
        """The index of all that is in the folder now."""
        return self.steady(self._look)

    def catch_up(self, own: Path | None) -> Index:
        """The index, with what other processes wrote since then among the fresh keys, or in a new one.

        Args:
            own: the log of this process, which it need not read.
        """
        if self.index is None:
            return self.look()
        self._list()
        if not self._segments <= self._read.keys():
            return self.look()
        try:
            for log in self._logs:
                if log != own:
                    self._read_on(log)
        except FileNotFoundError:
            return self.look()  # sealed meanwhile
        return self.index

    def note(self, rows: Iterable[dict[str, Any]]) -> None:
        """These attempts are in the folder too; the first good one of a key counts."""
        for row in rows:
            if row["finish_reason"] != "error":
                self.fresh.setdefault(row["key"], row["finish_reason"] == "length")

    def sealed(self, own: Path, made: Iterable[tuple[Path, list[Path]]]) -> None:
        """New segments of what this process wrote, or had looked at, are nothing new."""
        known = {own, *(path for path in self._read if path.suffix == ".seg")}
        self._read |= {target: 0 for target, sources in made if known.issuperset(sources)}

    def rows(self, keys: Iterable[str]) -> list[dict[str, Any]]:
        """The record that counts for each key, in the order asked.

        Raises:
            KeyError: nothing is stored under a key.
        """
        asked = list(keys)

        def read() -> list[dict[str, Any]]:
            index = self._look()
            return read_rows(index, index.counted[index.find_all(asked)])

        return self.steady(read)

    def steady(self, read: Callable[[], T]) -> T:
        """What is read; read anew where a writer has just sealed a file, whose records then stand in a new one."""
        for patience in range(20):
            try:
                return read()
            except FileNotFoundError:
                self.index = None
                self._names = None
                time.sleep(0.01 * patience)
        raise OSError(
            f"{self.folder}: files of the rollout store vanish while they are read; is something cleaning up?"
        )

    def _look(self) -> Index:
        self._list()
        of = (self._files, {log: log.stat().st_size for log in self._logs})
        if self.index is None or of != self._of:
            self.index = indexed(self._files)
            self.fresh.clear()
            self._of = of
            self._read = dict.fromkeys(self._files, 0)
        return self.index

    def _list(self) -> None:
        """The files that count now; gone through only where a name is new or gone."""
        try:
            names = set(os.listdir(self.folder))
        except FileNotFoundError:
            names = set()  # nothing was paid for yet
        if names != self._names:
            # Listed before: what comes between the two is gone through once more.
            self._files, self._names = current_files(self.folder), names
            self._logs = [path for path in self._files if path.suffix == ".log"]
            self._segments = set(self._files).difference(self._logs)

    def _read_on(self, log: Path) -> None:
        """The keys of another's log since the last look are fresh ones."""
        if log.stat().st_size in (self._of[1].get(log), self._read.get(log)):
            return
        for frame in frames(log, start=self._read.get(log, 0)):
            self._read[log] = frame.end
            self.note(json.loads(line) for line in frame.plain.split(b"\n"))
