"""A reader of answers: tidied LaTeX or plain text in, a small tree out. No eval, no sympy, linear in the length."""

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from verify.tokens import FUNCTIONS, GREEK, RELATIONS, Token, UnreadableError, tokens
from verify.words import NUMBER_WORDS

MAX_CHARS = 4_000
MAX_DEPTH = 60
_CONSTANTS = {"\\pi": "pi", "\\infty": "inf", "e": "e", "i": "i", "\\imath": "i", "\\mathrm": "i"}
_SETS = {"R": "R", "Z": "Z", "N": "N", "Q": "Q", "C": "C"}
_CALLED = frozenset(["f", "g", "h", "F", "G", "\\phi", "\\varphi", "\\psi", "\\Phi", "\\Psi"])
_CLOSE = {"(": ")]", "[": "])", "{": "}", "\\{": "\\}", "\\langle": "\\rangle"}
_STOP = frozenset(
    [")", "]", "}", "\\}", "\\rangle", "|", "\\rfloor", "\\rceil", "\\end", "&", "\\\\", "\\choose", ",", ";"]
)
_STOP |= frozenset(RELATIONS) | frozenset(
    [
        "\\pm",
        "\\mp",
        "\\cdot",
        "\\times",
        "\\div",
        "\\ast",
        "\\cup",
        "\\cap",
        "\\setminus",
        "\\backslash",
        ":",
        "\\mid",
        "\\vert",
        "\\rvert",
        "\\|",
    ]
)
_FILLERS = frozenset(
    ["approximately", "about", "approx", "exactly", "roughly", "around", "only", "the", "is", "are", "answer"]
)


class Node(NamedTuple):
    """One part of an answer: `kind` says how to read `args` and `value`."""

    kind: str
    args: tuple["Node", ...] = ()
    value: str = ""
    number: Fraction = Fraction(0)


@lru_cache(maxsize=8192)
def read(text: str, grouped: bool = True) -> Node | None:
    """The tree of a tidied answer, or None where it is no formula that is known here.

    >>> read("\\\\frac{1}{2}")
    Node(kind='div', args=(Node(kind='num', args=(), value='1', number=Fraction(1, 1)), \
Node(kind='num', args=(), value='2', number=Fraction(2, 1))), value='', number=Fraction(0, 1))
    """
    if len(text) > MAX_CHARS:
        return None
    try:
        reader = _Reader(tokens(text, grouped))
        node = reader.listed()
        if reader.now.kind != "end":
            raise UnreadableError(f"left over: {reader.now.text}")
    except (UnreadableError, IndexError, RecursionError):
        return None
    return node


