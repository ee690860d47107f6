"""Files of the rollout store: checksummed frames of compressed JSON lines.

    00000003.log            one record per frame, as replies arrive; what a crash tears off is its last frame
    00000001-00000002.seg   blocks of about 1 MB of records, then their index; written aside, renamed, never changed

A segment named a-b holds all records of the files numbered a to b; these are out of date as soon as it is there, even
if a crash left no time to remove them. A damaged frame is skipped and said; the next one is found by its magic number.
"""

import json
import logging
import os
import struct
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

logger = logging.getLogger(__name__)

Entries = npt.NDArray[Any]
"""Rows of ENTRY: where each record stands and what it cost."""

ENTRY = np.dtype(
    [
        ("key", "S32"),
        ("at", "<f8"),  # seconds since 1970; with the key it names one attempt
        ("offset", "<u4"),  # of the frame
        ("place", "<i4"),  # in the frame
        ("good", "?"),  # not an error
        ("prompt_tokens", "<i8"),
        ("completion_tokens", "<i8"),
        ("seconds", "<f4"),
    ]
)

MAGIC = b"rlt\x01"
RECORDS, INDEX = 0, 1
HEAD = struct.Struct("<4sBIII")  # magic, kind, plain bytes, packed bytes, checksum
TAIL = struct.Struct("<Q4s")  # where the index of a segment starts, magic

# Measured on 11.7 MB of R1, QwQ and s1.1 rollouts, in units of their text as one stream of zstd -3: a frame per record
# 1.63, blocks of 1 MB at level 9 0.93, keys and index included; packed at 34 MB/s.
BLOCK_BYTES = 1 << 20
LOG_LEVEL, BLOCK_LEVEL = 1, 9

# Whichever comes first. The clock is read at each write: after a quiet second a row is synced at once.
SYNC_ROWS, SYNC_SECONDS = 64, 1.0


class Frame(NamedTuple):
    """One frame, unpacked."""

    offset: int
    kind: int
    plain: bytes
    end: int


def pack(plain: bytes, kind: int = RECORDS, level: int = LOG_LEVEL) -> bytes:
    """The frame that holds these bytes."""
    packed: bytes = pa.Codec("zstd", compression_level=level).compress(plain, asbytes=True)
    return HEAD.pack(MAGIC, kind, len(plain), len(packed), _checksum(kind, len(plain), packed)) + packed


def frames(path: Path, say: bool = False) -> Iterator[Frame]:
    """The whole frames of a file in order; what lies between them is skipped, and said once if `say`."""
    data = path.read_bytes()
    data = data[: -TAIL.size] if path.suffix == ".seg" and data.endswith(MAGIC) else data
    at, lost, first_lost = 0, 0, 0
    while at < len(data):
        frame = _unpack(data, at)
        if frame:
            yield frame
            at = frame.end
            continue
        ahead = data.find(MAGIC, at + 1)
        ahead = len(data) if ahead < 0 else ahead
        first_lost = first_lost if lost else at
        lost += ahead - at
        at = ahead
    if lost and say:
        logger.warning(
            "%s: skipped %d bytes from byte %d on: a record that a crash cut off, or damage", path, lost, first_lost
        )


def read_frame(file: BinaryIO, offset: int) -> list[bytes]:
    """The JSON lines of the frame at this offset."""
    file.seek(offset)
    head = file.read(HEAD.size)
    packed = HEAD.unpack(head)[3] if len(head) == HEAD.size else 0
    frame = _unpack(head + file.read(packed), 0)
    if frame is None:
        raise OSError(
            f"{file.name}: the records at byte {offset} are damaged; restore the file, or remove it and ask again"
        )
    return frame.plain.split(b"\n")


def records(path: Path) -> Iterator[bytes]:
    """The JSON line of every record in a file, oldest first."""
    for frame in frames(path):
        if frame.kind == RECORDS:
            yield from frame.plain.split(b"\n")


def entries(path: Path) -> Entries:
    """Where the records of a file stand: from its index if it has one, else from the records."""
    if path.suffix == ".seg" and (index := _index(path)) is not None:
        return index
    rows = [
        _entry(line, frame.offset, place)
        for frame in frames(path, say=True)
        if frame.kind == RECORDS
        for place, line in enumerate(frame.plain.split(b"\n"))
    ]
    return np.array(rows, ENTRY)


