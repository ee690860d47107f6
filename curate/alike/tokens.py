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
    return Tokens(distinct["word"], codes.to_numpy().astype(np.intp), starts)
