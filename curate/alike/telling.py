"""What the words of a problem tell: its numbers and signs, its letters, and which quantity of which kind of thing."""

from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from curate.alike import vocabulary as of
from curate.alike.hashes import bag_hashes, mixed, sequence_hashes
from curate.alike.tokens import tokens_of
from curate.alike.wording import NUMBERS

FOREIGN_WORDS = 4
"""A text of so many words, none of them English, is in a language whose words for quantities are not known here."""
MIN_LETTERS = 3
"""A shorter word is no thing that is asked for."""


def tell(asked: pl.Series) -> pl.DataFrame:
    """What the words of every text tell, a row per text; hashes are equal where it is the same.

    `figures`: numbers and signs in order, each with the letter right behind it. `says`: that, the letters, and the
    words for quantities and for kinds of things, each in their order; of a text that is not English, all its words.
    `bag`: the same without the letters, in any order. `words`: of every word and sign 32 bits, in order, numbers as 0.
    """
    tokens = tokens_of(asked, of.TOKEN)
    codes, texts, count = tokens.codes, tokens.texts(), len(tokens.starts) - 1
    known = _known(tokens.words)
    by_word = {name: known[name].to_numpy()[codes] for name in known.columns}
    letter = _letters(by_word, texts)
    letters = _asked_again(*_those(letter, texts))
    figure, figured, places = _those(by_word["figure"], texts)
    numbers = figure ^ _next(letter, texts)[places], figured
    quantities = _those(by_word["quantity"], texts)[:2]
    kinds = _once_in_a_row(*_those(by_word["kind"], texts)[:2])
    in_order, foreign = sequence_hashes(*numbers, count), _foreign(by_word, texts, count)
    sequences = [sequence_hashes(*those, count) for those in (quantities, kinds, letters)]
    bags = [bag_hashes(*those, count) for those in (numbers, quantities, _distinct(*kinds))]
    return pl.DataFrame(
        {
            "figures": in_order,
            "says": _together(in_order, *sequences, foreign),
            "bag": _together(*bags, foreign),
            "words": _lists(by_word["word"], tokens.starts),
        }
    )


def things(asking: pl.Series) -> pl.Series:
    """Of every sentence the 32 bits of its words, as in `words` of `tell`: those that can be what is asked for."""
    words = asking.str.extract_all(r"[\p{L}\p{M}]+").list.unique()
    there = pl.element()
    named = (there.str.len_chars() >= MIN_LETTERS) & ~there.is_in(of.EMPTY.split())
    bits = pl.col("word").list.eval((there.filter(named).hash() // 2**32).cast(pl.UInt32))
    return words.alias("word").to_frame().select(bits)["word"]


def _known(words: pl.Series) -> pl.DataFrame:
    """Beside the words: a hash of what each is as a figure, letter, kind or quantity, and 0 where it is none."""
    word = pl.col("word")
    digits = word.str.contains(r"^\d")
    kind, quantity = (word.str.extract(_pattern(among), 0) for among in (of.KINDS, of.QUANTITIES))
    roles = {
        "figure": word.replace_strict(of.FIGURES, default=pl.when(digits).then(word)),
        "letter": pl.when(word.is_in(of.LETTERS)).then(word),
        "kind": kind,
        "quantity": quantity.replace(of.SPELT),
    }
    said = words.alias("word").to_frame().with_columns(**roles, number=digits | word.is_in(list(NUMBERS)))
    return said.select(
        # polars hashes null like a value.
        *(pl.when(pl.col(role).is_not_null()).then(pl.col(role).hash()).otherwise(0).alias(role) for role in roles),
        word=pl.when("number").then(pl.lit("0")).otherwise(word).hash(),
        english=word.is_in(of.ENGLISH.split()),
        word_too=pl.when(word.is_in(of.WORDS_TOO)).then(word.hash()).otherwise(0),
        noun=word.str.contains(r"^\p{L}{2}|^\d") & ~word.is_in(of.NO_NOUNS.split()),
        prose=word.str.contains(r"^\p{L}{2}|^[^\x00-\x7F]") & ~word.is_in([*of.SIGNS, "−"]),
    )


def _pattern(words: str) -> str:
    return "^(?:" + "|".join(sorted(words.split(), key=len, reverse=True)) + ")"


def _letters(by_word: dict[str, Any], texts: Any) -> Any:
    """By word its hash where it is a letter, else 0."""
    before_a_noun = _next(by_word["noun"], texts).astype(bool)
    return np.where(before_a_noun, by_word["letter"], by_word["letter"] + by_word["word_too"])


def _next(values: Any, texts: Any) -> Any:
    """By word the value of the one behind it in the same text, or 0."""
    behind = np.zeros_like(values)
    behind[:-1] = np.where(texts[1:] == texts[:-1], values[1:], 0)
    return behind


def _foreign(by_word: dict[str, Any], texts: Any, count: int) -> Any:
    """By text a hash of all its words if it is not English, else 0."""
    english, prose = (np.bincount(texts[by_word[name]], minlength=count) for name in ("english", "prose"))
    foreign = (english == 0) & (prose >= FOREIGN_WORDS)
    theirs = foreign[texts]
    return sequence_hashes(by_word["word"][theirs], texts[theirs], count)


def _together(*hashes: Any) -> Any:
    """One hash of several, by text."""
    one = np.zeros(len(hashes[0]), np.uint64)
    for each in hashes:
        one = mixed(one + each)
    return one


def _lists(words: Any, starts: Any) -> pl.Series:
    bits = pl.Series((words >> np.uint64(32)).astype(np.uint32))
    # Not pa.array of numpy's: the first one loads pandas, which takes a quarter of a second.
    return pl.Series(pa.LargeListArray.from_arrays(pl.Series(starts).to_arrow(), bits.to_arrow()))


def _those(values: Any, texts: Any) -> tuple[Any, Any, Any]:
    """The values that are not 0, the texts in which they stand, and their places."""
    there = np.flatnonzero(values)
    return values[there], texts[there], there


def _once_in_a_row(values: Any, texts: Any) -> tuple[Any, Any]:
    """Without those that follow an equal one of the same text."""
    again = (values[1:] == values[:-1]) & (texts[1:] == texts[:-1])
    new = np.append(np.ones(min(1, len(values)), bool), ~again)
    return values[new], texts[new]


def _asked_again(values: Any, texts: Any, there: Any) -> tuple[Any, Any]:
    """Without the last one of a text that says, after other words, what was said before: `for n ... Find this n`."""
    again = (values[1:] == values[:-1]) & (texts[1:] == texts[:-1]) & (there[1:] > there[:-1] + 1)
    last = np.append(texts[1:] != texts[:-1], np.ones(min(1, len(texts)), bool))
    stays = ~(np.append(np.zeros(min(1, len(values)), bool), again) & last)
    return values[stays], texts[stays]


def _distinct(values: Any, texts: Any) -> tuple[Any, Any]:
    """Each value once per text."""
    each = pl.DataFrame({"text": texts, "value": values}).unique().sort("text")
    return each["value"].to_numpy(), each["text"].to_numpy()
