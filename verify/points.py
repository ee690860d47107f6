"""Test points: where two expressions are compared."""

from fractions import Fraction

from verify.arithmetic import UnknownError
from verify.numeric import Point, evaluate
from verify.tree import Node, holds, names

_FRACTIONS = [
    Fraction(a, b)
    for a, b in ((17, 11), (13, 7), (23, 19), (31, 13), (7, 5), (29, 17), (37, 23), (19, 7), (41, 29), (11, 3))
]


_WHOLE = [11, 7, 4, 9, 3, 5, 8, 6, 13, 2]


def points(known: list[str], whole: bool, count: int) -> list[Point]:
    """Test points: above one, below one, negative and large names; whole numbers where the expression wants them."""
    if whole:
        turns = [_WHOLE, _WHOLE[1:] + _WHOLE[:1], sorted(_WHOLE, reverse=True), sorted(_WHOLE), [w + 1 for w in _WHOLE]]
        return [{name: Fraction(turn[i % 10] + i // 10) for i, name in enumerate(known)} for turn in turns]
    points: list[Point] = []
    for j in range(count):
        values = {}
        for i, name in enumerate(known):
            value = _FRACTIONS[(3 * i + j) % 10] + Fraction(i, 97)
            values[name] = 1 / value if (i + j) % 3 == 1 else value
            values[name] = _moved(values[name], i, j)
        points.append(values)
    return points


def _moved(value: Fraction, i: int, j: int) -> Fraction:
    """The i-th name at the j-th point: some points have negative names, some large ones, some small ones."""
    if j in (5, 11, 14) or (j == 2 and i % 2 == 0):
        return -value
    return {4: value + 5, 6: value + 11, 7: value / 7}.get(j, value)


def is_whole(node: Node) -> bool:
    """Whether an expression is meant for whole numbers: factorials, floors, binomials, signs like (-1)^n."""
    if node.kind in ("fact", "binom") or (node.kind == "func" and node.value in ("floor", "ceil", "gcd", "lcm", "mod")):
        return bool(names(node))
    if node.kind == "pow" and names(node.args[1]) and not names(node.args[0]):
        try:
            base = evaluate(node.args[0], {})
            if not (isinstance(base, Fraction) and base > 0):
                return True
        except UnknownError:
            pass
    if (
        node.kind == "func"
        and node.value in ("sin", "cos", "tan")
        and holds(node, "const")
        and names(node) & set("nkm")
    ):
        return True
    return any(is_whole(part) for part in node.args)
