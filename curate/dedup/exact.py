"""Exact duplicates: the same problem, spacing, case and Unicode form aside."""

from dataclasses import dataclass
from typing import ClassVar

import polars as pl

from curate.alike.columns import normalized
from curate.alike.golds import contradict, gold_numbers
from curate.alike.keeping import RULE, Reason, in_order


@dataclass(frozen=True)
class Exact:
    """Drop every problem whose text another one has that stays.

    Texts are compared in Unicode's composed form (NFC). The compatibility form would make x² and x2 the same.

    Example:
        >>> rows = pl.DataFrame({"id": ["a", "b"], "problem": ["2 + 2?", "2  +  2?"]})
        >>> Exact()(rows)["drop"].to_list()
        [None, 'duplicate']
    """

    over = "problems"
    marks = "problems"
    scope = "table"
    reads = ("id", "problem", "answer", "with_rollouts")
    writes: ClassVar = {"duplicate_of": pl.String, "gold_differs": pl.Boolean}
    drops = ("duplicate",)
    REV = 2

    ignore_case: bool = True
    """Compare without case."""
    keep: tuple[Reason, ...] = RULE
    """Which one stays: what has a gold answer, then what came with rollouts, then what came first."""

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The fact `duplicate_of` is the id of the problem that stays; `gold_differs`: its gold is another number.

        A problem without a text is no duplicate.
        """
        # A space alone is as it should be: runs of white space, and what else is white, become one.
        text = normalized(rows["problem"], "NFC").str.replace_all(r"[^\S ]\s*| \s+", " ").str.strip_chars()
        text = text.str.to_lowercase() if self.ignore_case else text
        said = rows.drop("problem").with_columns(text.alias("text"), gold_numbers(rows)).with_row_index("place")
        first = (pl.col(name).first().over("text").alias(f"kept_{name}") for name in ("id", "gold"))
        said = in_order(said, self.keep).with_columns(first).sort("place")
        differs = contradict(said["gold"], said["kept_gold"])
        again = (pl.col("id") != pl.col("kept_id")) & pl.col("text").is_not_null()
        return said.select(
            "id",
            duplicate_of=pl.when(again).then("kept_id"),
            gold_differs=pl.when(again).then(differs),
            drop=pl.when(again).then(pl.lit("duplicate")),
        )
