"""The value of a tree: exact where it is rational, else a complex float with a bound on its error. No sympy."""

from collections.abc import Mapping
from fractions import Fraction

from verify.arithmetic import (
    Approx,
    TooLargeError,
    UnknownError,
    Value,
    add,
    approx,
    binomial,
    bits,
    divide,
    double_factorial,
    factorial,
    multiply,
    power,
    root,
    scale,
)
from verify.functions import called, constant, function
from verify.tree import Node, names

Point = Mapping[str, Value]
POINT_BITS = 4_000


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


def _evaluate(node: Node, point: Point) -> Value:
    value = _computed(node, point)
    # At test points a few hundred exact digits prove no more than a float does, and cost more with every step.
    return approx(value) if point and isinstance(value, Fraction) and bits(value) > POINT_BITS else value


def _computed(node: Node, point: Point) -> Value:
    kind = node.kind
    if kind in ("num", "exact"):
        return node.number
    if kind == "name":
        if node.value in point:
            return point[node.value]
        raise UnknownError(node.value)
    if kind == "const":
        return constant(node.value)
    if kind == "func" and node.value == "mod" and node.args[0].kind == "pow":
        return _power_modulo((*node.args[0].args, node.args[1]), point)
    parts = [_evaluate(part, point) for part in node.args] if kind not in _NO_VALUE else []
    if kind == "add":
        return add(parts)
    if kind == "neg":
        return scale(parts[0], -1)
    if kind == "mul":
        return multiply(parts[0], parts[1])
    if kind in ("div", "mixed"):
        return divide(parts[0], parts[1]) if kind == "div" else add(parts)
    if kind == "pow":
        return power(parts[0], parts[1])
    if kind == "root":
        return root(parts[0], parts[1])
    if kind == "fact":
        return factorial(parts[0])
    if kind == "fact2":
        return double_factorial(parts[0])
    if kind == "binom":
        return binomial(parts[0], parts[1])
    if kind == "abs":
        return abs(parts[0]) if isinstance(parts[0], Fraction) else Approx(abs(parts[0].z), parts[0].error)
    if kind == "percent":
        return scale(parts[0], Fraction(1, 100))
    if kind == "degree":
        return multiply(scale(parts[0], Fraction(1, 180)), constant("pi"))
    if kind == "func":
        return function(node.value, parts)
    if kind == "call":
        return called(node.value, parts)
    if kind == "ratio" and len(parts) == 2:
        return divide(parts[0], parts[1])
    if kind == "unit":
        return parts[0]
    raise UnknownError(kind)


def _power_modulo(base_exponent_modulus: tuple[Node, ...], point: Point) -> Value:
    """A power that is too long to write out has a short remainder."""
    parts = [_evaluate(part, point) for part in base_exponent_modulus]
    whole = [int(p) for p in parts if isinstance(p, Fraction) and p.denominator == 1]
    if len(whole) < 3 or whole[1] < 0 or whole[2] < 1:
        raise UnknownError("a remainder")
    return Fraction(pow(whole[0], whole[1], whole[2]))


_NO_VALUE = frozenset(
    ["text", "list", "set", "tuple", "rel", "side", "cup", "cap", "minus", "where", "numbers", "matrix", "row"]
)
