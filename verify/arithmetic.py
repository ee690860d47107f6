"""Arithmetic that is exact where it can be, else carries a bound on its error, and never computes what is too large.

Every power, factorial and binomial is measured before it is computed, so that no answer can make this slow.
"""

import cmath
import math
from fractions import Fraction
from typing import NamedTuple

MAX_BITS = 60_000
"""Longest whole number that is written out."""
MAX_FRACTION_BITS = 20_000
"""Longest fraction that is reckoned with: reducing one takes time quadratic in its length."""


_EPS = 2.3e-16


class Approx(NamedTuple):
    """A complex number, right to within `error`."""

    z: complex
    error: float


Value = Fraction | Approx


class UnknownError(ValueError):
    """The tree holds something that has no number here."""


class TooLargeError(UnknownError):
    """A number too large to write down: nothing is computed."""


def same(a: Value, b: Value) -> bool | None:
    """Whether two values are one number; None where the floats are too coarse to tell."""
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return a == b
    try:
        x, y = approx(a), approx(b)
    except TooLargeError:
        return False  # one is larger than any float, the other is a float
    except UnknownError:
        return None
    gap, error = abs(x.z - y.z), 8 * (x.error + y.error)
    size = max(abs(x.z), abs(y.z))
    if gap <= error or gap <= 1e-13 * size:
        return True if error <= 1e-7 * size or (size <= 1e-12 and error <= 1e-10) else None
    return False if gap > 4 * error else None


def approx(value: Value) -> Approx:
    if isinstance(value, Approx):
        return value
    try:
        number = float(value)
    except OverflowError as error:
        raise TooLargeError("larger than any float") from error
    if number == 0 and value != 0:
        raise UnknownError("smaller than any float")
    return Approx(complex(number), abs(number) * _EPS)


def _rounded(z: complex, error: float) -> Approx:
    if cmath.isnan(z) or cmath.isinf(z):
        raise TooLargeError("larger than any float")
    return Approx(z, error + abs(z) * _EPS)


def add(parts: list[Value]) -> Value:
    """The sum."""
    total = Fraction(0)
    for part in parts:
        if not isinstance(part, Fraction):
            break
        _bound(part)
        total += part
        _bound(total)
    else:
        return total
    floats = [approx(p) for p in parts]
    error = sum(f.error for f in floats) + max(abs(f.z) for f in floats) * _EPS
    return _rounded(sum(f.z for f in floats), error)


def scale(value: Value, by: Fraction | int) -> Value:
    if isinstance(value, Fraction):
        return value * by
    return _rounded(value.z * float(by), value.error * abs(float(by)))


def multiply(a: Value, b: Value) -> Value:
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        _bound(a)
        _bound(b)
        return a * b
    if 0 in (a, b):
        return Fraction(0)
    x, y = approx(a), approx(b)
    return _rounded(x.z * y.z, abs(x.z) * y.error + abs(y.z) * x.error + x.error * y.error)


def divide(a: Value, b: Value) -> Value:
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        _bound(a)
        _bound(b)
        return a / b
    x, y = approx(a), approx(b)
    if abs(y.z) <= 16 * y.error:
        raise UnknownError("divided by nothing that can be told from zero")
    return _rounded(x.z / y.z, (x.error + abs(x.z / y.z) * y.error) / (abs(y.z) - y.error))


def power(base: Value, exponent: Value) -> Value:
    if isinstance(exponent, Fraction) and exponent.denominator == 1 and isinstance(base, Fraction):
        whole = int(exponent)
        if base in (1, -1):
            return base ** (whole % 2)
        if base == 0 and whole <= 0:
            raise UnknownError("a power of zero")
        _guard(base, whole)
        return base**whole
    if isinstance(base, Fraction) and isinstance(exponent, Fraction) and exponent.denominator <= 64:
        rooted = root(base, Fraction(exponent.denominator))
        return power(rooted, Fraction(exponent.numerator))
    x, y = approx(base), approx(exponent)
    if x.z == 0:
        if y.z.real > 0:
            return Fraction(0)
        raise UnknownError("a power of zero")
    if y.z.imag == 0 and y.z.real == int(y.z.real) and isinstance(exponent, Fraction):
        z = x.z ** int(y.z.real)
    else:
        z = cmath.exp(y.z * cmath.log(x.z))
    relative = abs(y.z) * x.error / abs(x.z) + (abs(cmath.log(x.z)) if x.z else 0.0) * y.error
    return _rounded(z, abs(z) * (relative + _EPS * (2 + abs(y.z) * abs(cmath.log(x.z)))))


