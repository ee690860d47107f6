"""The leaves of a tree: numbers, names and constants; and how reading ends where nothing is known."""

from fractions import Fraction

from verify.tokens import UnreadableError
from verify.tree import Node

CONSTANTS = {"\\pi": "pi", "\\infty": "inf", "e": "e", "i": "i", "\\imath": "i", "\\mathrm": "i"}


def name_node(text: str) -> Node:
    return Node("const", (), CONSTANTS[text]) if text in CONSTANTS else Node("name", (), text)


def number(text: str) -> Node:
    return Node("num", (), text, Fraction(text))


def repeating(text: str, digits: str) -> Node:
    """0.1\\overline{6} as an exact fraction."""
    places = len(text.partition(".")[2])
    if "." not in text or not digits.isdigit():
        raise UnreadableError("an overlined number")
    tail = Fraction(int(digits), (10 ** len(digits) - 1) * 10**places)
    return Node("num", (), f"{text}({digits})", Fraction(text if text[-1] != "." else text[:-1]) + tail)


def refuse(what: str) -> Node:
    raise UnreadableError(what)
