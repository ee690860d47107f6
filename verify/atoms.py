"""The smallest parts of an answer: numbers, names, functions, brackets, roots, matrices."""

from typing import TYPE_CHECKING

from verify.calls import called, function_argument
from verify.derivatives import derivative
from verify.grids import matrix
from verify.leaves import CONSTANTS, name_node, number, refuse, repeating
from verify.phrases import unit, word_node, words_of
from verify.tokens import FUNCTIONS, GREEK, Token
from verify.tree import Node

if TYPE_CHECKING:
    from verify.latex import Reader

_SETS = {"R": "R", "Z": "Z", "N": "N", "Q": "Q", "C": "C"}
_CALLED = frozenset(["f", "g", "h", "F", "G", "\\phi", "\\varphi", "\\psi", "\\Phi", "\\Psi"])


def atom(reader: "Reader") -> Node:
    token = reader.take()
    kind, text = token.kind, token.text
    if kind == "num":
        if reader.now.kind == "name" and reader.now.text.startswith("rep:") and not reader.now.spaced:
            return repeating(text, reader.take().text[4:])
        return number(text)
    if kind == "name":
        return named(reader, text)
    if kind == "func":
        return called(reader, text)
    if kind == "word":
        return word_node(reader, token)
    if kind == "text":
        return Node("word", (), text) if reader.now.text == "_" and text.isalnum() else words_of(reader, text)
    if kind == "op":
        return bracketed(reader, text)
    if kind == "cmd":
        return command(reader, text)
    return refuse("the end of the answer")


def named(reader: "Reader", text: str) -> Node:
    if text.startswith("rep:"):
        return refuse("an overlined number")
    if text in _CALLED and reader.now.kind == "op" and reader.now.text == "(":
        return applied(reader, text)
    if text in _CALLED and (inverse := _inverse(reader)):
        return applied(reader, text + inverse)
    if reader.now.kind == "op" and reader.now.text == "(" and text not in ("e", "i") and holds_a_list(reader):
        return applied(reader, text)
    return name_node(text)


def _inverse(reader: "Reader") -> str:
    """The `^{-1}` of `f^{-1}(x)`, passed over; '' where none stands here before a bracket."""
    for spelling in (["^", "{", "-", "1", "}", "("], ["^", "-", "1", "("]):
        if [token.text for token in reader.tokens[reader.at : reader.at + len(spelling)]] == spelling:
            reader.at += len(spelling) - 1
            return "^{-1}"
    return ""


def holds_a_list(reader: "Reader") -> bool:
    """Whether the bracket that opens here has a comma at its own depth: `P(x, y)` is a call, `a(b + c)` is not."""
    depth = 0
    for token in reader.tokens[reader.at :]:
        if token.kind == "op":
            depth += (token.text in "([{") - (token.text in ")]}")
            if depth == 1 and token.text == ",":
                return True
            if depth == 0:
                return False
    return False


def applied(reader: "Reader", name: str) -> Node:
    reader.expect("(")
    inside, _ = reader.group("(", (")",))
    return Node("call", inside.args if inside.kind == "list" else (inside,), name)


def bracketed(reader: "Reader", opening: str) -> Node:
    if opening in ("(", "["):
        inside, close = reader.group(opening, (")", "]"))
        if inside.kind == "list":
            return Node("tuple", inside.args, opening + close)
        return inside
    if opening == "]":
        inside, close = reader.group(opening, ("[", "]"))
        return (
            Node("tuple", inside.args, "(" + (")" if close == "[" else "]"))
            if inside.kind == "list"
            else refuse("a bracket")
        )
    if opening == "{":
        inside, _ = reader.group(opening, ("}",))
        if reader.now.text == "\\choose":
            refuse("choose")
        return inside
    if opening == "\\{":
        return braced(reader)
    if opening == "|":
        reader.bars += 1
        inside = reader.listed()
        reader.expect("|")
        reader.bars -= 1
        return Node("abs", (inside,))
    if opening == "<":
        inside, _ = reader.group(opening, (">",))
        return Node("tuple", inside.args, "<>") if inside.kind == "list" else refuse("<")
    if opening in ("\\$", "$", "€", "£", "¥"):
        node = reader.signed()
        while reader.now.kind in ("num", "name", "cmd") and reader.starts_atom():
            node = reader.juxtaposed(node)
        behind = unit(reader) if reader.now.kind in ("text", "word") else None
        return Node("unit", (node,), {"\\$": "$"}.get(opening, opening) + (" " + behind if behind else ""))
    if opening == ".":
        return refuse("a full stop")
    return refuse(opening)


