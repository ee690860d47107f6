"""Functions of numbers: logarithms, trigonometry, floors; and a stand-in for functions that are only named."""

import cmath
import math
from collections.abc import Callable
from fractions import Fraction

from verify.arithmetic import _EPS, Approx, UnknownError, Value, _rounded, approx, divide, power, root

_CONSTANT = {"pi": complex(math.pi), "e": complex(math.e), "i": 1j}


def constant(name: str) -> Value:
    if name in _CONSTANT:
        return Approx(_CONSTANT[name], 0.0 if name == "i" else _EPS * 2)
    raise UnknownError(name)


def called(name: str, parts: list[Value]) -> Value:
    """A stand-in for an unknown function. Nine digits of the arguments make it no exact value."""
    return approx(stand_in(name, [f"{approx(p).z:.9g}" for p in parts]))


def stand_in(name: str, labels: list[str]) -> Fraction:
    """One fixed number per name and arguments."""
    import hashlib  # four milliseconds that the import of this package need not take

    label = name + ";".join(labels)
    digest = int.from_bytes(hashlib.blake2b(label.encode(), digest_size=6).digest())
    return Fraction(digest, 1 << 47) + Fraction(1, 7)


def function(name: str, parts: list[Value]) -> Value:
    if name in _EXACT and all(isinstance(p, Fraction) for p in parts):
        return _EXACT[name]([p for p in parts if isinstance(p, Fraction)])
    if name == "sqrt":
        return root(parts[0], Fraction(2))
    if name == "cbrt":
        return root(parts[0], Fraction(3))
    if name == "abs":
        return Approx(abs(approx(parts[0]).z), approx(parts[0]).error)
    if name in ("log_", "log") and len(parts) == 2:
        return _logarithm(parts[0], parts[1])
    if name == "lg":
        return _logarithm(parts[0], Fraction(10))
    if name == "exp" and len(parts) == 1:
        return power(constant("e"), parts[0])
    if name in ("max", "min"):
        return _largest(name, [approx(p) for p in parts])
    if len(parts) != 1 or name not in _COMPLEX:
        raise UnknownError(name)
    x = approx(parts[0])
    return _elementary(name, x)


def _largest(name: str, parts: list[Approx]) -> Value:
    """The largest or smallest of real numbers, where floats can tell which that is or it makes no difference."""
    if any(abs(p.z.imag) > p.error for p in parts):
        raise UnknownError("the largest of complex numbers")
    chosen = (max if name == "max" else min)(parts, key=lambda p: p.z.real)
    return Approx(chosen.z, max(p.error for p in parts))


def _logarithm(value: Value, base: Value) -> Value:
    if isinstance(value, Fraction) and isinstance(base, Fraction) and value > 0 and base > 0 and base != 1:
        guess = round(math.log(value) / math.log(base)) if max(value.numerator, value.denominator) < 1 << 1000 else 0
        if abs(guess) < 400 and Fraction(base) ** guess == value:
            return Fraction(guess)
        if value.numerator.bit_length() > 1000 or value.denominator.bit_length() > 1000:
            top = math.log(value.numerator) - math.log(value.denominator)
            return Approx(complex(top / math.log(base)), abs(top) * 1e-13)
    return divide(_elementary("ln", approx(value)), _elementary("ln", approx(base)))


def _elementary(name: str, x: Approx) -> Value:
    if name in ("sin", "cos", "tan", "cot", "sec", "csc") and abs(x.z) > 1e8:
        raise UnknownError("the sine of a large number")
    if name in ("cot", "sec", "csc"):
        return divide(Fraction(1), _elementary({"cot": "tan", "sec": "cos", "csc": "sin"}[name], x))
    if name in ("arccot", "arcsec", "arccsc"):
        inverse = divide(Fraction(1), x)
        return _elementary({"arccot": "arctan", "arcsec": "arccos", "arccsc": "arcsin"}[name], approx(inverse))
    if name == "coth":
        return divide(Fraction(1), _elementary("tanh", x))
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
    "arg": lambda z: complex(cmath.phase(z)), "conj": lambda z: z.conjugate(),
    "floor": lambda z: complex(math.floor(z.real + 1e-9)),
    "ceil": lambda z: complex(math.ceil(z.real - 1e-9)),
}  # fmt: skip
_EXACT: dict[str, Callable[[list[Fraction]], Fraction]] = {
    "floor": lambda p: Fraction(math.floor(p[0])),
    "ceil": lambda p: Fraction(math.ceil(p[0])),
    "abs": lambda p: abs(p[0]),
    "min": min,
    "max": max,
    "gcd": lambda p: Fraction(math.gcd(*_whole(p))),
    "lcm": lambda p: Fraction(math.lcm(*_whole(p))),
    "mod": lambda p: p[0] % p[1],
    "sgn": lambda p: Fraction((p[0] > 0) - (p[0] < 0)),
    "Re": lambda p: p[0],
    "Im": lambda p: Fraction(0),
    "conj": lambda p: p[0],
}


def _whole(parts: list[Fraction]) -> list[int]:
    if any(part.denominator != 1 for part in parts):
        raise UnknownError("a divisor of what is not whole")
    return [int(part) for part in parts]
