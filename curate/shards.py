"""The rollouts of a build: what the sources brought and what the teacher gave, one table in shards of problems.

A shard holds every rollout of SHARD_PROBLEMS problems in a row, so that whatever joins a problem with the texts of
its rollouts reads one file. The other columns fit in memory for millions of rollouts; the texts never have to.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from curate.asking.draw import SHARD_PROBLEMS, Draw, Settled, settle
from curate.cache import Cache
from curate.engine import Shard
from curate.fingerprint import file_digest, fingerprint, row_digest
from curate.records import ROLLOUT, TEXT_COLUMNS, empty, row_ids, text_hash, text_lengths, to_arrow
from distill.account import costs
from distill.request import Sampling
from distill.store import Store
from distill.thinking import REV, split_columns

SAMPLING_TYPE = empty(ROLLOUT).schema["sampling"]
CUT_BYTES = 500_000_000
"""Imported rollouts held at once while they are sorted to their shards."""


@dataclass(frozen=True)
class Gathered:
    """The rollouts of a build."""

    shards: list[Shard]
    rollouts: pl.DataFrame
    """All columns but the texts, with `shard`: the row's place in the list."""
    settled: Settled | None
    """What the store holds of the draw, where there is one."""


def gather(
    problems: pl.DataFrame,
    fragments: list[Path],
    draw: Draw | None,
    store: Store | None,
    cache: Cache,
    done: Callable[[int], None],
) -> Gathered:
    """The shards, written, and what is in them.

    Args:
        problems: `id` and `ordinal` of every problem, dropped ones too.
        fragments: files with imported rollouts, in the order of the sources.
        done: told how many more problems have their rollouts together.
    """
    settled = settle(draw, store) if draw and store else None
    asked = [draw.model, draw.revision, row_digest([draw.problems]), settled.digest] if draw and settled else []
    imported = [file_digest(path) for path in fragments]
    key = fingerprint(
        "rollouts", REV, ROLLOUT.names, SHARD_PROBLEMS, row_digest([problems.select("id", "ordinal")]), imported, asked
    )
    folder = cache.keep(key, lambda aside: _write_shards(aside, problems, fragments, draw, store, done))
    shards = [Shard(path, file_digest(path)) for path in sorted(folder.glob("*.parquet"))]
    columns = [name for name in ROLLOUT.names if name not in TEXT_COLUMNS]
    keys = [
        pl.read_parquet(shard.path, columns=columns).with_columns(shard=pl.lit(place, pl.Int32))
        for place, shard in enumerate(shards)
    ]
    nothing = empty(ROLLOUT).select(columns).with_columns(shard=pl.lit(0, pl.Int32))
    return Gathered(shards, pl.concat([nothing, *keys]) if keys else nothing, settled)


def _write_shards(
    folder: Path,
    problems: pl.DataFrame,
    fragments: list[Path],
    draw: Draw | None,
    store: Store | None,
    done: Callable[[int], None],
) -> None:
    pieces = folder / "pieces"
    _cut(fragments, problems.select(problem_id="id", ordinal="ordinal"), pieces)
    for shard, start in enumerate(range(0, problems.height, SHARD_PROBLEMS)):
        own = pieces / f"{shard:05d}"
        parts = [pl.read_ipc(path) for path in sorted(own.iterdir())] if own.is_dir() else []
        if draw and store:
            parts.append(sampled(draw.shard(shard), store).drop("answered"))
        rows = _numbered(pl.concat(parts, how="diagonal_relaxed")) if parts else empty(ROLLOUT)
        rows = rows.with_columns(text_hash(rows))
        pq.write_table(to_arrow(rows, ROLLOUT), folder / f"{shard:05d}.parquet", compression="zstd", row_group_size=512)
        done(min(SHARD_PROBLEMS, problems.height - start))
    shutil.rmtree(pieces)


