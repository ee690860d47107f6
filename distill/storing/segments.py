"""Files of the rollout store.

    00000003.log            one record per frame, as it is, as replies arrive; a crash tears off the last frame
    00000001-00000002.seg   blocks of about 1 MB of records, then their index; written aside, renamed, never changed

A segment named a-b holds all records of the files numbered a to b; these are out of date as soon as it is there, even
if a crash left no time to remove them. Numbers are given, and files are sealed, by the holder of the folder's lock:
for moments, so that many processes may write, each to a log of its own.
"""

import fcntl
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from distill.storing.frames import BLOCK_BYTES, ENTRY, INDEX, MAGIC, RECORDS, TAIL, entry, pack, records

NAME = re.compile(r"\d{8}\.log|\d{8}-\d{8}\.seg")


def seal(sources: Sequence[Path], target: Path) -> None:
    """`target` holds all records of the sources in order, and the sources are gone."""
    aside = target.with_suffix(".part")
    rows: list[tuple[Any, ...]] = []
    with aside.open("wb") as file:
        for block in _blocks(sources):
            rows += [entry(line, file.tell(), place) for place, line in enumerate(block)]
            file.write(pack(b"\n".join(block), RECORDS))
        start = file.tell()
        file.write(pack(np.array(rows, ENTRY).tobytes(), INDEX) + TAIL.pack(start, MAGIC))
        file.flush()
        os.fsync(file.fileno())
    aside.rename(target)
    sync_folder(target.parent)
    for source in sources:
        source.unlink()


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Holds the folder for a moment; waits for whoever seals. Dies with the process."""
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def alive(path: Path) -> bool:
    """Whether a living process writes to this log."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def current_files(folder: Path) -> list[Path]:
    """The files that hold the records now, oldest first; superseded ones left out."""
    # Listed until two lists agree: one that is read while files are sealed may miss the old file and the new one.
    found, before = _listed(folder), None
    while found != before:
        found, before = _listed(folder), found
    spans = {name: span(Path(name)) for name in found}
    current: list[Path] = []
    end = 0
    # Spans lie in each other or apart: the widest comes first, a segment before the log of its number.
    for name in sorted(found, key=lambda name: (spans[name][0], -spans[name][1], name.endswith(".log"))):
        if spans[name][1] > end:
            current.append(folder / name)
            end = spans[name][1]
    return current


def seal_idle(folder: Path, short_bytes: int) -> list[tuple[Path, list[Path]]]:
    """Logs that nobody writes to are segments, joined with the short segments beside them. For the lock's holder.

    Returns:
        Every new segment, with the files whose records it holds.
    """
    made: list[tuple[Path, list[Path]]] = []
    run: list[Path] = []
    for path in (*current_files(folder), None):
        if path and (not alive(path) if path.suffix == ".log" else path.stat().st_size < short_bytes):
            run.append(path)
            continue
        if any(young.suffix == ".log" for young in run):
            first, last = span(run[0])[0], span(run[-1])[1]
            made.append((folder / f"{first:08d}-{last:08d}.seg", run))
            seal(run, made[-1][0])
        run = []
    return made


def all_records(folder: Path) -> Iterator[bytes]:
    """The JSON line of every record in the folder, oldest first; others may write and seal meanwhile."""
    last, counts = 0, list[tuple[int, int]]()
    while path := next((path for path in current_files(folder) if span(path)[1] > last), None):
        try:
            lines = list(records(path))
        except FileNotFoundError:
            continue  # sealed meanwhile
        # A segment that was made meanwhile holds the files before it too, in their order.
        first, last = span(path)
        known = sum(count for start, count in counts if start >= first)
        counts.append((first, len(lines) - known))
        yield from lines[known:]


def sweep(folder: Path) -> None:
    """What killed writers left half made or superseded is gone. For the holder of the folder's lock."""
    current = current_files(folder)
    for path in folder.iterdir():
        if path.suffix == ".part" or (path.suffix in (".log", ".seg") and path not in current):
            path.unlink()


def span(path: Path) -> tuple[int, int]:
    """The first and the last number that a file stands for."""
    first, _, last = path.stem.partition("-")
    return int(first), int(last or first)


def sync_folder(folder: Path) -> None:
    """Renames and new files in the folder outlive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _listed(folder: Path) -> set[str]:
    try:
        return {name for name in os.listdir(folder) if NAME.fullmatch(name)}
    except FileNotFoundError:
        return set()


def _blocks(sources: Sequence[Path]) -> Iterator[list[bytes]]:
    block: list[bytes] = []
    size = 0
    for source in sources:
        for line in records(source):
            block.append(line)
            size += len(line)
            if size >= BLOCK_BYTES:
                yield block
                block, size = [], 0
    if block:
        yield block
