"""Words that turn an answer into its opposite: the same number beside them is not the same answer."""

import re

from verify.pattern import pattern

_PAIRS = (
    ("increases?|gain|profit|rise", "decreases?|loss|fall"),
    ("more", "less|fewer"),
    ("north", "south"),
    ("east", "west"),
    ("left", "right"),
    ("up|above", "down|below"),
    ("clockwise", "counter-?clockwise|anti-?clockwise"),
    (r"a\.?m\.?", r"p\.?m\.?"),
    (r"\\l?and|\\wedge", r"\\l?or|\\vee"),
    (r"\\\$|dollars?|usd", "€|euros?|eur|£|gbp"),
)


def _word(words: str) -> re.Pattern[str]:
    return pattern(rf"(?<![a-z\\])(?:{words})(?![a-z])", re.IGNORECASE)


_OPPOSITES = tuple((_word(one), _word(other)) for one, other in _PAIRS)
_ANY = _word("|".join(f"{one}|{other}" for one, other in _PAIRS))


def opposed(gold: str, answer: str) -> bool:
    """Whether one text says one thing and the other its opposite.

    >>> opposed("5% increase", "5% decrease"), opposed("3:45 am", "3:45"), opposed("5 left", "5 left, 2 right")
    (True, False, False)
    """
    if not (_ANY.search(gold) and _ANY.search(answer)):
        return False
    for one, other in _OPPOSITES:
        in_gold = bool(one.search(gold)), bool(other.search(gold))
        in_answer = bool(one.search(answer)), bool(other.search(answer))
        if in_gold[0] != in_gold[1] and in_answer == (in_gold[1], in_gold[0]):
            return True
    return False
