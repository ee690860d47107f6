"""Rows out of files as they are found: JSON lines, JSON, CSV, TSV and parquet, plain or compressed, in small batches.

Nothing here trusts a file: what cannot be read is reported with its place, and memory stays flat.
"""

import gzip
import io
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import BinaryIO, cast

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from curate.reading.cells import column_of
from curate.reading.intake import UNREADABLE, Columns, Intake, SourceError, check_columns, intake
from curate.reading.parquet_rows import parquet_rows
from curate.reading.text_rows import ROW_BYTES, Row, json_document, json_lines, separated

FORMATS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
PACKED = (".gz", ".zst")

BATCH_ROWS = 1024
BATCH_BYTES = 32_000_000

_DAMAGED = (EOFError, OSError, zlib.error, UnicodeDecodeError, pa.ArrowException, pl.exceptions.PolarsError)


@dataclass(frozen=True)
class File:
    """One file of a source, wherever it lies."""

    name: str
    """As shown in messages and in the places of unreadable rows; its suffixes tell the format."""
    open: Callable[[], BinaryIO]
    """A new stream from its start, as stored."""
    source: str
    """What its rows are from, where no column says it."""


@dataclass(frozen=True)
class Batch:
    """Some rows of one file."""

    rows: pl.DataFrame
    """The named columns; null where a JSON object has no such key."""
    where: pl.Series
    """file:line, or file:row."""
    unreadable: pl.DataFrame
    """Columns of UNREADABLE."""
    found: frozenset[str]
    """Columns met, named or not."""


def read_files(
    files: Iterable[File],
    columns: Columns,
    *,
    license: str | None = None,
    teacher: str | None = None,
    limit: int | None = None,
) -> Iterator[Intake]:
    """All readable rows of the files in order, at most `limit` of them.

    Raises:
        SourceError: a file that is not what its name says, or is cut off; no row at all; a column that no row has.
    """
    names: list[str] = []
    found: frozenset[str] = frozenset()
    taken = 0
    for file in files:
        names.append(file.name)
        for batch in read_batches(file, columns):
            found |= batch.found
            if batch.rows.height and columns.problem not in found:
                check_columns(columns, sorted(found), file.name)
            wanted = batch.rows.height if limit is None else min(limit - taken, batch.rows.height)
            rows, where = batch.rows.head(wanted), batch.where.head(wanted)
            read = intake(rows, columns, source=file.source, license=license, teacher=teacher, where=where)
            torn = batch.unreadable
            yield replace(read, unreadable=pl.concat([torn, read.unreadable]), rows=read.rows + torn.height)
            taken += wanted
            if taken == limit:
                break
        if taken == limit:
            break
    listed = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    if not taken:
        raise SourceError(f"{listed}: no row could be read. Empty, or not what the suffix says?")
    check_columns(columns, sorted(found), listed)


def read_batches(file: File, columns: Columns) -> Iterator[Batch]:
    """The rows of one file.

    Raises:
        SourceError: unknown suffix; a damaged or cut-off file; a header without a column that is named.
    """
    suffix, packed = suffixes(file.name)
    unpacked = replace(file, open=lambda: _unpacked(file.open(), packed))
    try:
        if suffix == ".parquet":
            yield from _parquet(unpacked, columns, aside=bool(packed))
        else:
            yield from _gathered(_text_rows(unpacked, suffix, columns), file.name, columns)
    except _DAMAGED as fault:
        raise SourceError(f"{file.name}: cannot be read to its end ({fault}). Is it complete?") from fault


def suffixes(name: str) -> tuple[str, str]:
    """Format and packing by name: `('.jsonl', '.gz')`, or `('.jsonl', '')`.

    Raises:
        SourceError: neither is known.
    """
    plain = name.lower()
    packed = next((p for p in PACKED if plain.endswith(p)), "")
    suffix = next((f for f in FORMATS if plain.removesuffix(packed).endswith(f)), None)
    if suffix is None:
        raise SourceError(f"{name}: unknown suffix. Known: {' '.join(FORMATS)}, each also with {' or '.join(PACKED)}")
    return suffix, packed


def _unpacked(stream: BinaryIO, packed: str) -> BinaryIO:
    if packed == ".gz":
        return cast("BinaryIO", gzip.GzipFile(fileobj=stream))
    if packed == ".zst":
        return io.BufferedReader(pa.CompressedInputStream(stream, "zstd"))
    return stream


def _text_rows(file: File, suffix: str, columns: Columns) -> Iterator[Row]:
    if suffix == ".json":
        yield from json_document(file.open, file.name, columns.problem)
        return
    with file.open() as stream:
        if suffix in (".csv", ".tsv"):
            yield from separated(stream, "," if suffix == ".csv" else "\t", file.name, columns)
        else:
            yield from json_lines(stream)


def _gathered(rows: Iterator[Row], name: str, columns: Columns) -> Iterator[Batch]:
    """Rows in batches of at most BATCH_ROWS, and about BATCH_BYTES."""
    while some := list(_some(rows)):
        read = [(number, row) for number, row, _ in some if isinstance(row, dict)]
        torn = [(f"{name}:{number}", reason) for number, reason, _ in some if isinstance(reason, str)]
        yield Batch(
            pl.DataFrame([column_of(column, [row.get(column) for _, row in read]) for column in columns.named()]),
            pl.Series([f"{name}:{number}" for number, _ in read], dtype=pl.String),
            pl.DataFrame(torn, UNREADABLE, orient="row"),
            frozenset(key for _, row in read for key in row),
        )


def _some(rows: Iterator[Row]) -> Iterator[Row]:
    size = 0
    for row in islice(rows, BATCH_ROWS):
        yield row
        size += row[2]
        if size > BATCH_BYTES:
            return


def _parquet(file: File, columns: Columns, aside: bool) -> Iterator[Batch]:
    """Args:
    aside: it is compressed as a file, and parquet is read from its end: unpack it into a temporary file first.
    """
    with file.open() as stream, tempfile.TemporaryFile() as unpacked:
        if aside:
            shutil.copyfileobj(stream, unpacked)
        seekable = cast("BinaryIO", unpacked) if aside else stream
        footer = pq.ParquetFile(seekable)
        there = footer.schema_arrow.names
        check_columns(columns, there, file.name)
        for rows, numbers, heavy in parquet_rows(seekable, footer, list(columns.named()), ROW_BYTES):
            # Metadata that is no UTF-8 would crash polars: only the columns go on, extension types as what they store.
            plain = [c.storage if isinstance(c, pa.ExtensionArray) else c for c in rows.columns]
            frame = pl.from_arrow(pa.RecordBatch.from_arrays(plain, names=rows.schema.names))
            assert isinstance(frame, pl.DataFrame)
            where = pl.Series([f"{file.name}:{number}" for number in numbers], dtype=pl.String)
            torn = pl.DataFrame([(f"{file.name}:{number}", "oversize") for number in heavy], UNREADABLE, orient="row")
            yield Batch(frame, where, torn, frozenset(there))
