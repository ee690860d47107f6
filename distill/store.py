"""The rollout store: every reply that was paid for, kept by the key of its request.

Append-only files and not SQLite, for three measured reasons. A reply that has arrived is written at once (13,000 a
second with their requests; SQLite with its log 6,300), so that kill -9 loses only what is in flight; a sync of each
takes 4.5 ms, so they are synced in groups, and a power cut loses 64 rows or the last second of a burst. A file cut at
any byte loses the record that was cut and no other; a database cut in its main file is malformed as a whole. And blocks
of 1 MB compress as well as one long stream, rows one by one 1.6 times worse.

Any number of processes may write at a time, each to a file of its own under a lock of the operating system that dies
with it; all see each other's replies, and readers need no lock. Memory: about 120 bytes per attempt.
"""

import json
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import numpy as np
import polars as pl

from distill.attempt import as_line, as_reply, as_row
from distill.export import write_parquet
from distill.frames import frames, pack
from distill.log import Log
from distill.request import Reply, Request
from distill.segments import all_records, current_files, folder_lock, seal_idle, span, sweep
from distill.store_index import Index, indexed, read_rows

ROLL_BYTES = 16 << 20
"""A log this long is sealed into a segment, about 6 MB then."""
SHORT = 4
"""Segments shorter than a fourth of that are joined to the next: what was packed once is seldom packed again."""

FRESH_KEYS = 100_000
"""So many new keys are kept as strings before the index is read anew: 1 s then, against 100 bytes a key."""

COSTS = ("prompt_tokens", "completion_tokens", "seconds")


T = TypeVar("T")


