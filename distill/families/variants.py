"""Near misses and other spellings of a value: what a slip leaves, and what means the same in unusual form."""

from fractions import Fraction
from random import Random

from distill.families.value import Interval, Matrix, Mixed, Poly, Value, plain, poly, show, signed_sum


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
            return (signed_sum([(value.part, value.unit), (value.whole, "")]),)
        return (f"{show(value.part)} \\cdot {value.unit}", f"{value.unit} \\times {show(value.part)}")
    if isinstance(value, Poly):
        terms = [(c, p) for p, c in enumerate(value.coefficients)]
        powers = [(c, f"{value.letter}^{{{p}}}" if p else "") for c, p in terms]
        if len(powers) == 1:
            return (f"\\displaystyle {usual}",)
        return (value.left + signed_sum(powers), value.left + signed_sum(powers[::-1]))
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
    if low is None:
        return f"x {above} {show(high)}" if high is not None else "x \\in \\mathbb{R}"
    if high is None:
        return f"{show(low)} {below} x"
    return f"{show(low)} {below} x {above} {show(high)}"
