"""The marks by which models set their reasoning off, and text without them."""

import re
from typing import Literal

Kind = Literal["open", "close", "drop"]

# White space is named, not left to str.strip(), so that the polars path and the Python path cut alike.
BLANK = " \t\r\n\f\v"

# Every alternative starts with a literal: the regex engine then skips quickly to the next character that may be a mark.
# Case is kept: ignoring it costs the polars path a factor of ten, and no model has been seen to write `<Think>`.
MARK = re.compile(
    r"</?(?:think(?:ing)?|thoughts?|reasoning|seed:think|longcat_think)>|\[/?THINK\]|◁/?think▷"
    r"|<\|(?:START|END)_(?:THINKING|RESPONSE)\|>|<\|inner_(?:pre|suf)fix\|>"
    r"|<\|(?:begin|end)_of_(?:thought|solution)\|>|<\|channel>thought\b|<channel\|>|\\end\{think[}>]",
    re.ASCII,
)
_DROPPED = ("<|end_of_solution|>", "<|START_RESPONSE|>", "<|END_RESPONSE|>")
_CLOSING = (
    "<|end_of_thought|>",
    "<|begin_of_solution|>",
    "<|END_THINKING|>",
    "<|inner_suffix|>",
    "<channel|>",
    "\\end{think}",
    "\\end{think>",
)


def kind_of(mark: re.Match[str]) -> Kind:
    """Whether the mark opens reasoning, closes it, or only frames the response."""
    text = mark[0]
    if text in _DROPPED:
        return "drop"
    return "close" if "/" in text or text in _CLOSING else "open"


def starts_line(text: str, at: int) -> bool:
    """Whether only blanks stand before this place in its line."""
    # 64 characters back, no more: a line of a million marks must not cost a million looks at the whole line.
    before = text[max(0, at - 64) : at].rstrip(" \t")
    return not before or before.endswith("\n")


def without_marks(text: str, keep: Kind | None = None) -> str:
    """The text without its marks, those of one kind kept if asked, white space around it aside."""

    def removed(mark: re.Match[str]) -> str:
        return mark[0] if kind_of(mark) == keep else ""

    cleaned = MARK.sub(removed, text)
    if len(cleaned) < len(text) and any(kind_of(mark) != keep for mark in MARK.finditer(cleaned)):
        # `<th<think>ink>`: taking out one mark made another. With a space in its place it cannot.
        cleaned = MARK.sub(lambda mark: removed(mark) or " ", text)
    return cleaned.strip(BLANK)
