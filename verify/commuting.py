"""Products that are equal only if their factors may change places, where capital letters may be matrices."""

from verify.tree import Node, names

_DIMENSIONS = frozenset("MLTIQ")
"""Mass, length, time, current, charge or temperature: `ML^{-1}T^{-2}` is no matrix algebra."""


def may_not_commute(gold: Node, answer: Node) -> bool:
    """Whether one of two answers reads as matrix algebra: `AB - BA`, `A^{-1}B`, `A^T B`.

    Nobody writes both orders of two plain numbers into one answer, or an inverse beside another capital where a
    fraction would do; `PRT` and `nRT` are products of numbers, and what is divided by a capital is a number too.
    """
    fractions = _divides(gold) or _divides(answer)
    return any(_has_both_orders(node) or (not fractions and _has_inverse(node)) for node in (gold, answer))


def _divides(node: Node) -> bool:
    """Whether a fraction has a capital below."""
    below = node.kind == "div" and any(len(name) == 1 and name.isupper() for name in names(node.args[1]))
    return below or any(_divides(part) for part in node.args)


def _has_inverse(node: Node) -> bool:
    for product in _products(node):
        capitals = {letter for factor in product if (letter := _capital(factor))}
        if len(capitals) > 1 and not capitals <= _DIMENSIONS and any(_is_turned(factor) for factor in product):
            return True
    return False


def _has_both_orders(node: Node) -> bool:
    orders: set[tuple[str, str]] = set()
    for product in _products(node):
        capitals = [letter for factor in product if (letter := _capital(factor))]
        orders |= {(a, b) for i, a in enumerate(capitals) for b in capitals[i + 1 :] if a != b}
    return any((b, a) in orders for a, b in orders)


def _products(node: Node) -> list[list[Node]]:
    """The factors of every product in a tree, in the order of writing."""
    if node.kind != "mul":
        return [product for part in node.args for product in _products(part)]
    factors: list[Node] = []
    rest = [node]
    while rest:
        part = rest.pop()
        if part.kind == "mul":
            rest += reversed(part.args)
        else:
            factors.append(part)
    return [factors, *(product for factor in factors for product in _products(factor))]


def _capital(node: Node) -> str:
    base = node.args[0] if node.kind == "pow" else node
    letter = base.value.partition("^")[0] if base.kind == "name" else ""
    return letter if len(letter) == 1 and letter.isupper() else ""


def _is_turned(node: Node) -> bool:
    """Whether a factor is the inverse or the transpose of a capital."""
    if not _capital(node):
        return False
    if node.kind == "name":
        return node.value[1:] in ("^T", "^\\top", "^t", "^{T}", "^\\intercal")
    power = node.args[1]
    return (power.kind == "neg" and power.args[0].kind == "num") or (power.kind == "name" and power.value == "T")
