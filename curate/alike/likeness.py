"""Which known questions a text is like: rarity-weighted words times agreement of the numbers, on columns.

Two texts say the same where they share the words that few others have, and all their numbers. Words that one known
question in twenty-five has find nobody: pairs are found by the rarer ones, and then weighed with all.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from curate.alike.wording import words

RARE_SHARE = 0.04
RARE_AT_LEAST = 40
"""A word finds questions if at most this share of the known ones, or this many, have it."""
SAMPLE_ROWS = 20_000
"""Rows whose words are counted beside those of the known questions: what is common there is common."""
BATCH_CELLS = 1 << 20
"""Pairs of a row and a known question that are weighed at once: 8 MB. 21 MB took 2.4 times as long, per pair."""
LEAST_SHARED = 0.2
"""Of the rarity that makes a pair sure: what it must share to be weighed. Two rare words, or a number and a name."""
LEAST_DICE = 0.2
LEAST_CONTAINED = 0.7
ENOUGH_SHARED = 4.3
"""Rarity that a pair must share to be sure, over the log of how many questions are known; less counts less, by its
root. Short questions are like many others, and more so among many."""

ALMOST = 0.7
"""Of what a pair needs: what it needs before common words are counted."""

SCHEMA = {"row": pl.Int64, "known": pl.Int64} | dict.fromkeys(
    ("shared", "dice", "contained", "shared_numbers", "numbers", "numbers_contained"), pl.Float64
)


@dataclass(frozen=True)
class Known:
    """Known questions by their words. A code is a word's place in the vocabulary."""

    codes: pl.DataFrame
    """`word`, `code`."""
    rarity: Any
    """By code: log of how few have it, over the known questions and a sample of the rows; 0 for the numbers 0 and 1."""
    number: Any
    """By code: whether it is a number."""
    starts: Any
    """By code: where the questions that have it start in `questions`; common words have none there."""
    questions: Any
    common: Any
    """By code: the column of a common word in `dense`; -1 for the others."""
    dense: Any
    """By question and common word: the root of the rarity, or 0."""
    weight: Any
    """By question: rarity of all its words; and of its numbers."""
    weight_of_numbers: Any

    @property
    def enough(self) -> float:
        """Rarity that a pair must share to be sure."""
        return ENOUGH_SHARED * math.log(len(self.weight) + 1)


