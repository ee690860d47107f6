"""Which known question a text is, and by which rule: the same, a copy, a paraphrase, a translation; or a variant."""

import math
import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

import polars as pl

from curate.alike.columns import EDGE
from curate.alike.copies import characters_in_common, compare_figures, covered, figures, holds, rarities, split
from curate.alike.likeness import SAMPLE_ROWS, Known, know, likenesses
from curate.alike.wording import asked_in, drawing, form, question
from curate.alike.wrapping import unwrapped

SLICE_ROWS = 10_000
"""Rows whose words a thread has in memory at once."""
MOST_THREADS = 4
"""Slices that are looked up at the same time, where there are so many cores: a quarter of a gigabyte each."""

COPY, COPIED = 0.75, 0.9
"""Likeness, or share of the known question, from which a text is a copy but for details: a number that differs there
was changed on purpose."""
VARIANT = 0.6
"""Likeness from which a text that is no copy is a variant."""
CONTAINED, COVERED = 0.8, 0.5
"""What a copy has of the known question: of the rarity of its words; of the same, in runs of n."""
NEARLY = 0.85
"""Likeness of a copy that lacks a sentence of the known question, such as in what form to answer."""
NUMBERS_HELP, NUMBERS_HELP_UNTIL = 0.015, 8.0
"""How much less likeness a paraphrase needs for each unit of rarity of the numbers that agree."""
SAME_FIGURES, SAME_FORMULAS = 0.9, 0.8
"""Formulas are written in few letters and small numbers, which many problems share: so many of these, and so much
likeness, make a paraphrase of them."""
SAME_EQUATIONS = 0.75
"""The same where the formulas are equations that need no LaTeX."""
TRANSLATED_SHARED = 1.3
"""A translation has all the numbers; they weigh so much, over the log of how many questions are known."""
FEW_NUMBERS = 0.5
"""Of that: what makes it worth to ask somebody who knows the language."""
NEAREST = 4
"""Known questions that are compared word by word, per row."""

FOUND = pl.Schema({"row": pl.Int64, "known": pl.Int64, "rule": pl.String, "similarity": pl.Float64})
VARIANT_RULE = "variant"

_ENGLISH = rf"{EDGE}(?:the|what|how|find|and|of|if|compute|simplify|evaluate|solve){EDGE}"


