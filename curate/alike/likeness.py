"""Which known questions a text is like: rarity-weighted words times agreement of the numbers, on columns.

Two texts say the same where they share the words that few others have, and all their numbers. A question is found by
the words that few questions have, or, where it has few of these, by the rarest that it has; then all words are weighed.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from curate.alike.hashes import distinct_sorted
from curate.alike.tokens import tokens_of
from curate.alike.wording import MAX_CHARS, WORD, spelt

RARE_SHARE = 0.01
RARE_AT_LEAST = 40
"""A word finds all questions that have it if at most this share of the known ones, or this many, have it."""
FINDS = 0.3
"""Of a question's rarity: its rarest words up to this share find it, however many other questions have them."""
SAMPLE_ROWS = 20_000
"""Rows whose words are counted beside those of the known questions: what is common there is common."""
BATCH_PAIRS = 2_000_000
"""Words of a row that find a question, for all rows and questions that are weighed at once: 50 MB."""
CELLS = 250_000
"""Sums of a row and a known question that are held at once: 2 MB, which stay near the core."""
LEAST_DICE = 0.2
LEAST_CONTAINED = 0.7
"""A pair is worth a look from here."""
ALMOST = 0.3
"""Of that: what it needs by the words that find, before the others are counted."""
LEAST_SHARED = 0.2
ENOUGH_SHARED = 4.3
"""Rarity that a pair must share to be sure, over the log of how many questions are known; less counts less, by its
root. Short questions are like many others, and more so among many. LEAST_SHARED of it must be shared by the words
that find: a rare word, or a number and a name."""

SCHEMA = {"row": pl.Int64, "known": pl.Int64} | dict.fromkeys(
    ("shared", "dice", "contained", "shared_numbers", "numbers", "numbers_contained"), pl.Float64
)

_NOTHING = ("0", "1")
"""Numbers that everything has."""


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
    """By code: where the questions that it finds start in `questions`; one more at the end."""
    questions: Any
    common: Any
    """By code: the column of a common word in `rest`; -1 for the others."""
    rest: Any
    """By question and common word that does not find it: the root of the word's rarity, or 0."""
    weight: Any
    """By question: rarity of all its words; and of its numbers."""
    weight_of_numbers: Any

    @property
    def hidden(self) -> Any:
        """By question: whether the words that find it may be too few for a copy with other words around it."""
        return FINDS * self.weight < LEAST_SHARED * self.enough

    @property
    def enough(self) -> float:
        """Rarity that a pair must share to be sure."""
        return ENOUGH_SHARED * math.log(len(self.weight) + 1)


def know(known: pl.Series, sample: pl.Series) -> Known:
    """The index of the known questions.

    Args:
        known: wording.question of each.
        sample: the same of some of the rows.
    """
    theirs, question, code = _words(known)
    ours, _, also = _words(sample)
    counted = pl.DataFrame({"word": ours, "ours": np.bincount(also, minlength=len(ours))})
    vocabulary = pl.DataFrame({"word": theirs, "known": np.bincount(code, minlength=len(theirs))})
    vocabulary = vocabulary.with_row_index("place").sort("word").with_row_index("code")
    vocabulary = vocabulary.join(counted, on="word", how="left", maintain_order="left")
    few = (len(known) + len(sample) + 1) / (pl.col("known") + pl.col("ours").fill_null(0) + 0.5)
    told = vocabulary.select(
        rarity=pl.when(pl.col("word").is_in(_NOTHING)).then(0.0).otherwise(few.log()),
        number=pl.col("word").str.contains(r"^\d"),
        often=pl.col("known") > max(RARE_AT_LEAST, RARE_SHARE * len(known)),
    )
    rarity, number, often = (told[name].to_numpy() for name in ("rarity", "number", "often"))
    code = vocabulary.sort("place")["code"].to_numpy()[code].astype(np.int64)
    common = np.where(often, np.cumsum(often) - 1, -1)
    finds = ~often[code] | _rarest(question, rarity[code])
    order = np.lexsort((question[finds], code[finds]))
    return Known(
        codes=vocabulary.select("word", "code"),
        rarity=rarity,
        number=number,
        starts=np.searchsorted(code[finds][order], np.arange(len(rarity) + 1)),
        questions=question[finds][order],
        common=common,
        rest=_common(question[~finds], code[~finds], len(known), common, rarity),
        weight=np.bincount(question, rarity[code], len(known)),
        weight_of_numbers=np.bincount(question, rarity[code] * number[code], len(known)),
    )


