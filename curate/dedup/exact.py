"""Exact duplicates: the same problem, spacing, case and Unicode form aside."""

from dataclasses import dataclass
from typing import ClassVar

import polars as pl

from curate.alike.columns import normalized


@dataclass(frozen=True)
class Exact:
    """Drop every problem whose text was already seen; the first one stays.

    Texts are compared in Unicode's composed form (NFC). The compatibility form would make x² and x2 the same.

    Example:
        >>> rows = pl.DataFrame({"id": ["a", "b"], "problem": ["2 + 2?", "2  +  2?"]})
        >>> Exact()(rows)["drop"].to_list()
        [None, 'duplicate']
    """

    over = "problems"
    marks = "problems"
    scope = "table"
    reads = ("id", "problem")
    writes: ClassVar = {"duplicate_of": pl.String}
    drops = ("duplicate",)
    REV = 1

    ignore_case: bool = True
    """Compare without case."""

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The fact `duplicate_of` is the id of the problem that stays. A problem without a text is no duplicate."""
        # A space alone is as it should be: runs of white space, and what else is white, become one.
        text = normalized(rows["problem"], "NFC").str.replace_all(r"[^\S ]\s*| \s+", " ").str.strip_chars()
        text = text.str.to_lowercase() if self.ignore_case else text
        said = rows.select("id", text=text)
        first = pl.col("id").first().over("text")
        again = (pl.col("id") != first) & pl.col("text").is_not_null()
        return said.select("id", duplicate_of=pl.when(again).then(first), drop=pl.when(again).then(pl.lit("duplicate")))
