"""The small tree that an answer is read into."""

from fractions import Fraction
from typing import NamedTuple


class Node(NamedTuple):
    """One part of an answer: `kind` says how to read `args` and `value`."""

    kind: str
    args: tuple["Node", ...] = ()
    value: str = ""
    number: Fraction = Fraction(0)


def names(node: Node) -> set[str]:
    """The names that stand in a tree; called functions are not among them."""
    found = {node.value} if node.kind == "name" else set()
    for part in node.args:
        found |= names(part)
    return found


def holds(node: Node, kind: str) -> bool:
    if node.kind == kind:
        return True
    for part in node.args:  # noqa: SIM110 - a generator takes twice as long, and this is asked of every tree
        if holds(part, kind):
            return True
    return False


def holds_constant(node: Node, name: str) -> bool:
    return (node.kind == "const" and node.value == name) or any(holds_constant(part, name) for part in node.args)


def literal(value: int | Fraction) -> Node:
    """The node of a number."""
    return Node("num", (), str(value), Fraction(value))


def is_understood(node: Node) -> bool:
    """Whether every part of a tree has a meaning here: no words, no dots."""
    return node.kind not in ("text", "dots", "word", "blank") and all(is_understood(part) for part in node.args)
