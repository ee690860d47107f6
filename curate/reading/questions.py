"""Reads the sources of a manifest: every row accounted for, every problem once, each source read once per content."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from curate.cache import Cache
from curate.engine import source_identity
from curate.fingerprint import fingerprint
from curate.plug import Source
from curate.reading.intake import UNREADABLE, Intake, SourceError
from curate.records import PROBLEM, content_hash, empty
from curate.shards import distinct_ids
from distill.thinking import REV


@dataclass(frozen=True)
class SourceRows:
    """What one source held."""

    name: str
    rows: int
    """Rows in the source, unreadable ones too."""
    rollouts: int
    """Rollouts that came along."""
    unreadable: pl.DataFrame
    """Rows that could not be read (intake.UNREADABLE)."""


@dataclass(frozen=True)
class Questions:
    """All sources, read."""

    problems: pl.DataFrame
    """Columns of PROBLEM and `ordinal`, in first-seen order."""
    fragments: list[Path]
    """Files with the rollouts that came along."""
    sources: list[SourceRows]
    read: int
    """Problems as they were read, before repeats were merged."""
    merged: int
    """Of those, rows that only add rollouts to a problem of another batch or source."""


def read_sources(
    sources: list[tuple[str, Source]], states: list[dict[str, str]], cache: Cache, done: Callable[[int], None]
) -> Questions:
    """Problems and rollouts of all sources.

    Args:
        sources: name and plug of each.
        states: what each would read (`Source.state`), which decides whether it is read again.
        done: called with the number of rows read.
    """
    folders = []
    for (name, plug), state in zip(sources, states, strict=True):
        key = fingerprint("source", REV, source_identity(name, plug, state))
        folders.append(cache.keep(key, partial(_spool, plug=plug, state=state, done=done)))
    rows = [pl.read_parquet(folder / "problems.parquet") for folder in folders]
    fragments = [path for folder in folders for path in sorted(folder.glob("rollouts-*.parquet"))]
    problems = pl.concat([empty(PROBLEM), *rows], how="diagonal_relaxed").select(PROBLEM.names)
    more = _adds_rollouts(problems, owners(fragments))
    counts = [_counted(name, folder) for (name, _), folder in zip(sources, folders, strict=True)]
    merged = _with_other_answers(problems.filter(~more), problems.filter(more))
    return Questions(_identified(merged), fragments, counts, problems.height, int(more.sum()))


def owners(fragments: list[Path]) -> pl.Series:
    """The problems that came with rollouts, each once."""
    brought = [pl.scan_parquet(path).select("problem_id").unique().collect() for path in fragments]
    return pl.concat([pl.DataFrame(schema={"problem_id": pl.String}), *brought])["problem_id"].unique()


def _adds_rollouts(problems: pl.DataFrame, owners: pl.Series) -> pl.Series:
    """Which rows only add rollouts to a problem that was there before. Other repeats are problems of their own."""
    again = ~pl.col("id").is_first_distinct() & pl.col("id").is_in(owners.implode())
    return problems.select(again.alias("more"))["more"]


def _with_other_answers(problems: pl.DataFrame, more: pl.DataFrame) -> pl.DataFrame:
    """Rollouts are judged by the first gold of their problem; the others are not lost, so that a conflict shows."""
    first = problems.select("id", first="answer").unique("id", keep="first")
    differing = more.join(first, on="id").filter(pl.col("answer").ne_missing(pl.col("first")))
    others = differing.group_by("id").agg(other_answers=pl.col("answer").drop_nulls().unique(maintain_order=True))
    return problems.drop("other_answers").join(others, on="id", how="left", maintain_order="left")


def _identified(problems: pl.DataFrame) -> pl.DataFrame:
    return problems.with_columns(
        id=distinct_ids(problems["id"]), content_hash=content_hash(problems["problem"]), ordinal=pl.int_range(pl.len())
    )


def _spool(folder: Path, plug: Source, state: dict[str, str], done: Callable[[int], None]) -> None:
    """Reads the source batch by batch into `problems.parquet`, `rollouts-*.parquet` and `unreadable.parquet`."""
    problems, unreadable = [empty(PROBLEM)], [pl.DataFrame(schema=UNREADABLE)]
    rows = rollouts = 0
    batch: Intake
    for number, batch in enumerate(plug()):
        problems.append(batch.problems)
        unreadable.append(batch.unreadable)
        rows += batch.rows
        rollouts += batch.rollouts.height
        if batch.rollouts.height:
            batch.rollouts.write_parquet(folder / f"rollouts-{number:06d}.parquet")
        done(batch.rows)
    if plug.state() != state:
        raise SourceError("a source changed while it was read. Build again when it is at rest.")
    pl.concat(problems, how="diagonal_relaxed").write_parquet(folder / "problems.parquet")
    pl.concat(unreadable).write_parquet(folder / "unreadable.parquet")
    pl.DataFrame({"rows": [rows], "rollouts": [rollouts]}).write_parquet(folder / "counts.parquet")


def _counted(name: str, folder: Path) -> SourceRows:
    counts = pl.read_parquet(folder / "counts.parquet").row(0, named=True)
    return SourceRows(name, counts["rows"], counts["rollouts"], pl.read_parquet(folder / "unreadable.parquet"))
