"""Two texts side by side: whether one holds the other, and whether numbers, letters and signs are the same."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from curate.alike.tokens import tokens_of
from curate.alike.wording import NUMBERS, WORD_IN_PYTHON

GRAM_CHARS = 5

_SIGN = re.compile(r"[+=<>≤≥^]|(?<![^\W\d_]{2})-(?![^\W\d_]{2})")
_OTHER_BEFORE = r"(?<=[^\W\d_]{2})|(?<=[^\w+\-*/^=<>≤≥·])"
_OTHER_BEHIND = r"(?=[^\W\d_]{2})|(?=[^\w+\-*/^=<>≤≥·ǃ])"
# Articles and what an apostrophe leaves: letters that no formula is missed by.
_PROSE = frozenset("aist")


def split(asked: str) -> list[str]:
    """The words of a text in order; numbers in digits, endings kept."""
    return [NUMBERS.get(word, word) for word in WORD_IN_PYTHON.findall(asked)]


def rarities(texts: pl.Series) -> dict[str, float]:
    """Of every word the log of how few of the texts have it; also of one that none has."""
    found = tokens_of(texts, WORD_IN_PYTHON.pattern)
    having = pl.DataFrame({"text": found.texts(), "word": found.words.replace(NUMBERS).gather(found.codes)})
    counted = having.unique().group_by("word").len()
    rarest = math.log((len(texts) + 1) / 0.5)
    # polars and Python do not cut every script alike: a word may be missing.
    known = counted.select("word", ((len(texts) + 1) / (pl.col("len") + 0.5)).log()).iter_rows()
    return defaultdict(lambda: rarest, known)


def covered(known: list[str], text: list[str], n: int, rarity: Mapping[str, float]) -> float:
    """How much of the known question stands in runs of n words that the text has too: of the rarity of its words.

    A question of fewer words than n is compared whole. Weighed by rarity, a common phrase covers little.

    Example:
        >>> weights = dict.fromkeys(("what", "is", "two", "and"), 1.0)
        >>> covered("what is two and two".split(), "so what is two and two then".split(), 8, weights)
        1.0
    """
    n = min(n, len(known))
    whole = sum(rarity[word] for word in known)
    if n == 0 or whole <= 0:
        return 0.0
    runs = {tuple(text[i : i + n]) for i in range(len(text) - n + 1)}
    within = [False] * len(known)
    for i in range(len(known) - n + 1):
        if tuple(known[i : i + n]) in runs:
            within[i : i + n] = [True] * n
    return sum(rarity[word] for word, stands in zip(known, within, strict=True) if stands) / whole


def characters_in_common(known: str, text: str) -> float:
    """Share of the known form's runs of five characters that the text's form has."""
    runs = [known[i : i + GRAM_CHARS] for i in range(len(known) - GRAM_CHARS + 1)]
    return sum(run in text for run in runs) / len(runs) if runs else float(known in text)


def holds(text: str, known: str) -> bool:
    """Whether a text's form holds a known question's form, and no formula goes on before or behind it.

    Example:
        >>> [holds(text, "solvex+2=5") for text in ("aniceonesolvex+2=5", "solvex+2=5x-2", "solvex+2=51")]
        [True, False, False]
    """
    return re.search(rf"(?:^|{_OTHER_BEFORE}){re.escape(known)}(?:$|{_OTHER_BEHIND})", text) is not None


@dataclass(frozen=True)
class Compared:
    """How the figures of a text stand to those of a known question."""

    kept: bool
    """The text has all numbers of the question; and of its letters and signs, none was put in the place of another."""
    share: float
    """Of all figures that either has, how many both have."""


def compare_figures(known: Counter[str], text: Counter[str]) -> Compared:
    """Compares what `figures` gives of both.

    Example:
        >>> compare_figures(figures("find x + 3"), figures("now find x + 3, please")).kept
        True
        >>> compare_figures(figures("find x + 3"), figures("find x + 4")).kept
        False
    """
    missing, more = known - text, text - known
    kept = not any(figure[0].isdigit() for figure in missing) and not (missing and more)
    both = (known & text).total()
    whole = (known | text).total()
    return Compared(kept, both / whole if whole else 1.0)


def figures(asked: str) -> Counter[str]:
    """How often every number, single letter and sign occurs: what makes another problem of the same sentence.

    Example:
        >>> figures("find x + 3 if x = two") - figures("find x + 3 if y = two")
        Counter({'x': 1})
    """
    found = [word for word in split(asked) if word[0].isdigit() or (len(word) == 1 and word not in _PROSE)]
    return Counter(found) + Counter(_SIGN.findall(asked))
