"""The conventions of answers spelt out in their trees: plus-minus, names before an equals sign, approximations."""

from collections.abc import Sequence

from verify.runs import expanded_run
from verify.tree import Node, holds, literal, names

_SCALES = {"dozen": 12, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}


def settle(node: Node) -> Node:
    """The node with its conventions spelt out.

    Plus-minus becomes a list of two, `x = ... = 5` a named value, and `1/3 \\approx 0.33` is 1/3.
    """
    if node.kind == "list":
        items = [inner for item in node.args for inner in _spread(settle(item))]
        return expanded_run(Node("list", tuple(items), node.value))
    if node.kind == "rel":
        return _settle_relation(node)
    expanded = _plus_minus(node)
    if len(expanded) > 1:
        return Node("list", tuple(settle(item) for item in expanded), "pm")
    if node.kind in ("set", "tuple"):
        args = tuple(
            inner for item in node.args for inner in (_spread(settle(item)) if node.kind == "set" else [settle(item)])
        )
        return expanded_run(Node(node.kind, args, node.value))
    return _scaled(node) if node.kind == "unit" else node


def _scaled(node: Node) -> Node:
    """`5 percent`, `30 degrees` and `3 million dollars` as their signs and sizes."""
    inner, bare = node.args[0], node.value.strip(" .").lower()
    if bare in ("percent", "%", "\\%", "percents", "per cent", "percentage"):
        return Node("percent", (inner,))
    if bare in ("degrees", "degree", "deg", "°"):
        return Node("degree", (inner,))
    first, _, rest = bare.removeprefix("$").strip().partition(" ")
    if first not in _SCALES:
        return node
    grown = Node("mul", (inner, literal(_SCALES[first])))
    return Node("unit", (grown,), rest) if rest else grown


def _spread(node: Node) -> Sequence[Node]:
    """The items of a plus-minus inside a list."""
    return node.args if node.kind == "list" and node.value == "pm" else [node]


def _settle_relation(node: Node) -> Node:
    if (opened := _without_bars(node)) is not None:
        return opened
    signs = node.value.split(" ")
    sides = list(node.args)
    if "~" in signs:
        cut = signs.index("~")
        if cut == 0 and is_name(sides[0].args[0]):
            signs[0] = "="
            cut = signs.index("~") if "~" in signs else len(signs)
        signs, sides = signs[:cut], sides[: cut + 1]
        if not signs:
            return settle(sides[0].args[0])
    if signs[0] == "=" and len(set(signs)) > 1 and is_name(sides[0].args[0]):
        cut = next(i for i, sign in enumerate(signs) if sign != "=")  # n = 5 > 0
        signs, sides = signs[:cut], sides[: cut + 1]
    if set(signs) == {"="}:
        head, last = _applied(sides[0]), sides[-1].args[0]
        if is_name(head) and not (
            len(signs) == 1 and _is_lone_name(last) and _is_lone_name(head) and last.kind == "call"
        ):
            value = settle(last)
            if value.kind == "list":
                return Node("list", tuple(Node("named", (v, head), sides[0].value) for v in value.args), value.value)
            return Node("named", (value, head), sides[0].value)
        if is_name(last) and not names(head):
            return Node("named", (settle(head), last), sides[-1].value)
        if len(sides) > 2 or not any(names(s) or s.kind == "call" for s in sides):
            values = [s for s in sides if not names(s)]
            if values:
                return settle(values[-1].args[0])
    if signs == ["in"] and sides[0].args[0].kind in ("name", "call"):
        return Node("named", (settle(sides[1].args[0]), sides[0].args[0]), sides[0].value)
    return Node("rel", tuple(sides), " ".join(signs))


_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


def _without_bars(node: Node) -> Node | None:
    """`|x - 3| < 2` as 3 - 2 < x < 3 + 2, and `|x| > 2` as x < -2 or x > 2."""
    if node.value not in _TURNED or not any(side.args[0].kind == "abs" for side in node.args):
        return None
    turned = node.args[0].args[0].kind != "abs"
    sign = _TURNED[node.value] if turned else node.value
    bars, size = (side.args[0] for side in (reversed(node.args) if turned else node.args))
    inner = bars.args[0]
    parts = inner.args if inner.kind == "add" else (inner,)
    if size.kind != "num" or parts[0].kind != "name" or len(parts) > 2 or any(names(part) for part in parts[1:]):
        return None
    centre = tuple(Node("neg", (part,)) for part in parts[1:])
    low = Node("side", (Node("add", (*centre, Node("neg", (size,)))),))
    high, middle = Node("side", (Node("add", (*centre, size)),)), Node("side", (parts[0],), parts[0].value)
    if sign in ("<", "<="):
        return Node("rel", (low, middle, high), f"{sign} {sign}")
    return Node("list", (Node("rel", (middle, low), _TURNED[sign]), Node("rel", (middle, high), sign)), "or")


def _applied(side: Node) -> Node:
    """The left side of `y(x) = ...` as a function of x; elsewhere y(x) may be a product."""
    head = side.args[0]
    if head.kind == "mul" and all(part.kind == "name" for part in head.args):
        function, argument = head.args
        if side.value == f"{function.value}({argument.value})":
            return Node("call", (argument,), function.value)
    return head


def _is_lone_name(node: Node) -> bool:
    return node.kind in ("name", "call", "text")


def is_name(node: Node) -> bool:
    """Whether the left side of an equation only names what follows: `x`, `f(x)`, `|AB|`, `A:B`, `m + n`, `x^3`."""
    if node.kind in ("name", "text", "call", "func"):
        return True
    if node.kind == "const":
        return node.value != "inf"
    compound = node.kind in ("mul", "div", "ratio", "abs", "add", "unit", "neg", "numbers")
    if compound and all(part.kind not in ("pow", "num") and is_name(part) for part in node.args):
        return not any(holds(part, "pow") for part in node.args) or len(names(node)) == 1
    # One unknown in a formula without coefficients, `x^2 + 1/x^2 = 7`, names a value; x^2 + y^2 = 1 is a curve.
    return len(names(node)) == 1 and _is_monic(node)


def _is_monic(node: Node) -> bool:
    if node.kind == "pow":
        return node.args[0].kind == "name" and node.args[1].kind in ("num", "neg", "div")
    if node.kind == "div":
        return (node.args[0].kind == "num" or _is_monic(node.args[0])) and _is_monic(node.args[1])
    return node.kind == "name" or (node.kind in ("add", "neg") and all(_is_monic(part) for part in node.args))


def _plus_minus(node: Node) -> list[Node]:
    """Both readings of an expression with a plus-minus; one reading where there is none."""
    if not holds(node, "pm"):
        return [node]
    if node.kind in ("list", "set", "tuple", "rel", "matrix"):
        return [node]
    return [_signed(node, 1), _signed(node, -1)]


def _signed(node: Node, sign: int) -> Node:
    if node.kind == "pm":
        inner = _signed(node.args[0], sign)
        return inner if (node.value == "pm") == (sign > 0) else Node("neg", (inner,))
    return node._replace(args=tuple(_signed(part, sign) for part in node.args))
