"""Exports: one table of a version as a file for others, streamed, whole or absent; a version itself never changes."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from curate.choices.formats import EXPORTED, SCHEMAS, exported, formatted
from curate.choices.selection import Format
from curate.fingerprint import file_digest
from curate.records import to_arrow
from curate.tables import GROUP_ROWS, parquet_writer
from curate.version import LOCK, DigestError, Version

ExportFormat = Literal["trl", "openr1", "openthoughts", "sharegpt", "alpaca"]
FORMATS: tuple[ExportFormat, ...] = get_args(ExportFormat)


class ExportError(ValueError):
    """It cannot be written there, or not in this form."""


@dataclass(frozen=True)
class Export:
    """What was written."""

    path: Path
    rows: dict[str, int]
    """By split."""

    def text(self) -> str:
        """For people."""
        return ", ".join(f"{split} {rows:,} rows" for split, rows in self.rows.items()) + f": {self.path}"


def export(
    version: Version,
    table: str,
    to: str | Path,
    form: ExportFormat | None = None,
    split: str | None = None,
    force: bool = False,
    done: Callable[[int], None] = lambda rows: None,
) -> Export:
    """The rows of a table in a `.jsonl` or `.parquet` file (its train split unless said), or in a folder (every split).

    Args:
        form: the columns; as they stand in the version if None.
        force: replaces what stands there.
        done: told how many more rows were written.

    Raises:
        ExportError: something stands there, it is no place to write to, or the table has no such form.
        VersionError: no such table or split.
        DigestError: a file of the table is not the one that the lock names.
    """
    target = _target(to, force)
    splits = version.lock["tables"].get(table, {})
    version.table(table, split)  # says which there are
    is_file = target.suffix in (".jsonl", ".parquet")
    wanted = [split] if split else ["train"] if is_file else list(splits)
    schema = _schema(version, table, form)
    aside = Path(tempfile.mkdtemp(prefix=".export-", dir=target.parent))
    try:
        rows = {}
        for name in wanted:
            # In a folder as `load_dataset` finds splits that are not train or test.
            file = aside / (target.name if is_file else f"data/{name}-00000-of-00001.parquet")
            file.parent.mkdir(exist_ok=True)
            batches = _batches(version, table, name, form)
            rows[name] = (_write_lines if file.suffix == ".jsonl" else _write_parquet)(file, schema, batches, done)
        made = aside / target.name if is_file else aside
        made.chmod(0o644 if is_file else 0o755)
        _appear(made, target, force)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return Export(target, rows)


def _target(to: str | Path, force: bool) -> Path:
    """Where to write; a place in which nothing is spoilt."""
    if "://" in str(to) or "\x00" in str(to) or not str(to).strip():
        raise ExportError(f"{str(to)!r:.100} is no place on this machine (curate push shares a version on the Hub)")
    target = Path(to).absolute()
    if target.suffix not in (".jsonl", ".parquet", "") or target.name in ("", ".", ".."):
        raise ExportError(f"{to}: write to a name that ends in .jsonl or .parquet, or to a folder")
    if not target.parent.is_dir():
        raise ExportError(f"{target.parent}: no such folder")
    real = target.parent.resolve()
    if any((folder / LOCK).is_file() for folder in (target.resolve(), real, *real.parents)):
        raise ExportError(f"{to}: lies in a version, and versions never change. Write somewhere else")
    if target.is_symlink():
        raise ExportError(f"{to}: a link. Name the file itself")
    if target.exists() and (target.is_dir() != (target.suffix == "") or not force):
        raise ExportError(f"{to}: stands already" + ("" if force else "; --force replaces it"))
    return target


def _schema(version: Version, table: str, form: ExportFormat | None) -> pa.Schema:
    part = next(iter(version.lock["tables"][table].values()))
    there = pq.read_schema(version.file(part["files"][0]["path"])).remove_metadata()
    if form is None:
        return there
    if form not in FORMATS:
        raise ExportError(f"no format {form!r}. There are: {', '.join(FORMATS)}")
    if there.equals(SCHEMAS["trl"]):
        return EXPORTED[form] if form == "sharegpt" or form == "alpaca" else SCHEMAS[form]
    if form == "trl" and "messages" not in there.names and {"prompt", "solution"} & set(there.names):
        return there  # pairs and prompts are TRL's as they are
    if written := next((name for name, schema in SCHEMAS.items() if there.equals(schema)), None):
        raise ExportError(
            f"{table} of {version.name} is written as {written} and does not become {form}; leave --format out for "
            f"its own columns, or build it with --set views.{table}.format=trl"
        )
    raise ExportError(
        f"{table} of {version.name} has no messages to write as {form}; leave --format out for its own columns"
    )


def _batches(version: Version, table: str, split: str, form: ExportFormat | None) -> Iterator[pl.DataFrame]:
    """The rows in the columns of the form, a few at a time."""
    read = _read(version, version.lock["tables"][table][split]["files"])
    if form == "sharegpt" or form == "alpaca":
        return (exported(rows, form) for rows in read)
    if form in ("openr1", "openthoughts"):
        return _joined(version, read, form)
    return read


def _read(version: Version, files: list[dict[str, str]]) -> Iterator[pl.DataFrame]:
    for file in files:
        path = version.file(file["path"])
        if file_digest(path) != version.lock["files"][file["path"]]["sha256"]:
            raise DigestError(f"{path}: not the bytes that the lock names (curate check {version.name} tells more)")
        for batch in pq.ParquetFile(path).iter_batches(GROUP_ROWS):
            frame = pl.from_arrow(pa.Table.from_batches([batch]))
            assert isinstance(frame, pl.DataFrame)
            yield frame


def _joined(version: Version, read: Iterator[pl.DataFrame], form: Format) -> Iterator[pl.DataFrame]:
    """The rows with what these formats show beside them; no problem is cut in two."""
    problems = version.table("problems").select("solution", "answer_type", problem_id="id")
    rollouts = version.table("rollouts")
    judge = pl.col("judge_verdict") if "judge_verdict" in rollouts.collect_schema() else pl.lit(None, pl.String)
    about = rollouts.select("id", "finish_reason", "reasoning_chars", judge_verdict=judge).collect()
    rest: pl.DataFrame | None = None
    for rows in read:
        rows = rows if rest is None else pl.concat([rest, rows])
        last = pl.col("problem_id") == rows["problem_id"][-1]
        yield from _formatted(rows.filter(~last), problems, about, form)
        rest = rows.filter(last)
    if rest is not None:
        yield from _formatted(rest, problems, about, form)


def _formatted(rows: pl.DataFrame, problems: pl.LazyFrame, about: pl.DataFrame, form: Format) -> Iterator[pl.DataFrame]:
    if rows.is_empty():
        return
    own = problems.filter(pl.col("problem_id").is_in(rows["problem_id"].unique().implode())).collect()
    rows = rows.join(own, on="problem_id", how="left", maintain_order="left")
    rows = rows.join(about, on="id", how="left", maintain_order="left")
    text = pl.col("messages").list.last().struct.field("content")
    yield formatted(rows.with_columns(text=text), form)


def _write_lines(file: Path, schema: pa.Schema, batches: Iterator[pl.DataFrame], done: Callable[[int], None]) -> int:
    rows = 0
    with file.open("w", encoding="utf-8") as lines:
        for batch in batches:
            lines.write(batch.write_ndjson())
            rows += batch.height
            done(batch.height)
        lines.flush()
        os.fsync(lines.fileno())
    return rows


def _write_parquet(file: Path, schema: pa.Schema, batches: Iterator[pl.DataFrame], done: Callable[[int], None]) -> int:
    rows = 0
    with parquet_writer(file, schema) as writer:
        for batch in batches:
            writer.write_table(to_arrow(batch, schema), row_group_size=GROUP_ROWS)
            rows += batch.height
            done(batch.height)
    with file.open("rb") as written:
        os.fsync(written.fileno())
    return rows


def _appear(made: Path, target: Path, force: bool) -> None:
    """The target stands, whole. What was there before goes only then."""
    if target.is_dir():
        old = Path(tempfile.mkdtemp(prefix=".replaced-", dir=target.parent))
        target.rename(old / target.name)
        made.rename(target)
        shutil.rmtree(old)
    elif force:
        made.replace(target)
    else:
        if target.exists():
            raise ExportError(f"{target}: stands already; --force replaces it")
        made.rename(target)
