"""Words inside answers: number words, lists of words, and the units behind a number."""

import re
from fractions import Fraction
from typing import TYPE_CHECKING

from verify.tokens import Token
from verify.tree import Node
from verify.words import NUMBER_WORDS

if TYPE_CHECKING:
    from verify.latex import Reader


def word_node(reader: "Reader", token: Token) -> Node:
    """The digits of a number in a large base, a number word, or text."""
    if reader.now.kind == "op" and reader.now.text == "_":
        return Node("word", (), token.text)
    return words_of(reader, token.text)


def words_of(reader: "Reader", text: str) -> Node:
    """Words up to the end of the item; a lone number word is its number."""
    words = [text]
    while reader.now.kind in ("text", "word", "name"):
        words.append(reader.take().text)
    joined = " ".join(w.strip() for w in words)
    return text_or_number(reader, joined)


def text_or_number(reader: "Reader", text: str) -> Node:
    bare = text.strip().lower()
    if bare in NUMBER_WORDS:
        return Node("num", (), bare, Fraction(NUMBER_WORDS[bare]))
    if len(text) < 60 and ("," in text or " and " in text or " or " in text):
        parts = [part.strip() for part in re.split(r",(?:\s*(?:and|or)\b)?|\band\b|\bor\b", text)]
        if len(parts) > 1 and all(part and len(part.split()) < 3 for part in parts):
            return Node("list", tuple(text_or_number(reader, part) for part in parts))
    if len(text) < 40 and (any(c.isdigit() for c in text) or len(bare) == 1):
        from verify.latex import read  # the reader of whole answers reads this part of one

        inner = read(text.strip(), grouped=True)
        if inner is not None and inner.kind != "text":
            return inner
    return Node("text", (), text.strip())


def unit(reader: "Reader") -> str | None:
    """The words behind a number up to the end of its item, or None where they are no unit but a connective."""
    start = reader.at
    if reader.now.text.strip(" ,;.").lower() in ("and", "or", ""):
        return None
    parts: list[str] = []
    while reader.now.kind in ("text", "word", "name", "num") or reader.now.text in (
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
        if reader.now.text == "}" and parts.count("{") <= parts.count("}"):
            break
        if reader.now.text == ")" and parts.count("(") <= parts.count(")"):
            break
        if reader.now.kind in ("word", "text") and reader.now.text.strip(" ,;.").lower() in ("and", "or"):
            break
        if reader.now.kind == "num" and (not parts or parts[-1] not in ("^", "-", "{", "/", "per")):
            break
        parts.append(reader.take().text)
    if reader.at == start:
        return None
    return " ".join(parts)
