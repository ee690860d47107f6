"""Texts as words by number: what there is to say of a word is said once, however many texts have it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl


@dataclass(frozen=True)
class Tokens:
    """The words of some texts."""

    words: pl.Series
    """Every word once, in the order in which they first stand."""
    keys: pl.Series
    """Beside `words`: 64 bits that are the word's own, whatever the other texts say."""
    codes: Any
    """The words of all texts, one text after the other: places in `words`."""
    starts: Any
    """By text: where its words begin in `codes`; one more at the end."""

    def texts(self) -> Any:
        """Beside `codes`: the text in which a word stands."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))


def tokens_of(texts: pl.Series, pattern: str) -> Tokens:
    """What a regular expression finds in every text, in order; a null has no words.

    Example:
        >>> found = tokens_of(pl.Series(["to be or", None, "not to be"]), r"\\w+")
        >>> found.words.to_list(), found.codes.tolist(), found.starts.tolist()
        (['to', 'be', 'or', 'not'], [0, 1, 2, 3, 0, 1], [0, 3, 3, 6])
    """
    found = texts.cast(pl.String).str.extract_all(pattern)
    sizes = found.list.len().fill_null(0).to_numpy()
    flat = found.explode(empty_as_null=False, keep_nulls=False).alias("word").to_frame()
    flat = flat.with_columns(key=pl.col("word").hash())
    distinct = flat.unique("key", keep="first", maintain_order=True).with_row_index("code")
    codes = flat.select("key").join(distinct.select("key", "code"), on="key", how="left", maintain_order="left")["code"]
    starts = np.concatenate([np.zeros(1, np.int64), sizes]).cumsum()
    return Tokens(distinct["word"], distinct["key"], codes.to_numpy(), starts)


def distinct_sorted(values: Any) -> Any:
    """The values in order, each once. numpy's own `unique` hashes, and takes fifty times as long for 64 bits."""
    ordered = np.sort(values)
    return ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])] if len(ordered) else ordered


def mixed(values: Any) -> Any:
    """64 bits in which every bit of the 64 given has a part: sums of these tell one bag from another (splitmix64)."""
    mix = values.astype(np.uint64)
    mix = (mix ^ (mix >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mix = (mix ^ (mix >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mix ^ (mix >> np.uint64(31))


def bag_hashes(values: Any, texts: Any, count: int) -> Any:
    """By text 64 bits that are the same where its values are, each as often, in any order.

    Args:
        values: uint64, those of one text after those of another.
        texts: beside them, the text of each; rising.
    """
    return _sums(mixed(values), _starts(texts, count))


def sequence_hashes(values: Any, texts: Any, count: int) -> Any:
    """By text 64 bits that are the same where its values are, in the same order; arguments as of `bag_hashes`."""
    starts = _starts(texts, count)
    place = (np.arange(len(texts)) - starts[texts]).astype(np.uint64)
    return _sums(mixed(mixed(values) + place * np.uint64(0x9E3779B97F4A7C15)), starts)


def _starts(texts: Any, count: int) -> Any:
    return np.searchsorted(texts, np.arange(count + 1))


def _sums(values: Any, starts: Any) -> Any:
    running = np.concatenate([np.zeros(1, np.uint64), np.cumsum(values, dtype=np.uint64)])
    return running[starts[1:]] - running[starts[:-1]]
