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
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import polars as pl

from distill.request import Reply, Request
from distill.storing.attempt import as_line, as_reply, as_row
from distill.storing.export import write_parquet
from distill.storing.frames import CUT_OFF, FAILED, GOOD, pack
from distill.storing.log import Log
from distill.storing.segments import all_records, current_files, folder_lock, seal_idle, span, sweep
from distill.storing.store_index import Index
from distill.storing.store_view import View

ROLL_BYTES = 32 << 20
"""A log this long is sealed into a segment, 4 to 12 MB then."""
SHORT = 16
"""Segments shorter than this part of it are joined to the next: what was packed once is seldom packed again."""

READ_AT_ONCE = 1_024
"""Replies whose texts are in memory at once."""
FRESH_KEYS = 100_000
"""So many new keys are kept as strings before the index is read anew: 1 s then, against 100 bytes a key."""

COSTS = ("prompt_tokens", "completion_tokens", "seconds")


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
        self._view = View(self.folder)
        self._writes = False
        self._log: Log | None = None

    # Reading.

    def answered(self, keys: Collection[str]) -> list[bool]:
        """Whether each request has a reply that is not an error."""
        good = self._catch_up().good(keys)
        return [bool(old) or key in self._view.fresh for old, key in zip(good, keys, strict=True)]

    def cut_off(self, keys: Sequence[str]) -> list[bool]:
        """Whether the reply that counts was cut off; seldom reads one.

        Raises:
            KeyError: a request has no reply that is not an error.
        """
        index, fresh = self._catch_up(), self._view.fresh
        known = zip(keys, index.good(keys), strict=True)
        cut = {key: fresh[key] for key, good in known if not good and key in fresh}
        old = [key for key in keys if key not in cut]
        ends = index.rows["end"][index.counted[index.find_all(old)]]
        cut |= zip(old, (ends == CUT_OFF).tolist(), strict=True)
        # Segments of older releases do not say it.
        unsaid = [key for key, end in zip(old, ends, strict=True) if end == GOOD]
        for start in range(0, len(unsaid), READ_AT_ONCE):
            rows = self._view.rows(unsaid[start : start + READ_AT_ONCE])
            cut |= {row["key"]: row["finish_reason"] == "length" for row in rows}
        return [cut[key] for key in keys]

    def __contains__(self, key: str) -> bool:
        """Whether the request has a reply that is not an error, as far as this store has looked."""
        index = self._view.index or self._view.look()
        return key in self._view.fresh or bool(index.good([key])[0])

    def keys(self) -> list[str]:
        """Every request with a reply that is not an error, sorted."""
        index = self._view.look()
        return [key.decode() for key in index.keys[index.rows["end"][index.counted] != FAILED]]

    def get(self, keys: Sequence[str]) -> list[Reply]:
        """The reply that counts for each key, in the order asked; an error where there is no other.

        Raises:
            KeyError: nothing is stored under a key.
        """
        return [as_reply(row) for row in self._view.rows(keys)]

    def costs(self, keys: Sequence[str] | None = None) -> pl.DataFrame:
        """What was paid per key, failed and repeated attempts included: attempts, tokens, seconds.

        A key that was never asked is left out.
        """
        index = self._view.look()
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
        self._view.note(rows)
        if log.size >= ROLL_BYTES:
            self._seal()
            if len(self._view.fresh) > FRESH_KEYS:
                self._view.look()

    def merge(self, folders: Iterable[Path | str]) -> int:
        """Takes over every attempt of other stores that is not here yet. How many there were."""
        log = self._open()
        taken = 0
        rows = self._view.look().rows
        have = set(zip(rows["key"].tolist(), rows["at"].tolist(), strict=True))
        for line in (line for folder in folders for line in all_records(Path(folder))):
            row = json.loads(line)
            attempt = (row["key"].encode(), row["at"])
            if attempt not in have:
                have.add(attempt)
                log.write(pack(line), 1)
                self._view.note([row])
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
            self._view.look()  # says what a crash tore off, before it is sealed without it
            with folder_lock(self.folder):
                sweep(self.folder)
                seal_idle(self.folder, ROLL_BYTES // SHORT)
            self._writes = True
            self._view.look()

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
        if log is not None:
            self._view.sealed(log.path, made)

    def _catch_up(self) -> Index:
        return self._view.catch_up(self._log.path if self._log else None)
