"""Numbers of several words in digits: `twenty-five`, `one hundred and twenty`, `3 thousand`."""

import re

import polars as pl

from curate.alike.columns import changed

_ONES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_WORTH = {
    "a": 1,
    **{word: n for n, word in enumerate([*_ONES, *_TEENS], 1)},
    **{word: 10 * n for n, word in enumerate(_TENS, 2)},
}
_SCALES = {"thousand": 1_000, "million": 1_000_000}

_TENS_ONES = rf"(?:{'|'.join(_TENS)})[- ](?:{'|'.join(_ONES)})"
_SMALL = rf"(?:{_TENS_ONES}|{'|'.join([*_TENS, *_TEENS, *_ONES])})"
_HUNDREDS = rf"(?:(?:a|{_SMALL}|\d{{1,2}}) hundred(?:(?: and)? {_SMALL})?)"
_BELOW = rf"(?:{_HUNDREDS}|{_SMALL})"
_SCALED = rf"(?:(?:a|{_BELOW}|\d{{1,3}}(?:\.\d{{1,3}})?) (?:thousand|million)(?:,? (?:and )?{_BELOW})?)"
_NUMERAL = re.compile(rf"(?<![\w.-])(?:{_SCALED}|{_HUNDREDS}|{_TENS_ONES})(?![\w-])")
_MAY_HOLD = rf"(?:hundred|thousand|million)|(?:{'|'.join(_TENS)})[- ](?:{'|'.join(_ONES)})"


def in_digits(texts: pl.Series) -> pl.Series:
    """The texts, of small letters, with such numbers in digits; numbers of one word stay.

    Example:
        >>> in_digits(pl.Series(["one hundred and twenty cats, twenty-five dogs", "twenty one-dollar bills"])).to_list()
        ['120 cats, 25 dogs', 'twenty one-dollar bills']
    """
    may = texts.str.contains(_MAY_HOLD)
    return changed(texts, may, lambda text: text.map_elements(_told, return_dtype=pl.String))


def _told(text: str) -> str:
    return _NUMERAL.sub(lambda found: f"{_worth(found[0]):.12g}", text)


def _worth(numeral: str) -> float:
    whole = part = 0.0
    for word in re.findall(r"[a-z]+|\d+(?:\.\d+)?", numeral):
        if word in _SCALES:
            whole, part = whole + part * _SCALES[word], 0.0
        elif word == "hundred":
            part *= 100
        elif word != "and":
            part += _WORTH[word] if word in _WORTH else float(word)
    return whole + part
