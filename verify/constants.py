"""General solutions: expressions in arbitrary constants, `C_1 e^x + C_2 e^{-x}`, are one if their families are."""

from fractions import Fraction

from verify.arithmetic import UnknownError, approx
from verify.numeric import evaluate
from verify.pattern import pattern
from verify.points import points
from verify.tree import Node, names

_NUMBERED = pattern(r"[cCkK]_\{?[0-4]\}?")
_PLAIN = frozenset("ABCDKEcabk")
_POINTS = 12
_TINY = 1e-8

Vector = list[complex]


def general_solutions(gold: Node, answer: Node) -> bool | None:
    """Whether two expressions stand for one family, whatever their constants are called; None where they are none.

    Only where one side has numbered constants, C_1 and C_2: single letters alone may be anything. Both must be
    linear in their constants; their other names are shared.
    """
    first, second = _numbered(gold), _numbered(answer)
    if max(len(first), len(second)) < 2:
        return None
    shared = names(gold) & names(answer) - first - second
    first, second = first or names(gold) - shared, second or names(answer) - shared
    if not shared or len(first) != len(second) or names(gold) - first != shared or names(answer) - second != shared:
        return None
    if not all(name in _PLAIN or _NUMBERED.fullmatch(name) for name in first | second):
        return None
    # Capacities are called C_1 and C_2 too: only a function of one name, or one with powers of e, sines and
    # logarithms is a general solution.
    transcendental = _is_transcendental(gold) and _is_transcendental(answer)
    if not transcendental and (
        len(shared) > 1 or not all(name[0] == "C" for name in _numbered(gold) | _numbered(answer))
    ):
        return None
    known = sorted(shared)
    one, other = _family(gold, sorted(first), known), _family(answer, sorted(second), known)
    if one is None or other is None:
        return None
    gap = [a - b for a, b in zip(one[0], other[0], strict=True)]
    if not _rank(one[1]) == _rank(other[1]) == len(first):
        return None
    return _rank([*one[1], *other[1], gap]) == len(first)


def _numbered(node: Node) -> set[str]:
    return {name for name in names(node) if _NUMBERED.fullmatch(name)}


def _is_transcendental(node: Node) -> bool:
    if node.kind == "func" or (node.kind == "pow" and names(node.args[1])):
        return True
    return any(_is_transcendental(part) for part in node.args)


def _family(node: Node, constants: list[str], known: list[str]) -> tuple[Vector, list[Vector]] | None:
    """The expression without constants, and the factor of each constant, at the test points; None if not linear."""
    start: Vector = []
    factors: list[Vector] = [[] for _ in constants]
    for point in points(known, whole=False, count=20):
        try:
            zero = {name: Fraction(0) for name in constants}
            at_zero = approx(evaluate(node, {**point, **zero})).z
            ones = [approx(evaluate(node, {**point, **zero, name: Fraction(1)})).z for name in constants]
            mixed = {name: Fraction(i + 2) for i, name in enumerate(constants)}
            together = approx(evaluate(node, {**point, **mixed})).z
        except UnknownError:
            continue
        slopes = [one - at_zero for one in ones]
        expected = at_zero + sum(slope * (i + 2) for i, slope in enumerate(slopes))
        if abs(expected - together) > _TINY * max(abs(expected), abs(together), 1.0):
            return None
        start.append(at_zero)
        for factor, slope in zip(factors, slopes, strict=True):
            factor.append(slope)
        if len(start) == _POINTS:
            break
    return (start, factors) if len(start) > 2 * len(constants) + 1 else None


def _rank(rows: list[Vector]) -> int:
    """How many of the rows are independent, columns scaled to one size; Gauss with the largest pivot."""
    columns = range(len(rows[0]))
    sizes = [max((abs(row[i]) for row in rows), default=0.0) or 1.0 for i in columns]
    left = [[row[i] / sizes[i] for i in columns] for row in rows]
    rank = 0
    while left:
        row, column = max(((r, c) for r in range(len(left)) for c in columns), key=lambda at: abs(left[at[0]][at[1]]))
        pivot = left.pop(row)
        if abs(pivot[column]) < _TINY:
            break
        left = [
            [value - other[column] / pivot[column] * p for value, p in zip(other, pivot, strict=True)] for other in left
        ]
        rank += 1
    return rank
