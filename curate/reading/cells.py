"""Cells of parsed JSON become typed columns: by what all of them hold, never by the first few.

`answer` is 18 in one row and "x = 18" in the next; `rollout` is a text here and a list there. Type inference over the
first rows fails on such files, or turns what comes later into null.
"""

import json
from typing import Any, Literal

import polars as pl

MESSAGE = pl.Struct({"role": pl.String, "content": pl.String})
"""One turn of a conversation. `from` and `value` (ShareGPT) become `role` and `content`."""

Shape = Literal["text", "list", "messages", "conversations"]


def column_of(name: str, cells: list[Any]) -> pl.Series:
    """Text, lists of text, message lists or lists of those; where cells disagree beyond that, JSON text."""
    shapes = {_shape(cell) for cell in cells if cell is not None and cell != []}
    if shapes == {"messages"}:
        return pl.Series(name, [cell and [_message(m) for m in cell] for cell in cells], dtype=pl.List(MESSAGE))
    if shapes == {"conversations"}:
        lists = [cell and [c and [_message(m) for m in c] for c in cell] for cell in cells]
        return pl.Series(name, lists, dtype=pl.List(pl.List(MESSAGE)))
    if shapes == {"list"} or shapes == {"list", "text"} or (not shapes and [] in cells):
        wrapped = (cell if cell is None or isinstance(cell, list) else [cell] for cell in cells)
        return pl.Series(name, [cell and [text_of(c) for c in cell] for cell in wrapped], dtype=pl.List(pl.String))
    return pl.Series(name, [text_of(cell) for cell in cells], dtype=pl.String)


def text_of(value: Any) -> str | None:
    """The cell as text that UTF-8 can hold; JSON for what is no text."""
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # JSON can escape half a surrogate pair (a reply cut inside an emoji); no table could hold it.
    return text if is_text(text) else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def is_text(text: str) -> bool:
    """Whether UTF-8 can hold it: no lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shape(cell: Any) -> Shape:
    if not isinstance(cell, list):
        return "text"
    if all(_is_message(c) for c in cell):
        return "messages"
    if any(cell) and all(c is None or _is_conversation(c) for c in cell):
        return "conversations"
    return "list"


def _is_conversation(value: Any) -> bool:
    return isinstance(value, list) and value != [] and all(_is_message(m) for m in value)


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and ({"role", "content"} <= value.keys() or {"from", "value"} <= value.keys())


def _message(value: dict[str, Any]) -> dict[str, str | None]:
    role, content = ("role", "content") if "role" in value else ("from", "value")
    return {"role": text_of(value[role]), "content": text_of(value[content])}
