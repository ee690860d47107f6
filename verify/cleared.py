"""Equations without their fractions: `y = 1/x` as `x y - 1 = 0`."""

from fractions import Fraction

from verify.arithmetic import UnknownError
from verify.numeric import evaluate
from verify.points import points
from verify.tree import Node, literal, names

_ONE = literal(1)


def without_fractions(difference: Node) -> Node:
    """What is zero where `difference` is; the same node where that would let in points at which it says nothing.

    `y/x - 2` stays: it is not `y - 2x`, which is zero at x = y = 0 as well.
    """
    top, bottom = _fraction(difference)
    lost = names(bottom)
    return top if lost and all(_never_zero(top, name) for name in lost) else difference


def _fraction(node: Node) -> tuple[Node, Node]:
    """Numerator and denominator; sums of several fractions stay as they are."""
    if node.kind == "neg":
        top, bottom = _fraction(node.args[0])
        return Node("neg", (top,)), bottom
    if node.kind in ("mul", "div"):
        (a, b), (c, d) = _fraction(node.args[0]), _fraction(node.args[1])
        return (_times(a, c), _times(b, d)) if node.kind == "mul" else (_times(a, d), _times(b, c))
    if node.kind == "add":
        parts = [_fraction(part) for part in node.args]
        bottoms = [bottom for _, bottom in parts if bottom != _ONE]
        if len(bottoms) == 1:
            tops = tuple(top if bottom != _ONE else _times(top, bottoms[0]) for top, bottom in parts)
            return Node("add", tops), bottoms[0]
    return node, _ONE


def _times(a: Node, b: Node) -> Node:
    return b if a == _ONE else a if b == _ONE else Node("mul", (a, b))


def _never_zero(top: Node, name: str) -> bool:
    """Whether a numerator is one constant other than zero wherever `name`, a factor below, is zero."""
    try:
        values = [
            evaluate(top, {**point, name: Fraction(0)}) for point in points(sorted(names(top)), whole=False, count=4)
        ]
    except UnknownError:
        return False
    return all(isinstance(value, Fraction) and value != 0 and value == values[0] for value in values)
