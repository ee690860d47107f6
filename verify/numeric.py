"""The value of a tree: exact where it is rational, else a complex float with a bound on its error. No sympy.

Every power, factorial and binomial is measured before it is computed, so that no answer can make this slow.
"""

import cmath
import hashlib
import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import NamedTuple

from verify.latex import Node

MAX_BITS = 60_000
_EPS = 2.3e-16


class Approx(NamedTuple):
    """A complex number, right to within `error`."""

    z: complex
    error: float


Value = Fraction | Approx
Point = Mapping[str, Value]


class UnknownError(ValueError):
    """The tree holds something that has no number here."""


class TooLargeError(UnknownError):
    """A number too large to write down: nothing is computed."""


def evaluate(node: Node, point: Point) -> Value:
    """The value of an expression with the names of `point` set.

    Raises:
        UnknownError: a name is not set, or a part is no number (a set, a text, infinity, a pole).
        TooLargeError: a part is larger than any float.

    >>> from verify.latex import read
    >>> evaluate(read("3\\\\frac{1}{2}+2^{-2}"), {})
    Fraction(15, 4)
    """
    try:
        return _evaluate(node, point)
    except (OverflowError, ZeroDivisionError, RecursionError) as error:
        raise (TooLargeError if isinstance(error, OverflowError) else UnknownError)(str(error)) from error


def same(a: Value, b: Value) -> bool | None:
    """Whether two values are one number; None where the floats are too coarse to tell."""
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return a == b
    x, y = _approx(a), _approx(b)
    gap, error = abs(x.z - y.z), 8 * (x.error + y.error)
    size = max(abs(x.z), abs(y.z))
    if gap <= error or gap <= 1e-13 * size:
        return True if error <= 1e-7 * size or (size <= 1e-12 and error <= 1e-10) else None
    return False if gap > 4 * error else None


def too_large(node: Node) -> bool:
    """Whether some number in the tree is larger than any float: a tower, a huge factorial."""
    if node.kind in ("pow", "fact", "fact2", "binom", "mul", "div", "add", "func") and not names(node):
        try:
            evaluate(node, {})
        except TooLargeError:
            return True
        except UnknownError:
            pass
    return any(too_large(part) for part in node.args)


def names(node: Node) -> set[str]:
    """The names that stand in a tree; called functions are not among them."""
    found = {node.value} if node.kind == "name" else set()
    for part in node.args:
        found |= names(part)
    return found


def _evaluate(node: Node, point: Point) -> Value:
    kind = node.kind
    if kind in ("num", "exact"):
        return node.number
    if kind == "name":
        if node.value in point:
            return point[node.value]
        raise UnknownError(node.value)
    if kind == "const":
        return _constant(node.value)
    parts = [_evaluate(part, point) for part in node.args] if kind not in _NO_VALUE else []
    if kind == "add":
        return _sum(parts)
    if kind == "neg":
        return _scale(parts[0], -1)
    if kind == "mul":
        return _product(parts[0], parts[1])
    if kind in ("div", "mixed"):
        return _quotient(parts[0], parts[1]) if kind == "div" else _sum(parts)
    if kind == "pow":
        return _power(parts[0], parts[1])
    if kind == "root":
        return _root(parts[0], parts[1])
    if kind == "fact":
        return _factorial(parts[0])
    if kind == "binom":
        return _binomial(parts[0], parts[1])
    if kind == "abs":
        return abs(parts[0]) if isinstance(parts[0], Fraction) else Approx(abs(parts[0].z), parts[0].error)
    if kind == "percent":
        return _scale(parts[0], Fraction(1, 100))
    if kind == "degree":
        return _product(_scale(parts[0], Fraction(1, 180)), _constant("pi"))
    if kind == "func":
        return _function(node.value, parts)
    if kind == "call":
        return _called(node.value, parts)
    if kind == "ratio" and len(parts) == 2:
        return _quotient(parts[0], parts[1])
    if kind == "unit":
        return parts[0]
    raise UnknownError(kind)


_NO_VALUE = frozenset(
    ["text", "list", "set", "tuple", "rel", "side", "cup", "cap", "minus", "where", "numbers", "matrix", "row"]
)
_NO_VALUE |= frozenset(["dots", "word", "base", "pm", "fact2"])
_CONSTANT = {"pi": complex(math.pi), "e": complex(math.e), "i": 1j}


def _constant(name: str) -> Value:
    if name in _CONSTANT:
        return Approx(_CONSTANT[name], 0.0 if name == "i" else _EPS * 2)
    raise UnknownError(name)


