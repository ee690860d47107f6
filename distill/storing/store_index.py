"""Where every attempt of a rollout store stands, in sorted arrays: 120 MB and half a second for a million."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from distill.storing.frames import ENTRY, FAILED, Entries, entries, read_frame
from distill.storing.segments import alive


@dataclass(frozen=True)
class Index:
    """All attempts, sorted by key and then by age; one row of `keys` and its kin per key."""

    files: Sequence[Path]
    rows: Entries
    file: npt.NDArray[np.int32]
    keys: npt.NDArray[np.bytes_]
    first: npt.NDArray[np.int64]
    """Row of the first attempt."""
    counted: npt.NDArray[np.int64]
    """Row of the first good attempt, or of the last one where none is good."""

    def find(self, keys: Collection[str]) -> npt.NDArray[np.int64]:
        """The place of each key in `keys`; -1 where it is not."""
        asked = np.array(list(keys), "S32")
        if not len(self.keys):
            return np.full(len(asked), -1, np.int64)
        places = np.minimum(np.searchsorted(self.keys, asked), len(self.keys) - 1)
        return np.where(self.keys[places] == asked, places, -1)

    def good(self, keys: Collection[str]) -> npt.NDArray[np.bool_]:
        """Whether each key has a reply that is not an error."""
        places = self.find(keys)
        good = places >= 0
        good[good] = self.rows["end"][self.counted[places[good]]] != FAILED
        return good

    def find_all(self, keys: Sequence[str]) -> npt.NDArray[np.int64]:
        """The place of each key in `keys`.

        Raises:
            KeyError: one is not there.
        """
        places = self.find(keys)
        missing = np.flatnonzero(places < 0)
        if len(missing):
            raise KeyError(
                f"{len(missing)} of {len(keys)} requests have no reply in the store, first {keys[missing[0]]}"
            )
        return places


def indexed(files: Sequence[Path]) -> Index:
    """The index of the attempts in these files."""
    # A log that is written to may end in half a record: it is on its way, not torn.
    parts = [entries(path, say=path.suffix == ".seg" or not alive(path)) for path in files]
    rows = np.concatenate([np.empty(0, ENTRY), *parts])
    file = np.repeat(np.arange(len(files), dtype=np.int32), [len(part) for part in parts])
    order = _by_key_and_age(rows)
    rows, file = rows[order], file[order]
    first = np.flatnonzero(np.append(True, rows["key"][1:] != rows["key"][:-1])) if len(rows) else np.empty(0, np.int64)
    # Good attempts outrank all others, earlier ones the later: a reply that was read once counts for ever, whatever
    # another machine or process paid for beside it.
    age = np.arange(len(rows))
    rank = np.where(rows["end"] != FAILED, 2 * len(rows) - age, age)
    best = np.maximum.reduceat(rank, first) if len(rows) else first
    counted = np.where(best >= len(rows), 2 * len(rows) - best, best)
    return Index(files, rows, file, rows["key"][first], first, counted)


def _by_key_and_age(rows: Entries) -> npt.NDArray[np.int64]:
    """The order of the rows."""
    # Keys are random: eight bytes as one number tell nearly all apart, and sort ten times as fast as strings.
    start = np.ascontiguousarray(rows["key"]).view(">u8")[::4].astype(np.uint64)
    order = np.argsort(start)
    equal = np.diff(start[order]) == 0
    alike = np.append(equal, False) | np.append(False, equal) if len(rows) else np.empty(0, bool)
    some = np.sort(order[alike])
    by_age = some[np.argsort(rows["at"][some], kind="stable")]
    order[alike] = by_age[np.argsort(rows["key"][by_age], kind="stable")]
    return order


def read_rows(index: Index, rows: npt.NDArray[np.int64]) -> list[dict[str, Any]]:
    """The records of these rows of the index, in their order; every frame is read once."""
    found: list[dict[str, Any]] = [{}] * len(rows)
    order = np.lexsort((index.rows["offset"][rows], index.file[rows]))
    for number, in_file in groupby(order, key=lambda i: int(index.file[rows[i]])):
        with index.files[number].open("rb") as file:
            for offset, in_frame in groupby(in_file, key=lambda i: int(index.rows["offset"][rows[i]])):
                lines = read_frame(file, offset)
                for i in in_frame:
                    found[i] = json.loads(lines[index.rows["place"][rows[i]]])
    return found
