"""Names for contents: fingerprints of recipes, digests of rows, hashes of files."""

import hashlib
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import polars as pl

SLICE_ROWS = 4096
"""Rows whose JSON is in memory at once: that of a million rollouts without their texts is half a gigabyte."""


class Hash(Protocol):
    """What hashlib gives back."""

    def update(self, data: bytes | memoryview, /) -> None: ...
    def hexdigest(self) -> str: ...


def fingerprint(*parts: Any) -> str:
    """24 hex digits over plain values (str, numbers, lists, dicts, None): equal values, equal fingerprint.

    Example:
        >>> fingerprint("dedup.exact", {"ignore_case": True}) == fingerprint("dedup.exact", {"ignore_case": True})
        True
    """
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def add_rows(digest: Hash, rows: pl.DataFrame) -> None:
    """Feeds the rows into the digest as JSON lines: the same for any chunking, column order counts."""
    # JSON lines rather than Arrow buffers: slices, validity bitmaps and string views differ for equal rows.
    for part in rows.iter_slices(SLICE_ROWS):
        lines = io.BytesIO()
        part.write_ndjson(lines)
        digest.update(lines.getbuffer())


def row_digest(batches: Iterable[pl.DataFrame]) -> str:
    """sha256 over the rows in order, however they are cut into batches.

    Example:
        >>> rows = pl.DataFrame({"id": ["a", "b"]})
        >>> row_digest([rows]) == row_digest([rows[:1], rows[1:]])
        True
    """
    digest = hashlib.sha256()
    for rows in batches:
        add_rows(digest, rows)
    return digest.hexdigest()


def file_digest(path: Path) -> str:
    """sha256 of the file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
