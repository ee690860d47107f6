"""Frames of the rollout store: checksummed JSON lines, compressed in blocks, and where each record stands.

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
        ("end", "u1"),  # FAILED and its kin
        ("prompt_tokens", "<i8"),
        ("completion_tokens", "<i8"),
        ("seconds", "<f4"),
    ]
)

FAILED, GOOD, ENDED, CUT_OFF = range(4)
"""How an attempt ended. GOOD is no error, and one has to read it to know more: older releases wrote no more."""

MAGIC = b"rlt\x01"
RECORDS, INDEX, PLAIN = 0, 1, 2
"""Kinds of frames: compressed records, the compressed index of a segment, one record as it is."""
HEAD = struct.Struct("<4sBIII")  # magic, kind, plain bytes, packed bytes, checksum
TAIL = struct.Struct("<Q4s")  # where the index of a segment starts, magic

# Measured on 12 MB of R1, QwQ and s1.1 rollouts, in units of their text as one stream of zstd -3: a frame per record
# 1.63, blocks of 1 MB 0.91 at level 6 (50 MB/s) and 0.88 at level 9 (32 MB/s). So a log, which lives for moments, is
# not compressed at all: that took a fourth of the CPU of writing.
BLOCK_BYTES = 1 << 20
LEVELS = {RECORDS: 6, INDEX: 1}
SEARCHED_AT_ONCE = 1 << 16
"""Bytes; after damage, the next frame is looked for in pieces of this length."""


class Frame(NamedTuple):
    """One frame, unpacked."""

    offset: int
    kind: int
    plain: bytes
    end: int


def pack(plain: bytes, kind: int = PLAIN) -> bytes:
    """The frame that holds these bytes."""
    packed = plain
    if kind != PLAIN:
        packed = pa.Codec("zstd", compression_level=LEVELS[kind]).compress(plain, asbytes=True)
    return HEAD.pack(MAGIC, kind, len(plain), len(packed), _checksum(kind, len(plain), packed)) + packed


def frames(path: Path, say: bool = False, start: int = 0) -> Iterator[Frame]:
    """The whole frames of a file from byte `start` on; what lies between them is skipped, and said once if `say`."""
    with path.open("rb") as file:
        end = _end_of_frames(file, path.suffix == ".seg")
        at, lost, first_lost = start, 0, 0
        while at < end:
            frame = _read(file, at, end)
            if frame:
                yield frame
                at = frame.end
                continue
            ahead = _next_magic(file, at + 1, end)
            first_lost = first_lost if lost else at
            lost += ahead - at
            at = ahead
    if lost and say:
        logger.warning(
            "%s: skipped %d bytes from byte %d on: a record that a crash cut off, or damage", path, lost, first_lost
        )


def read_frame(file: BinaryIO, offset: int) -> list[bytes]:
    """The JSON lines of the frame at this offset."""
    frame = _read(file, offset, file.seek(0, os.SEEK_END))
    if frame is None:
        raise OSError(
            f"{file.name}: the records at byte {offset} are damaged; restore the file, or remove it and ask again"
        )
    return frame.plain.split(b"\n")


def records(path: Path) -> Iterator[bytes]:
    """The JSON line of every record in a file, oldest first."""
    for frame in frames(path):
        if frame.kind != INDEX:
            yield from frame.plain.split(b"\n")


def entries(path: Path, say: bool = True) -> Entries:
    """Where the records of a file stand: from its index if it has one, else from the records; damage is said once."""
    if path.suffix == ".seg" and (index := _index(path)) is not None:
        return index
    rows = [
        entry(line, frame.offset, place)
        for frame in frames(path, say)
        if frame.kind != INDEX
        for place, line in enumerate(frame.plain.split(b"\n"))
    ]
    return np.array(rows, ENTRY)


def entry(line: bytes, offset: int, place: int) -> tuple[Any, ...]:
    """The row of the index for one record."""
    row = json.loads(line)
    tokens = (row["prompt_tokens"], row["completion_tokens"], row["seconds"])
    end = {"error": FAILED, "length": CUT_OFF}.get(row["finish_reason"], ENDED)
    return (row["key"], row["at"], offset, place, end, *tokens)


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
        frame = _read(file, start, end)
    fits = frame is not None and frame.kind == INDEX and len(frame.plain) % ENTRY.itemsize == 0
    return np.frombuffer(frame.plain, ENTRY) if frame is not None and fits else None


def _read(file: BinaryIO, at: int, end: int) -> Frame | None:
    """The frame at this offset, or None if there is no whole one before `end`."""
    file.seek(at)
    head = file.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    magic, kind, plain, size, checksum = HEAD.unpack(head)
    after = at + HEAD.size + size
    if magic != MAGIC or after > end:
        return None
    packed = file.read(size)
    if len(packed) < size or _checksum(kind, plain, packed) != checksum:
        return None
    if kind == PLAIN:
        return Frame(at, kind, packed, after)
    unpacked: bytes = pa.Codec("zstd").decompress(packed, decompressed_size=plain, asbytes=True)
    return Frame(at, kind, unpacked, after)


def _end_of_frames(file: BinaryIO, segment: bool) -> int:
    end = file.seek(0, os.SEEK_END)
    if not segment or end < TAIL.size:
        return end
    file.seek(end - len(MAGIC))
    return end - TAIL.size if file.read() == MAGIC else end


def _next_magic(file: BinaryIO, at: int, end: int) -> int:
    """Where the next frame may start, `end` if nowhere."""
    while at < end:
        file.seek(at)
        piece = file.read(min(SEARCHED_AT_ONCE, end - at))
        found = piece.find(MAGIC)
        if found >= 0:
            return at + found
        # A magic number may lie across two pieces.
        at += max(1, len(piece) - len(MAGIC) + 1)
    return end


def _checksum(kind: int, plain: int, packed: bytes) -> int:
    return zlib.crc32(packed, zlib.crc32(struct.pack("<BII", kind, plain, len(packed))))
