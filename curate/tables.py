"""Parquet as everyone downstream needs it: one explicit schema, zstd, content-defined chunks, rows in order.

Written with pyarrow: polars writes large strings and knows no content-defined chunking, by which a hub stores only
what changed between two versions.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from curate.fingerprint import add_rows
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
    digest = hashlib.sha256()
    rows = size = 0
    files: list[File] = []
    writer: pq.ParquetWriter | None = None
    written = 0
    for group in _groups(schema, batches):
        frame = pl.from_arrow(group)
        assert isinstance(frame, pl.DataFrame)
        add_rows(digest, frame)
        if writer is None or written > FILE_BYTES:
            if writer is not None:
                writer.close()
            files.append(File(f"{split}-{len(files):05d}.parquet", 0))
            writer, written = _writer(folder / files[-1].path, schema), 0
        writer.write_table(group, row_group_size=GROUP_ROWS)
        files[-1] = File(files[-1].path, files[-1].rows + group.num_rows)
        rows, size, written = rows + group.num_rows, size + group.nbytes, written + group.nbytes
    if writer is None:
        files.append(File(f"{split}-00000.parquet", 0))
        writer = _writer(folder / files[-1].path, schema)
    writer.close()
    return Part(rows, digest.hexdigest(), size, tuple(files))


def write_parts(folder: Path, parts: dict[str, Part]) -> None:
    """Notes beside the files what they hold."""
    text = json.dumps({split: asdict(part) for split, part in parts.items()}, indent=1)
    (folder / "parts.json").write_text(text, encoding="utf-8")


def read_parts(folder: Path) -> dict[str, Part]:
    """What `write_parts` noted."""
    noted = json.loads((folder / "parts.json").read_text(encoding="utf-8"))
    return {split: Part(**{**part, "files": tuple(File(**f) for f in part["files"])}) for split, part in noted.items()}


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(path, schema, compression="zstd", use_content_defined_chunking=True, write_page_index=True)


def _groups(schema: pa.Schema, batches: Iterable[pl.DataFrame]) -> Iterator[pa.Table]:
    """The rows cut into tables of GROUP_ROWS, the last one shorter."""
    waiting: list[pa.Table] = []
    height = 0
    for batch in batches:
        waiting.append(to_arrow(batch, schema))
        height += batch.height
        if height < GROUP_ROWS:
            continue
        table = pa.concat_tables(waiting)
        whole = height - height % GROUP_ROWS
        for start in range(0, whole, GROUP_ROWS):
            yield table.slice(start, GROUP_ROWS).combine_chunks()
        waiting, height = [table.slice(whole)], height - whole
    if height:
        yield pa.concat_tables(waiting).combine_chunks()
