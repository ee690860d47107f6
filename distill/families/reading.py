"""Numbers in a question: what they may look like, and which values they mean."""

import re
from collections.abc import Callable
from fractions import Fraction

from distill.families.value import Matrix, Mixed, Number, Poly, Value, matrix, plain, poly

# Bounded, and whole: the tail of a longer number, or the whole part of a decimal, is another number.
_DIGITS = r"(?<!\d)(?<!\d[.,])\d{1,9}(?!\d|[.,]\d)"
_INT, _FRACTION = rf"-?{_DIGITS}", rf"-?\\frac\{{{_DIGITS}\}}\{{{_DIGITS}\}}|-?{_DIGITS}"
_FACTOR = r"(?<![\d.])\d{0,9}"
_TERM = rf"{_FACTOR}[xz](?:\^\d)?"

PATTERNS: dict[str, str] = {
    "int": _INT,
    "frac": _FRACTION,
    "ints": rf"{_INT}(?:, {_INT})+",
    "fracs": rf"(?:{_FRACTION})(?:, (?:{_FRACTION}))+",
    "poly": rf"-?{_TERM}(?: [+-] (?:{_TERM}|{_DIGITS}))*",
    "form": rf"-?{_FACTOR}x [+-] {_FACTOR}y(?: [+-] {_FACTOR}z)?",
    "gauss": rf"{_INT} [+-] {_FACTOR}i",
    "matrix": r"\\begin\{pmatrix\}[-\d &\\]+\\end\{pmatrix\}",
    "rel": r"<|>|\\le|\\ge",
    "op": r"[+*-]\d(?!\d)",
}
"""What a placeholder of each type may look like in a question."""


def read(kind: str, text: str) -> Value:
    """The value that a question's text means; the inverse of `show` on what questions hold."""
    return _READERS[kind](text)


def _fraction(text: str) -> Number:
    digits = re.findall(r"\d+", text)
    size = Fraction(int(digits[0]), int(digits[1]) if len(digits) > 1 else 1)
    return plain(-size if text.startswith("-") else size)


def _poly(text: str) -> Poly:
    found: dict[int, int] = {}
    letter = "z" if "z" in text else "x"
    for sign, digits, variable, power in re.findall(r"(-?)(\d*)([xz]?)(?:\^(\d+))?", text.replace("- ", "-")):
        if digits or variable:
            degree = int(power or 1) if variable else 0
            found[degree] = found.get(degree, 0) + int(f"{sign}{digits or 1}")
    return poly(*(found.get(d, 0) for d in range(max(found) + 1)), letter=letter)


def _form(text: str) -> tuple[Number, ...]:
    return tuple(int(f"{s}{d or 1}") for s, d in re.findall(r"(-?)(\d*)[xyz]", text.replace("- ", "-")))


def _gauss(text: str) -> Mixed:
    whole, sign, part = re.fullmatch(r"(-?\d+) ([+-]) (\d*)i", text).groups()  # type: ignore[union-attr]  # PATTERNS
    return Mixed(Fraction(whole), Fraction(int(f"{sign}{part or 1}")), "i")


def _matrix(text: str) -> Matrix:
    body = text[len(r"\begin{pmatrix}") : -len(r"\end{pmatrix}")]
    return matrix([[int(cell) for cell in row.split("&")] for row in body.split("\\\\")])


_READERS: dict[str, Callable[[str], Value]] = {
    "int": int,
    "frac": _fraction,
    "ints": lambda text: tuple(int(n) for n in text.split(", ")),
    "fracs": lambda text: tuple(_fraction(n) for n in text.split(", ")),
    "poly": _poly,
    "form": _form,
    "gauss": _gauss,
    "matrix": _matrix,
    "rel": str,
    "op": str,
}
