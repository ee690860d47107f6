"""Answerable: problems that have a text and a gold answer to check against."""

from dataclasses import dataclass
from typing import ClassVar

import polars as pl

from curate.reading.gold import SENTINELS, answer_fault


@dataclass(frozen=True)
class Answerable:
    """Drop problems without a text, and those without a gold answer.

    An answer that only says that there is none (`proof` and `notfound` fill a quarter of NuminaMath) counts as missing.

    Example:
        >>> rows = pl.DataFrame({"id": ["a", "b"], "problem": ["1+1?", "Show it."], "answer": ["2", "proof"]})
        >>> Answerable()(rows)["drop"].to_list()
        [None, 'no_answer']
    """

    over = "problems"
    marks = "problems"
    scope = "row"
    reads = ("id", "problem", "answer")
    writes: ClassVar = {"answer_fault": pl.String}
    drops = ("no_text", "no_answer")
    REV = 1

    require_answer: bool = True
    """Drop problems without a gold answer. Without it they stay, for a majority vote or data that nothing judges."""

    sentinels: tuple[str, ...] = SENTINELS
    """Answers that say there is none; compared without case, spacing and LaTeX wrapping."""

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The fact `answer_fault` is `missing`, `sentinel` or null."""
        problem = pl.col("problem").fill_null("").str.strip_chars()
        fault = answer_fault(pl.col("answer"), self.sentinels)
        drop = (
            pl.when(problem == "")
            .then(pl.lit("no_text"))
            .when(pl.lit(self.require_answer) & pl.col("answer_fault").is_not_null())
            .then(pl.lit("no_answer"))
        )
        return rows.with_columns(answer_fault=fault).select("id", "answer_fault", drop=drop)