def seal(sources: Sequence[Path], target: Path) -> None:
    """`target` holds all records of the sources in order, and the sources are gone."""
    aside = target.with_suffix(".part")
    rows: list[tuple[Any, ...]] = []
    with aside.open("wb") as file:
        for block in _blocks(sources):
            rows += [_entry(line, file.tell(), place) for place, line in enumerate(block)]
            file.write(pack(b"\n".join(block), level=BLOCK_LEVEL))
        start = file.tell()
        file.write(pack(np.array(rows, ENTRY).tobytes(), INDEX) + TAIL.pack(start, MAGIC))
        file.flush()
        os.fsync(file.fileno())
    aside.rename(target)
    sync_folder(target.parent)
    for source in sources:
        source.unlink()


class Log:
    """A file of single records that grows: each write is in the system's hands on return, on disk in groups."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._rows, self._synced = 0, time.monotonic()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        sync_folder(path.parent)

    def write(self, data: bytes, rows: int) -> None:
        """All of the data is in the file, or none of it."""
        try:
            done = 0
            while done < len(data):
                done += os.write(self._file, data[done:])
        except BaseException:
            # A full disk, or Ctrl-C between two pieces: no half frame may stand before the next whole one.
            os.ftruncate(self._file, self.size)
            os.lseek(self._file, self.size, os.SEEK_SET)
            raise
        self.size += len(data)
        self._rows += rows
        if self._rows >= SYNC_ROWS or time.monotonic() - self._synced >= SYNC_SECONDS:
            self.sync()

    def sync(self) -> None:
        """What was written outlives a power cut."""
        os.fsync(self._file)
        self._rows, self._synced = 0, time.monotonic()

    def close(self) -> None:
        """Synced and closed."""
        self.sync()
        os.close(self._file)


def current_files(folder: Path) -> list[Path]:
    """The files that hold the records now, oldest first; superseded ones left out."""
    found = [*folder.glob("????????.log"), *folder.glob("????????-????????.seg")]
    spans = {path: span(path) for path in found}

    def superseded(path: Path) -> bool:
        first, last = spans[path]
        return any(
            other != path and other.suffix == ".seg" and start <= first and last <= stop
            for other, (start, stop) in spans.items()
        )

    return sorted((path for path in found if not superseded(path)), key=lambda path: spans[path])


def sweep(folder: Path) -> None:
    """What killed writers left half made or superseded is gone. For the holder of the writer's lock."""
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


def _index(path: Path) -> Entries | None:
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(0, end - TAIL.size))
        tail = file.read()
        if len(tail) != TAIL.size:
            return None
        start, magic = TAIL.unpack(tail)
        if magic != MAGIC or start > end:
            return None
        file.seek(start)
        frame = _unpack(file.read(), 0)
    fits = frame is not None and frame.kind == INDEX and len(frame.plain) % ENTRY.itemsize == 0
    return np.frombuffer(frame.plain, ENTRY) if frame is not None and fits else None


def _entry(line: bytes, offset: int, place: int) -> tuple[Any, ...]:
    row = json.loads(line)
    tokens = (row["prompt_tokens"], row["completion_tokens"], row["seconds"])
    return (row["key"], row["at"], offset, place, row["finish_reason"] != "error", *tokens)


def _unpack(data: bytes, at: int) -> Frame | None:
    """The frame at this offset, or None if there is no whole one."""
    if len(data) - at < HEAD.size:
        return None
    magic, kind, plain, packed, checksum = HEAD.unpack_from(data, at)
    start, end = at + HEAD.size, at + HEAD.size + packed
    if magic != MAGIC or end > len(data) or _checksum(kind, plain, data[start:end]) != checksum:
        return None
    unpacked: bytes = pa.Codec("zstd").decompress(data[start:end], decompressed_size=plain, asbytes=True)
    return Frame(at, kind, unpacked, end)


def _checksum(kind: int, plain: int, packed: bytes) -> int:
    return zlib.crc32(packed, zlib.crc32(struct.pack("<BII", kind, plain, len(packed))))
