"""Rows of a parquet file, decoded a few at a time: 700 bytes of it can hold gigabytes of text, and footers lie.

Texts are read as dictionaries, so that a text repeated a million times lies in memory once; then rows are weighed,
and only as many are decoded at a time as the budget allows. A single page is still unpacked as a whole.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ROWS = 256
BATCH_BYTES = 32_000_000

Weights = np.ndarray[Any, np.dtype[np.int64]]


def parquet_rows(
    stream: BinaryIO, footer: pq.ParquetFile, columns: list[str], row_bytes: int
) -> Iterator[tuple[pa.RecordBatch, list[int], list[int]]]:
    """Batches of whole rows, their numbers from 1, and the numbers of rows before the next batch that are too heavy.

    Args:
        footer: the same file, opened: its schema and where things lie.

    Raises:
        pa.ArrowException, OSError, UnicodeDecodeError: the file is damaged.
    """
    leaves = [footer.schema.column(i) for i in range(len(footer.schema.names))]
    texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"]
    parquet = pq.ParquetFile(stream, metadata=footer.metadata, read_dictionary=texts)
    first = 1
    for batch in parquet.iter_batches(ROWS, columns=columns, use_threads=False):
        # Text that is no UTF-8, or an offset beyond its buffer, would crash the process later on.
        batch.validate(full=True)
        weights = sum((_weights(column) for column in batch.columns), np.zeros(batch.num_rows, np.int64))
        light = weights <= row_bytes
        heavy = [first + int(i) for i in np.flatnonzero(~light)]
        group = np.cumsum(np.where(light, weights, 0)) // BATCH_BYTES
        for number in np.unique(group):
            chosen = np.flatnonzero((group == number) & light)
            # A copy of these rows alone: casting a slice of lists would decode all their values.
            rows = batch.take(pa.array(chosen))
            decoded = [column.cast(_decoded(column.type)) for column in rows.columns]
            rows = pa.RecordBatch.from_arrays(decoded, names=rows.schema.names)
            yield rows, [first + int(i) for i in chosen], heavy
            heavy = []
        first += batch.num_rows


def _decoded(dtype: pa.DataType) -> pa.DataType:
    """The type without dictionaries. Not the one noted in the file: to its views nothing can be cast."""
    if pa.types.is_dictionary(dtype):
        return dtype.value_type
    if isinstance(dtype, pa.StructType):
        return pa.struct([dtype.field(i).with_type(_decoded(dtype.field(i).type)) for i in range(dtype.num_fields)])
    if isinstance(dtype, pa.ListType):
        return pa.list_(_decoded(dtype.value_type))
    if isinstance(dtype, pa.LargeListType):
        return pa.large_list(_decoded(dtype.value_type))
    if isinstance(dtype, pa.FixedSizeListType):
        return pa.list_(_decoded(dtype.value_type), dtype.list_size)
    return dtype


def _weights(array: pa.Array) -> Weights:
    """Bytes of each element, once decoded."""
    if isinstance(array, pa.DictionaryArray):
        lengths = np.append(_lengths(array.dictionary), 0)
        indices = array.indices.fill_null(len(lengths) - 1)
        return np.asarray(lengths[indices.to_numpy(zero_copy_only=False)], np.int64)
    if isinstance(array, pa.ListArray | pa.LargeListArray):
        ends = np.append(0, np.cumsum(_weights(array.values)))[array.offsets.to_numpy()]
        return np.diff(ends)
    if isinstance(array, pa.FixedSizeListArray):
        size = array.type.list_size
        each = _weights(array.values).reshape(-1, size).sum(axis=1)
        return np.asarray(each[array.offset : array.offset + len(array)], np.int64)
    if isinstance(array, pa.StructArray):
        return sum((_weights(field) for field in array.flatten()), np.zeros(len(array), np.int64))
    return np.full(len(array), -(-array.nbytes // max(len(array), 1)), np.int64)


def _lengths(texts: pa.Array) -> Weights:
    return np.asarray(pc.binary_length(texts).fill_null(0).to_numpy(zero_copy_only=False), np.int64)
