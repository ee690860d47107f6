"""Factors: an atom with what stands behind it, and two factors side by side."""

from typing import TYPE_CHECKING

from verify.atoms import atom
from verify.leaves import refuse
from verify.scripts import raised, subscripted
from verify.tokens import UnreadableError
from verify.tree import Node

if TYPE_CHECKING:
    from verify.latex import Reader


def factor(reader: "Reader") -> Node:
    node = atom(reader)
    while True:
        token = reader.now
        if token.kind != "op":
            if token.kind == "cmd" and token.text == "\\prime":
                reader.at += 1
                node = Node("name", (), node.value + "'") if node.kind == "name" else refuse("a prime")
                continue
            if token.kind == "cmd" and token.text in ("\\degree", "\\degrees"):
                reader.at += 1
                node = Node("degree", (node,))
                continue
            if token.kind == "cmd" and token.text == "\\%":
                reader.at += 1
                node = Node("percent", (node,))
                continue
            return node
        if token.text in ("^", "**"):
            reader.at += 1
            node = raised(reader, node)
        elif token.text == "_":
            reader.at += 1
            node = subscripted(reader, node)
        elif token.text == "!":
            reader.at += 1
            double = reader.now.kind == "op" and reader.now.text == "!" and not reader.now.spaced
            if double:
                reader.at += 1
            node = Node("fact2" if double else "fact", (node,))
        elif token.text in ("%", "\\%"):
            reader.at += 1
            node = Node("percent", (node,))
        elif token.text == "'" and node.kind in ("name", "call"):
            reader.at += 1
            node = Node("name", (), node.value + "'")
        elif token.text == "'" and node.kind in ("num", "degree", "add"):
            raise UnreadableError("minutes of arc")
        else:
            return node


def juxtaposed(reader: "Reader", left: Node) -> Node:
    """Two factors side by side: a mixed number, a called function, or a product."""
    before = reader.now
    whole = left.kind == "num" and left.number.denominator == 1 and "." not in left.value
    if whole and before.text == "\\frac":
        return _mixed(left, reader.factor())
    if before.kind == "num":
        if (
            whole
            and before.spaced
            and reader.tokens[reader.at + 1].text == "/"
            and reader.tokens[reader.at + 2].kind == "num"
        ):
            top = reader.factor()
            reader.expect("/")
            bottom = reader.factor()
            if bottom.kind in ("percent", "degree"):
                return Node(bottom.kind, (Node("mixed", (left, Node("div", (top, *bottom.args)))),))
            return Node("mixed", (left, Node("div", (top, bottom))))
        if left.kind == "num" and not (before.text == "10" and reader.tokens[reader.at + 1].text == "^"):
            raise UnreadableError("two numbers side by side")
    return Node("mul", (left, reader.factor()))


def _mixed(whole: Node, right: Node) -> Node:
    """`2\\frac34`, with what stands behind the fraction (`%`, a degree sign) round the whole; else a product."""
    inner = right.args[0] if right.kind in ("percent", "degree") else right
    if inner.kind != "div" or not all(part.kind == "num" and "." not in part.value for part in inner.args):
        return Node("mul", (whole, right))
    mixed = Node("mixed", (whole, inner))
    return mixed if inner is right else Node(right.kind, (mixed,))