def _cut(fragments: list[Path], ordinals: pl.DataFrame, pieces: Path) -> None:
    """Sorts imported rollouts into a folder per shard, many fragments at a time: a shuffled one touches all."""
    pieces.mkdir()
    waiting: list[pl.DataFrame] = []
    for number, fragment in enumerate(fragments, start=1):
        waiting.append(pl.read_parquet(fragment).join(ordinals, on="problem_id", maintain_order="left"))
        if number < len(fragments) and sum(rows.estimated_size() for rows in waiting) < CUT_BYTES:
            continue
        rows = pl.concat(waiting, how="diagonal_relaxed").with_columns(shard=pl.col("ordinal") // SHARD_PROBLEMS)
        for (shard,), piece in rows.partition_by("shard", include_key=False, as_dict=True).items():
            own = pieces / f"{shard:05d}"
            own.mkdir(exist_ok=True)
            piece.write_ipc(own / f"{number:07d}.arrow")
        waiting = []


def sampled(draw: Draw, store: Store) -> pl.DataFrame:
    """The rollouts of a draw that the store has, reasoning and response told apart, in the order of the requests.

    A rollout that was asked for in vain has finish_reason `error`. Beside the columns of ROLLOUT: `ordinal`, and
    `answered`: whether the last request of the rollout has a reply.
    """
    trails = draw.trails(store)
    asked = set(costs(store, trails)["key"])
    there = [trail.counted.key in asked for trail in trails]
    counted = [trail.counted for trail, known in zip(trails, there, strict=True) if known]
    replies = store.get([request.key for request in counted])
    finished = [r.finish_reason == "stop" for r in replies]
    reasoning, response, form = split_columns([r.content for r in replies], [r.reasoning for r in replies], finished)
    owners = draw.problems.select("ordinal", problem_id="id", index=pl.int_ranges("start", "stop")).explode(
        "index", empty_as_null=False
    )
    owners = owners.with_columns(answered=pl.Series([trail.answered for trail in trails], dtype=pl.Boolean))
    owners = owners.filter(pl.Series(there, dtype=pl.Boolean)).drop("index")
    names = [f.name for f in fields(Sampling) if f.name != "n"]
    drawn_with = [{name: getattr(request.sampling, name) for name in names} for request in counted]
    return owners.with_columns(
        teacher=pl.lit(f"{draw.model}@{draw.revision}" if draw.revision else draw.model),
        sampling=pl.Series(drawn_with, dtype=SAMPLING_TYPE),
        reasoning=pl.Series(reasoning, dtype=pl.String),
        response=pl.Series(response, dtype=pl.String),
        format=pl.Series(form, dtype=pl.String),
        finish_reason=pl.Series([r.finish_reason for r in replies], dtype=pl.String),
        prompt_tokens=pl.Series([r.prompt_tokens for r in replies], dtype=pl.Int64),
        completion_tokens=pl.Series([r.completion_tokens for r in replies], dtype=pl.Int64),
        source_verdict=pl.lit(None, pl.String),
        id=row_ids(owners["problem_id"], pl.Series([r.key for r in replies], dtype=pl.String)),
    ).with_columns(text_lengths())


def _numbered(rows: pl.DataFrame) -> pl.DataFrame:
    """In the order of their problems, `index` counting up within each, equal ids told apart by how often they came."""
    rows = rows.sort("ordinal", maintain_order=True)
    rows = rows.with_columns(index=pl.int_range(pl.len(), dtype=pl.Int32).over("problem_id"))
    return rows.with_columns(id=distinct_ids(rows["id"]))


def distinct_ids(ids: pl.Series) -> pl.Series:
    """The ids, the second and later of equal ones made new from the id and how often it came before."""
    if ids.n_unique() == len(ids):
        return ids.alias("id")
    frame = pl.DataFrame({"id": ids}).with_columns(before=pl.int_range(pl.len()).over("id"))
    again = row_ids(frame["id"], frame["before"])
    return frame.select(pl.when(pl.col("before") > 0).then(again).otherwise(pl.col("id")).alias("id"))["id"]