@dataclass(frozen=True)
class Lookup:
    """Known questions, ready to be looked up."""

    texts: pl.DataFrame
    """`known` (0, 1, ...), `asked`, `drawing`, `form` (all as in wording; no two with both the same), `bare`: the form
    with every number as 0."""
    index: Known
    numbers: Known
    """The same by their numbers alone."""
    rarity: dict[str, float]
    """Of every word of the known questions."""
    n: int
    """Words that make a run."""
    paraphrase: float
    """Likeness from which a text that shares no numbers is a paraphrase."""
    characters: float = 0.85
    """Share of the known question's runs of characters that a copy has, where words are cut otherwise."""

    def find(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Columns of FOUND: of every row that is a known question, or a variant of one, the nearest and the rule."""
        return pl.concat([pl.DataFrame(schema=FOUND), *_in_threads(self._find, rows)])

    def nearest(self, rows: pl.DataFrame, likeness: float) -> pl.DataFrame:
        """Columns of FOUND without `rule`: of every row the nearest known question, if it is so like it.

        Args:
            likeness: from 0 to 1; a paraphrase has about 0.38 of it. Of another language: of the numbers alone.
        """
        parts = _in_threads(lambda part: self._nearest(part, likeness), rows)
        return pl.concat([pl.DataFrame(schema=FOUND).drop("rule"), *parts])

    def _nearest(self, rows: pl.DataFrame, likeness: float) -> pl.DataFrame:
        said = rows.select("row", asked=question(rows["problem"]))
        pairs = self._scored(said).select("row", "known", similarity="score")
        foreign = self._same_numbers(said).filter(pl.col("shared") >= FEW_NUMBERS * self._numbers_enough())
        by_numbers = foreign.select("row", "known", similarity="numbers")
        near = pl.concat([pairs, by_numbers]).filter(pl.col("similarity") >= likeness)
        near = near.sort("row", -pl.col("similarity"), "known").unique("row", keep="first", maintain_order=True)
        return near.with_columns(self.texts["known"].gather(near["known"]))

    def _find(self, rows: pl.DataFrame) -> pl.DataFrame:
        said = _said(rows, "row")
        exact = said.join(self.texts, on="form", suffix="_known").filter(_not_redrawn("drawing", "drawing_known"))
        exact = exact.select("row", known="place", rule=pl.lit("exact"), similarity=pl.lit(1.0))
        rest = said.join(exact, on="row", how="anti", maintain_order="left")
        swapped = rest.select("row", bare=_without_digits()).filter(pl.col("bare").str.contains(r"\p{L}.*\p{L}"))
        bare = self.texts.select("place", "bare").unique("bare", keep="first", maintain_order=True)
        swapped = swapped.join(bare, on="bare").select(
            "row", known="place", rule=pl.lit(VARIANT_RULE), similarity=pl.lit(0.99)
        )
        near = (self._held(rest), self._alike(rest), self._translated(rest))
        found = pl.concat([exact, swapped, *near], how="vertical_relaxed")
        first = (pl.col("rule") == VARIANT_RULE, -pl.col("similarity"), pl.col("known"))
        found = found.cast(FOUND).sort("row", *first).unique("row", keep="first", maintain_order=True)
        return found.with_columns(self.texts["known"].gather(found["known"]))

    def _held(self, rest: pl.DataFrame) -> pl.DataFrame:
        """Texts around a question that is too short to be found by its rare words."""
        short = self.texts.filter(pl.Series(self.index.hidden))
        found = rest.select(
            "row",
            "form",
            "drawing",
            held=pl.col("form").str.extract_many(short["form"].unique().implode(), overlapping=True),
        )
        found = found.explode("held").drop_nulls("held").unique(["row", "held"], maintain_order=True)
        found = found.join(short, left_on="held", right_on="form", suffix="_known", maintain_order="left")
        found = found.filter(_not_redrawn("drawing", "drawing_known"))
        # A loop: texts that hold such a question are few.
        whole = [holds(text, known) for text, known in found.select("form", "held").iter_rows()]
        found = found.filter(pl.Series(whole, dtype=pl.Boolean))
        return found.select("row", known="place", rule=pl.lit("ngrams"), similarity=pl.lit(1.0))

    def _alike(self, rest: pl.DataFrame) -> pl.DataFrame:
        """Copies, paraphrases and variants, by words and numbers."""
        said = rest.select("row", "asked", "form", "drawing")
        pairs = self._scored(said)
        help_of_numbers = NUMBERS_HELP * pl.col("shared_numbers").clip(0, NUMBERS_HELP_UNTIL)
        says_it = pl.col("score") >= self.paraphrase - help_of_numbers
        most = (pl.col("contained") >= CONTAINED) | (pl.col("dice") >= NEARLY)
        holds_it = most & (pl.col("numbers_contained") > 0.999)
        copy = (pl.col("dice") >= COPY) | (pl.col("contained") >= COPIED)
        worth = says_it | holds_it
        near = pairs.filter(worth | (pl.col("dice") >= VARIANT)).with_columns(says_it=says_it, copy=copy, worth=worth)
        near = near.filter(pl.col("dice").rank("ordinal", descending=True).over("row") <= NEAREST)
        judged = self._judged(near.filter("worth").join(said, on="row", how="left", maintain_order="left"))
        others = near.filter(pl.col("dice") >= VARIANT).select(
            "row", "known", rule=pl.lit(VARIANT_RULE), similarity=pl.col("dice").clip(0, 1)
        )
        return pl.concat([judged, others])

    def _scored(self, said: pl.DataFrame) -> pl.DataFrame:
        """Columns of likeness.SCHEMA and `score`: the likeness that tells a paraphrase."""
        sure = (pl.col("shared") / self.index.enough).clip(0, 1).sqrt()
        return _likenesses(self.index, said).with_columns(score=pl.col("dice") * pl.col("numbers") * sure)

    def _judged(self, near: pl.DataFrame) -> pl.DataFrame:
        theirs = self.texts.select(known="place", known_asked="asked", known_form="form", known_drawing="drawing")
        theirs = theirs.with_columns(hidden=pl.Series(self.index.hidden))
        pairs = near.join(theirs, on="known", how="left", maintain_order="left")
        drawn = pl.col("drawing").is_not_null() | pl.col("known_drawing").is_not_null()
        pairs = pairs.with_columns(redrawn=~_not_redrawn("drawing", "known_drawing"), drawn=drawn)
        # A loop: pairs that came so far are few, and two texts are compared word by word.
        figures_of = cache(figures)
        rules = [self._rule(pair, figures_of) for pair in pairs.iter_rows(named=True)]
        judged = near.with_columns(rule=pl.Series(rules, dtype=pl.String))
        same = pl.when(pl.col("rule") == "paraphrase").then("score").otherwise(pl.max_horizontal("dice", "contained"))
        return judged.drop_nulls("rule").select("row", "known", "rule", similarity=same.clip(0, 1))

    def _rule(self, pair: dict[str, Any], figures_of: Callable[[str], Counter[str]]) -> str | None:
        known, text = pair["known_asked"], pair["asked"]
        if pair["redrawn"]:
            return None
        compared = compare_figures(figures_of(known), figures_of(text))
        latex, equation = "\\" in known + text, "=" in known + text or "^" in known + text
        # Of a short formula all words stand in many others: `_held` looks for it as it is written.
        loose = not (pair["hidden"] and (latex or equation))
        if loose and compared.kept and (pair["contained"] >= CONTAINED or pair["dice"] >= NEARLY):
            if covered(split(known), split(text), self.n, self.rarity) >= COVERED:
                return "ngrams"
            if characters_in_common(pair["known_form"], pair["form"]) >= self.characters:
                return "characters"
        same = pair["says_it"] and (compared.kept or not pair["copy"])
        if pair["drawn"] or latex:
            same = same and compared.share >= SAME_FIGURES and pair["dice"] >= SAME_FORMULAS
        elif equation:
            same = same and compared.share >= SAME_EQUATIONS
        return "paraphrase" if same else None

    def _translated(self, rest: pl.DataFrame) -> pl.DataFrame:
        """Rows of another language than the known question that have all its numbers and no others."""
        near = self._same_numbers(rest).filter(pl.col("shared") >= self._numbers_enough())
        # Several questions with the same numbers: which of them it is, nobody can tell, and it may be none.
        alone = pl.len().over("row") == 1
        return near.filter(alone).select("row", "known", rule=pl.lit("translation"), similarity="numbers")

    def _same_numbers(self, said: pl.DataFrame) -> pl.DataFrame:
        """Pairs of a row of another language and an English question that have the same numbers."""
        # Most texts are English, which is told at once.
        foreign = said.filter(~pl.col("asked").str.contains(_ENGLISH) | _beyond_ascii()).filter(~_english())
        near = _likenesses(self.numbers, foreign.with_columns(_numbers_of(foreign["asked"]))).filter(
            pl.col("numbers") >= 0.999
        )
        english = self.texts.filter(_english()).select(known="place")
        return near.join(english, on="known", how="semi", maintain_order="left")

    def _numbers_enough(self) -> float:
        return TRANSLATED_SHARED * math.log(self.texts.height + 1)


def lookup(
    texts: pl.DataFrame, rows: pl.DataFrame, n: int = 8, paraphrase: float = 0.38, characters: float = 0.85
) -> Lookup:
    """The known questions, with what is rare counted in them and in a sample of the rows.

    Args:
        texts: `known` (0, 1, ...), `problem`; of those with the same text the first one stands for all.
        rows: `row`, `problem`.
    """
    texts = _said(texts, "known").unique(["form", "drawing"], keep="first", maintain_order=True)
    texts = texts.with_columns(bare=_without_digits())
    texts = texts.with_row_index("place").with_columns(pl.col("place").cast(pl.Int64))
    sample = question(rows["problem"].gather_every(max(1, rows.height // SAMPLE_ROWS)))
    index = know(texts["asked"], sample)
    numbers = know(_numbers_of(texts["asked"]), _numbers_of(sample))
    return Lookup(texts, index, numbers, rarities(texts["asked"]), n, paraphrase, characters)


def _said(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    """Of every row that says something: its key, `asked`, `drawing`, `form`."""
    bare = unwrapped(rows["problem"])
    asked = asked_in(bare)
    said = rows.select(key, asked=asked, drawing=drawing(bare), form=form(asked))
    return said.filter(pl.col("form") != "")


def _not_redrawn(one: str, other: str) -> pl.Expr:
    """Whether two drawings are the same, or one of them is missing."""
    return (pl.col(one) == pl.col(other)).fill_null(True)


def _in_threads(look: Callable[[pl.DataFrame], pl.DataFrame], rows: pl.DataFrame) -> list[pl.DataFrame]:
    """What `look` gives for every slice of the rows, in order."""
    # Threads, not processes: polars and most of numpy let go of Python's lock, and the index need not be copied.
    with ThreadPoolExecutor(min(MOST_THREADS, len(os.sched_getaffinity(0)))) as threads:
        return list(threads.map(look, rows.iter_slices(SLICE_ROWS)))


def _likenesses(index: Known, said: pl.DataFrame) -> pl.DataFrame:
    """Likenesses of rows that are numbered with gaps."""
    pairs = likenesses(index, said["asked"])
    return pairs.with_columns(said["row"].gather(pairs["row"]))


def _numbers_of(asked: pl.Series) -> pl.Series:
    return asked.str.extract_all(r"\d+(?:\.\d+)?").list.join(" ")


def _without_digits() -> pl.Expr:
    return pl.col("form").str.replace_all(r"\d+", "0")


def _beyond_ascii() -> pl.Expr:
    return pl.col("asked").str.len_bytes() != pl.col("asked").str.len_chars()


def _english() -> pl.Expr:
    """Whether a text has one of the small words of English, and is in its letters; or too few words to tell."""
    said = pl.col("asked").str.slice(0, 1000)
    few = said.str.count_matches(r"[^\W\d_]{2,}") < 5
    return (said.str.contains(_ENGLISH) | few) & ~said.str.contains(r"\p{Han}|\p{Thai}|\p{Hiragana}|\p{Katakana}")
