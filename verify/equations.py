"""Equations, inequalities and sets of reals: one curve, one region, or not."""

from fractions import Fraction
from itertools import pairwise

from verify.arithmetic import UnknownError, Value, same
from verify.cleared import without_fractions
from verify.digits import same_digits
from verify.ends import same_ends
from verify.numeric import Point, evaluate
from verify.points import is_sharp, is_whole, literals, points, wide_points
from verify.policy import Policy
from verify.regions import Region, region, same_region, same_whole_numbers
from verify.tree import Node, holds, literal, names


def relations(gold: Node, answer: Node, policy: Policy) -> bool | None:
    if gold.kind == answer.kind == "rel":
        if gold.value == answer.value == "=":
            return equations(gold, answer)
        if region(gold) is None or region(answer) is None:
            return _inequalities(gold, answer)
        return _regions(gold, answer, policy)
    first, second = region(gold), region(answer)
    if first is not None and second is not None:
        return _regions(gold, answer, policy)
    if gold.kind == answer.kind == "where":
        return True if _bound_alike(gold) == _bound_alike(answer) else None
    if _may_be_end(gold, second) or _may_be_end(answer, first):
        return None
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


def _regions(gold: Node, answer: Node, policy: Policy) -> bool | None:
    """Whether two sets of reals are one. `at least 6` names nothing, and may be meant for whole numbers."""
    first, second = region(gold), region(answer)
    if first is None or second is None:
        return None
    subjects = _subjects(gold), _subjects(answer)
    if policy.names == "strict" and all(subjects) and subjects[0] != subjects[1]:
        return False
    if same_region(first, second):
        return same_ends(gold, answer)
    bare = holds(gold, "blank") or holds(answer, "blank")
    return None if bare and same_whole_numbers(first, second) else False


def _subjects(node: Node) -> set[str]:
    """The names that a condition is on; none for a set, whose name is bound."""
    if node.kind == "named":
        return names(node.args[1]) if len(node.args) > 1 else set()
    if node.kind == "rel":
        return set() if holds(node, "call") else names(node)
    return set().union(*(_subjects(item) for item in node.args)) if node.kind == "list" else set()


def _may_be_end(number: Node, bounded: Region | None) -> bool:
    """Whether a number is the smallest or largest that a condition lets in: 5 of `at least 5`."""
    if bounded is None or not _is_number(number):
        return False
    point = region(Node("set", (number,)))
    at = point.pieces[0][0] if point else None
    return any((low_in and low == at) or (high_in and high == at) for low, low_in, high, high_in in bounded.pieces)


def _bound_alike(node: Node) -> Node:
    """A set with its bound name called as in any other set."""
    bound = node.args[0].args[0].args[0] if node.args[0].kind == "rel" else node.args[0]
    return _without_spelling(_exchanged(node, bound)) if bound.kind == "name" else node


def _exchanged(node: Node, bound: Node) -> Node:
    if node == bound:
        return Node("name", (), "bound")
    return node._replace(args=tuple(_exchanged(part, bound) for part in node.args))


def _without_spelling(node: Node) -> Node:
    value = "" if node.kind == "side" else node.value
    return node._replace(args=tuple(_without_spelling(part) for part in node.args), value=value)


def equations(gold: Node, answer: Node) -> bool | None:
    """Two equations are one when left minus right is in a fixed proportion at every test point."""
    ratios = _proportions(gold, answer)
    if ratios is None or len(ratios) < 3:
        return None
    steady = [_close_values(a, b) for a, b in pairwise(ratios)]
    if all(steady):
        exact = all(isinstance(ratio, Fraction) for ratio in ratios)
        return True if exact else _steady_in_every_digit(_difference(gold), _difference(answer))
    cleared = without_fractions(_difference(gold)), without_fractions(_difference(answer))
    if cleared != (_difference(gold), _difference(answer)):
        return equations(_zero(cleared[0]), _zero(cleared[1]))
    first, second = _degree(_difference(gold)), _degree(_difference(answer))
    return False if first is not None and first == second else None


def _zero(difference: Node) -> Node:
    return Node("rel", (Node("side", (difference,)), Node("side", (literal(0),))), "=")


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
    for point in _where(first, second):
        try:
            a, b = evaluate(first, point), evaluate(second, point)
            if same(a, Fraction(0)) or same(b, Fraction(0)):
                continue
            ratios.append(a / b if isinstance(a, Fraction) and isinstance(b, Fraction) else _ratio(a, b))
        except UnknownError:
            continue
    return ratios


def _where(first: Node, second: Node) -> list[Point]:
    known, whole = sorted(names(first) | names(second)), is_whole(first) or is_whole(second)
    few = points(known, whole, count=5)
    return few + wide_points(known, literals(first, second), whole) if is_sharp(first) or is_sharp(second) else few


def _steady_in_every_digit(first: Node, second: Node) -> bool | None:
    quotient = Node("div", (first, second))
    met: list[Point] = []
    for point in _where(first, second):
        try:
            evaluate(quotient, point)
            met.append(point)
        except UnknownError:
            continue
    return same_digits((quotient, met[0]), (quotient, met[-1])) if len(met) > 1 else None


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
