"""Frames of the rollout store: checksummed, compressed JSON lines, and where each record stands.

A damaged frame is skipped and said; the next one is found by its magic number.
"""

import json
import logging
import os
import struct
import zlib
from collections.abc import Iterator
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

# Measured on 12 MB of R1, QwQ and s1.1 rollouts, in units of their text as one stream of zstd -3: a frame per record
# 1.63, blocks of 1 MB 0.91 at level 6 (50 MB/s) and 0.88 at level 9 (32 MB/s).
BLOCK_BYTES = 1 << 20
LOG_LEVEL, BLOCK_LEVEL = 1, 6


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


def frames(path: Path, say: bool = False, start: int = 0) -> Iterator[Frame]:
    """The whole frames of a file from byte `start` on; what lies between them is skipped, and said once if `say`."""
    with path.open("rb") as file:
        file.seek(start)
        data = file.read()
    data = data[: -TAIL.size] if path.suffix == ".seg" and data.endswith(MAGIC) else data
    at, lost, first_lost = 0, 0, 0
    while at < len(data):
        frame = _unpack(data, at)
        if frame:
            yield frame._replace(offset=start + at, end=start + frame.end)
            at = frame.end
            continue
        ahead = data.find(MAGIC, at + 1)
        ahead = len(data) if ahead < 0 else ahead
        first_lost = first_lost if lost else start + at
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


def entries(path: Path, say: bool = True) -> Entries:
    """Where the records of a file stand: from its index if it has one, else from the records; damage is said once."""
    if path.suffix == ".seg" and (index := _index(path)) is not None:
        return index
    rows = [
        entry(line, frame.offset, place)
        for frame in frames(path, say)
        if frame.kind == RECORDS
        for place, line in enumerate(frame.plain.split(b"\n"))
    ]
    return np.array(rows, ENTRY)


def entry(line: bytes, offset: int, place: int) -> tuple[Any, ...]:
    """The row of the index for one record."""
    row = json.loads(line)
    tokens = (row["prompt_tokens"], row["completion_tokens"], row["seconds"])
    return (row["key"], row["at"], offset, place, row["finish_reason"] != "error", *tokens)


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
