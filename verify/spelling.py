"""Answers in words or in older notations, spelt as the reader knows them; every rule is for the whole answer."""

import re
from fractions import Fraction
from itertools import pairwise

from verify.pattern import pattern
from verify.units import UNITS, read_unit
from verify.words import NUMBER_WORDS

_WORDY = pattern(r"[A-Za-z'\"]")
_TEXT = pattern(r"\\(?:text|textrm|mathrm|mbox|textbf|operatorname)\s*\{([^{}]*)\}")
# 5 ft 3 in; 2 hours and 30 minutes
_PART = pattern(r"(\d+(?:\.\d+)?) ?([A-Za-z]{1,12})\.?(?:,? and |, | )?(?=\d|$)")
_FEET = pattern(r"(\d+) ?(?:'|\\prime|\^\{?\\prime\}?) ?(\d+(?:\.\d+)?) ?(?:\"|''|\^\{?\\prime\\prime\}?)?")
_REMAINDER = pattern(r"(\d+),? ?(?:(?:with )?(?:a )?remainder(?: of)?|rem\.?|R|r) ?(\d+)")
# _{10}C_3 anywhere; 10C3 only alone: inside an expression C may be a constant.
_CHOOSE = pattern(r"(?:\{\})?[_^](?:\{(\d{1,4})\}|(\d)) ?([CP]) ?_ ?(?:\{(\d{1,4})\}|(\d))(?![\d_.^])")
_CHOOSE_ALONE = pattern(r"(\d{1,4})() ?([CP]) ?(\d{1,4})()|\{(\d{1,4})\}() ?([CP]) ?_ ?\{?(\d{1,4})()\}?")
# C_{10}^3 and C^3_{10}, as half of the world writes them; only where no other letter makes C a constant.
_SCRIPT = r"(?:\{(\d{1,4})\}|(\d))"
_CHOOSE_SCRIPTS = pattern(rf"C ?_ ?{_SCRIPT} ?\^ ?{_SCRIPT}|C ?\^ ?{_SCRIPT} ?_ ?{_SCRIPT}")
_OTHER_LETTER = pattern(r"(?<![\\A-Za-z])(?!C[ _^])[A-Za-z]")
_PREFIXED = pattern(r"(?<![\w.])0([xXbBoO])([0-9A-Fa-f]+)(?![\w.])")
_RADIX = {"x": (16, r"[0-9A-Fa-f]+"), "b": (2, "[01]+"), "o": (8, "[0-7]+")}
_PARTS_OF = {"half": 2, "halve": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7,
             "eighth": 8, "ninth": 9, "tenth": 10, "twelfth": 12, "hundredth": 100, "thousandth": 1000}  # fmt: skip
_THOUSANDS = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_BOUND_BEFORE = (
    (r"no (?:more|greater|larger) than|not (?:more|greater) than|at most", r"\le"),
    (r"no (?:less|fewer) than|not (?:less|fewer) than|at least", r"\ge"),
    (r"(?:strictly )?(?:more|greater|larger|bigger) than", ">"),
    (r"(?:strictly )?(?:less|fewer|smaller) than", "<"),
)
_BEFORE = tuple(
    (pattern(rf"(?:(?P<name>[a-z]) is )?(?:{words}) (?P<rest>\S.*)"), sign) for words, sign in _BOUND_BEFORE
)
_BEHIND = pattern(r"(?P<rest>-?[\d.,]+(?: \S+)?),? or (?P<word>more|greater|less|fewer)")


def respelt(text: str) -> str:
    """A tidied answer with its words and older notations as signs; the same text where no rule is for it.

    >>> respelt("5 ft 3 in"), respelt("two thirds"), respelt("at least 5"), respelt("_{10}C_3")
    ('\\\\frac{21}{4} \\\\text{ ft}', '\\\\frac{2}{3}', '\\\\ge 5', '\\\\binom{10}{3}')
    """
    if len(text) > 80 or not _WORDY.search(text):
        return text
    if "C" in text or "P" in text:
        text = _CHOOSE_ALONE.sub(_chosen, text) if _CHOOSE_ALONE.fullmatch(text) else _CHOOSE.sub(_chosen, text)
        if "^" in text and not _OTHER_LETTER.search(text):
            text = _CHOOSE_SCRIPTS.sub(_scripted, text)
    if text[:1] == "0" and (match := _PREFIXED.fullmatch(text)):
        radix, digits = _RADIX[match[1].lower()]
        return f"{match[2].lower()}_{{{radix}}}" if re.fullmatch(digits, match[2]) else text
    bare = " ".join(_TEXT.sub(r" \1 ", text).split())
    return _measure(bare) or _remainder(bare) or _whole(bare) or _fraction(bare) or _bound(bare) or text


