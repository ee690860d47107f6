"""Answers as values: how each is written in LaTeX, read from a question, spelt otherwise, or got slightly wrong."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from random import Random


@dataclass(frozen=True)
class Mixed:
    """`whole + part * unit`, where unit is LaTeX: `i`, `\\pi` or a square root in lowest terms."""

    whole: Fraction
    part: Fraction
    unit: str


@dataclass(frozen=True)
class Poly:
    """A polynomial in one letter; `left` is what stands before it (`y = `)."""

    coefficients: tuple[Fraction, ...]
    """Lowest power first."""
    letter: str = "x"
    left: str = ""

    def __call__(self, x: Fraction | int) -> Fraction:
        """Its value at x."""
        return sum((c * Fraction(x) ** power for power, c in enumerate(self.coefficients)), Fraction(0))


@dataclass(frozen=True)
class Matrix:
    """Rows of numbers."""

    rows: tuple[tuple[Fraction, ...], ...]


@dataclass(frozen=True)
class Interval:
    """One interval or a union of them, left to right; None is infinity, a bracket of `[]` includes its end."""

    parts: tuple[tuple[str, Fraction | None, Fraction | None, str], ...]


Number = int | Fraction
Value = Number | Mixed | Poly | Matrix | Interval | tuple[Number, ...] | frozenset[Number] | str

RELATIONS = ("<", ">", "\\le", "\\ge")


def matrix(rows: list[list[int]] | list[list[Fraction]]) -> Matrix:
    """A matrix of exact numbers."""
    return Matrix(tuple(tuple(Fraction(cell) for cell in row) for row in rows))


def poly(*coefficients: Number, letter: str = "x", left: str = "") -> Poly:
    """The polynomial with these coefficients, lowest power first, without zeros at the top."""
    exact = [Fraction(c) for c in coefficients]
    while len(exact) > 1 and exact[-1] == 0:
        exact.pop()
    return Poly(tuple(exact), letter, left)


def times(p: Poly, q: Poly) -> Poly:
    """Their product."""
    out = [Fraction(0)] * (len(p.coefficients) + len(q.coefficients) - 1)
    for i, a in enumerate(p.coefficients):
        for j, b in enumerate(q.coefficients):
            out[i + j] += a * b
    return poly(*out, letter=p.letter)


def root(square: Number) -> Value:
    """The square root of a number >= 0 in lowest terms: an integer, a fraction, or a multiple of a smaller root."""
    exact = Fraction(square)
    if exact < 0:
        raise ValueError(f"no real root of {exact}")
    inside, outside = exact.numerator * exact.denominator, 1
    for k in range(isqrt(inside), 1, -1):
        if inside % (k * k) == 0:
            inside, outside = inside // (k * k), k
            break
    part = Fraction(outside, exact.denominator)
    return plain(part * inside) if inside in (0, 1) else Mixed(Fraction(0), part, f"\\sqrt{{{inside}}}")


def plain(number: Number) -> Number:
    """The same number, as an int where it is whole."""
    return int(number) if Fraction(number).denominator == 1 else number


def show(value: Value) -> str:
    """The value in LaTeX, written one way only: equal values have equal texts."""
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Fraction):
        if value.denominator == 1:
            return str(value.numerator)
        return f"{'-' if value < 0 else ''}\\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"
    if isinstance(value, Mixed):
        return _sum([(value.whole, ""), (value.part, value.unit)])
    if isinstance(value, Poly):
        powers = [f"{value.letter}^{p}" if p > 1 else value.letter * p for p in range(len(value.coefficients))]
        return value.left + _sum(list(zip(value.coefficients, powers, strict=True))[::-1])
    if isinstance(value, Matrix):
        rows = " \\\\ ".join(" & ".join(show(cell) for cell in row) for row in value.rows)
        return f"\\begin{{pmatrix}} {rows} \\end{{pmatrix}}"
    if isinstance(value, Interval):
        return " \\cup ".join(f"{lb}{_end(low, '-')}, {_end(high)}{rb}" for lb, low, high, rb in value.parts)
    if isinstance(value, tuple):
        return f"({', '.join(show(v) for v in value)})"
    return f"\\{{{', '.join(show(v) for v in sorted(value))}\\}}"


def _end(number: Fraction | None, sign: str = "") -> str:
    return f"{sign}\\infty" if number is None else show(number)


def _sum(terms: list[tuple[Fraction, str]]) -> str:
    text = ""
    for factor, unit in terms:
        if factor == 0:
            continue
        sign = ("-" if factor < 0 else "") if not text else (" - " if factor < 0 else " + ")
        text += sign + _product(abs(factor), unit)
    return text or "0"


def _product(factor: Fraction, unit: str) -> str:
    if not unit:
        return show(factor)
    top = unit if factor.numerator == 1 else f"{factor.numerator}{unit}"
    if factor.denominator == 1:
        return top
    # As in textbooks: a root or pi stands on the fraction bar, a power of x beside the fraction.
    return f"\\frac{{{top}}}{{{factor.denominator}}}" if unit.startswith("\\") else f"{show(factor)}{unit}"


_INT, _FRACTION = r"-?\d+", r"-?\\frac\{\d+\}\{\d+\}|-?\d+"
_TERM = r"\d*[xz](?:\^\d+)?"

PATTERNS: dict[str, str] = {
    "int": _INT,
    "frac": _FRACTION,
    "ints": rf"{_INT}(?:, {_INT})+",
    "fracs": rf"(?:{_FRACTION})(?:, (?:{_FRACTION}))+",
    "poly": rf"-?{_TERM}(?: [+-] (?:{_TERM}|\d+))*",
    "form": r"-?\d*[xyz](?: [+-] \d*[xyz])+",
    "gauss": r"-?\d+ [+-] \d*i",
    "matrix": r"\\begin\{pmatrix\}[-\d &\\]+\\end\{pmatrix\}",
    "rel": r"<|>|\\le|\\ge",
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
}


def slipped(value: Value, rng: Random) -> Value:
    """A different value of the same kind, as after a slip of the pen: one off, a digit swapped, a sign lost."""
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        near = [value + 1, value - 1, value + 2, value - 2]
        if abs(value) > 9:
            near += [value + 10, value - 10, (1 if value > 0 else -1) * int(str(abs(value))[::-1])]
        if value < 0:
            near.append(-value)
        return rng.choice([n for n in near if n != value])
    if isinstance(value, Fraction):
        top = slipped(value.numerator, rng)
        if rng.random() < 0.5 and value.denominator > 2:
            return Fraction(value.numerator, value.denominator - 1)
        assert isinstance(top, int)
        return Fraction(top, value.denominator)
    if isinstance(value, Mixed):
        whole = _slip_one((value.whole,), rng)[0] if value.whole and rng.random() < 0.5 else value.whole
        return Mixed(
            whole, value.part if whole != value.whole else _slip_one((value.part,), rng)[0] or Fraction(2), value.unit
        )
    if isinstance(value, Poly):
        return poly(*_slip_one(value.coefficients, rng), letter=value.letter, left=value.left)
    if isinstance(value, Matrix):
        row = rng.randrange(len(value.rows))
        return Matrix((*value.rows[:row], _slip_one(value.rows[row], rng), *value.rows[row + 1 :]))
    if isinstance(value, Interval):
        return _slip_interval(value, rng)
    if isinstance(value, tuple):
        return tuple(plain(v) for v in _slip_one(tuple(Fraction(v) for v in value), rng))
    return frozenset(plain(v) for v in _slip_one(tuple(Fraction(v) for v in sorted(value)), rng))


def _slip_one(values: tuple[Fraction, ...], rng: Random) -> tuple[Fraction, ...]:
    at = rng.randrange(len(values))
    wrong = slipped(plain(values[at]), rng)
    assert isinstance(wrong, int | Fraction)
    return (*values[:at], Fraction(wrong), *values[at + 1 :])


def _slip_interval(value: Interval, rng: Random) -> Interval:
    *before, (left, low, high, right) = value.parts
    if high is not None:
        high += 1
    elif low is not None:
        low -= rng.choice((1, 2))
    return Interval((*before, (left, low, high, right)))


def other_spellings(value: Value) -> tuple[str, ...]:
    """Texts that mean the same value but are not what `show` writes; at least one."""
    usual = show(value)
    if isinstance(value, int):
        return (
            f"{value}.0",
            f"\\frac{{{2 * value}}}{{2}}",
            f"x = {value}",
            f"{value:,}" if abs(value) > 999 else f"\\mathbf{{{value}}}",
        )
    if isinstance(value, Fraction):
        top, bottom = value.numerator, value.denominator
        decimal = {2: 1, 4: 2, 5: 1, 8: 3, 10: 1, 20: 2, 25: 2, 50: 2}.get(bottom)
        digits = (f"{float(value):.{decimal}f}",) if decimal and top < 10**6 else ()
        sign = "-" if top < 0 else ""
        return (
            f"{top}/{bottom}",
            f"{sign}\\dfrac{{{abs(top)}}}{{{bottom}}}",
            f"\\frac{{{2 * top}}}{{{2 * bottom}}}",
            *digits,
        )
    if isinstance(value, Mixed):
        if value.whole:
            return (_sum([(value.part, value.unit), (value.whole, "")]),)
        return (f"{show(value.part)} \\cdot {value.unit}", f"{value.unit} \\times {show(value.part)}")
    if isinstance(value, Poly):
        terms = [(c, p) for p, c in enumerate(value.coefficients)]
        powers = [(c, f"{value.letter}^{{{p}}}" if p else "") for c, p in terms]
        return (value.left + _sum(powers), value.left + _sum(powers[::-1]))
    if isinstance(value, Matrix):
        return (usual.replace("pmatrix", "bmatrix"), usual.replace("\\frac", "\\dfrac").replace(" & ", "&"))
    if isinstance(value, Interval):
        return (" \\text{ or } ".join(_inequality(part) for part in value.parts),)
    if isinstance(value, tuple):
        return (usual.replace("(", "\\left(").replace(")", "\\right)"), usual.replace(", ", ","))
    if isinstance(value, frozenset):
        return (
            " \\text{ or } ".join(f"x = {show(v)}" for v in sorted(value)),
            ", ".join(show(v) for v in sorted(value)),
        )
    return (f"\\text{{{value}}}", f"({value})") if len(value) == 1 else (f"\\mathbf{{{value}}}",)


def _inequality(part: tuple[str, Fraction | None, Fraction | None, str]) -> str:
    left, low, high, right = part
    below, above = ("\\le" if left == "[" else "<"), ("\\le" if right == "]" else "<")
    if low is None and high is None:
        return "x \\in \\mathbb{R}"
    if low is None:
        return f"x {above} {_end(high)}"
    if high is None:
        return f"{show(low)} {below} x"
    return f"{show(low)} {below} x {above} {show(high)}"
