"""The tables of a version: views rendered shard by shard, then problems, rollouts, ledger and funnel."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from curate.cache import Cache
from curate.engine import Shard, identity, plain
from curate.fingerprint import fingerprint, row_digest
from curate.ledger import FUNNEL, LEDGER, Ledger
from curate.records import PROBLEM, ROLLOUT
from curate.tables import SplitWriter, is_whole, read_parts, write_parts
from curate.versions.publish import Table

if TYPE_CHECKING:
    from curate.manifest import Manifest, Use

FATE = [pa.field("dropped_by", pa.string()), pa.field("drop_reason", pa.string())]
PLACE = [pa.field("cluster", pa.string()), pa.field("split", pa.string())]

TRAIN = ("train",)
"""The splits of a table that has no held-out rows."""

SplitRows = tuple[str, pl.DataFrame]
"""A split and some of its rows."""


@dataclass(frozen=True)
class Outputs:
    """Writes tables from the marked frames; a table whose rows did not change is taken from the cache."""

    manifest: "Manifest"
    problems: pl.DataFrame
    rollouts: pl.DataFrame
    shards: list[Shard]
    cache: Cache

    def view(self, use: "Use", picks: pl.DataFrame) -> Table:
        """The picks as rows, by split of their problem's cluster."""
        picks = picks.join(
            self.problems.select("split", "ordinal", problem_id="id"),
            on="problem_id",
            how="left",
            maintain_order="left",
        )
        splits = ["train", *(["heldout"] if (picks["split"] == "heldout").any() else [])]
        prompt = plain(self.manifest.prompt)
        # What a row shows beside the picks: its problem's and rollout's columns, and the texts in the shards.
        key = fingerprint(
            "view", *identity(use.name, use.plug), prompt, row_digest([picks]), self._problem_key, self._rollout_key
        )
        return self._table(key, use.plug.schema, self._rendered(use.plug, picks), splits)

    def problem_table(self) -> Table:
        """Every problem, kept or dropped, with its marks."""
        schema = _with_facts(PROBLEM, self.problems, PLACE)
        return self._table(fingerprint("problems", self._problem_key), schema, _train([self.problems]))

    def rollout_table(self) -> Table:
        """Every rollout, kept or dropped, with its texts and its marks."""
        schema = _with_facts(ROLLOUT, self.rollouts, [])
        return self._table(fingerprint("rollouts table", self._rollout_key), schema, _train(self._whole_rollouts()))

    def ledger_table(self, ledger: Ledger) -> Table:
        """One row for every row that was dropped or left out."""
        rows = ledger.rows()
        return self._table(fingerprint("ledger", row_digest([rows])), LEDGER, _train([rows]))

    def funnel_table(self, ledger: Ledger) -> Table:
        """One row per stage and view: seen, kept, dropped by reason."""
        rows = ledger.funnel()
        return self._table(fingerprint("funnel", row_digest([rows])), FUNNEL, _train([rows]))

    def _table(self, key: str, schema: pa.Schema, rows: Iterator[SplitRows], splits: Sequence[str] = TRAIN) -> Table:
        def make(folder: Path) -> None:
            writers = {split: SplitWriter(folder, split, schema) for split in splits}
            for split, batch in rows:
                writers[split].add(batch)
            write_parts(folder, {split: writer.close() for split, writer in writers.items()})

        # Rows alone do not tell tables without any apart.
        key = fingerprint(key, [[f.name, str(f.type)] for f in schema])
        folder = self.cache.keep(key, make)
        if not is_whole(folder):
            self.cache.forget(key)
            folder = self.cache.keep(key, make)
        return Table(folder, read_parts(folder))

    def _rendered(self, view: Any, picks: pl.DataFrame) -> Iterator[SplitRows]:
        """Rows shard by shard, so that only one shard's texts are in memory, and each shard is read once."""
        if view.unit == "problems":
            asked, nothing = self._asked(picks), self.rollouts.clear()
            yield from ((split, view.render(part, asked, nothing)) for split, part in _by_split(picks))
            return
        owners = self.rollouts.select("problem_id", "shard").unique()
        placed = picks.join(owners, on="problem_id", how="left", maintain_order="left")
        shards = placed.partition_by("shard", as_dict=True, maintain_order=True, include_key=False)
        for (place,), part in shards.items():
            asked, told = self._asked(part), self._with_texts(place, part["problem_id"])
            yield from ((split, view.render(own, asked, told)) for split, own in _by_split(part))

    def _asked(self, picks: pl.DataFrame) -> pl.DataFrame:
        """The problems of the picks, with their prompts."""
        near = _between(self.problems, "ordinal", picks["ordinal"].min(), picks["ordinal"].max())
        picked = near.filter(pl.col("id").is_in(picks["problem_id"].unique().implode()))
        return picked.with_columns(prompt=self.manifest.prompt.messages(pl.col("problem")))

    def _with_texts(self, place: int, problem_ids: pl.Series) -> pl.DataFrame:
        wanted = pl.col("problem_id").is_in(problem_ids.unique().implode())
        rows = _between(self.rollouts, "shard", place, place).filter(wanted)
        texts = pl.read_parquet(self.shards[place].path, columns=["id", "reasoning", "response"])
        return rows.join(texts, on="id", how="left", maintain_order="left")

    def _whole_rollouts(self) -> Iterator[pl.DataFrame]:
        for place, shard in enumerate(self.shards):
            texts = pl.read_parquet(shard.path, columns=["id", "reasoning", "response"])
            rows = _between(self.rollouts, "shard", place, place)
            yield rows.join(texts, on="id", how="left", maintain_order="left")

    @cached_property
    def _problem_key(self) -> str:
        return row_digest([self.problems])

    @cached_property
    def _rollout_key(self) -> list[str]:
        return [row_digest([self.rollouts]), *(shard.sha256 for shard in self.shards)]


def _train(batches: Iterable[pl.DataFrame]) -> Iterator[SplitRows]:
    return (("train", batch) for batch in batches)


def _by_split(picks: pl.DataFrame) -> Iterator[SplitRows]:
    parts = picks.drop("ordinal").partition_by("split", as_dict=True, maintain_order=True, include_key=False)
    return ((split, part) for (split,), part in parts.items())


def _between(rows: pl.DataFrame, column: str, low: Any, high: Any) -> pl.DataFrame:
    """The rows from `low` to `high` of a column that never falls: a look at every row for every shard would make a
    version of ten times the rows cost a hundred times as much."""
    if low is None:
        return rows.clear()
    start = rows[column].search_sorted(low, side="left")
    return rows.slice(start, rows[column].search_sorted(high, side="right") - start)


def _with_facts(base: pa.Schema, rows: pl.DataFrame, end: list[pa.Field]) -> pa.Schema:
    """The base schema, the facts that stages added in their order, and the row's fate."""
    known = {*base.names, "ordinal", "with_rollouts", "shard", *(f.name for f in (*end, *FATE))}
    facts = [pa.field(name, _arrow_type(dtype)) for name, dtype in rows.schema.items() if name not in known]
    return pa.schema([*base, *facts, *end, *FATE])


def _arrow_type(dtype: pl.DataType) -> pa.DataType:
    """The Arrow type of a fact: plain strings, never large ones."""
    kind = pl.Series([], dtype=dtype).to_arrow().type
    return pa.string() if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) else kind
