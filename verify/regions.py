"""Sets of real numbers as sorted pieces: intervals, points, unions, inequalities in one name."""

import math
from collections.abc import Callable
from typing import NamedTuple

from verify.arithmetic import Approx, UnknownError, Value
from verify.numeric import evaluate
from verify.tree import Node, names

INF = float("inf")
Piece = tuple[float, bool, float, bool]


class Region(NamedTuple):
    """Pieces (low, low is in, high, high is in), sorted and apart."""

    pieces: tuple[Piece, ...]


_UNIONS = ("cup", "cap", "minus")
EVERYTHING = Region(((-INF, False, INF, False),))


def region(node: Node) -> Region | None:
    """The set of reals that a node stands for; None where it is no such set.

    >>> from verify.latex import read
    >>> region(read("x\\\\ne 5")) == region(read("(-\\\\infty,5)\\\\cup(5,\\\\infty)"))
    True
    """
    try:
        return _region(node)
    except UnknownError:
        return None


def same_region(a: Region, b: Region) -> bool:
    """Whether two sets have the same pieces, ends within float error."""
    if len(a.pieces) != len(b.pieces):
        return False
    return all(
        p[1] == q[1] and p[3] == q[3] and _close(p[0], q[0]) and _close(p[2], q[2])
        for p, q in zip(a.pieces, b.pieces, strict=True)
    )


def _region(node: Node) -> Region | None:
    kind = node.kind
    if kind == "tuple" and len(node.args) == 2 and node.value in ("()", "[]", "(]", "[)"):
        low, high = _end(node.args[0]), _end(node.args[1])
        if low > high:
            return None
        return Region(((low, node.value[0] == "[" and low != -INF, high, node.value[1] == "]" and high != INF),))
    if kind == "numbers":
        return EVERYTHING if node.value == "R" else None
    if kind == "set":
        return _union([_point(_end(item)) for item in node.args])
    if kind == "list":
        return _listed(node)
    if kind == "named":
        return Region((_point(_end(node.args[0])),))
    if kind in _UNIONS:
        left, right = _region(node.args[0]), _region(node.args[1])
        if left is None or right is None:
            return None
        if kind == "cup":
            return _union([*left.pieces, *right.pieces])
        return _intersection(left, right if kind == "cap" else _complement(right))
    if kind == "where":
        return _built(*node.args)
    if kind == "rel":
        return _inequality(node)
    return None


def _listed(node: Node) -> Region | None:
    """Several conditions on one name, or several sets.

    Loosely written, `x > 2, x < 3` means both and `x < 2, x > 3` means either; without a word between them
    conditions are read as what says something: not nothing, and not everything.
    """
    if len(names(node)) > 1:
        return None
    parts: list[Region] = []
    excluding: Node | None = None
    for item in node.args:
        if item.kind == "rel":
            excluding = item if item.value == "!=" else None
        elif excluding is not None and item.kind not in _SETS:
            item = excluding._replace(args=(excluding.args[0], Node("side", (item,))))  # x != 1, 2
        part = _region(item) if item.kind in _SETS else Region((_point(_end(item)),))
        if part is None:
            return None
        parts.append(part)
    either = _union([piece for part in parts for piece in part.pieces])
    if node.value == "or" or not any(item.kind == "rel" for item in node.args):
        return either
    both = parts[0]
    for part in parts[1:]:
        both = _intersection(both, part)
    if not both.pieces:
        return either
    return both if node.value == "and" or either == EVERYTHING else None


_SETS = frozenset(["tuple", "rel", "set", "named", *_UNIONS])


def _built(bound: Node, condition: Node) -> Region | None:
    """`{x in S : condition}`; None where the condition is on another name."""
    domain: Region | None = EVERYTHING
    if bound.kind == "rel" and bound.value == "in":
        bound, domain = bound.args[0].args[0], _region(bound.args[1].args[0])
    if domain is None or bound.kind != "name" or names(condition) != {bound.value}:
        return None
    held = _region(condition)
    return None if held is None else _intersection(domain, held)


