"""Test points: where two expressions are compared."""

from fractions import Fraction

from verify.arithmetic import Approx, UnknownError
from verify.numeric import Point, evaluate
from verify.tree import Node, holds, names

_FRACTIONS = [
    Fraction(a, b)
    for a, b in ((17, 11), (13, 7), (23, 19), (31, 13), (7, 5), (29, 17), (37, 23), (19, 7), (41, 29), (11, 3))
]


_WHOLE = [11, 7, 4, 9, 3, 5, 8, 6, 13, 2]
_STEPS = (1, 11, 13, 17, 19, 23, 29, 31)
_SIDES = [Fraction(a, b) for a, b in ((17, 11), (-13, 7), (7, 13), (-5, 11), (31, 9), (-29, 8))]
_MAX_LITERALS = 6
_MANY = 48
_LARGEST_LITERAL = 10**9

SHARP = frozenset(["floor", "ceil", "mod", "max", "min", "sgn", "abs", "Re", "Im", "arg", "conj", "gcd", "lcm"])
"""Functions that are one formula here and another there: a few points tell little of them."""
STEPS = frozenset(["floor", "ceil", "mod"])
_OF_COMPLEX = frozenset(["Re", "Im", "arg", "conj"])


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


def wide_points(known: list[str], literals: list[Fraction], whole: bool) -> list[Point]:
    """Points on both sides of every number that stands in the expressions, and beyond it; each name turns on its own.

    Whole numbers from 2 on where the expressions want them.
    """
    if whole:
        reach = {int(size) for size in literals}
        pool = [Fraction(n) for n in sorted({*range(2, 17), *(n + s for n in reach for s in (0, 1, n + 1, 2 * n))})]
        pool = [n for n in pool if n >= 2]
    else:
        pool = [size * side for size in (Fraction(1), *literals) for side in _SIDES]
    size = len(pool)
    turns = range(size if len(known) == 1 else max(size, _MANY))
    return [
        {name: pool[(j * _STEPS[i % 8] + (7 + j // size) * i) % size] for i, name in enumerate(known)} for j in turns
    ]


def complex_points(known: list[str], complex_names: set[str]) -> list[Point]:
    """Points at which some names lie off the real axis, in every quadrant."""
    quadrants = (complex(0.75, 1.25), complex(-1.5, 0.625), complex(-0.375, -1.75), complex(2.5, -0.875))
    return [
        {
            name: Approx(quadrants[(j + i) % 4] * (1 + i / 8), 0.0) if name in complex_names else value
            for i, (name, value) in enumerate(point.items())
        }
        for j, point in enumerate(points(known, False, 4))
    ]


def complex_names(node: Node) -> set[str]:
    """The names in real parts, imaginary parts, arguments and conjugates: they stand for complex numbers."""
    found = names(node) if node.kind == "func" and node.value in _OF_COMPLEX else set()
    for part in node.args:
        found |= complex_names(part)
    return found


def is_sharp(node: Node, kinds: frozenset[str] = SHARP) -> bool:
    """Whether a function of `kinds` is taken of an expression with names."""
    mine = (node.kind == "func" and node.value in kinds) or (node.kind == "abs" and "abs" in kinds)
    return (mine and bool(names(node))) or any(is_sharp(part, kinds) for part in node.args)


def has_root_of_power(node: Node) -> bool:
    """Whether a root is taken of what holds a power: `\\sqrt{(x-100)^2}` is a distance."""
    root = node.kind == "root" or (node.kind == "func" and node.value == "sqrt")
    if root or (node.kind == "pow" and node.args[1].kind in ("div", "num") and node.args[1].number.denominator != 1):
        inner = node.args[0]
        if holds(inner, "pow") and names(inner):
            return True
    return any(has_root_of_power(part) for part in node.args)


def literals(*nodes: Node) -> list[Fraction]:
    """The sizes of the numbers that stand in the trees: the largest few, without 0, 1 and astronomical ones."""
    found: set[Fraction] = set()
    rest = list(nodes)
    while rest:
        node = rest.pop()
        if node.kind in ("num", "exact") and abs(node.number) not in (0, 1) and abs(node.number) < _LARGEST_LITERAL:
            found.add(abs(node.number))
        rest += node.args
    return sorted(found, reverse=True)[:_MAX_LITERALS]


def is_whole(node: Node) -> bool:
    """Whether an expression is meant for whole numbers: factorials, floors, binomials, signs like (-1)^n."""
    if node.kind in ("fact", "fact2", "binom") or (
        node.kind == "func" and node.value in ("floor", "ceil", "gcd", "lcm", "mod")
    ):
        return bool(names(node))
    if node.kind == "pow" and names(node.args[1]) and not names(node.args[0]):
        try:
            base = evaluate(node.args[0], {})
            if not (base > 0 if isinstance(base, Fraction) else base.z.real > 0 and abs(base.z.imag) <= base.error):
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
