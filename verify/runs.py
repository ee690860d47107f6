"""Runs with dots, `2, 4, ..., 20`, written out."""

from fractions import Fraction
from itertools import pairwise

from verify.tree import Node, holds, literal

_MAX_TERMS = 2_000


def expanded_run(node: Node) -> Node:
    """The list, set or tuple with the terms that its dots stand for; the same node where they are not determined.

    Two terms before the dots give a step, three or more may give a factor; `2, 4, ..., 64` may be either and stays.
    """
    at = [i for i, item in enumerate(node.args) if item.kind == "dots"]
    if len(at) != 1 or not 0 < at[0] < len(node.args) - 1:
        return node
    numbers = [_number(item) for item in node.args if item.kind != "dots"]
    known = [n for n in numbers if n is not None]
    if len(known) < len(numbers):
        return node
    before, behind = known[: at[0]], known[at[0] :]
    terms = _terms(before, behind[0])
    if terms is None:
        return node
    whole = [*terms, *behind[1:]]
    if behind[1:] and {b - a for a, b in pairwise(whole)} != {whole[1] - whole[0]}:
        return node
    return node._replace(args=tuple(literal(n) for n in whole))


def _terms(before: list[Fraction], last: Fraction) -> list[Fraction] | None:
    steps = {b - a for a, b in pairwise(before)} or {Fraction(1)}
    factors = {b / a for a, b in pairwise(before)} if all(before) else set()
    even = _by_step(before, steps.pop(), last) if len(steps) == 1 else None
    growing = _by_factor(before, factors.pop(), last) if len(factors) == 1 else None
    if even and growing and before[:2] != [1, 2]:
        return None
    return even or (growing if len(before) > 2 else None)


def _by_step(before: list[Fraction], step: Fraction, last: Fraction) -> list[Fraction] | None:
    count = (last - before[0]) / step if step else Fraction(0)
    if count.denominator != 1 or not len(before) <= count < _MAX_TERMS:
        return None
    return [before[0] + i * step for i in range(int(count) + 1)]


def _by_factor(before: list[Fraction], factor: Fraction, last: Fraction) -> list[Fraction] | None:
    terms = list(before)
    while factor > 1 and 0 < terms[-1] < last and len(terms) < 200:
        terms.append(terms[-1] * factor)
    return terms if terms[-1] == last and len(terms) > len(before) else None


def _number(node: Node) -> Fraction | None:
    if node.kind == "neg" and not holds(node, "name"):
        inner = _number(node.args[0])
        return None if inner is None else -inner
    return node.number if node.kind == "num" else None
