"""Derivatives in Leibniz's notation: `dy/dx` is one sign, and no fraction whose d's cancel."""

from verify.tree import Node

_MARKS = frozenset(["d", "\\partial", "partial"])


def derivative(top: Node, bottom: Node) -> Node | None:
    """The sign of a derivative for `dy` over `dx`; None where the two are an ordinary fraction.

    A sum of one part: equations take it for a formula, since y' may be the same thing by another name.

    >>> from verify.latex import read
    >>> read("\\\\frac{dy}{dx}").args[0].value
    'd y / d x'
    """
    above, below = _spelled(top), _spelled(bottom)
    if above is None or below is None or above[0] not in _MARKS or below[0] != above[0]:
        return None
    if len(above) < 2 or len(below) < 2:
        return None
    return Node("add", (Node("name", (), f"{' '.join(above)} / {' '.join(below)}"),))


def _spelled(node: Node) -> list[str] | None:
    """A product of names and their powers as a list of signs, powers behind their names."""
    if node.kind in ("name", "num"):
        return [node.value]
    if node.kind not in ("mul", "pow"):
        return None
    first, second = _spelled(node.args[0]), _spelled(node.args[1])
    if first is None or second is None:
        return None
    if node.kind == "pow" and len(second) == 1:
        return [*first, "^", *second] if first[0] not in _MARKS else [*first, f"^{second[0]}"]
    return [*first, *second] if node.kind == "mul" else None