def braced(reader: "Reader") -> Node:
    if reader.accept("\\}"):
        return Node("set")
    reader.bars += 1  # a bar in here divides, it opens no absolute value
    inside = reader.listed()
    reader.bars -= 1
    if reader.now.text in ("|", ":", "\\mid", "\\vert"):
        reader.at += 1
        condition = reader.listed()
        reader.expect("\\}")
        return Node("where", (inside, condition))
    reader.expect("\\}")
    return Node("set", inside.args if inside.kind == "list" else (inside,))


def command(reader: "Reader", text: str) -> Node:
    name = text[1:]
    if text == "\\frac":
        top, bottom = argument(reader), argument(reader)
        if _is_differential(top):
            return refuse("a derivative")
        return derivative(top, bottom) or Node("div", (top, bottom))
    if text == "\\sqrt":
        return root(reader)
    if text in CONSTANTS:
        return Node("const", (), CONSTANTS[text])
    if name in FUNCTIONS or name in ("operatorname",):
        return called(reader, FUNCTIONS[name])
    if name in ("Gamma", "zeta", "Beta") and reader.now.text == "(":
        inside = function_argument(reader)
        one = number("1")
        return Node("fact", (Node("add", (inside, Node("neg", (one,)))),)) if name == "Gamma" else refuse(text)
    if name in GREEK:
        return named(reader, text)
    if name in ("binom", "dbinom", "tbinom"):
        return Node("binom", (argument(reader), argument(reader)))
    if name in ("langle",):
        inside, _ = reader.group(text, ("\\rangle",))
        return Node("tuple", inside.args, "<>") if inside.kind == "list" else refuse(text)
    if name in ("lfloor", "lceil"):
        inside, _ = reader.group(text, ("\\rfloor" if name == "lfloor" else "\\rceil",))
        return Node("func", (inside,), "floor" if name == "lfloor" else "ceil")
    if name in ("lvert", "vert"):
        inside, _ = reader.group(text, ("\\rvert", "\\vert"))
        return Node("abs", (inside,))
    if name == "lbrace":
        return braced(reader)
    if name in ("emptyset", "varnothing"):
        return Node("set")
    if name == "mathbb":
        letter = argument(reader)
        return Node("numbers", (), letter.value) if letter.value in _SETS else refuse(text)
    if name == "begin":
        return matrix(reader)
    if name in ("angle", "triangle", "measuredangle", "square", "odot", "parallel", "perp"):
        return Node("name", (), name + argument(reader).value)
    if name in ("ldots", "cdots", "dots"):
        return Node("dots")
    if name == "boxed":
        return argument(reader)
    return refuse(text)


def root(reader: "Reader") -> Node:
    degree = number("2")
    if reader.now.kind == "op" and reader.now.text == "[":
        reader.at += 1
        degree = reader.sum()
        reader.expect("]")
    token = reader.now
    inside = atom(reader) if token.kind in ("num", "op") and token.text != "{" else argument(reader)
    return Node("root", (inside, degree))


def argument(reader: "Reader") -> Node:
    """What a command takes: a group in braces, or one sign."""
    token = reader.now
    if token.kind == "op" and token.text == "{":
        reader.at += 1
        return reader.group("{", ("}",))[0]
    if token.kind == "num" and len(token.text) > 1 and token.text.isdigit():
        reader.tokens[reader.at] = Token("num", token.text[1:], False)
        return number(token.text[0])
    if token.kind == "word":
        reader.tokens[reader.at] = Token("word" if len(token.text) > 2 else "name", token.text[1:], False)
        return name_node(token.text[0])
    return atom(reader)


def _is_differential(node: Node) -> bool:
    """Whether a numerator is `d`, `\\partial` or a power of them, as in `\\frac{d}{dx}`."""
    inner = node.args[0] if node.kind == "pow" else node
    return inner.kind == "name" and inner.value in ("d", "\\partial")
