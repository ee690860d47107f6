"""Answers as values, and how each is written in LaTeX."""

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt


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
        return signed_sum([(value.whole, ""), (value.part, value.unit)])
    if isinstance(value, Poly):
        powers = [f"{value.letter}^{p}" if p > 1 else value.letter * p for p in range(len(value.coefficients))]
        return value.left + signed_sum(list(zip(value.coefficients, powers, strict=True))[::-1])
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


def signed_sum(terms: list[tuple[Fraction, str]]) -> str:
    """Factors and units as a sum in LaTeX: signs between the terms, no zeros, no ones."""
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
