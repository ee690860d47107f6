"""Texts changed as columns: pattern after pattern, and only those in which there is something to change.

On series, step by step: an expression that stands twice in another is worked out twice, and so on.
"""

from collections.abc import Callable, Iterable
from functools import reduce
from typing import Literal

import polars as pl

EDGE = r"(?-u:\b)"
"""The edge of a word, in a pattern: ASCII's. With Unicode's own polars goes through other scripts at a crawl."""

Ways = Iterable[tuple[str, str]]
"""Patterns, and what is written in their place."""


def replaced(texts: pl.Series, ways: Ways, where: pl.Series | None = None) -> pl.Series:
    """The texts after every pattern was replaced, one after the other; where it is told, only those."""
    if where is not None:
        return changed(texts, where, lambda text: reduce(lambda made, way: made.str.replace_all(*way), ways, text))
    for pattern, same in ways:
        texts = texts.str.replace_all(pattern, same)
    return texts


def changed(texts: pl.Series, where: pl.Series, change: Callable[[pl.Expr], pl.Expr]) -> pl.Series:
    """The texts, those changed for which `where` is true."""
    # polars passes over nulls.
    made = pl.when("where").then("text")
    return pl.DataFrame({"text": texts, "where": where}).select(pl.coalesce(change(made), "text").alias("text"))["text"]


def foreign(texts: pl.Series) -> pl.Series:
    """Which texts have a character beyond ASCII."""
    return texts.str.len_bytes() != texts.str.len_chars()


def normalized(texts: pl.Series, form: Literal["NFC", "NFKC"]) -> pl.Series:
    """The texts in one of Unicode's normal forms. ASCII has them all, and most texts are that: they cost nothing."""
    return changed(texts, foreign(texts), lambda text: text.str.normalize(form))
