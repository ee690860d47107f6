"""Lists and relations: items with commas, `and`, `or` between them, each a chain of sides and signs."""

from typing import TYPE_CHECKING

from verify.tokens import RELATIONS, UnreadableError
from verify.tree import Node

if TYPE_CHECKING:
    from verify.latex import Reader

_CLOSERS = frozenset([")", "]", "}", "\\}", "\\rangle", "\\rfloor", "\\rceil", "\\end", "\\\\", "\\choose"])
_JOINING = frozenset(["", "and", "or", "et", "und", "及", "和", "或"])
_CONJUNCTIONS = {"and": "and", "or": "or", "land": "and", "wedge": "and", "lor": "or", "vee": "or"}


def listed(reader: "Reader") -> Node:
    """Items with commas, semicolons, `and`, `or` between them; one item alone is itself."""
    items: list[Node] = []
    groups: list[Node] = []
    said = set()
    _separator(reader)
    while not _closed(reader):
        items.append(related(reader))
        mark, word = _separator(reader)
        said.add(word)
        if mark == ";":
            groups.append(_one(items))
            items = []
        elif mark is None:
            break
    if groups:
        if items:
            groups.append(_one(items))
        return _one(groups)
    node = _one(items)
    joined = said - {""}
    # Only between relations does it matter what joins them: x > 2 and x < 3 is one interval.
    if node.kind == "list" and len(joined) == 1 and all(item.kind == "rel" for item in items):
        return node._replace(value=joined.pop())
    return node


def related(reader: "Reader") -> Node:
    """A chain of relations between sets or expressions."""
    start = reader.at
    while reader.accept("\\approx", "\\sim", "\\simeq"):
        start = reader.at
    sides, signs = [Node("blank") if _starts_with_bound(reader) else reader.united()], []
    starts = [start]
    while reader.now.kind in ("op", "cmd") and reader.now.text in RELATIONS:
        signs.append(RELATIONS[reader.take().text])
        starts.append(reader.at)
        sides.append(reader.united())
    if not signs:
        return sides[0]
    names = [
        "".join(t.text for t in reader.tokens[a:b])
        for a, b in zip(starts, [*(s - 1 for s in starts[1:]), reader.at], strict=True)
    ]
    named = tuple(Node("side", (side,), name) for side, name in zip(sides, names, strict=True))
    return Node("rel", named, " ".join(signs))


def _separator(reader: "Reader") -> tuple[str | None, str]:
    """The connective that stands here, passed over, and the conjunction in it; None and nothing without one."""
    found, word = None, ""
    while True:
        token = reader.now
        if token.kind == "op" and token.text in (",", ";"):
            found = ";" if token.text == ";" else found or ","
        elif (
            (token.kind in ("word", "text") and token.text.strip(" ,;.").lower() in _JOINING)
            or (token.kind == "cmd" and token.text in ("\\land", "\\lor", "\\wedge", "\\vee", "\\newline"))
            or (token.kind == "op" and token.text == "&")
        ):
            found = found or ","
            word = _CONJUNCTIONS.get(token.text.strip(" ,;.\\").lower(), word)
        else:
            return found, word
        reader.at += 1


def _closed(reader: "Reader") -> bool:
    token = reader.now
    return token.kind == "end" or (token.kind in ("op", "cmd") and token.text in _CLOSERS)


def _starts_with_bound(reader: "Reader") -> bool:
    """Whether a relation without its left side stands here, `> 5`, and no `<1, 2>`."""
    token = reader.now
    if token.kind not in ("op", "cmd") or RELATIONS.get(token.text) not in ("<", ">", "<=", ">=", "!="):
        return False
    return token.text != "<" or all(later.text != ">" for later in reader.tokens[reader.at :])


def _one(items: list[Node]) -> Node:
    if not items:
        raise UnreadableError("nothing here")
    return items[0] if len(items) == 1 else Node("list", tuple(items))
