"""Functions with their powers, bases and arguments: `\\sin^2 2x`, `\\log_2 8`."""

from typing import TYPE_CHECKING

from verify.leaves import number, refuse
from verify.tokens import GREEK
from verify.tree import Node

if TYPE_CHECKING:
    from verify.latex import Reader

_INVERSE = frozenset(["sin", "cos", "tan", "cot", "sec", "csc"])


def called(reader: "Reader", name: str) -> Node:
    if name == "mod":
        return refuse("a remainder")
    power: Node | None = None
    base: Node | None = None
    while reader.now.kind == "op" and reader.now.text in ("^", "**", "_"):
        if reader.take().text != "_":
            power = Node("neg", (reader.atom(),)) if reader.accept("-") else argument_of_power(reader)
        else:
            base = argument_of_power(reader)
    inside = function_argument(reader)
    inner = inside.args if inside.kind == "list" else (inside,)
    if power is not None and power.kind == "neg" and power.args[0] == number("1") and name in _INVERSE:
        name, power = "arc" + name, None
    if name == "cis":
        turned = Node("mul", (Node("const", (), "i"), Node("func", inner, "sin")))
        return Node("add", (Node("func", inner, "cos"), turned))
    node = Node("func", (*inner, base) if base is not None else inner, name + ("_" if base is not None else ""))
    return Node("pow", (node, power)) if power is not None else node


def argument_of_power(reader: "Reader") -> Node:
    if reader.accept("{"):
        return reader.group("{", ("}",))[0]
    return reader.atom()


def function_argument(reader: "Reader") -> Node:
    """`(x)`, `{x}`, or the factors side by side up to the next sign or function: `\\sin 2x \\cos x`."""
    if reader.now.kind == "op" and reader.now.text in ("(", "{", "["):
        opening = reader.take().text
        inside, _ = reader.group(opening, ({"(": ")", "{": "}", "[": "]"}[opening],))
        if reader.now.kind == "op" and reader.now.text in ("^", "!"):
            reader.at += 1
            if reader.tokens[reader.at - 1].text == "!":
                return Node("fact", (inside,))
            return reader.powered(inside)
        return inside
    if reader.accept("-"):
        return Node("neg", (function_argument(reader),))
    if reader.now.kind == "func":
        return reader.factor()
    node = reader.factor()
    while reader.now.kind in ("num", "name") or (
        reader.now.kind == "cmd" and (reader.now.text in ("\\pi", "\\frac", "\\sqrt") or reader.now.text[1:] in GREEK)
    ):
        node = Node("mul", (node, reader.factor()))
    if reader.now.kind == "op" and reader.now.text == "/" and reader.tokens[reader.at + 1].kind == "num":
        reader.at += 1
        node = Node("div", (node, reader.factor()))
    return node
