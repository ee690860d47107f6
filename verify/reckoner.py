"""A tree's value with as many digits as asked for, by the rules of `arithmetic` and `functions`; bounded in work."""

from fractions import Fraction
from typing import Any

from verify.arithmetic import Approx, TooLargeError, UnknownError, bits, root
from verify.functions import stand_in
from verify.numeric import Point, evaluate
from verify.tree import Node

UNIT_BITS = 200
_BUDGET = 1_500.0
"""Functions, roots and powers that one reckoning may take, counted at 200 bits: about 0.1 s."""
_MAX_EXPONENT = 1 << 20
_REAL_ROOTS = 1000


class Reckoner:
    """Evaluates trees with the precision of an mpmath context, exactly where a part is rational."""

    def __init__(self, mp: Any) -> None:
        self.mp = mp
        self.left = _BUDGET
        self.spread = 0
        self.scale = mp.mpf(0)

    def widened(self, value: Any) -> Any:
        """A number of the context; notes how small or large it is."""
        if isinstance(value, Approx):
            return self.mp.mpmathify(value.z)
        if not isinstance(value, Fraction):
            return value
        return self.noted(self.mp.mpf(value.numerator) / value.denominator)

    def noted(self, value: Any) -> Any:
        """The value, rid of a part that is only rounding; its size counts for the precision that is needed."""
        value = self.tidied(value)
        if value != 0:
            self.spread = max(self.spread, abs(int(self.mp.mag(value))))
        return value

    def tidied(self, value: Any) -> Any:
        if isinstance(value, self.mp.mpc):
            dust = self.dust()
            if abs(value.imag) <= dust * abs(value.real):
                value = value.real
            elif abs(value.real) <= dust * abs(value.imag):
                value = self.mp.mpc(0, value.imag)
        if not self.mp.isfinite(value):
            raise UnknownError("a pole")
        self.scale = max(self.scale, abs(value))
        return value

    def value(self, node: Node, point: Point) -> Any:
        """A Fraction where the part is rational, else a number of the context."""
        kind = node.kind
        if kind == "name" and node.value in point:
            return point[node.value]
        if kind in ("num", "exact"):
            return node.number
        if kind == "const":
            return self.constant(node.value)
        parts = [self.value(part, point) for part in node.args]
        if kind in ("call", "name"):
            return stand_in(node.value, [self.label(part) for part in parts]) if kind == "call" else _unknown(kind)
        if all(isinstance(part, Fraction) for part in parts) and not (point and self.is_long(kind, parts)):
            try:
                exact = evaluate(node._replace(args=tuple(Node("exact", (), "", part) for part in parts)), {})
            except TooLargeError:
                exact = None
            if isinstance(exact, Fraction):
                return self.widened(exact) if point and bits(exact) > self.longest() else exact
        return self.computed(node, parts)

    def longest(self) -> int:
        """The bits beyond which an exact fraction at a test point proves no more than a number of the context."""
        return 4 * int(self.mp.prec)

    def is_long(self, kind: str, parts: list[Fraction]) -> bool:
        """Whether a power would be written out in thousands of digits."""
        whole = kind == "pow" and parts[1].denominator == 1
        return whole and bits(parts[0]) * abs(parts[1]) > self.longest()

    def label(self, part: Any) -> str:
        return str(part) if isinstance(part, Fraction) else str(self.mp.nstr(self.widened(part), 40))

    def constant(self, name: str) -> Any:
        if name == "i":
            return self.mp.mpc(0, 1)
        return +self.mp.pi if name == "pi" else +self.mp.e if name == "e" else _unknown(name)

    def computed(self, node: Node, parts: list[Any]) -> Any:
        mp, kind = self.mp, node.kind
        if kind in ("pow", "root"):
            return self.powered(kind, parts)
        x = [self.widened(part) for part in parts]
        if kind in ("add", "mixed"):
            return mp.fsum(x)
        if kind == "neg":
            return -x[0]
        if kind == "mul":
            return self.product(x[0], x[1])
        if kind == "div" or (kind == "ratio" and len(x) == 2):
            return self.tidied(self.over(x[0], x[1]))
        if kind == "abs":
            return abs(x[0])
        if kind == "percent":
            return x[0] / 100
        if kind == "degree":
            return x[0] * mp.pi / 180
        if kind == "unit":
            return x[0]
        if kind == "fact":
            return self.gamma(x[0] + 1)
        if kind == "binom":
            n, k = x
            return self.gamma(n + 1) / (self.gamma(k + 1) * self.gamma(n - k + 1))
        if kind == "func":
            return self.function(node.value, x)
        return _unknown(kind)

    def product(self, a: Any, b: Any) -> Any:
        # What is left of a cancellation is about as small as the precision and wants no more of it.
        left_over = any(-2 * self.mp.prec < self.mp.mag(part) < -self.mp.prec // 2 for part in (a, b) if part != 0)
        return self.tidied(a * b) if left_over else self.noted(a * b)

    def spend(self, times: int = 1) -> None:
        self.left -= times * (self.mp.prec / UNIT_BITS) ** 1.5
        if self.left < 0:
            raise UnknownError("too much to reckon")

    def over(self, top: Any, bottom: Any) -> Any:
        if abs(bottom) <= self.dust():
            raise UnknownError("divided by nothing that can be told from zero")
        return top / bottom

    def dust(self) -> Any:
        return self.mp.mpf(2) ** (-3 * self.mp.prec // 4)

    def gamma(self, value: Any) -> Any:
        if abs(value) > 5_000 or self.mp.prec > 4_000:
            raise UnknownError("a large factorial")
        self.spend(times=10)
        return self.noted(self.mp.gamma(value))

    def powered(self, kind: str, parts: list[Any]) -> Any:
        """Roots and powers as `arithmetic` has them: an odd root of a negative number is the real one."""
        self.spend()
        base, exponent = parts
        if kind == "root":
            if not isinstance(exponent, Fraction) or exponent.denominator != 1 or not 1 <= exponent <= _REAL_ROOTS:
                return self.exponential(self.widened(base), self.over(self.mp.mpf(1), self.widened(exponent)))
            return self.rooted(base, int(exponent))
        if isinstance(base, Fraction) and isinstance(exponent, Fraction) and 1 < exponent.denominator <= 64:
            return self.exponential(self.rooted(base, exponent.denominator), Fraction(exponent.numerator))
        return self.exponential(self.widened(base), exponent)

    def rooted(self, base: Any, degree: int) -> Any:
        if isinstance(base, Fraction) and base >= 0:
            exact = root(base, Fraction(degree)) if bits(base) < 1_000 else None
            if isinstance(exact, Fraction):
                return self.widened(exact)
        x = self.widened(base)
        if abs(x) <= self.dust() and not isinstance(base, Fraction):
            x = self.mp.mpf(0)  # the root of nothing but rounding
        if not isinstance(x, self.mp.mpc) and x < 0 and degree % 2:
            return -self.noted(self.mp.root(-x, degree))
        return self.noted(self.mp.root(x, degree))

    def exponential(self, base: Any, exponent: Any) -> Any:
        if base == 0:
            raise UnknownError("a power of zero")
        if isinstance(exponent, Fraction) and exponent.denominator == 1:
            if abs(exponent) * (abs(int(self.mp.mag(base))) + 1) > _MAX_EXPONENT:
                raise UnknownError("a large power")
            return self.noted(base ** int(exponent))
        product = self.widened(exponent) * self.mp.log(base)
        if abs(product) > _MAX_EXPONENT:
            raise UnknownError("a large power")
        return self.noted(self.mp.exp(product))

    def function(self, name: str, x: list[Any]) -> Any:
        self.spend()
        mp = self.mp
        if name in ("sqrt", "cbrt"):
            return self.rooted(x[0], 2 if name == "sqrt" else 3)
        if name == "exp":
            return self.exponential(mp.e, x[0])
        if name in ("log", "log_") and len(x) == 2:
            return self.over(mp.log(x[0]), mp.log(x[1]))
        if name == "lg":
            return mp.log(x[0]) / mp.log(10)
        if name in ("max", "min") and not any(isinstance(value, mp.mpc) for value in x):
            return max(x) if name == "max" else min(x)
        if len(x) != 1 or name not in _OF_ONE or (abs(x[0]) > 1 << 64 and name not in ("ln", "log", "abs")):
            raise UnknownError(name)
        if name in ("tan", "sec") and abs(mp.cos(x[0])) <= self.dust():
            raise UnknownError("a pole")
        if name in ("cot", "csc") and abs(mp.sin(x[0])) <= self.dust():
            raise UnknownError("a pole")
        return self.tidied(mp.mpmathify(_OF_ONE[name](self, x[0])))

    def floor(self, x: Any) -> Any:
        whole = self.mp.nint(self.mp.re(x))
        return whole if abs(x - whole) <= self.dust() else self.mp.floor(self.mp.re(x))


def _unknown(what: str) -> Any:
    raise UnknownError(what)


_OF_ONE: dict[str, Any] = {
    name: lambda reckoner, x, called=called: getattr(reckoner.mp, called)(x)
    for name, called in {
        "sin": "sin", "cos": "cos", "tan": "tan", "cot": "cot", "sec": "sec", "csc": "csc", "sinh": "sinh",
        "cosh": "cosh", "tanh": "tanh", "coth": "coth", "arcsin": "asin", "arccos": "acos", "arctan": "atan",
        "arccot": "acot", "arcsec": "asec", "arccsc": "acsc", "arsinh": "asinh", "arcosh": "acosh",
        "artanh": "atanh", "ln": "log", "log": "log", "Re": "re", "Im": "im", "arg": "arg", "abs": "fabs",
        "conj": "conj",
    }.items()
}  # fmt: skip
_OF_ONE["floor"] = lambda reckoner, x: reckoner.floor(x)
_OF_ONE["ceil"] = lambda reckoner, x: -reckoner.floor(-x)