def root(value: Value, degree: Value) -> Value:
    if not isinstance(degree, Fraction) or degree.denominator != 1 or not 1 <= degree <= 1000:
        return power(value, divide(Fraction(1), degree))
    n = int(degree)
    if isinstance(value, Fraction):
        # An odd root of a negative number is the real one, as school books have it.
        if value < 0 and n % 2 == 1:
            return scale(root(-value, degree), -1)
        if value >= 0:
            top, bottom = _exact_root(value.numerator, n), _exact_root(value.denominator, n)
            if top is not None and bottom is not None:
                return Fraction(top, bottom)
    x = approx(value)
    if x.z == 0:
        return Fraction(0)
    if x.z.imag == 0 and x.z.real < 0 and n % 2 == 1:
        z: complex = complex(-((-x.z.real) ** (1 / n)))
    elif n == 2:
        z = cmath.sqrt(x.z)
    else:
        z = complex(x.z.real ** (1 / n)) if x.z.imag == 0 and x.z.real > 0 else cmath.exp(cmath.log(x.z) / n)
    if abs(x.z) <= 4 * x.error:
        return Approx(z, max(abs(z), x.error ** (1 / n)))
    return _rounded(z, abs(z) * (x.error / abs(x.z) / n + 2 * _EPS))


def _exact_root(value: int, n: int) -> int | None:
    if value.bit_length() > MAX_BITS:
        return None
    root = math.isqrt(value) if n == 2 else round(value ** (1 / n)) if value.bit_length() < 1000 else -1
    return root if root >= 0 and root**n == value else None


def bits(value: Fraction) -> int:
    """The length of the longer of numerator and denominator."""
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def _bound(value: Fraction) -> None:
    if bits(value) > (MAX_BITS if value.denominator == 1 else MAX_FRACTION_BITS):
        raise TooLargeError("a long fraction")


def _guard(base: Fraction, power: int) -> None:
    if bits(base) * abs(power) > MAX_BITS:
        raise TooLargeError("a large power")


def double_factorial(value: Value) -> Value:
    """5!! = 5 * 3 * 1."""
    if not isinstance(value, Fraction) or value.denominator != 1 or value < 0:
        raise UnknownError("a double factorial")
    if value > 1500:
        raise TooLargeError("a large double factorial")
    return Fraction(math.prod(range(int(value), 1, -2)))


def factorial(value: Value) -> Value:
    if isinstance(value, Fraction) and value.denominator == 1:
        if value < 0:
            raise UnknownError("the factorial of a negative number")
        if value > 1500:
            raise TooLargeError("a large factorial")
        return Fraction(math.factorial(int(value)))
    x = approx(value)
    if x.z.imag or not -20 < x.z.real < 150:
        raise UnknownError("a factorial")
    z = math.gamma(x.z.real + 1)
    return _rounded(complex(z), abs(z) * (1e-14 + x.error * 10))


def binomial(n: Value, k: Value) -> Value:
    if isinstance(n, Fraction) and isinstance(k, Fraction) and n.denominator == k.denominator == 1 and n >= 0 <= k:
        if min(k, abs(n - k)) * n.numerator.bit_length() > MAX_BITS:
            raise TooLargeError("a large binomial")
        return Fraction(math.comb(int(n), int(k)))
    return divide(factorial(n), multiply(factorial(k), factorial(add([n, scale(k, -1)]))))