class Store:
    """Replies in a folder. A reply is safe from kill -9 as soon as `append` returns.

    A request may be answered several times: failed, then well. The first good reply counts, so that what was read once
    never changes; what all of them cost is kept (`costs`). A reply that was cut off (`length`) is a good one: it was
    paid for and says something.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, Store(folder) as store:
        ...     store.append([Reply("a", "", finish_reason="error", error="503"), Reply("a", "4", completion_tokens=9)])
        ...     "a" in store, store.get(["a"])[0].content, store.costs(["a"])["attempts"].item()
        (True, '4', 2)
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self._index: Index | None = None
        self._fresh: set[str] = set()
        """Answered since the index was read: by this writer or, as far as `_read` says, by others."""
        self._read: dict[Path, int] = {}
        self._writes = False
        self._log: Log | None = None

    # Reading.

    def answered(self, keys: Collection[str]) -> list[bool]:
        """Whether each request has a reply that is not an error."""
        index = self._catch_up()
        places = index.find(keys)
        known = places >= 0
        known[known] = index.rows["good"][index.counted[places[known]]]
        return [bool(old) or key in self._fresh for old, key in zip(known, keys, strict=True)]

    def __contains__(self, key: str) -> bool:
        """Whether the request has a reply that is not an error, as far as this store has looked."""
        index = self._index or self._look()
        place = index.find([key])[0]
        return key in self._fresh or (place >= 0 and bool(index.rows["good"][index.counted[place]]))

    def keys(self) -> list[str]:
        """Every request with a reply that is not an error, sorted."""
        index = self._look()
        return [key.decode() for key in index.keys[index.rows["good"][index.counted]]]

    def get(self, keys: Sequence[str]) -> list[Reply]:
        """The reply that counts for each key, in the order asked; an error where there is no other.

        Raises:
            KeyError: nothing is stored under a key.
        """
        return [as_reply(row) for row in self._rows(keys)]

    def costs(self, keys: Sequence[str] | None = None) -> pl.DataFrame:
        """What was paid per key, failed and repeated attempts included: attempts, tokens, seconds.

        A key that was never asked is left out.
        """
        index = self._look()
        places = np.arange(len(index.keys)) if keys is None else index.find(keys)
        places = places[places >= 0]
        sums: dict[str, Any] = {"key": [index.keys[place].decode() for place in places]}
        sums["attempts"] = np.diff(index.first, append=len(index.rows))[places]
        for name in COSTS:
            sums[name] = np.add.reduceat(index.rows[name], index.first)[places] if len(places) else []
        return pl.DataFrame(
            sums, {"key": pl.String, "attempts": pl.Int64, **dict.fromkeys(COSTS[:2], pl.Int64), "seconds": pl.Float64}
        )

    def attempts(self) -> Iterator[dict[str, Any]]:
        """Every attempt as it is stored, oldest first: the reply's fields, `at`, and `request` where it is known."""
        yield from map(json.loads, all_records(self.folder))

    def export(self, path: Path | str) -> int:
        """Writes every attempt as one row of a parquet file, in bounded memory. How many there are."""
        return write_parquet(self.attempts(), Path(path))

    # Writing.

    def append(self, replies: Iterable[Reply], requests: Iterable[Request] = ()) -> None:
        """The replies are on disk. Their requests, told apart by key, are kept beside them where given.

        Raises:
            OSError: disk full or the like; nothing of the call is kept.
        """
        log = self._open()
        asked = {request.key: request for request in requests}
        rows = [as_row(reply, asked.get(reply.key)) for reply in replies]
        log.write(b"".join(pack(as_line(row)) for row in rows), len(rows))
        self._note(rows)
        if log.size >= ROLL_BYTES:
            self._seal()
            if len(self._fresh) > FRESH_KEYS:
                self._look()

    def merge(self, folders: Iterable[Path | str]) -> int:
        """Takes over every attempt of other stores that is not here yet. How many there were."""
        log = self._open()
        taken = 0
        rows = self._look().rows
        have = set(zip(rows["key"].tolist(), rows["at"].tolist(), strict=True))
        for line in (line for folder in folders for line in all_records(Path(folder))):
            row = json.loads(line)
            attempt = (row["key"].encode(), row["at"])
            if attempt not in have:
                have.add(attempt)
                log.write(pack(line), 1)
                self._note([row])
                taken += 1
            if log.size >= ROLL_BYTES:
                self._seal()
                log = self._open()
        return taken

    def close(self) -> None:
        """What was written is synced and sealed. The store can still be read, and be written anew."""
        if self._writes:
            self._writes = False
            self._seal()

    def __enter__(self) -> "Store":
        """Ready to write; what killed writers left half made is gone."""
        self._begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes."""
        self.close()

    def _begin(self) -> None:
        if not self._writes:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._look()  # says what a crash tore off, before it is sealed without it
            with folder_lock(self.folder):
                sweep(self.folder)
                seal_idle(self.folder, ROLL_BYTES // SHORT)
            self._writes = True
            self._look()

    def _open(self) -> Log:
        self._begin()
        if self._log is None:
            with folder_lock(self.folder):
                number = max((span(path)[1] for path in current_files(self.folder)), default=0) + 1
                self._log = Log(self.folder / f"{number:08d}.log")
        return self._log

    def _seal(self) -> None:
        """Logs without a writer, a crash's too, become segments."""
        log, self._log = self._log, None
        if log is not None:
            log.close()
        with folder_lock(self.folder):
            made = seal_idle(self.folder, ROLL_BYTES // SHORT)
        # What this writer wrote or had looked at is nothing new when it stands in a segment.
        own = {log.path, *(path for path in self._read if path.suffix == ".seg")} if log else set()
        self._read |= {target: 0 for target, sources in made if own.issuperset(sources)}

    def _look(self) -> Index:
        """The index of all that is in the folder now."""
        return self._steady(self._look_once)

    def _look_once(self) -> Index:
        files = tuple((path, path.stat().st_size) for path in current_files(self.folder))
        if self._index is None or files != self._index.files:
            self._index = indexed(files)
            self._fresh.clear()
            self._read = dict.fromkeys((path for path, _ in files), 0)
        return self._index

    def _catch_up(self) -> Index:
        """The index, with what other processes wrote since then among the fresh keys, or in a new one."""
        if self._index is None:
            return self._look()
        index, sizes = self._index, dict(self._index.files)
        try:
            for path in current_files(self.folder):
                own = self._log is not None and path == self._log.path
                if own or path.stat().st_size == sizes.get(path):
                    continue
                if path.suffix == ".seg" and path not in self._read:
                    return self._look()
                if path.suffix == ".log":
                    self._read_on(path)
        except FileNotFoundError:
            return self._look()  # sealed meanwhile
        return index

    def _read_on(self, log: Path) -> None:
        """The keys of another's log since the last look are fresh ones."""
        for frame in frames(log, start=self._read.get(log, 0)):
            self._read[log] = frame.end
            self._note(json.loads(line) for line in frame.plain.split(b"\n"))

    def _note(self, rows: Iterable[dict[str, Any]]) -> None:
        self._fresh.update(row["key"] for row in rows if row["finish_reason"] != "error")

    def _rows(self, keys: Sequence[str]) -> list[dict[str, Any]]:
        def read() -> list[dict[str, Any]]:
            index = self._look_once()
            return read_rows(index, index.counted[index.find_all(keys)])

        return self._steady(read)

    def _steady(self, read: Callable[[], T]) -> T:
        """What is read; read anew where a writer has just sealed a file, whose records then stand in a new one."""
        for patience in range(20):
            try:
                return read()
            except FileNotFoundError:
                self._index = None
                time.sleep(0.01 * patience)
        raise OSError(
            f"{self.folder}: files of the rollout store vanish while they are read; is something cleaning up?"
        )
