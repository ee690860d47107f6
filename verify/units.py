"""Units as dimensions: `m/s`, `m s^{-1}` and `meters per second` are one unit; `cm` and `m` differ by a factor."""

import re
from functools import lru_cache
from typing import NamedTuple

from verify.words import UNITS

_PART = re.compile(
    r"(?P<power>\^\s*\{?\s*(?P<n>-?\s*\d+)\s*\}?)|(?P<per>/|\bper\b)|(?P<word>[A-Za-z$°Ωµ%]+)|(?P<other>\S)"
)


class Unit(NamedTuple):
    """How many base units it is, and the exponent of each kind of quantity."""

    factor: float
    kinds: frozenset[tuple[str, int]]


@lru_cache(maxsize=4096)
def read_unit(text: str) -> Unit | None:
    """The unit that the words name; None where one of them is not known.

    >>> read_unit("square inches") == read_unit("in^{2}"), read_unit("apples")
    (True, None)
    """
    kinds: dict[str, int] = {}
    factor, sign, pending, last = 1.0, 1, 1, ""
    last_sign = 1
    for match in _PART.finditer(text.replace("\\cdot", " ").replace("\\", "")):
        if match["power"]:
            if not last:
                return None
            extra = int(match["n"].replace(" ", "")) - 1
            kind, size = UNITS[last]
            kinds[kind] = kinds.get(kind, 0) + last_sign * extra
            factor *= size ** (last_sign * extra)
        elif match["per"]:
            sign = -1
        elif match["word"]:
            word = match["word"]
            known = word if word in UNITS else word.lower()
            if known in ("square", "sq", "squared"):
                if known == "squared" and last:
                    kind, size = UNITS[last]
                    kinds[kind] = kinds.get(kind, 0) + last_sign
                    factor *= size**last_sign
                else:
                    pending = 2
                continue
            if known in ("cubic", "cu"):
                pending = 3
                continue
            if known not in UNITS:
                return None
            kind, size = UNITS[known]
            kinds[kind] = kinds.get(kind, 0) + sign * pending
            factor *= size ** (sign * pending)
            last, last_sign, pending = known, sign, 1
        elif match["other"] not in ".,;(){}'-_":
            return None
    if not kinds:
        return None
    return Unit(factor, frozenset((kind, power) for kind, power in kinds.items() if power and kind != "count"))
