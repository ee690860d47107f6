"""What stands above and below: powers, degree signs, primes, subscripts, bases."""

from fractions import Fraction
from typing import TYPE_CHECKING

from verify.atoms import atom
from verify.leaves import refuse
from verify.tree import Node
from verify.words import NUMBER_WORDS

if TYPE_CHECKING:
    from verify.latex import Reader


def raised(reader: "Reader", base: Node) -> Node:
    token = reader.now
    if token.text == "\\circ":
        reader.at += 1
        unit_of_degree(reader)
        return Node("degree", (base,))
    if token.kind == "op" and token.text == "{":
        inside = reader.tokens[reader.at + 1]
        if inside.text == "\\circ" and reader.tokens[reader.at + 2].text == "}":
            reader.at += 3
            unit_of_degree(reader)
            return Node("degree", (base,))
        if inside.text in ("\\prime", "'") and base.kind == "name":
            reader.at += 1
            primes = ""
            while not reader.accept("}"):
                reader.take()
                primes += "'"
            return Node("name", (), base.value + primes)
        reader.at += 1
        exponent = reader.listed()
        reader.expect("}")
    elif token.text == "\\prime":
        reader.at += 1
        return Node("name", (), base.value + "'")
    elif token.text in ("*", "T", "\\top", "\\dagger"):
        reader.at += 1
        return Node("name", (), f"{base.value}^{token.text}") if base.kind == "name" else refuse("a transpose")
    elif reader.accept("-"):
        exponent = Node("neg", (atom(reader),))
    else:
        reader.accept("+")
        exponent = atom(reader)
        if reader.now.text in ("^", "**"):
            reader.at += 1
            exponent = raised(reader, exponent)
    if base.kind == "name" and exponent.kind in ("list", "text"):
        return refuse("a list for an exponent")
    return Node("pow", (base, exponent))


def unit_of_degree(reader: "Reader") -> None:
    """Passes over the C or F of a temperature."""
    if (
        reader.now.kind in ("name", "text")
        and reader.now.text in ("C", "F")
        and reader.tokens[reader.at + 1].kind == "end"
    ):
        reader.at += 1


def subscripted(reader: "Reader", base: Node) -> Node:
    start = reader.at
    if reader.accept("{"):
        depth = 1
        while depth:
            token = reader.take()
            if token.kind == "end":
                refuse("an open subscript")
            depth += (token.text == "{") - (token.text == "}")
        inside = reader.tokens[start + 1 : reader.at - 1]
    else:
        inside = [reader.take()]
    label = "".join(t.text for t in inside)
    if base.kind == "pow" and base.args[0].kind in ("name", "const"):
        return Node("pow", (Node("name", (), f"{base.args[0].value}_{label}"), base.args[1]))
    if base.kind in ("name", "call", "const"):
        return Node("name", (), f"{base.value}_{label}")
    radix = int(label) if label.isdigit() else NUMBER_WORDS.get(label.lower(), 0)
    if base.kind in ("num", "word") and 2 <= radix <= 36:
        return Node("base", (), base.value.lower(), Fraction(radix))
    return refuse("a subscript")
