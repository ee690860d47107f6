"""Rewritten problems: a stage gives a problem another form; the child stands in its parent's place and names it."""

from typing import Any

import polars as pl

from curate.cache import Cache
from curate.engine import identity
from curate.fingerprint import fingerprint, row_digest
from curate.ledger import LedgerError
from curate.records import content_hash, row_ids
from curate.shards import distinct_ids

REWRITTEN = "rewritten"
"""The reason for which a parent is dropped."""

TEXTS = ("problem", "answer", "solution", "answer_type")
"""What a stage says of a child; what it does not say is null."""

_INHERITED = ("source", "source_id", "license", "level", "source_level", "domain", "synthetic")


def children_of(name: str, stage: Any, rows: pl.DataFrame, marks: pl.DataFrame, cache: Cache) -> pl.DataFrame:
    """One child for each row that the stage marked as rewritten: the parent's `id`, and columns of TEXTS.

    Raises:
        LedgerError: a parent without a child, or a child of a problem that stays.
    """
    key = fingerprint("children", *identity(name, stage), row_digest([rows, marks]))
    children = cache.frame(key, lambda: stage.children(rows, marks))
    parents = marks.filter(pl.col("drop") == REWRITTEN)["id"]
    if not children["id"].sort().equals(parents.sort()):
        raise LedgerError(f"{name}: rewrote {len(parents):,} problems, but gave {children.height:,} in their place")
    return children


def with_children(problems: pl.DataFrame, children: pl.DataFrame) -> pl.DataFrame:
    """The problems, each child right behind its parent, which names it in `rewritten_as`; ordinals count anew.

    A child has its parent's source and licence, but none of the facts that stages found of the parent. Its id is the
    hash of that source and its own text, so that rollouts that came with the parent are never taken for its own.
    """
    parents = problems.select(*_INHERITED, "ordinal", rewritten_from="id")
    texts = [name for name in TEXTS if name in children.columns]
    born = children.select(*texts, rewritten_from="id").join(parents, on="rewritten_from", maintain_order="left")
    own = row_ids(born["source"], born["source_id"], born["problem"])
    ids = distinct_ids(pl.concat([problems["id"], own])).tail(born.height)
    born = born.with_columns(ids, content_hash(born["problem"]))
    named = born.select(id="rewritten_from", named="id")
    earlier = pl.col("rewritten_as") if "rewritten_as" in problems.columns else pl.lit(None, pl.String)
    problems = problems.join(named, on="id", how="left", maintain_order="left")
    problems = problems.with_columns(rewritten_as=pl.coalesce("named", earlier)).drop("named")
    together = pl.concat([problems, born], how="diagonal").sort("ordinal", maintain_order=True)
    return together.with_columns(ordinal=pl.int_range(pl.len()))
