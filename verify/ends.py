"""The ends of two regions that floats call the same, compared exactly: `x > 3.14159265358979` is not `x > pi`."""

from fractions import Fraction
from typing import NamedTuple

from verify.arithmetic import UnknownError, Value, approx
from verify.digits import same_digits
from verify.numeric import evaluate
from verify.tree import Node

_CLOSE = 1e-9


class _End(NamedTuple):
    node: Node
    value: Value
    size: float


def same_ends(gold: Node, answer: Node) -> bool | None:
    """Whether every two numbers that lie close together in two regions are one number; None where none can tell."""
    ends = _ends(answer)
    pairs = [(one, other) for one in _ends(gold) for other in ends if _close(one.size, other.size)]
    verdicts = {_one_number(one, other) for one, other in pairs}
    return False if False in verdicts else None if None in verdicts else True


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= _CLOSE * max(abs(a), abs(b))


def _one_number(one: _End, other: _End) -> bool | None:
    if isinstance(one.value, Fraction) and isinstance(other.value, Fraction):
        return one.value == other.value
    return same_digits((one.node, {}), (other.node, {}))


def _ends(node: Node) -> list[_End]:
    """The largest parts of a tree that are numbers."""
    try:
        value = evaluate(node, {})
        return [_End(node, value, approx(value).z.real)]
    except UnknownError:
        return [end for part in node.args for end in _ends(part)]
