"""Repetition: how much of a rollout says again what it said before, and whether it got caught in a loop."""

import zlib
from dataclasses import dataclass
from typing import Annotated, ClassVar

import polars as pl
from pydantic import Field

from curate.records import TEXT_COLUMNS
from curate.texts.endings import without_end_marks
from curate.texts.repeats import cut, repeats

SHOWN_CHARS = 200
"""Characters of a passage that are shown as evidence."""

_HALF = 0.52  # a text of which all is said twice stays below, where `passage` characters are said again
_TAIL_CHARS = 2000
_SAID_AGAIN = 500


@dataclass(frozen=True)
class Repetition:
    """Per rollout: `repetition`, the share of it that stood in it before; `loops`, and the passage that comes round.

    The share is that of runs of `n` tokens, after the duplicate n-gram rule of Gopher (arXiv 2112.11446, table A1);
    reasoning and response are counted each for itself, as a response may well repeat what was found. A rollout loops

    - where a passage comes round `times` times in a row, in `chars` characters or more of nothing new;
    - where half of it and more stood in it before, with `passage` characters in a row of nothing new, or one of
      half of `chars` that comes round `times` times: a loop that drifts;
    - where its last 2,000 characters compress to `tail_ratio`: a loop in which only a counter changes.

    What all share with honest work is left out: to check by saying it all again is no loop, nor is a list of cases.
    Marks of the end that a server has not cut off (`</s></s>...`) are no part of the text.

    Example:
        >>> again = "The two sides are not equal, so try again. "
        >>> rows = pl.DataFrame({"id": ["a", "b"], "reasoning": [None, again * 9], "response": "It is 4."})
        >>> Repetition()(rows).select("loops", "repeated", "repeated_times").rows()
        [(False, None, None), (True, 'The two sides are not equal, so try again.', 9)]
    """

    over = "rollouts"
    marks = "rollouts"
    scope = "row"
    reads = ("id", "reasoning", "response")
    writes: ClassVar = {
        "repetition": pl.Float64,
        "loops": pl.Boolean,
        "repeated": pl.String,
        "repeated_times": pl.Int64,
        "repeated_in": pl.String,
        "repeated_at": pl.Int64,
    }
    drops = ("repetition",)
    REV = 2

    drop: bool = False
    """Drop rollouts that loop."""

    n: Annotated[int, Field(ge=4, le=64)] = 16
    """Tokens in a row that must stand there before: words, digits and signs, each for itself."""

    times: Annotated[float, Field(ge=2)] = 4
    """How often a passage comes round in a loop."""

    chars: Annotated[int, Field(ge=1)] = 250
    """Characters of nothing new that make a loop, where a passage comes round so often. A shorter one is a sum of equal
    terms, or a formula carried from line to line."""

    passage: Annotated[int, Field(ge=1)] = 500
    """Characters in a row of nothing new that make a loop, where half of all was said before."""

    tail_ratio: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Up to this compressed share (zlib) of the last 2,000 characters, a rollout loops. Of 10,376 public rollouts of so
    many, half compress to 0.37 or more and one in a hundred below 0.07."""

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Marks for every rollout; one without a text has a share of 0."""
        texts = pl.concat(
            rows.select("id", place=pl.int_range(pl.len()), part=pl.lit(name), text=without_end_marks(pl.col(name)))
            for name in TEXT_COLUMNS
        ).with_columns(pl.col("text").fill_null(""))
        shares, passages = repeats(texts["text"], self.n)
        texts = texts.with_columns(row=pl.int_range(pl.len()), share=shares, size=pl.col("text").str.len_bytes())
        told = passages.join(texts, on="row", maintain_order="left").with_columns(loops=self._loops())
        counting = self._counting(told)["id"]
        counts = pl.col("id").is_in(counting.implode())
        evidence = _evidence(told.filter(pl.col("loops") | (pl.col("chars") >= self.chars) | counts))
        whole = texts.group_by("id", maintain_order=True).agg(
            repetition=(pl.col("share") * pl.col("size")).sum() / pl.max_horizontal(pl.col("size").sum(), 1)
        )
        marks = whole.join(evidence, on="id", how="left", maintain_order="left")
        loops = pl.col("loops").fill_null(False) | counts
        marks = marks.select("id", **{name: loops if name == "loops" else pl.col(name) for name in self.writes})
        return marks.with_columns(drop=pl.when(pl.lit(self.drop) & pl.col("loops")).then(pl.lit("repetition")))

    def _loops(self) -> pl.Expr:
        comes_round = pl.col("times") >= self.times
        stuck = comes_round & (pl.col("chars") >= self.chars)
        drifts = (comes_round & (pl.col("chars") >= self.chars / 2)) | (pl.col("chars") >= self.passage)
        again = (pl.col("share") >= _HALF) & drifts
        return stuck | again

    def _counting(self, told: pl.DataFrame) -> pl.DataFrame:
        """Texts whose end is all the same but for a counter. Others that say enough again are looked at in vain."""
        said_again = told.group_by("row").agg(pl.first("id", "text"), pl.col("chars").sum())
        tails = said_again.filter(pl.col("chars") >= _SAID_AGAIN).with_columns(pl.col("text").str.tail(_TAIL_CHARS))
        tails = tails.filter(pl.col("text").str.len_chars() >= _TAIL_CHARS)
        # A loop: zlib takes one text at a time, 15 microseconds each.
        shares = pl.Series([_compressed_share(tail) for tail in tails["text"]], dtype=pl.Float64)
        return tails.filter(shares <= self.tail_ratio)


def _evidence(told: pl.DataFrame) -> pl.DataFrame:
    """Per rollout its longest passage, that of a loop first: what is said, how often, in which text, from where."""
    longest = told.sort("loops", "chars", descending=True, maintain_order=True).unique("id", keep="first")
    # A loop over the few that have a passage: places are bytes, and a text is cut one at a time.
    places = longest.select("text", "start", "at", "end").iter_rows()
    shown = [(cut(text, start, start)[0], cut(text, at, end)[1]) for text, start, at, end in places]
    return longest.select(
        "id",
        "loops",
        repeated=pl.Series([text.strip()[:SHOWN_CHARS] for _, text in shown], dtype=pl.String),
        repeated_times=pl.col("times").cast(pl.Int64),
        repeated_in="part",
        repeated_at=pl.Series([at for at, _ in shown], dtype=pl.Int64),
    )


def _compressed_share(text: str) -> float:
    data = text.encode()
    return len(zlib.compress(data)) / len(data)