def same_whole_numbers(a: Region, b: Region) -> bool:
    """Whether two sets hold the same whole numbers: more than 5, and at least 6."""
    return same_region(_whole(a), _whole(b))


def _whole(a: Region) -> Region:
    found = []
    for low, low_in, high, high_in in a.pieces:
        start = low if low == -INF else math.ceil(low) + (low == math.ceil(low) and not low_in)
        end = high if high == INF else math.floor(high) - (high == math.floor(high) and not high_in)
        found.append((float(start), start != -INF, float(end), end != INF))
    return Region(tuple(found))


def _inequality(node: Node) -> Region | None:
    """`a < x <= b`, `x > a`, `x != a`, `x in S`: the set of x."""
    signs = node.value.split(" ")
    sides = [side.args[0] for side in node.args]
    if signs == ["in"]:
        return _region(sides[1]) if sides[0].kind in ("name", "call") else None
    if not all(sign in ("<", ">", "<=", ">=", "!=") for sign in signs):
        return None
    unknown = [i for i, side in enumerate(sides) if side.kind in ("name", "call", "blank")]
    if len(unknown) != 1 or len(sides) > 3:
        return None
    at, result = unknown[0], EVERYTHING
    for i, sign in enumerate(signs):
        other = sides[i + 1] if i == at else sides[i]
        if i not in (at, at - 1):
            return None
        result = _intersection(result, _half(sign if i == at else _MIRROR[sign], _end(other)))
    return result


_MIRROR = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "!=": "!="}
_HALF: dict[str, Callable[[float], list[Piece]]] = {
    "<": lambda x: [(-INF, False, x, False)],
    "<=": lambda x: [(-INF, False, x, x != INF)],
    ">": lambda x: [(x, False, INF, False)],
    ">=": lambda x: [(x, x != -INF, INF, False)],
    "!=": lambda x: [(-INF, False, x, False), (x, False, INF, False)],
}


def _half(sign: str, end: float) -> Region:
    return Region(tuple(_HALF[sign](end)))


def _end(node: Node) -> float:
    if node.kind == "const" and node.value == "inf":
        return INF
    if node.kind in ("neg", "add") and len(node.args) == 1:
        inner = _end(node.args[0])
        return -inner if node.kind == "neg" else inner
    value: Value = evaluate(node, {})
    if isinstance(value, Approx):
        if abs(value.z.imag) > value.error + 1e-12:
            raise UnknownError("a complex end")
        return value.z.real
    return float(value)


def _point(x: float) -> Piece:
    return (x, True, x, True)


def _close(a: float, b: float) -> bool:
    return a == b or (abs(a) < INF > abs(b) and abs(a - b) <= 1e-9 * max(abs(a), abs(b)))


def _union(pieces: list[Piece]) -> Region:
    merged: list[Piece] = []
    for piece in sorted(pieces, key=lambda p: (p[0], not p[1])):
        if merged:
            low, low_in, high, high_in = merged[-1]
            if piece[0] < high or (_close(piece[0], high) and (high_in or piece[1])):
                if piece[2] > high or (_close(piece[2], high) and piece[3]):
                    merged[-1] = (low, low_in, piece[2], piece[3])
                continue
        merged.append(piece)
    return Region(tuple(merged))


def _intersection(a: Region, b: Region) -> Region:
    found: list[Piece] = []
    for p in a.pieces:
        for q in b.pieces:
            low, low_in = max((p[0], not p[1]), (q[0], not q[1]))
            high, high_in = min((p[2], p[3]), (q[2], q[3]))
            if low < high or (low == high and not low_in and high_in):
                found.append((low, not low_in, high, high_in))
    return Region(tuple(sorted(found)))


def _complement(a: Region) -> Region:
    found: list[Piece] = []
    low, low_in = -INF, False
    for piece in a.pieces:
        if low < piece[0] or (low == piece[0] and low_in and not piece[1]):
            found.append((low, low_in, piece[0], not piece[1] and piece[0] != -INF))
        low, low_in = piece[2], not piece[3]
    if low != INF:
        found.append((low, low_in, INF, False))
    return Region(tuple(found))
