"""Files of two problems in every format, and a source read to its end."""

import gzip
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from curate.reading.intake import Columns, Intake
from curate.sources.files import Files

COLUMNS = Columns(problem="question", answer="answer", source_id="id", rollouts="replies", labels="right")
ROWS: list[dict[str, Any]] = [
    {
        "id": "1",
        "question": 'What is 1 + 1,\n"exactly"?',
        "answer": "2",
        "replies": ["2", "so 3"],
        "right": [True, False],
    },
    {"id": "2", "question": "¿Cuánto es $x$?", "answer": None, "replies": ["<think>x</think>4"], "right": [True]},
]
PLAIN = Columns(problem="question", answer="answer", source_id="id")


def packed(data: bytes, packing: str) -> bytes:
    if packing == ".gz":
        return gzip.compress(data)
    if packing == ".zst":
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, "zstd") as stream:
            stream.write(data)
        return bytes(sink.getvalue().to_pybytes())
    return data


def lines(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def separated(delimiter: str) -> bytes:
    cells = [[row["id"], row["question"].replace('"', '""'), row["answer"] or ""] for row in ROWS]
    records = [["id", "question", "answer"], *([f'"{cell}"' for cell in record] for record in cells)]
    return "\r\n".join(delimiter.join(record) for record in records).encode()


def parquet(rows: list[dict[str, Any]]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


FORMATS: dict[str, Callable[[], bytes]] = {
    ".jsonl": lambda: lines(ROWS),
    ".ndjson": lambda: lines(ROWS),
    ".json": lambda: json.dumps(ROWS, indent=1).encode(),
    ".csv": lambda: separated(","),
    ".tsv": lambda: separated("\t"),
    ".parquet": lambda: parquet(ROWS),
}


def read(folder: Path, name: str, data: bytes, columns: Columns = PLAIN, **options: Any) -> Intake:
    """All of one file."""
    (folder / name).write_bytes(data)
    return whole(Files(path=str(folder / name), columns=columns, **options)())


def whole(batches: Iterator[Intake]) -> Intake:
    """All batches of a source in one."""
    taken = list(batches)
    problems, rollouts, unreadable = (
        pl.concat([getattr(batch, table) for batch in taken]) for table in ("problems", "rollouts", "unreadable")
    )
    return Intake(problems, rollouts, unreadable, sum(batch.rows for batch in taken))
