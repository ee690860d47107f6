"""Equations, inequalities and sets of reals: one curve, one region, or not."""

from fractions import Fraction
from itertools import pairwise

from verify.arithmetic import UnknownError, Value, same
from verify.numeric import evaluate
from verify.points import is_whole, points
from verify.policy import Policy
from verify.regions import region, same_region
from verify.tree import Node, holds, names


def relations(gold: Node, answer: Node, policy: Policy) -> bool | None:
    if gold.kind == answer.kind == "rel":
        if gold.value == answer.value == "=":
            return equations(gold, answer)
        first, second = region(gold), region(answer)
        if first is not None and second is not None:
            return same_region(first, second) and (
                policy.names == "ignore" or names(gold) == names(answer) or holds(gold, "call")
            )
        return _inequalities(gold, answer)
    first, second = region(gold), region(answer)
    if first is not None and second is not None:
        return same_region(first, second)
    if (first is not None and _is_number(answer)) or (second is not None and _is_number(gold)):
        return False
    if gold.kind == "numbers" or answer.kind == "numbers":
        return False if gold.kind == answer.kind else None
    other = answer if gold.kind == "rel" else gold
    relation = gold if gold.kind == "rel" else answer
    if (
        "rel" in (gold.kind, answer.kind)
        and relation.value == "="
        and other.kind not in ("list", "set", "tuple", "text")
    ):
        return False
    return None


def equations(gold: Node, answer: Node) -> bool | None:
    """Two equations are one when left minus right is in a fixed proportion at every test point."""
    ratios = _proportions(gold, answer)
    if ratios is None or len(ratios) < 3:
        return None
    steady = [_close_values(a, b) for a, b in pairwise(ratios)]
    if all(steady):
        return True
    first, second = _degree(_difference(gold)), _degree(_difference(answer))
    return False if first is not None and first == second else None


def _degree(node: Node) -> int | None:
    """The degree of a polynomial in all its names; None for what is none. Two curves of one degree are one curve only

    if their polynomials are in proportion; `y = 1/x` and `xy = 1` may be one although they are not.
    """
    if not names(node):
        return 0
    if node.kind == "name":
        return 1
    parts = [_degree(part) for part in node.args]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    if node.kind in ("add", "neg"):
        return max(known)
    if node.kind == "mul":
        return sum(known)
    if node.kind == "div" and known[1] == 0:
        return known[0]
    if node.kind == "pow" and node.args[1].kind == "num" and node.args[1].number.denominator == 1:
        return known[0] * int(node.args[1].number)
    return None


def _inequalities(gold: Node, answer: Node) -> bool | None:
    if len(gold.args) != 2 or len(answer.args) != 2:
        return None
    ratios = _proportions(gold, answer)
    if ratios is None or len(ratios) < 3 or not all(_close_values(a, b) for a, b in pairwise(ratios)):
        return None
    size = ratios[0] if isinstance(ratios[0], Fraction) else ratios[0].z.real
    mirror = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
    expected = gold.value if size > 0 else mirror.get(gold.value, gold.value)
    return answer.value == expected


def _proportions(gold: Node, answer: Node) -> list[Value] | None:
    first, second = _difference(gold), _difference(answer)
    known = names(first) | names(second)
    if not known or names(first) != names(second):
        return None
    ratios: list[Value] = []
    for point in points(sorted(known), whole=is_whole(first) or is_whole(second), count=5):
        try:
            a, b = evaluate(first, point), evaluate(second, point)
            if same(a, Fraction(0)) or same(b, Fraction(0)):
                continue
            ratios.append(a / b if isinstance(a, Fraction) and isinstance(b, Fraction) else _ratio(a, b))
        except UnknownError:
            continue
    return ratios


def _difference(relation: Node) -> Node:
    left, right = relation.args[0].args[0], relation.args[-1].args[0]
    return Node("add", (left, Node("neg", (right,))))


def _ratio(a: Value, b: Value) -> Value:
    return evaluate(Node("div", (Node("name", (), "a"), Node("name", (), "b"))), {"a": a, "b": b})


def _close_values(a: Value, b: Value) -> bool:
    return same(a, b) is True


def _is_number(node: Node) -> bool:
    try:
        return node.kind not in ("percent", "unit") and evaluate(node, {}) is not None
    except UnknownError:
        return False
