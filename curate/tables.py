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

from curate.fingerprint import add_rows, file_digest
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
    digest = hashlib.sha256()
    rows = size = 0
    paths: list[Path] = []
    heights: list[int] = []
    writer: pq.ParquetWriter | None = None
    written = 0
    for group in _groups(schema, batches):
        frame = pl.from_arrow(group)
        assert isinstance(frame, pl.DataFrame)
        add_rows(digest, frame)
        if writer is None or written > FILE_BYTES:
            if writer is not None:
                writer.close()
            paths.append(folder / f"{split}-{len(paths):05d}.parquet")
            heights.append(0)
            writer, written = parquet_writer(paths[-1], schema), 0
        writer.write_table(group, row_group_size=GROUP_ROWS)
        heights[-1] += group.num_rows
        rows, size, written = rows + group.num_rows, size + group.nbytes, written + group.nbytes
    if writer is None:
        paths, heights = [folder / f"{split}-00000.parquet"], [0]
        writer = parquet_writer(paths[0], schema)
    writer.close()
    return Part(rows, digest.hexdigest(), size, tuple(map(_noted, paths, heights)))


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
