"""The rollout store as one parquet file: every attempt with its request, for a look with any other tool."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

BATCH_ROWS = 512

SCHEMA = pa.schema(
    [
        pa.field("key", pa.string(), nullable=False),
        pa.field("at", pa.float64()),  # seconds since 1970
        pa.field("model", pa.string()),  # from here to `seed` null where the request was not stored
        pa.field("revision", pa.string()),
        pa.field("messages", pa.list_(pa.struct([pa.field("role", pa.string()), pa.field("content", pa.string())]))),
        pa.field("index", pa.int32()),
        pa.field("temperature", pa.float64()),
        pa.field("top_p", pa.float64()),
        pa.field("max_tokens", pa.int64()),
        pa.field("seed", pa.int64()),
        pa.field("content", pa.string()),
        pa.field("reasoning", pa.string()),
        pa.field("finish_reason", pa.string()),
        pa.field("prompt_tokens", pa.int64()),
        pa.field("completion_tokens", pa.int64()),
        pa.field("seconds", pa.float64()),
        pa.field("error", pa.string()),
    ]
)


def write_parquet(attempts: Iterable[dict[str, Any]], path: Path) -> int:
    """The file holds one row per attempt, in their order; it is whole or was not touched. How many rows there are."""
    rows = iter(attempts)
    written = 0
    aside = path.with_name(f"{path.name}.part")
    try:
        with pq.ParquetWriter(aside, SCHEMA, compression="zstd") as writer:
            while batch := [_flat(row) for row in islice(rows, BATCH_ROWS)]:
                writer.write_table(pa.Table.from_pylist(batch, schema=SCHEMA))
                written += len(batch)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return written


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    request = row.get("request") or {}
    return {**row, **request, **request.get("sampling", {})}