def _approx(value: Value) -> Approx:
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


def _sum(parts: list[Value]) -> Value:
    if all(isinstance(p, Fraction) for p in parts):
        return sum((p for p in parts if isinstance(p, Fraction)), Fraction(0))
    floats = [_approx(p) for p in parts]
    return _rounded(sum(f.z for f in floats), sum(f.error for f in floats) + max(abs(f.z) for f in floats) * _EPS)


def _scale(value: Value, by: Fraction | int) -> Value:
    if isinstance(value, Fraction):
        return value * by
    return _rounded(value.z * float(by), value.error * abs(float(by)))


def _product(a: Value, b: Value) -> Value:
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        _guard(a, 1)
        _guard(b, 1)
        return a * b
    if 0 in (a, b):
        return Fraction(0)
    x, y = _approx(a), _approx(b)
    return _rounded(x.z * y.z, abs(x.z) * y.error + abs(y.z) * x.error + x.error * y.error)


def _quotient(a: Value, b: Value) -> Value:
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return a / b
    x, y = _approx(a), _approx(b)
    if abs(y.z) <= 16 * y.error:
        raise UnknownError("divided by nothing that can be told from zero")
    return _rounded(x.z / y.z, (x.error + abs(x.z / y.z) * y.error) / (abs(y.z) - y.error))


def _power(base: Value, exponent: Value) -> Value:
    if isinstance(exponent, Fraction) and exponent.denominator == 1 and isinstance(base, Fraction):
        power = int(exponent)
        if base in (0, 1, -1):
            return (
                Fraction(1)
                if power == 0
                else base
                if power > 0 and base == 0
                else base ** (power % 2 or 2)
                if base
                else 1 / base
            )
        _guard(base, power)
        return base**power
    if isinstance(base, Fraction) and isinstance(exponent, Fraction) and exponent.denominator <= 64:
        rooted = _root(base, Fraction(exponent.denominator))
        return _power(rooted, Fraction(exponent.numerator))
    x, y = _approx(base), _approx(exponent)
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


def _root(value: Value, degree: Value) -> Value:
    if not isinstance(degree, Fraction) or degree.denominator != 1 or not 1 <= degree <= 1000:
        return _power(value, _quotient(Fraction(1), degree))
    n = int(degree)
    if isinstance(value, Fraction):
        # An odd root of a negative number is the real one, as school books have it.
        if value < 0 and n % 2 == 1:
            return _scale(_root(-value, degree), -1)
        if value >= 0:
            top, bottom = _exact_root(value.numerator, n), _exact_root(value.denominator, n)
            if top is not None and bottom is not None:
                return Fraction(top, bottom)
    x = _approx(value)
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


def _guard(base: Fraction, power: int) -> None:
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if bits * abs(power) > MAX_BITS:
        raise TooLargeError(f"{bits} bits to the power {power}")


def _factorial(value: Value) -> Value:
    if isinstance(value, Fraction) and value.denominator == 1:
        if value < 0:
            raise UnknownError("the factorial of a negative number")
        if value > 1500:
            raise TooLargeError("a large factorial")
        return Fraction(math.factorial(int(value)))
    x = _approx(value)
    if x.z.imag or not -20 < x.z.real < 150:
        raise UnknownError("a factorial")
    z = math.gamma(x.z.real + 1)
    return _rounded(complex(z), abs(z) * (1e-14 + x.error * 10))


def _binomial(n: Value, k: Value) -> Value:
    if isinstance(n, Fraction) and isinstance(k, Fraction) and n.denominator == k.denominator == 1 and n >= 0 <= k:
        if min(k, abs(n - k)) * n.numerator.bit_length() > MAX_BITS:
            raise TooLargeError("a large binomial")
        return Fraction(math.comb(int(n), int(k)))
    return _quotient(_factorial(n), _product(_factorial(k), _factorial(_sum([n, _scale(k, -1)]))))


def _called(name: str, parts: list[Value]) -> Value:
    """A stand-in for an unknown function: one fixed number per name and arguments."""
    label = name + ";".join(f"{_approx(p).z:.9g}" for p in parts)
    digest = int.from_bytes(hashlib.blake2b(label.encode(), digest_size=6).digest())
    return Fraction(digest, 1 << 47) + Fraction(1, 7)


