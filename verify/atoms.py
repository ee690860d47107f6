"""The smallest parts of an answer: numbers, names, functions, brackets, roots, matrices."""

from fractions import Fraction
from typing import TYPE_CHECKING

from verify.derivatives import derivative
from verify.phrases import unit, word_node, words_of
from verify.tokens import FUNCTIONS, GREEK, Token, UnreadableError
from verify.tree import Node

if TYPE_CHECKING:
    from verify.latex import Reader

_CONSTANTS = {"\\pi": "pi", "\\infty": "inf", "e": "e", "i": "i", "\\imath": "i", "\\mathrm": "i"}
_SETS = {"R": "R", "Z": "Z", "N": "N", "Q": "Q", "C": "C"}
_CALLED = frozenset(["f", "g", "h", "F", "G", "\\phi", "\\varphi", "\\psi", "\\Phi", "\\Psi"])
_INVERSE = frozenset(["sin", "cos", "tan", "cot", "sec", "csc"])


def atom(reader: "Reader") -> Node:
    token = reader.take()
    kind, text = token.kind, token.text
    if kind == "num":
        if reader.now.kind == "name" and reader.now.text.startswith("rep:") and not reader.now.spaced:
            return _repeating(text, reader.take().text[4:])
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


def called(reader: "Reader", name: str) -> Node:
    if name == "mod":
        return refuse("a remainder")
    power: Node | None = None
    base: Node | None = None
    while reader.now.kind == "op" and reader.now.text in ("^", "**", "_"):
        if reader.take().text != "_":
            power = Node("neg", (atom(reader),)) if reader.accept("-") else argument_of_power(reader)
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
    return atom(reader)


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
    if text in _CONSTANTS:
        return Node("const", (), _CONSTANTS[text])
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


def matrix(reader: "Reader") -> Node:
    kind = environment(reader)
    if kind not in (
        "pmatrix",
        "bmatrix",
        "matrix",
        "array",
        "smallmatrix",
        "Bmatrix",
        "cases",
        "aligned",
        "gathered",
    ):
        refuse(kind)
    if kind == "array" and reader.accept("{"):
        while not reader.accept("}"):
            reader.take()
    rows: list[Node] = []
    row: list[Node] = []
    reader.depth += 1
    while True:
        if reader.accept("&"):
            continue
        if reader.accept("\\\\"):
            if row:
                rows.append(Node("row", tuple(row)))
            row = []
            continue
        if reader.accept("\\end"):
            break
        row.append(reader.item())
        reader.accept(",")
    if row:
        rows.append(Node("row", tuple(row)))
    reader.at -= 1
    reader.take()
    if environment(reader) != kind:
        refuse("another environment's end")
    reader.depth -= 1
    if kind in ("cases", "aligned", "gathered"):
        return refuse(kind)
    return Node("matrix", tuple(rows))


def environment(reader: "Reader") -> str:
    reader.expect("{")
    name = ""
    while not reader.accept("}"):
        if reader.now.kind == "end":
            refuse("an open environment")
        name += reader.take().text
    return name


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


def name_node(text: str) -> Node:
    return Node("const", (), _CONSTANTS[text]) if text in _CONSTANTS else Node("name", (), text)


def _is_differential(node: Node) -> bool:
    """Whether a numerator is `d`, `\\partial` or a power of them, as in `\\frac{d}{dx}`."""
    inner = node.args[0] if node.kind == "pow" else node
    return inner.kind == "name" and inner.value in ("d", "\\partial")


def number(text: str) -> Node:
    return Node("num", (), text, Fraction(text))


def _repeating(text: str, digits: str) -> Node:
    """0.1\\overline{6} as an exact fraction."""
    places = len(text.partition(".")[2])
    if "." not in text or not digits.isdigit():
        raise UnreadableError("an overlined number")
    tail = Fraction(int(digits), (10 ** len(digits) - 1) * 10**places)
    return Node("num", (), f"{text}({digits})", Fraction(text if text[-1] != "." else text[:-1]) + tail)


def refuse(what: str) -> Node:
    raise UnreadableError(what)
