"""Whether two expressions in names are one: at test points, few or many, and at one of them in every digit."""

from collections.abc import Iterable, Sequence
from fractions import Fraction

from verify.arithmetic import TooLargeError, UnknownError, Value, approx, same
from verify.commuting import may_not_commute
from verify.digits import same_digits
from verify.numeric import Point, evaluate
from verify.points import (
    STEPS,
    complex_names,
    complex_points,
    has_root_of_power,
    is_sharp,
    is_whole,
    literals,
    points,
    wide_points,
)
from verify.policy import Policy
from verify.tree import Node, holds_constant, names

_WHOLE_NAMES = frozenset([*"nkmijlNKMpqrs", "k of Z"])
_LARGE_POINTS = 3
"""Points too large for floats that are reckoned in digits: each may cost some 20 ms."""
_REAL_NAMES = frozenset("xyztuvw")


def expressions(gold: Node, answer: Node, policy: Policy) -> bool | None:
    """Whether two expressions agree wherever they were tried; None where too few points tell."""
    known = sorted(names(gold) | names(answer))
    gold, answer = _conjugated(gold, known), _conjugated(answer, known)
    known = sorted(names(gold) | names(answer))
    whole = is_whole(gold) or is_whole(answer)
    turned = complex_names(gold) | complex_names(answer)
    complex_meant = bool(turned) or holds_constant(gold, "i") or holds_constant(answer, "i")
    where = complex_points(known, turned) if turned else points(known, whole, count=8)
    verdict = _agree_at(where, 5 if whole else 4, gold, answer, complex_meant, policy)
    if not verdict or turned:
        return verdict
    if may_not_commute(gold, answer):
        return None
    if whole or is_sharp(gold) or is_sharp(answer) or has_root_of_power(gold) or has_root_of_power(answer):
        return _agree_widely(gold, answer, known, whole, complex_meant, policy)
    return verdict


def near(first: Value, second: Value, policy: Policy) -> bool | None:
    """True within the tolerance, False outside it, None where floats cannot tell two numbers apart."""
    verdict = same(first, second)
    if verdict or not policy.tolerance:
        return verdict
    if isinstance(first, Fraction) and isinstance(second, Fraction):
        return abs(first - second) <= Fraction(policy.tolerance) * max(abs(first), abs(second))
    try:
        x, y = approx(first).z, approx(second).z
    except UnknownError:
        return verdict
    return True if abs(x - y) <= policy.tolerance * max(abs(x), abs(y)) else verdict


def _agree_at(
    where: Sequence[Point], enough: int, gold: Node, answer: Node, complex_meant: bool, policy: Policy
) -> bool | None:
    """Whether two expressions agree at the first points that tell, and at one of them in every digit."""
    met: list[Point] = []
    exact = True
    large = 0
    for point in where:
        try:
            first, second = evaluate(gold, point), evaluate(answer, point)
        except TooLargeError:
            large += 1
            if large > _LARGE_POINTS:
                break
            if same_digits((gold, point), (answer, point)) is False and not complex_meant:
                return False
            continue
        except UnknownError:
            continue
        # A root of a negative number at a test point says nothing of expressions meant for real numbers.
        if not complex_meant and not (is_real(first) and is_real(second)):
            continue
        verdict = near(first, second, policy)
        if verdict is None:
            verdict = same_digits((gold, point), (answer, point))
        if verdict is False and not complex_meant and not (_stays_real(gold, point) and _stays_real(answer, point)):
            continue
        if verdict is not True:
            return verdict
        exact = exact and isinstance(first, Fraction) and isinstance(second, Fraction)
        met.append(point)
        if len(met) == enough:
            break
    if len(met) < 2:
        return None
    if exact or policy.tolerance:
        return True
    return all_agree(same_digits((gold, point), (answer, point)) for point in (met[0], met[-1], *met[5::7]))


def _stays_real(node: Node, point: Point) -> bool:
    """Whether no part of an expression leaves the real numbers at a point, as `|\\ln x|` does below zero."""
    if not all(_stays_real(part, point) for part in node.args):
        return False
    if node.kind not in ("root", "pow", "func") or not names(node):
        return True
    try:
        return is_real(evaluate(node, point))
    except UnknownError:
        return False


def _agree_widely(
    gold: Node, answer: Node, known: list[str], whole: bool, complex_meant: bool, policy: Policy
) -> bool | None:
    """What points on both sides of every number in the expressions say of two that agreed at a few points."""
    numbers = literals(gold, answer)
    if whole:
        where = wide_points(known, numbers, whole=True)
        if _agree_at(where, len(where), gold, answer, complex_meant, policy) is False:
            return False
        if not (is_sharp(gold, STEPS) or is_sharp(answer, STEPS)) or set(known) <= _WHOLE_NAMES:
            return True
    where = wide_points(known, numbers, whole=False)
    verdict = _agree_at(where, len(where), gold, answer, complex_meant, policy)
    if verdict is not False:
        return True
    if whole:
        return False if set(known) & _REAL_NAMES else None  # [a] is a where a is whole, and the question may say so
    if is_sharp(gold) or is_sharp(answer):
        return False
    # Roots of powers that part only at negative names may be one for lengths.
    above = [point for point in where if all(isinstance(v, Fraction) and v > 0 for v in point.values())]
    return None if _agree_at(above, len(above), gold, answer, complex_meant, policy) else False


def _conjugated(node: Node, known: list[str]) -> Node:
    """`\\bar z` as the conjugate of z where z itself stands in one of the answers; else a bar is part of a name."""
    if node.kind == "name":
        accent, _, letter = node.value.rpartition(":")
        starred = node.value.endswith("^*")
        letter = node.value[:-2] if starred else letter
        if (starred or accent in ("bar", "overline")) and letter in ("z", "w") and letter in known:
            return Node("func", (Node("name", (), letter),), "conj")
        return node
    return node._replace(args=tuple(_conjugated(part, known) for part in node.args))


def is_real(value: Value) -> bool:
    return isinstance(value, Fraction) or abs(value.z.imag) <= value.error


def all_agree(verdicts: Iterable[bool | None]) -> bool | None:
    """True if all are, False if one is, else None."""
    unsure = False
    for verdict in verdicts:
        if verdict is False:
            return False
        unsure = unsure or verdict is None
    return None if unsure else True
