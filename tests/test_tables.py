"""Parquet: one schema, rows in order, bytes and digests that do not depend on how the rows were batched."""

import hashlib
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from curate.tables import GROUP_ROWS, read_parts, write_parts, write_split

SCHEMA = pa.schema([pa.field("id", pa.string()), pa.field("level", pa.string()), pa.field("n", pa.int64())])


def rows(n: int) -> pl.DataFrame:
    return pl.DataFrame(
        {"id": [f"{i:05d}" for i in range(n)], "level": pl.Series([None] * n, dtype=pl.Null), "n": range(n)}
    )


def write(folder: Path, cuts: list[int]) -> tuple[bytes, str]:
    folder.mkdir()
    frame = rows(2500)
    batches = [frame[a:b] for a, b in zip([0, *cuts], [*cuts, 2500], strict=True)]
    part = write_split(folder, "train", SCHEMA, batches)
    return (folder / "train-00000.parquet").read_bytes(), part.digest


def test_batches_change_neither_bytes_nor_digest(tmp_path: Path) -> None:
    whole = write(tmp_path / "a", [])
    assert write(tmp_path / "b", [1, 2, 999, 1001, 2400]) == whole
    assert write(tmp_path / "c", [GROUP_ROWS]) == whole


def test_the_digest_is_sha256_over_json_lines(tmp_path: Path) -> None:
    lines = "".join(f'{{"id":"{i:05d}","level":null,"n":{i}}}\n' for i in range(2500))
    assert write(tmp_path / "a", [])[1] == hashlib.sha256(lines.encode()).hexdigest()


def test_an_all_null_column_keeps_its_declared_type(tmp_path: Path) -> None:
    write(tmp_path / "a", [])
    assert pq.read_schema(tmp_path / "a" / "train-00000.parquet").field("level").type == pa.string()


def test_no_rows_make_one_empty_file_with_the_schema(tmp_path: Path) -> None:
    part = write_split(tmp_path, "train", SCHEMA, [])
    assert (part.rows, len(part.files)) == (0, 1)
    assert pq.read_table(tmp_path / "train-00000.parquet").schema.equals(SCHEMA)


def test_what_was_noted_beside_the_files_reads_back(tmp_path: Path) -> None:
    part = write_split(tmp_path, "train", SCHEMA, [rows(3)])
    write_parts(tmp_path, {"train": part})
    assert read_parts(tmp_path) == {"train": part}