def prefixed(text: str) -> bool:
    """Whether an answer is a number with the prefix of its base: `0x10`, `0b10`."""
    return text[:1] == "0" and _PREFIXED.fullmatch(text) is not None


def _chosen(match: re.Match[str]) -> str:
    above, kind, below = [group for group in match.groups() if group]
    if int(below) > int(above):
        return match.group()
    if kind == "C":
        return rf"\binom{{{above}}}{{{below}}}"
    return rf"\frac{{{above}!}}{{({above}-{below})!}}"


def _scripted(match: re.Match[str]) -> str:
    """The larger number is the one that is chosen from, whichever script it stands in."""
    first, second = (group for group in match.groups() if group)
    return rf"\binom{{{max(first, second, key=int)}}}{{{min(first, second, key=int)}}}"


def _measure(text: str) -> str | None:
    """A quantity in two or more units of one kind, largest first, as a fraction of the first unit."""
    if match := _FEET.fullmatch(text):
        text = f"{match[1]} ft {match[2]} in"
    if not text[:1].isdigit() or not text[-1:].isalpha():
        return None
    parts: list[tuple[Fraction, str]] = []
    at = 0
    while match := _PART.match(text, at):
        parts.append((Fraction(match[1]), match[2]))
        at = match.end()
    if at < len(text) or len(parts) < 2:
        return None
    units = [read_unit(name if name in UNITS else name.lower()) for _, name in parts]
    known = [unit for unit in units if unit is not None]
    if len(known) < len(units) or len({unit.dimensions for unit in known}) > 1:
        return None
    if not all(large.factor > small.factor for large, small in pairwise(known)):
        return None
    sizes = [Fraction(str(unit.factor)) / Fraction(str(known[0].factor)) for unit in known]
    total = sum((amount * size for (amount, _), size in zip(parts, sizes, strict=True)), Fraction(0))
    total = total.limit_denominator(10**9)
    return rf"\frac{{{total.numerator}}}{{{total.denominator}}} \text{{ {parts[0][1]}}}"


def _remainder(text: str) -> str | None:
    match = _REMAINDER.fullmatch(text)
    return rf"\text{{quotient}}={match[1]}, \text{{remainder}}={match[2]}" if match else None


def _whole(text: str) -> str | None:
    """`twenty-one`, `three hundred and five`, `five million` in digits."""
    words = [word for word in text.lower().replace("-", " ").split() if word != "and"]
    if len(words) < 2 or not all(word in NUMBER_WORDS or word in _THOUSANDS for word in words):
        return None
    total, group, room = 0, 0, 1_000
    for word in words:
        size = _THOUSANDS.get(word) or NUMBER_WORDS[word]
        if word in _THOUSANDS and group:
            total, group, room = total + group * size, 0, 1_000
        elif word == "hundred" and 0 < group < 10:
            group, room = group * 100, 100
        elif size < room and word != "hundred":
            group, room = group + size, 10 if size >= 20 else 1
        else:
            return None
    return str(total + group)


def _fraction(text: str) -> str | None:
    """`one half`, `two-thirds`, `three and a half` as fractions."""
    words = text.lower().replace("-", " ").split()
    if not 2 <= len(words) <= 4 or words[-1].rstrip("s") not in _PARTS_OF:
        return None
    below = _PARTS_OF[words[-1].rstrip("s")]
    above = 1 if words[-2] in ("a", "an") else NUMBER_WORDS.get(words[-2])
    if above is None or above >= 20:
        return None
    if len(words) == 2:
        return rf"\frac{{{above}}}{{{below}}}"
    whole = NUMBER_WORDS.get(words[0], int(words[0]) if words[0].isdigit() else None)
    return rf"{whole}\frac{{{above}}}{{{below}}}" if len(words) == 4 and words[1] == "and" and whole else None


def _bound(text: str) -> str | None:
    """`at least 5` as the bare relation `\\ge 5`."""
    lower = text[:1].lower() + text[1:]
    for words, sign in _BEFORE:
        if match := words.fullmatch(lower):
            return f"{match['name'] or ''}{sign} {match['rest']}"
    if match := _BEHIND.fullmatch(lower):
        return f"{_BEHIND_SIGNS[match['word']]} {match['rest']}"
    return None


_BEHIND_SIGNS = {"more": r"\ge", "greater": r"\ge", "less": r"\le", "fewer": r"\le"}