def _function(name: str, parts: list[Value]) -> Value:
    if name in _EXACT and all(isinstance(p, Fraction) for p in parts):
        return _EXACT[name]([p for p in parts if isinstance(p, Fraction)])
    if name == "sqrt":
        return _root(parts[0], Fraction(2))
    if name == "cbrt":
        return _root(parts[0], Fraction(3))
    if name == "abs":
        return Approx(abs(_approx(parts[0]).z), _approx(parts[0]).error)
    if name in ("log_", "log") and len(parts) == 2:
        return _logarithm(parts[0], parts[1])
    if name == "lg":
        return _logarithm(parts[0], Fraction(10))
    if name == "exp" and len(parts) == 1:
        return _power(_constant("e"), parts[0])
    if len(parts) != 1 or name not in _COMPLEX:
        raise UnknownError(name)
    x = _approx(parts[0])
    return _elementary(name, x)


def _logarithm(value: Value, base: Value) -> Value:
    if isinstance(value, Fraction) and isinstance(base, Fraction) and value > 0 and base > 0 and base != 1:
        guess = round(math.log(value) / math.log(base)) if max(value.numerator, value.denominator) < 1 << 1000 else 0
        if abs(guess) < 400 and Fraction(base) ** guess == value:
            return Fraction(guess)
        if value.numerator.bit_length() > 1000 or value.denominator.bit_length() > 1000:
            top = math.log(value.numerator) - math.log(value.denominator)
            return Approx(complex(top / math.log(base)), abs(top) * 1e-13)
    return _quotient(_elementary("ln", _approx(value)), _elementary("ln", _approx(base)))


def _elementary(name: str, x: Approx) -> Value:
    if name in ("sin", "cos", "tan", "cot", "sec", "csc") and abs(x.z) > 1e8:
        raise UnknownError("the sine of a large number")
    if name in ("cot", "sec", "csc"):
        return _quotient(Fraction(1), _elementary({"cot": "tan", "sec": "cos", "csc": "sin"}[name], x))
    if name in ("arccot", "arcsec", "arccsc"):
        inverse = _quotient(Fraction(1), x)
        return _elementary({"arccot": "arctan", "arcsec": "arccos", "arccsc": "arcsin"}[name], _approx(inverse))
    if name == "coth":
        return _quotient(Fraction(1), _elementary("tanh", x))
    try:
        z = _COMPLEX[name](x.z)
        step = max(x.error, abs(x.z) * _EPS)
        slope = abs(_COMPLEX[name](x.z + 1e-7) - z) / 1e-7
    except ValueError as error:
        raise UnknownError(name) from error
    if name == "tan" and abs(z) > 1e12:
        raise UnknownError("a pole")
    return _rounded(
        z, step * min(slope, 1e6) * 2 + 2 * _EPS * max(abs(z), 1.0 if name in ("sin", "cos", "tan") else 0.0)
    )


_COMPLEX: dict[str, Callable[[complex], complex]] = {
    "sin": cmath.sin, "cos": cmath.cos, "tan": cmath.tan, "sinh": cmath.sinh, "cosh": cmath.cosh, "tanh": cmath.tanh,
    "arcsin": cmath.asin, "arccos": cmath.acos, "arctan": cmath.atan, "arsinh": cmath.asinh, "arcosh": cmath.acosh,
    "artanh": cmath.atanh, "ln": cmath.log, "log": cmath.log, "exp": cmath.exp,
    "cot": cmath.tan, "sec": cmath.cos, "csc": cmath.sin, "arccot": cmath.atan, "arcsec": cmath.acos,
    "arccsc": cmath.asin, "coth": cmath.tanh, "Re": lambda z: complex(z.real), "Im": lambda z: complex(z.imag),
    "arg": lambda z: complex(cmath.phase(z)), "floor": lambda z: complex(math.floor(z.real + 1e-9)),
    "ceil": lambda z: complex(math.ceil(z.real - 1e-9)),
}  # fmt: skip
_EXACT: dict[str, Callable[[list[Fraction]], Fraction]] = {
    "floor": lambda p: Fraction(math.floor(p[0])),
    "ceil": lambda p: Fraction(math.ceil(p[0])),
    "abs": lambda p: abs(p[0]),
    "min": min,
    "max": max,
    "gcd": lambda p: Fraction(math.gcd(*(int(x) for x in p))),
    "lcm": lambda p: Fraction(math.lcm(*(int(x) for x in p))),
    "mod": lambda p: p[0] % p[1],
    "sgn": lambda p: Fraction((p[0] > 0) - (p[0] < 0)),
}
