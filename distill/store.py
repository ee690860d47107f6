"""The rollout store: every reply that was paid for, kept by the key of its request.

Append-only files and not SQLite, for three measured reasons. A reply that has arrived is written at once (13,000 a
second with their requests; SQLite with its log 6,300), so that kill -9 loses only what is in flight; a sync of each
takes 4.5 ms, so they are synced in groups, and a power cut loses 64 rows or the last second of a burst. A file cut at
any byte loses the record that was cut and no other; a database cut in its main file is malformed as a whole. And blocks
of 1 MB compress as well as one long stream, rows one by one 1.6 times worse.

One process writes at a time, under a lock of the operating system that dies with it; readers need no lock and see what
was there when they first looked. Memory: about 120 bytes per attempt.
"""

import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import numpy as np
import polars as pl

from distill.export import write_parquet
from distill.request import Reply, Request
from distill.segments import Log, current_files, pack, records, seal, span, sweep
from distill.store_index import Index, indexed, read_rows

ROLL_BYTES = 16 << 20
"""A log this long is sealed into a segment; segments shorter than this are joined to it."""

FRESH_KEYS = 100_000
"""So many new keys are kept as strings before the index is read anew: 1 s then, against 100 bytes a key."""

COSTS = ("prompt_tokens", "completion_tokens", "seconds")
REPLY_FIELDS = tuple(field.name for field in fields(Reply))


class StoreBusyError(RuntimeError):
    """Another process writes to this store."""


T = TypeVar("T")


class Store:
    """Replies in a folder. A reply is safe from kill -9 as soon as `append` returns.

    A request may be answered several times: failed, then well. The last good reply counts; what all of them cost is
    kept (`costs`). A reply that was cut off (`length`) is a good one: it was paid for and says something.

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
        self._lock: int | None = None
        self._log: Log | None = None

    # Reading.

    def answered(self, keys: Collection[str]) -> list[bool]:
        """Whether each request has a reply that is not an error."""
        index = self._index or self._look()
        places = index.find(keys)
        known = places >= 0
        known[known] = index.rows["good"][index.counted[places[known]]]
        return [bool(old) or key in self._fresh for old, key in zip(known, keys, strict=True)]

    def __contains__(self, key: str) -> bool:
        """Whether the request has a reply that is not an error."""
        return key in self._fresh or self.answered([key])[0]

    def keys(self) -> list[str]:
        """Every request with a reply that is not an error, sorted."""
        index = self._look()
        return [key.decode() for key in index.keys[index.rows["good"][index.counted]]]

    def get(self, keys: Sequence[str]) -> list[Reply]:
        """The reply that counts for each key, in the order asked; an error where there is no other.

        Raises:
            KeyError: nothing is stored under a key.
        """
        return [Reply(**{name: row[name] for name in REPLY_FIELDS if name in row}) for row in self._rows(keys)]

    def costs(self, keys: Sequence[str] | None = None) -> pl.DataFrame:
        """What was paid per key, failed and repeated attempts included: attempts, tokens, seconds."""
        index = self._look()
        places = np.arange(len(index.keys)) if keys is None else index.find_all(keys)
        sums: dict[str, Any] = {"key": [index.keys[place].decode() for place in places]}
        sums["attempts"] = np.diff(index.first, append=len(index.rows))[places]
        for name in COSTS:
            sums[name] = np.add.reduceat(index.rows[name], index.first)[places] if len(places) else []
        return pl.DataFrame(
            sums, {"key": pl.String, "attempts": pl.Int64, **dict.fromkeys(COSTS[:2], pl.Int64), "seconds": pl.Float64}
        )

    def attempts(self) -> Iterator[dict[str, Any]]:
        """Every attempt as it is stored, oldest first: the reply's fields, `at`, and `request` where it is known.

        Not for the time another process writes: its sealing takes files away.
        """
        for path in current_files(self.folder):
            yield from (json.loads(line) for line in records(path))

    def export(self, path: Path | str) -> int:
        """Writes every attempt as one row of a parquet file, in bounded memory. How many there are."""
        return write_parquet(self.attempts(), Path(path))

    # Writing.

    def append(self, replies: Iterable[Reply], requests: Iterable[Request] = ()) -> None:
        """The replies are on disk. Their requests, told apart by key, are kept beside them where given.

        Raises:
            StoreBusyError: another process writes; says which.
            OSError: disk full or the like; nothing of the call is kept.
        """
        log = self._open()
        asked = {request.key: request for request in requests}
        rows = [_row(reply, asked.get(reply.key)) for reply in replies]
        log.write(
            b"".join(pack(json.dumps(row, ensure_ascii=False).encode("utf-8", "replace")) for row in rows), len(rows)
        )
        self._fresh.update(row["key"] for row in rows if row["finish_reason"] != "error")
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
        for folder in folders:
            for path in current_files(Path(folder)):
                for line in records(path):
                    row = json.loads(line)
                    attempt = (row["key"].encode(), row["at"])
                    if attempt not in have:
                        have.add(attempt)
                        log.write(pack(line), 1)
                        taken += 1
                    if log.size >= ROLL_BYTES:
                        self._seal()
                        log = self._open()
        return taken

    def close(self) -> None:
        """What was written is synced and sealed, and the lock is given back. The store can still be read."""
        if self._lock is None:
            return
        try:
            self._seal()
        finally:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> "Store":
        """Holds the writer's lock, and sees what earlier writers wrote."""
        self._acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes."""
        self.close()

    def _acquire(self) -> None:
        if self._lock is not None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(lock, 200).decode("utf-8", "replace") or "another process"
            os.close(lock)
            raise StoreBusyError(
                f"{self.folder}: {owner} writes to this rollout store. Wait until it is done; what it pays for is kept."
            ) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)
        self._lock, self._index = lock, None
        sweep(self.folder)
        self._look()

    def _open(self) -> Log:
        self._acquire()
        if self._log is None:
            number = max((span(path)[1] for path in current_files(self.folder)), default=0) + 1
            self._log = Log(self.folder / f"{number:08d}.log")
        return self._log

    def _seal(self) -> None:
        """Logs, a crash's too, become a segment, joined with the short segments just before them."""
        if self._log is not None:
            self._log.close()
            self._log = None
        files = current_files(self.folder)
        keep = len(files)
        while keep and (files[keep - 1].suffix == ".log" or files[keep - 1].stat().st_size < ROLL_BYTES):
            keep -= 1
        young = files[keep:]
        if any(path.suffix == ".log" for path in young):
            first, last = span(young[0])[0], span(young[-1])[1]
            seal(young, self.folder / f"{first:08d}-{last:08d}.seg")

    def _look(self) -> Index:
        """The index of all that is in the folder now."""
        return self._steady(self._look_once)

    def _look_once(self) -> Index:
        files = tuple((path, path.stat().st_size) for path in current_files(self.folder))
        if self._index is None or files != self._index.files:
            self._index = indexed(files)
            self._fresh.clear()
        return self._index

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


def _row(reply: Reply, request: Request | None) -> dict[str, Any]:
    if not 0 < len(reply.key.encode()) <= 32:
        raise ValueError(f"the key of a reply has 1 to 32 characters, not {reply.key!r}")
    row = {"at": time.time(), **vars(reply)}
    if request is not None:
        sampling = {name: value for name, value in vars(request.sampling).items() if name != "n"}
        messages = [vars(message) for message in request.messages]
        row["request"] = {
            "model": request.model,
            "revision": request.revision,
            "sampling": sampling,
            "index": request.index,
            "messages": messages,
        }
    return row
