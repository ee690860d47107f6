"""Parquet as everyone downstream needs it: one explicit schema, zstd, content-defined chunks, rows in order.

Written with pyarrow: polars writes large strings and knows no content-defined chunking, by which a hub stores only
what changed between two versions.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from curate.fingerprint import Hash, add_rows, file_digest
from curate.records import to_arrow

GROUP_ROWS = 1000
"""Rows per row group: small enough for the Hub's viewer with long rollouts."""
FILE_BYTES = 300_000_000
"""A new file begins when the rows of one come to about this much before compression."""


@dataclass(frozen=True)
class File:
    """One parquet file of a table."""

    path: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Part:
    """One split of a table."""

    rows: int
    digest: str
    """sha256 over the rows in order, independent of files and row groups."""
    bytes: int
    """In memory, as Arrow."""
    files: tuple[File, ...]


def write_split(folder: Path, split: str, schema: pa.Schema, batches: Iterable[pl.DataFrame]) -> Part:
    """Writes `<split>-00000.parquet`, ... into the folder; equal rows give equal bytes, however they are batched."""
    writer = SplitWriter(folder, split, schema)
    for batch in batches:
        writer.add(batch)
    return writer.close()


@dataclass
class SplitWriter:
    """Writes `<split>-00000.parquet`, ... into the folder; equal rows give equal bytes, however they are batched."""

    folder: Path
    split: str
    schema: pa.Schema
    _waiting: list[pa.Table] = field(default_factory=list)
    """Rows that are no whole group yet."""
    _digest: Hash = field(default_factory=hashlib.sha256)
    _paths: list[Path] = field(default_factory=list)
    _rows: list[int] = field(default_factory=list)
    """By file, as `_paths`."""
    _writer: pq.ParquetWriter | None = None
    _written: int = 0
    """Bytes in memory of what the file at hand holds."""
    _bytes: int = 0

    def add(self, batch: pl.DataFrame) -> None:
        """Further rows; groups of GROUP_ROWS are written as they fill."""
        self._waiting.append(to_arrow(batch, self.schema))
        height = sum(table.num_rows for table in self._waiting)
        if height < GROUP_ROWS:
            return
        table = pa.concat_tables(self._waiting)
        whole = height - height % GROUP_ROWS
        for start in range(0, whole, GROUP_ROWS):
            self._write(table.slice(start, GROUP_ROWS).combine_chunks())
        self._waiting = [table.slice(whole)]

    def close(self) -> Part:
        """The last, shorter group is written; a split without rows has a file, too."""
        if any(table.num_rows for table in self._waiting):
            self._write(pa.concat_tables(self._waiting).combine_chunks())
        (self._writer or self._next_file()).close()
        files = tuple(map(_noted, self._paths, self._rows))
        return Part(sum(self._rows), self._digest.hexdigest(), self._bytes, files)

    def _write(self, group: pa.Table) -> None:
        frame = pl.from_arrow(group)
        assert isinstance(frame, pl.DataFrame)
        add_rows(self._digest, frame)
        if self._writer is not None and self._written > FILE_BYTES:
            self._writer.close()
            self._writer = None
        self._writer = self._writer or self._next_file()
        self._writer.write_table(group, row_group_size=GROUP_ROWS)
        self._rows[-1] += group.num_rows
        self._written += group.nbytes
        self._bytes += group.nbytes

    def _next_file(self) -> pq.ParquetWriter:
        self._paths.append(self.folder / f"{self.split}-{len(self._paths):05d}.parquet")
        self._rows.append(0)
        self._written = 0
        return parquet_writer(self._paths[-1], self.schema)


def _noted(path: Path, rows: int) -> File:
    # Versions share their files with the cache: nobody is to write into one.
    path.chmod(0o444)
    return File(path.name, rows, path.stat().st_size, file_digest(path))


def write_parts(folder: Path, parts: dict[str, Part]) -> None:
    """Notes beside the files what they hold."""
    text = json.dumps({split: asdict(part) for split, part in parts.items()}, indent=1)
    (folder / "parts.json").write_text(text, encoding="utf-8")


def read_parts(folder: Path) -> dict[str, Part]:
    """What `write_parts` noted."""
    noted = json.loads((folder / "parts.json").read_text(encoding="utf-8"))
    return {split: Part(**{**part, "files": tuple(File(**f) for f in part["files"])}) for split, part in noted.items()}


def is_whole(folder: Path) -> bool:
    """Whether the files are there and hold the bytes that were noted."""
    try:
        files = [file for part in read_parts(folder).values() for file in part.files]
        return all(file_digest(folder / file.path) == file.sha256 for file in files)
    except (OSError, ValueError, TypeError, KeyError):
        return False


def parquet_writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """A file as a version's are: zstd, content-defined chunks, page index."""
    return pq.ParquetWriter(path, schema, compression="zstd", use_content_defined_chunking=True, write_page_index=True)