class _Reader:
    """Recursive descent over the tokens of one answer."""

    def __init__(self, found: list[Token]) -> None:
        self.tokens = found
        self.at = 0
        self.depth = 0
        self.bars = 0

    @property
    def now(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def accept(self, *texts: str) -> bool:
        if self.now.kind in ("op", "cmd") and self.now.text in texts:
            self.at += 1
            return True
        return False

    def expect(self, *texts: str) -> str:
        if self.now.kind in ("op", "cmd") and self.now.text in texts:
            return self.take().text
        raise UnreadableError(f"{texts} expected, {self.now.text!r} found")

    def separator(self) -> str | None:
        """The connective that stands here, passed over; None where there is none."""
        found = None
        while True:
            token = self.now
            if token.kind == "op" and token.text in (",", ";"):
                found = ";" if token.text == ";" else found or ","
            elif (
                (
                    token.kind in ("word", "text")
                    and token.text.strip(" ,;.").lower()
                    in (
                        "and",
                        "or",
                        "et",
                        "und",
                        "",
                        "及",
                        "和",
                        "或",
                    )
                )
                or (token.kind == "cmd" and token.text in ("\\land", "\\lor", "\\wedge", "\\vee", "\\newline"))
                or (token.kind == "op" and token.text == "&")
            ):
                found = found or ","
            else:
                return found
            self.at += 1

    def listed(self) -> Node:
        """Items with commas, semicolons, `and`, `or` between them; one item alone is itself."""
        items: list[Node] = []
        groups: list[Node] = []
        first = self.separator()
        del first
        while not self.closed():
            items.append(self.item())
            mark = self.separator()
            if mark == ";":
                groups.append(_one(items))
                items = []
            elif mark is None:
                break
        if groups:
            if items:
                groups.append(_one(items))
            return _one(groups)
        return _one(items)

    def closed(self) -> bool:
        token = self.now
        return token.kind == "end" or (token.kind in ("op", "cmd") and token.text in _CLOSERS)

    def item(self) -> Node:
        """A chain of relations between sets or expressions."""
        start = self.at
        while self.accept("\\approx", "\\sim", "\\simeq"):
            start = self.at
        sides, signs = [self.united()], []
        starts = [start]
        while self.now.kind in ("op", "cmd") and self.now.text in RELATIONS:
            signs.append(RELATIONS[self.take().text])
            starts.append(self.at)
            sides.append(self.united())
        if not signs:
            return sides[0]
        names = [
            "".join(t.text for t in self.tokens[a:b])
            for a, b in zip(starts, [*(s - 1 for s in starts[1:]), self.at], strict=True)
        ]
        named = tuple(Node("side", (side,), name) for side, name in zip(sides, names, strict=True))
        return Node("rel", named, " ".join(signs))

    def united(self) -> Node:
        left = self.ratio()
        while self.now.text in ("\\cup", "\\cap", "\\setminus", "\\backslash", "\\bigcup") or (
            self.now.kind in ("name", "word") and self.now.text in ("U", "∪") and left.kind in ("tuple", "set")
        ):
            sign = {"\\cap": "cap", "\\setminus": "minus", "\\backslash": "minus"}.get(self.take().text, "cup")
            left = Node(sign, (left, self.ratio()))
        return left

    def ratio(self) -> Node:
        parts = [self.sum()]
        while self.now.kind == "op" and self.now.text == ":" and self.bars == 0:
            self.at += 1
            parts.append(self.sum())
            if parts[0].kind == "text" and len(parts) == 2:
                return Node("rel", (Node("side", (parts[0],), parts[0].value), Node("side", (parts[1],))), "=")
        return parts[0] if len(parts) == 1 else Node("ratio", tuple(parts))

    def sum(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise UnreadableError("nested too deep")
        while self.now.kind in ("text", "word") and self.now.text.strip(" ,.:").lower() in _FILLERS:
            self.at += 1
        parts: list[Node] = []
        first = True
        while True:
            token = self.now
            sign = token.text if token.kind in ("op", "cmd") else ""
            sign = "\\pm" if sign == "+/-" else sign
            if sign in ("+", "-", "\\pm", "\\mp"):
                self.at += 1
                while self.now.kind == "op" and self.now.text in ("+", "-"):
                    sign = {"+": sign, "-": {"+": "-", "-": "+"}.get(sign, sign)}[self.take().text]
            elif not first:
                break
            part = self.term()
            if sign == "-":
                part = Node("neg", (part,))
            elif sign in ("\\pm", "\\mp"):
                part = Node("pm", (part,), sign[1:])
            parts.append(part)
            first = False
        self.depth -= 1
        return parts[0] if len(parts) == 1 else Node("add", tuple(parts))

    def term(self) -> Node:
        node = self.factor()
        while True:
            token = self.now
            if (token.kind == "op" and token.text in ("*", "/")) or token.text in (
                "\\cdot",
                "\\times",
                "\\div",
                "\\ast",
            ):
                self.at += 1
                sign = token.text
                right = self.signed()
                node = Node("div" if sign in ("/", "\\div") else "mul", (node, right))
            elif token.text in ("\\mod", "\\bmod", "mod"):
                self.at += 1
                node = Node("func", (node, self.factor()), "mod")
            elif token.kind in ("text", "word"):
                unit = self.unit()
                if unit is None:
                    return node
                return Node("unit", (node,), unit)
            elif self.starts_atom():
                node = self.juxtaposed(node)
            else:
                return node

    def signed(self) -> Node:
        if self.accept("-"):
            return Node("neg", (self.signed(),))
        self.accept("+")
        return self.factor()

    def starts_atom(self) -> bool:
        token = self.now
        if token.kind in ("num", "name", "func"):
            return True
        if token.kind == "cmd":
            return token.text not in _STOP and token.text not in (
                "\\pmod",
                "\\bmod",
                "\\mod",
                "\\to",
                "\\land",
                "\\lor",
                "\\wedge",
                "\\vee",
            )
        return token.kind == "op" and (token.text in ("(", "[", "{", "\\{") or (token.text == "|" and self.bars == 0))

    def juxtaposed(self, left: Node) -> Node:
        """Two factors side by side: a mixed number, a called function, or a product."""
        before = self.now
        whole = left.kind == "num" and left.number.denominator == 1 and "." not in left.value
        if whole and before.text == "\\frac":
            right = self.factor()
            if right.kind == "div" and all(a.kind == "num" and "." not in a.value for a in right.args):
                return Node("mixed", (left, right))
            return Node("mul", (left, right))
        if before.kind == "num":
            if (
                whole
                and before.spaced
                and self.tokens[self.at + 1].text == "/"
                and self.tokens[self.at + 2].kind == "num"
            ):
                top = self.factor()
                self.expect("/")
                return Node("mixed", (left, Node("div", (top, self.factor()))))
            if left.kind == "num" and not (before.text == "10" and self.tokens[self.at + 1].text == "^"):
                raise UnreadableError("two numbers side by side")
        return Node("mul", (left, self.factor()))

    def factor(self) -> Node:
        node = self.atom()
        while True:
            token = self.now
            if token.kind != "op":
                if token.kind == "cmd" and token.text == "\\prime":
                    self.at += 1
                    node = Node("name", (), node.value + "'") if node.kind == "name" else _refuse("a prime")
                    continue
                if token.kind == "cmd" and token.text in ("\\degree", "\\degrees"):
                    self.at += 1
                    node = Node("degree", (node,))
                    continue
                if token.kind == "cmd" and token.text == "\\%":
                    self.at += 1
                    node = Node("percent", (node,))
                    continue
                return node
            if token.text in ("^", "**"):
                self.at += 1
                node = self.raised(node)
            elif token.text == "_":
                self.at += 1
                node = self.subscripted(node)
            elif token.text == "!":
                self.at += 1
                double = self.now.kind == "op" and self.now.text == "!" and not self.now.spaced
                if double:
                    self.at += 1
                node = Node("fact2" if double else "fact", (node,))
            elif token.text in ("%", "\\%"):
                self.at += 1
                node = Node("percent", (node,))
            elif token.text == "'" and node.kind in ("name", "call"):
                self.at += 1
                node = Node("name", (), node.value + "'")
            elif token.text == "'" and node.kind in ("num", "degree", "add"):
                raise UnreadableError("minutes of arc")
            else:
                return node

    def raised(self, base: Node) -> Node:
        token = self.now
        if token.text == "\\circ":
            self.at += 1
            self.unit_of_degree()
            return Node("degree", (base,))
        if token.kind == "op" and token.text == "{":
            inside = self.tokens[self.at + 1]
            if inside.text == "\\circ" and self.tokens[self.at + 2].text == "}":
                self.at += 3
                self.unit_of_degree()
                return Node("degree", (base,))
            if inside.text in ("\\prime", "'") and base.kind == "name":
                self.at += 1
                primes = ""
                while not self.accept("}"):
                    self.take()
                    primes += "'"
                return Node("name", (), base.value + primes)
            self.at += 1
            exponent = self.listed()
            self.expect("}")
        elif token.text == "\\prime":
            self.at += 1
            return Node("name", (), base.value + "'")
        elif token.text in ("*", "T", "\\top", "\\dagger"):
            self.at += 1
            return Node("name", (), f"{base.value}^{token.text}") if base.kind == "name" else _refuse("a transpose")
        elif self.accept("-"):
            exponent = Node("neg", (self.atom(),))
        else:
            self.accept("+")
            exponent = self.atom()
            if self.now.text in ("^", "**"):
                self.at += 1
                exponent = self.raised(exponent)
        if base.kind == "name" and exponent.kind in ("list", "text"):
            return _refuse("a list for an exponent")
        return Node("pow", (base, exponent))

    def unit_of_degree(self) -> None:
        """Passes over the C or F of a temperature."""
        if self.now.kind in ("name", "text") and self.now.text in ("C", "F") and self.tokens[self.at + 1].kind == "end":
            self.at += 1

    def subscripted(self, base: Node) -> Node:
        start = self.at
        if self.accept("{"):
            depth = 1
            while depth:
                token = self.take()
                if token.kind == "end":
                    _refuse("an open subscript")
                depth += (token.text == "{") - (token.text == "}")
            inside = self.tokens[start + 1 : self.at - 1]
        else:
            inside = [self.take()]
        label = "".join(t.text for t in inside)
        if base.kind == "pow" and base.args[0].kind in ("name", "const"):
            return Node("pow", (Node("name", (), f"{base.args[0].value}_{label}"), base.args[1]))
        if base.kind in ("name", "call", "const"):
            return Node("name", (), f"{base.value}_{label}")
        radix = int(label) if label.isdigit() else NUMBER_WORDS.get(label.lower(), 0)
        if base.kind in ("num", "word") and 2 <= radix <= 36:
            return Node("base", (), base.value.lower(), Fraction(radix))
        return _refuse("a subscript")

    def group(self, opening: str, closers: tuple[str, ...]) -> tuple[Node, str]:
        """What stands in brackets, and the bracket that closed it."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise UnreadableError("nested too deep")
        bars, self.bars = self.bars, 0
        node = self.listed()
        close = self.expect(*closers)
        self.bars = bars
        self.depth -= 1
        return node, close

    def argument(self) -> Node:
        """What a command takes: a group in braces, or one sign."""
        token = self.now
        if token.kind == "op" and token.text == "{":
            self.at += 1
            return self.group("{", ("}",))[0]
        if token.kind == "num" and len(token.text) > 1 and "." not in token.text:
            self.tokens[self.at] = Token("num", token.text[1:], False)
            return _number(token.text[0])
        if token.kind == "word":
            self.tokens[self.at] = Token("word" if len(token.text) > 2 else "name", token.text[1:], False)
            return _name(token.text[0])
        return self.atom()

    def atom(self) -> Node:
        token = self.take()
        kind, text = token.kind, token.text
        if kind == "num":
            if self.now.kind == "name" and self.now.text.startswith("rep:") and not self.now.spaced:
                return _repeating(text, self.take().text[4:])
            return _number(text)
        if kind == "name":
            return self.named(text)
        if kind == "func":
            return self.called(text)
        if kind == "word":
            return self.word(token)
        if kind == "text":
            return Node("word", (), text) if self.now.text == "_" and text.isalnum() else self.text(text)
        if kind == "op":
            return self.bracketed(text)
        if kind == "cmd":
            return self.command(text)
        return _refuse("the end of the answer")

    def named(self, text: str) -> Node:
        if text.startswith("rep:"):
            return _refuse("an overlined number")
        if text in _CALLED and self.now.kind == "op" and self.now.text == "(":
            return self.applied(text)
        if self.now.kind == "op" and self.now.text == "(" and text not in ("e", "i") and self.holds_a_list():
            return self.applied(text)
        return _name(text)

    def holds_a_list(self) -> bool:
        """Whether the bracket that opens here has a comma at its own depth: `P(x, y)` is a call, `a(b + c)` is not."""
        depth = 0
        for token in self.tokens[self.at :]:
            if token.kind == "op":
                depth += (token.text in "([{") - (token.text in ")]}")
                if depth == 1 and token.text == ",":
                    return True
                if depth == 0:
                    return False
        return False

    def applied(self, name: str) -> Node:
        self.expect("(")
        inside, _ = self.group("(", (")",))
        return Node("call", inside.args if inside.kind == "list" else (inside,), name)

    def called(self, name: str) -> Node:
        if name == "mod":
            return _refuse("a remainder")
        power: Node | None = None
        base: Node | None = None
        while self.now.kind == "op" and self.now.text in ("^", "**", "_"):
            if self.take().text != "_":
                power = Node("neg", (self.atom(),)) if self.accept("-") else self.argument_of_power()
            else:
                base = self.argument_of_power()
        inside = self.function_argument()
        inner = inside.args if inside.kind == "list" else (inside,)
        if power is not None and power.kind == "neg" and power.args[0] == _number("1") and name in _INVERSE:
            name, power = "arc" + name, None
        node = Node("func", (*inner, base) if base is not None else inner, name + ("_" if base is not None else ""))
        return Node("pow", (node, power)) if power is not None else node

    def argument_of_power(self) -> Node:
        if self.accept("{"):
            return self.group("{", ("}",))[0]
        return self.atom()

    def function_argument(self) -> Node:
        """`(x)`, `{x}`, or the factors side by side up to the next sign or function: `\\sin 2x \\cos x`."""
        if self.now.kind == "op" and self.now.text in ("(", "{", "["):
            opening = self.take().text
            inside, _ = self.group(opening, ({"(": ")", "{": "}", "[": "]"}[opening],))
            if self.now.kind == "op" and self.now.text in ("^", "!"):
                self.at += 1
                if self.tokens[self.at - 1].text == "!":
                    return Node("fact", (inside,))
                return self.raised(inside)
            return inside
        if self.accept("-"):
            return Node("neg", (self.function_argument(),))
        if self.now.kind == "func":
            return self.factor()
        node = self.factor()
        while self.now.kind in ("num", "name") or (
            self.now.kind == "cmd" and (self.now.text in ("\\pi", "\\frac", "\\sqrt") or self.now.text[1:] in GREEK)
        ):
            node = Node("mul", (node, self.factor()))
        if self.now.kind == "op" and self.now.text == "/" and self.tokens[self.at + 1].kind == "num":
            self.at += 1
            node = Node("div", (node, self.factor()))
        return node

    def word(self, token: Token) -> Node:
        """The digits of a number in a large base, a number word, or text."""
        if self.now.kind == "op" and self.now.text == "_":
            return Node("word", (), token.text)
        return self.text(token.text)

    def text(self, text: str) -> Node:
        """Words up to the end of the item; a lone number word is its number."""
        words = [text]
        while self.now.kind in ("text", "word", "name"):
            words.append(self.take().text)
        joined = " ".join(w.strip() for w in words)
        return self.text_or_number(joined)

    def text_or_number(self, text: str) -> Node:
        bare = text.strip().lower()
        if bare in NUMBER_WORDS:
            return Node("num", (), bare, Fraction(NUMBER_WORDS[bare]))
        if len(text) < 60 and ("," in text or " and " in text or " or " in text):
            parts = [part.strip() for part in re.split(r",(?:\s*(?:and|or)\b)?|\band\b|\bor\b", text)]
            if len(parts) > 1 and all(part and len(part.split()) < 3 for part in parts):
                return Node("list", tuple(self.text_or_number(part) for part in parts))
        if len(text) < 40 and (any(c.isdigit() for c in text) or len(bare) == 1):
            inner = read(text.strip(), grouped=True)
            if inner is not None and inner.kind != "text":
                return inner
        return Node("text", (), text.strip())

    def unit(self) -> str | None:
        """The words behind a number up to the end of its item, or None where they are no unit but a connective."""
        start = self.at
        if self.now.text.strip(" ,;.").lower() in ("and", "or", ""):
            return None
        parts: list[str] = []
        while self.now.kind in ("text", "word", "name", "num") or self.now.text in (
            "^",
            "/",
            "{",
            "}",
            "-",
            "\\cdot",
            "(",
            ")",
            "\\%",
            "%",
            "_",
            "'",
            ".",
            "$",
            "\\$",
        ):
            if self.now.text == "}" and parts.count("{") <= parts.count("}"):
                break
            if self.now.text == ")" and parts.count("(") <= parts.count(")"):
                break
            if self.now.kind in ("word", "text") and self.now.text.strip(" ,;.").lower() in ("and", "or"):
                break
            if self.now.kind == "num" and (not parts or parts[-1] not in ("^", "-", "{", "/", "per")):
                break
            parts.append(self.take().text)
        if self.at == start:
            return None
        return " ".join(parts)

    def bracketed(self, opening: str) -> Node:
        if opening in ("(", "["):
            inside, close = self.group(opening, (")", "]"))
            if inside.kind == "list":
                return Node("tuple", inside.args, opening + close)
            return inside
        if opening == "]":
            inside, close = self.group(opening, ("[", "]"))
            return (
                Node("tuple", inside.args, "(" + (")" if close == "[" else "]"))
                if inside.kind == "list"
                else _refuse("a bracket")
            )
        if opening == "{":
            inside, _ = self.group(opening, ("}",))
            if self.now.text == "\\choose":
                _refuse("choose")
            return inside
        if opening == "\\{":
            return self.braced()
        if opening == "|":
            self.bars += 1
            inside = self.listed()
            self.expect("|")
            self.bars -= 1
            return Node("abs", (inside,))
        if opening == "<":
            inside, _ = self.group(opening, (">",))
            return Node("tuple", inside.args, "<>") if inside.kind == "list" else _refuse("<")
        if opening in ("\\$", "$", "€", "£", "¥"):
            node = self.signed()
            while self.now.kind in ("num", "name", "cmd") and self.starts_atom():
                node = self.juxtaposed(node)
            unit = self.unit() if self.now.kind in ("text", "word") else None
            return Node("unit", (node,), {"\\$": "$"}.get(opening, opening) + (" " + unit if unit else ""))
        if opening == ".":
            return _refuse("a full stop")
        return _refuse(opening)

    def braced(self) -> Node:
        if self.accept("\\}"):
            return Node("set")
        self.bars += 1  # a bar in here divides, it opens no absolute value
        inside = self.listed()
        self.bars -= 1
        if self.now.text in ("|", ":", "\\mid", "\\vert"):
            self.at += 1
            condition = self.listed()
            self.expect("\\}")
            return Node("where", (inside, condition))
        self.expect("\\}")
        return Node("set", inside.args if inside.kind == "list" else (inside,))

    def command(self, text: str) -> Node:
        name = text[1:]
        if text == "\\frac":
            return Node("div", (self.argument(), self.argument()))
        if text == "\\sqrt":
            return self.root()
        if text in _CONSTANTS:
            return Node("const", (), _CONSTANTS[text])
        if name in FUNCTIONS or name in ("operatorname",):
            return self.called(FUNCTIONS[name])
        if name in ("Gamma", "zeta", "Beta") and self.now.text == "(":
            inside = self.function_argument()
            one = _number("1")
            return Node("fact", (Node("add", (inside, Node("neg", (one,)))),)) if name == "Gamma" else _refuse(text)
        if name in GREEK:
            return self.named(text)
        if name in ("binom", "dbinom", "tbinom"):
            return Node("binom", (self.argument(), self.argument()))
        if name in ("langle",):
            inside, _ = self.group(text, ("\\rangle",))
            return Node("tuple", inside.args, "<>") if inside.kind == "list" else _refuse(text)
        if name in ("lfloor", "lceil"):
            inside, _ = self.group(text, ("\\rfloor" if name == "lfloor" else "\\rceil",))
            return Node("func", (inside,), "floor" if name == "lfloor" else "ceil")
        if name in ("lvert", "vert"):
            inside, _ = self.group(text, ("\\rvert", "\\vert"))
            return Node("abs", (inside,))
        if name == "lbrace":
            return self.braced()
        if name in ("emptyset", "varnothing"):
            return Node("set")
        if name == "mathbb":
            letter = self.argument()
            return Node("numbers", (), letter.value) if letter.value in _SETS else _refuse(text)
        if name == "begin":
            return self.matrix()
        if name in ("angle", "triangle", "measuredangle", "square", "odot", "parallel", "perp"):
            return Node("name", (), name + "".join(self.argument().value for _ in range(1)))
        if name in ("ldots", "cdots", "dots"):
            return Node("dots")
        if name == "boxed":
            return self.argument()
        return _refuse(text)

    def root(self) -> Node:
        degree = _number("2")
        if self.now.kind == "op" and self.now.text == "[":
            self.at += 1
            degree = self.sum()
            self.expect("]")
        token = self.now
        inside = self.atom() if token.kind in ("num", "op") and token.text != "{" else self.argument()
        return Node("root", (inside, degree))

    def matrix(self) -> Node:
        kind = self.environment()
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
            _refuse(kind)
        if kind == "array" and self.accept("{"):
            while not self.accept("}"):
                self.take()
        rows: list[Node] = []
        row: list[Node] = []
        self.depth += 1
        while True:
            if self.accept("&"):
                continue
            if self.accept("\\\\"):
                if row:
                    rows.append(Node("row", tuple(row)))
                row = []
                continue
            if self.accept("\\end"):
                break
            row.append(self.item())
            self.accept(",")
        if row:
            rows.append(Node("row", tuple(row)))
        self.at -= 1
        self.take()
        if self.environment() != kind:
            _refuse("another environment's end")
        self.depth -= 1
        if kind in ("cases", "aligned", "gathered"):
            return _refuse(kind)
        return Node("matrix", tuple(rows))

    def environment(self) -> str:
        self.expect("{")
        name = ""
        while not self.accept("}"):
            if self.now.kind == "end":
                _refuse("an open environment")
            name += self.take().text
        return name


_CLOSERS = frozenset([")", "]", "}", "\\}", "\\rangle", "\\rfloor", "\\rceil", "\\end", "\\\\", "\\choose"])
_INVERSE = frozenset(["sin", "cos", "tan", "cot", "sec", "csc"])


def _one(items: list[Node]) -> Node:
    if not items:
        raise UnreadableError("nothing here")
    return items[0] if len(items) == 1 else Node("list", tuple(items))


def _name(text: str) -> Node:
    return Node("const", (), _CONSTANTS[text]) if text in _CONSTANTS else Node("name", (), text)


def _number(text: str) -> Node:
    return Node("num", (), text, Fraction(text))


def _repeating(text: str, digits: str) -> Node:
    """0.1\\overline{6} as an exact fraction."""
    places = len(text.partition(".")[2])
    if "." not in text or not digits.isdigit():
        raise UnreadableError("an overlined number")
    tail = Fraction(int(digits), (10 ** len(digits) - 1) * 10**places)
    return Node("num", (), f"{text}({digits})", Fraction(text if text[-1] != "." else text[:-1]) + tail)


def _refuse(what: str) -> Node:
    raise UnreadableError(what)