def likenesses(known: Known, asked: pl.Series) -> pl.DataFrame:
    """Pairs of a row and a known question that have enough in common to be worth a look: columns of SCHEMA.

    `row`: the place in `asked`. `shared`: the rarity of the words that both have. `dice`: twice that, over the rarity
    of both. `contained`: over that of the known question. `shared_numbers`: the rarity of the numbers that both have.
    `numbers`: that over the numbers of either, 1 where there are none. `numbers_contained`: over those of the known
    question.

    Args:
        asked: wording.question of each row.
    """
    if asked.is_empty() or not len(known.rarity):
        return pl.DataFrame(schema=SCHEMA)
    words, row, place = _words(asked)
    found = words.alias("word").to_frame().join(known.codes, on="word", how="left", maintain_order="left")["code"]
    code = found.fill_null(-1).cast(pl.Int64).to_numpy()[place]
    strange, stranger, strange_number = row[code < 0], *(flag[place[code < 0]] for flag in _flags(words))
    # By row and code, whatever other rows there are: sums are then taken in one order.
    pairs = np.sort(row[code >= 0] << 32 | code[code >= 0])
    row, code = pairs >> 32, pairs & 0xFFFFFFFF
    number = known.number[code]
    # A word that no known question has is as rare as can be, and counts against likeness.
    rarest = known.rarity.max()
    count = len(asked)
    weight = np.bincount(row, known.rarity[code], count) + rarest * np.bincount(strange[stranger], minlength=count)
    weight_of_numbers = np.bincount(row[number], known.rarity[code[number]], count)
    weight_of_numbers = weight_of_numbers + rarest * np.bincount(strange[strange_number], minlength=count)
    finds = np.cumsum(known.starts[code + 1] - known.starts[code])
    batches, low = [], 0
    while low < len(asked):
        first = np.searchsorted(row, low)
        before = finds[first - 1] if first else 0
        most = np.searchsorted(finds, before + BATCH_PAIRS, side="right")
        high = max(low + 1, int(row[most])) if most < len(row) else len(asked)
        part, batch = slice(first, np.searchsorted(row, high)), slice(low, high)
        weighed = _weighed(known, row[part] - low, code[part], weight[batch], weight_of_numbers[batch])
        batches.append((weighed[0] + low, *weighed[1:]))
        low = high
    return pl.DataFrame(dict(zip(SCHEMA, map(np.concatenate, zip(*batches, strict=True)), strict=True)), schema=SCHEMA)


def _flags(words: pl.Series) -> tuple[Any, Any]:
    """Whether each word says something, and whether it is a number that does."""
    says = ~words.is_in(_NOTHING)
    return says.to_numpy(), (says & words.str.contains(r"^\d")).to_numpy()


def _words(asked: pl.Series) -> tuple[pl.Series, Any, Any]:
    """Words cut of their endings; and of every text each of its words once: the text, and the place of the word."""
    tokens = tokens_of(asked.str.slice(0, MAX_CHARS), WORD)
    words = spelt(tokens.words)
    distinct = words.unique(maintain_order=True)
    place = words.to_frame().join(distinct.to_frame().with_row_index("place"), on="word", maintain_order="left")[
        "place"
    ]
    pairs = distinct_sorted(tokens.texts() << 32 | place.to_numpy()[tokens.codes])
    return distinct, pairs >> 32, pairs & 0xFFFFFFFF


def _rarest(question: Any, rarity: Any) -> Any:
    """Of the words of every question, whether each is one of its rarest that make up FINDS of its rarity."""
    said = pl.DataFrame({"question": question, "rarity": rarity}).with_row_index("place")
    said = said.sort("question", "rarity", "place", descending=[False, True, False])
    before = (pl.col("rarity").cum_sum() - pl.col("rarity")).over("question")
    rarest = said.with_columns(rarest=before < FINDS * pl.col("rarity").sum().over("question"))
    return rarest.sort("place")["rarest"].to_numpy()


def _weighed(known: Known, row: Any, code: Any, weight: Any, weight_of_numbers: Any) -> tuple[Any, ...]:
    """The pairs of one batch, whose rows count from 0; by column of SCHEMA."""
    ours, theirs, found, found_numbers = _found(known, row, code, len(weight))
    dice, contained = 2 * found / (weight[ours] + known.weight[theirs]), found / known.weight[theirs]
    near = (dice >= ALMOST * LEAST_DICE) | (contained >= ALMOST * LEAST_CONTAINED)
    ours, theirs, found, found_numbers = (a[near] for a in (ours, theirs, found, found_numbers))
    rest = _common(row, code, len(weight), known.common, known.rarity)
    both = found + _product(rest, ours, known.rest, theirs)
    dice, contained = 2 * both / (weight[ours] + known.weight[theirs]), both / known.weight[theirs]
    near = (dice >= LEAST_DICE) | (contained >= LEAST_CONTAINED)
    ours, theirs, both, dice, contained, numbers = (
        a[near] for a in (ours, theirs, both, dice, contained, found_numbers)
    )
    of_numbers = np.flatnonzero(known.number[known.common >= 0])
    numbers += _product(rest[:, of_numbers], ours, known.rest[:, of_numbers], theirs)
    our_numbers, their_numbers = weight_of_numbers[ours], known.weight_of_numbers[theirs]
    agreed = _share(numbers, our_numbers + their_numbers - numbers)
    return ours, theirs, both, dice, contained, numbers, agreed, _share(numbers, their_numbers)


def _found(known: Known, row: Any, code: Any, height: int) -> tuple[Any, ...]:
    """Rows and questions that words find, the rarity of these words, and of the numbers among them."""
    wide, least = len(known.weight), LEAST_SHARED * known.enough
    step = max(1, CELLS // wide)
    starts, finds = known.starts[code], known.starts[code + 1] - known.starts[code]
    parts = []
    for low in range(0, height, step):
        words = slice(*np.searchsorted(row, (low, low + step)))
        count, ends = finds[words], np.cumsum(finds[words])
        place = np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts[words] - (ends - count), count)
        # A sum for each row and question, whether they share a word or not; words are added in the order of codes.
        cell = known.questions[place] + np.repeat((row[words] - low) * wide, count)
        rarity = np.repeat(known.rarity[code[words]], count)
        shared = np.bincount(cell, rarity, min(step, height - low) * wide)
        enough = np.flatnonzero(shared >= least)
        number = np.flatnonzero(np.repeat(known.number[code[words]], count) & (shared[cell] >= least))
        numbers = np.bincount(np.searchsorted(enough, cell[number]), rarity[number], len(enough))
        # Of nothing, numpy counts in integers.
        parts.append((enough // wide + low, enough % wide, shared[enough], numbers.astype(np.float64)))
    return tuple(map(np.concatenate, zip(*parts, strict=True)))


def _common(row: Any, code: Any, height: int, common: Any, rarity: Any) -> Any:
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