def know(known: pl.DataFrame, rows: pl.DataFrame) -> Known:
    """The index of the known questions.

    Args:
        known, rows: `row` (known ones: 0, 1, ...), `asked` (wording.question).
    """
    sample = rows.gather_every(max(1, rows.height // SAMPLE_ROWS))
    theirs, ours = words(known).unique(), words(sample).unique()
    total = known.height + sample.height
    counted = theirs.group_by("word").len("known").sort("word").with_row_index("code")
    counted = counted.join(ours.group_by("word").len("ours"), on="word", how="left", maintain_order="left")
    few = (total + 1) / (pl.col("known") + pl.col("ours").fill_null(0) + 0.5)
    counted = counted.with_columns(rarity=pl.when(pl.col("word").is_in(["0", "1"])).then(0.0).otherwise(few.log()))
    rarity, number = counted["rarity"].to_numpy(), counted["word"].str.contains(r"^\d").to_numpy()
    often = counted["known"].to_numpy() > max(RARE_AT_LEAST, RARE_SHARE * known.height)
    common = np.where(often, np.cumsum(often) - 1, -1)
    pairs = theirs.join(counted.select("word", "code"), on="word").sort("code", "row")
    code, at = pairs["code"].to_numpy().astype(np.int64), pairs["row"].to_numpy().astype(np.int64)
    rare = ~often[code]
    starts = np.concatenate(([0], np.cumsum(np.bincount(code[rare], minlength=len(rarity)))))
    return Known(
        codes=counted.select("word", "code"),
        rarity=rarity,
        number=number,
        starts=starts.astype(np.int64),
        questions=at[rare].astype(np.int32),
        common=common,
        dense=_dense(at, code, known.height, common, rarity),
        weight=np.bincount(at, rarity[code], known.height),
        weight_of_numbers=np.bincount(at, rarity[code] * number[code], known.height),
    )


def likenesses(known: Known, rows: pl.DataFrame) -> pl.DataFrame:
    """Pairs of a row and a known question that have enough in common to be worth a look: columns of SCHEMA.

    `shared`: the rarity of the words that both have. `dice`: twice that, over the rarity of both. `contained`: over
    that of the known question. `shared_numbers`: the rarity of the numbers that both have. `numbers`: that over the
    numbers of either, 1 where there are none. `numbers_contained`: over those of the known question.

    Args:
        rows: `row` (without gaps), `asked` (wording.question).
    """
    if rows.is_empty() or not len(known.weight):
        return pl.DataFrame(schema=SCHEMA)
    first = int(rows["row"][0])
    ours = words(rows).unique().join(known.codes, on="word", how="left")
    # A word that no known question has is as rare as can be, and counts against likeness.
    rarest = float(known.rarity.max(initial=0.0))
    foreign = ours.filter(pl.col("code").is_null() & ~pl.col("word").is_in(["0", "1"]))
    at = foreign["row"].to_numpy() - first
    extra = np.bincount(at, minlength=rows.height) * rarest
    extra_numbers = np.bincount(at, foreign["word"].str.contains(r"^\d"), rows.height) * rarest
    ours = ours.drop_nulls("code").sort("row", "code")
    row, code = ours["row"].to_numpy().astype(np.int64) - first, ours["code"].to_numpy().astype(np.int64)
    batches, height = [], max(1, BATCH_CELLS // len(known.weight))
    for low in range(0, rows.height, height):
        part, batch = slice(*np.searchsorted(row, [low, low + height])), slice(low, low + height)
        pairs = _weighed(known, row[part] - low, code[part], extra[batch], extra_numbers[batch])
        batches.append((pairs[0] + first + low, *pairs[1:]))
    return pl.DataFrame(dict(zip(SCHEMA, map(np.concatenate, zip(*batches, strict=True)), strict=True)), schema=SCHEMA)


def _weighed(known: Known, row: Any, code: Any, extra: Any, extra_numbers: Any) -> tuple[Any, ...]:
    """The pairs of one batch, whose rows count from 0; by column of SCHEMA."""
    height, width = len(extra), len(known.weight)
    rarity, number = known.rarity[code], known.number[code]
    weight = np.bincount(row, rarity, height) + extra
    shared = _overlap(known, row, code, height)
    cell = np.flatnonzero(shared >= LEAST_SHARED * known.enough)
    ours, theirs, rare = cell // width, cell % width, shared[cell]
    # Common words add something to the pairs that are near without them; the others stay far apart.
    dice, contained = 2 * rare / (weight[ours] + known.weight[theirs]), rare / known.weight[theirs]
    near = (dice >= ALMOST * LEAST_DICE) | (contained >= ALMOST * LEAST_CONTAINED)
    cell, ours, theirs, rare = cell[near], ours[near], theirs[near], rare[near]
    dense = _dense(row, code, height, known.common, known.rarity)
    both = rare + _product(dense, ours, known.dense, theirs)
    dice, contained = 2 * both / (weight[ours] + known.weight[theirs]), both / known.weight[theirs]
    near = (dice >= LEAST_DICE) | (contained >= LEAST_CONTAINED)
    cell, ours, theirs, both, dice, contained = (a[near] for a in (cell, ours, theirs, both, dice, contained))
    of_numbers = np.flatnonzero(known.number[known.common >= 0])
    numbers = _overlap(known, row[number], code[number], height)[cell]
    numbers += _product(dense[:, of_numbers], ours, known.dense[:, of_numbers], theirs)
    our_numbers = (np.bincount(row, rarity * number, height) + extra_numbers)[ours]
    their_numbers = known.weight_of_numbers[theirs]
    agreed = _share(numbers, our_numbers + their_numbers - numbers)
    return ours, theirs, both, dice, contained, numbers, agreed, _share(numbers, their_numbers)


def _overlap(known: Known, row: Any, code: Any, height: int) -> Any:
    """Rarity of the rare words that a row and a known question share, for every row and question, as one line."""
    start, width = known.starts[code], len(known.weight)
    count = known.starts[code + 1] - start
    ends = np.cumsum(count)
    place = np.arange(ends[-1] if len(ends) else 0) + np.repeat(start - (ends - count), count)
    cell = np.repeat(row * width, count) + known.questions[place]
    # Of nothing, numpy counts in integers.
    return np.bincount(cell, np.repeat(known.rarity[code], count), height * width).astype(np.float64, copy=False)


def _dense(row: Any, code: Any, height: int, common: Any, rarity: Any) -> Any:
    """By row and common word: the root of its rarity. The product of two rows is the rarity of what they share."""
    dense = np.zeros((height, int(common.max(initial=-1)) + 1), np.float32)
    there = common[code] >= 0
    dense[row[there], common[code[there]]] = np.sqrt(np.maximum(rarity[code[there]], 0))
    return dense


def _product(left: Any, at_left: Any, right: Any, at_right: Any) -> Any:
    parts = range(0, len(at_left), 4096)
    products = [np.einsum("ij,ij->i", left[at_left[i : i + 4096]], right[at_right[i : i + 4096]]) for i in parts]
    return np.concatenate([np.zeros(0), *products])


def _share(part: Any, whole: Any) -> Any:
    """A share; 1 of nothing is everything."""
    return np.where(whole > 1e-6, part / np.maximum(whole, 1e-6), 1.0)
