"""A reader of answers: tidied LaTeX or plain text in, a small tree out. No eval, no sympy, linear in the length."""

from functools import lru_cache

from verify.atoms import atom
from verify.derivatives import derivative
from verify.factors import factor, juxtaposed
from verify.leaves import refuse
from verify.lists import listed
from verify.phrases import unit as unit_of
from verify.scripts import raised
from verify.tokens import RELATIONS, Token, UnreadableError, tokens
from verify.tree import Node

MAX_CHARS = 4_000
MAX_DEPTH = 60
_ENDS = r") ] } \} \rangle | \rfloor \rceil \end & \\ \choose , ;"
_BETWEEN = r"\pm \mp \cdot \times \div \ast \cup \cap \setminus \backslash : \mid \vert \rvert \|"
_BETWEEN += r" \pmod \bmod \mod \to \land \lor \wedge \vee"
_STOP = frozenset([*_ENDS.split(), *_BETWEEN.split(), *RELATIONS])
"""Signs with which no atom begins."""
_TIMES = frozenset(["\\cdot", "\\times", "\\div", "\\ast"])
_FILLERS = frozenset(
    ["approximately", "about", "approx", "exactly", "roughly", "around", "only", "the", "is", "are", "answer"]
)


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
        reader = Reader(tokens(text, grouped))
        node = reader.listed()
        if reader.now.kind != "end":
            raise UnreadableError(f"left over: {reader.now.text}")
    except (UnreadableError, IndexError, RecursionError):
        return None
    return node


class Reader:
    """Recursive descent over the tokens of one answer: lists, relations, sums, products, powers."""

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

    def listed(self) -> Node:
        """Items with commas, semicolons, `and`, `or` between them; one item alone is itself."""
        return listed(self)

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
            if (token.kind == "op" and token.text in ("*", "/")) or token.text in _TIMES:
                self.at += 1
                sign = token.text
                right = self.signed()
                if sign == "/" and right.kind == "name" and right.value == "d" and self.now.kind == "name":
                    whole = derivative(node, Node("mul", (right, self.factor())))
                    node = whole or refuse("a differential below a fraction")
                    continue
                node = Node("div" if sign in ("/", "\\div") else "mul", (node, right))
            elif token.text in ("\\mod", "\\bmod", "mod"):
                self.at += 1
                node = Node("func", (node, self.factor()), "mod")
            elif token.kind in ("text", "word"):
                unit = unit_of(self)
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
            return token.text not in _STOP
        return token.kind == "op" and (token.text in ("(", "[", "{", "\\{") or (token.text == "|" and self.bars == 0))

    def juxtaposed(self, left: Node) -> Node:
        return juxtaposed(self, left)

    def factor(self) -> Node:
        return factor(self)

    def atom(self) -> Node:
        return atom(self)

    def powered(self, base: Node) -> Node:
        """The base to the power that follows its `^`."""
        return raised(self, base)

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
