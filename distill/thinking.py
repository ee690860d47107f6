"""Where a teacher's reasoning ends and its response begins, however the teacher marks it.

Losing the reasoning is the field's quiet failure: servers rename the field, chat templates prefill the opening tag so
that it never comes back, replies are cut off inside it. So every known form is read here, once, when a reply is used;
what is stored is what came (request.Reply).

    form                                                        who                                   format
    a field of its own beside the content                       servers with a reasoning parser       field
    <think> .. </think> ..                                      Qwen3, distilled data                 tags
    .. </think> ..   (the template wrote the opening tag)       DeepSeek R1, QwQ, distilled models    close
    <think> ..       (cut off: all of it is reasoning)          any                                   open
    a line `think`, later a line `answer`                       s1.1                                  lines
    <|channel|>analysis<|message|> .. final<|message|> ..       harmony (gpt-oss)                     channels
    no mark: all of it is the response                          models that do not think aloud        none

Also known as tags: `<thinking>`, `<thought>`, `<reasoning>`, `<seed:think>`, `[THINK]`, `<|START_THINKING|>`,
`<|begin_of_thought|>` with `<|begin_of_solution|>`, `<|channel>thought`, and `\\end{think}`, which small models write
for `</think>`. Nothing is lost but the marks and the white space around the parts; time is linear in the text.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

Format = Literal["none", "field", "tags", "close", "open", "lines", "channels"]
Kind = Literal["open", "close", "drop"]

# White space is named, not left to str.strip(), so that the polars path and the Python path cut alike.
BLANK = " \t\r\n\f\v"

# Every alternative starts with a literal: the regex engine then skips quickly to the next character that may be a mark.
# Case is kept: ignoring it costs the polars path a factor of ten, and no model has been seen to write `<Think>`.
_MARK = re.compile(
    r"</?(?:think(?:ing)?|thought|reasoning|seed:think)>|\[/?THINK\]|◁/?think▷|<\|(?:START|END)_(?:THINKING|RESPONSE)\|>"
    r"|<\|(?:begin|end)_of_(?:thought|solution)\|>|<\|channel>thought\b|<channel\|>|\\end\{think[}>]",
    re.ASCII,
)
_DROPPED = ("<|end_of_solution|>", "<|START_RESPONSE|>", "<|END_RESPONSE|>")
_CLOSING = (
    "<|end_of_thought|>",
    "<|begin_of_solution|>",
    "<|END_THINKING|>",
    "<channel|>",
    "\\end{think}",
    "\\end{think>",
)

_HEADER = re.compile(
    r"(?:<\|start\|>[^<]{0,200})?<\|channel\|>(?P<channel>[^<]{0,200})(?:<\|constrain\|>[^<]{0,200})?<\|message\|>"
    r"|<\|(?:end|return|call)\|>"
)
_THINK_LINE = re.compile(r"\s*(?:<\|im_start\|>)?think[ \t]*\n")
_ANSWER_LINE = re.compile(r"^(?:<\|im_start\|>)?answer[ \t]*\n", re.MULTILINE)
# Read by another rule than tags. Apart, for each alone is a fast search and their alternation is not.
_UNTAGGED = (r"<\|channel\|>", "assistantfinal", rf"\A{_THINK_LINE.pattern}")


@dataclass(frozen=True)
class Thought:
    """A reply in its two parts; `response` is empty where the reply was cut off while reasoning."""

    reasoning: str
    response: str
    format: Format


def split_thinking(content: str | None, reasoning: str | None = None) -> Thought:
    """The reasoning and the response of one message; `reasoning` is the server's own field, where it has one.

    Several blocks are joined by a blank line; a block inside a block is part of it. A closing mark with text after it
    makes all text since the last block reasoning, so that reasoning which mentions `</think>` never leaks into the
    response. An opening mark counts at the start of a line only: elsewhere it is talk about the mark. `<answer>` tags
    stay in the response, for the verifier.

    Example:
        >>> split_thinking("Two and two ...</think>The answer is 4.")
        Thought(reasoning='Two and two ...', response='The answer is 4.', format='close')
        >>> split_thinking("4", reasoning="Two and two ...")
        Thought(reasoning='Two and two ...', response='4', format='field')
        >>> split_thinking("<think>Two and")
        Thought(reasoning='Two and', response='', format='open')
    """
    content, field = content or "", (reasoning or "").strip(BLANK)
    if not field:
        return _split_content(content)
    if not content.strip(BLANK):
        # A server that parsed nothing, or cut off: the field may hold the whole reply, marks and all.
        inner = _split_content(field)
        return Thought(_clean(field), "", "field") if inner.format in ("none", "open") else inner
    inner = _split_content(content)
    field = _clean(field)
    # Some servers give the reasoning twice, in the field and inline.
    parts = [field, inner.reasoning] if inner.reasoning != field else [field]
    return Thought(_join(parts), inner.response, "field")


def split_columns(
    contents: pl.Series | Sequence[str | None], reasonings: pl.Series | Sequence[str | None] | None = None
) -> pl.DataFrame:
    """`split_thinking` over rows: columns `reasoning`, `response` and `format`, in the order given.

    Plain rows and rows with one `</think>`, nearly all there are, never become Python strings.
    """
    content = pl.Series("content", contents, dtype=pl.String).fill_null("")
    given = [None] * len(content) if reasonings is None else reasonings
    field = pl.Series("field", given, dtype=pl.String).fill_null("").str.strip_chars(BLANK)
    if len(field) != len(content):
        raise ValueError(f"{len(content)} contents but {len(field)} reasonings: one per row")

    text = pl.col("content").str.strip_chars(BLANK)
    rows = pl.DataFrame([content, field]).select("field", text=text, body=text.str.strip_prefix("<think>"))
    odd = pl.any_horizontal(pl.col("text", "field").str.contains(pattern) for pattern in _UNTAGGED)
    odd |= pl.col("field").str.contains(_MARK.pattern)
    marks = pl.col("body").str.count_matches(_MARK.pattern)
    closed = (marks == 1) & pl.col("body").str.contains("</think>", literal=True) & (pl.col("field") == "")
    rows = rows.with_columns(
        opened=pl.col("body").str.len_bytes() < pl.col("text").str.len_bytes(), odd=odd, marks=marks, closed=closed
    )
    plain = rows.select(~pl.col("odd") & ~pl.col("opened") & (pl.col("marks") == 0)).to_series()
    tagged = rows.select(~pl.col("odd") & pl.col("closed")).to_series()

    form = pl.when(pl.col("field") != "").then(pl.lit("field")).otherwise(pl.lit("none"))
    whole = rows.filter(plain).select(reasoning="field", response="text", format=form)
    halves = pl.col("body").str.splitn("</think>", 2)
    before, after = (halves.struct.field(name).str.strip_chars(BLANK) for name in ("field_0", "field_1"))
    form = pl.when("opened").then(pl.lit("tags")).otherwise(pl.lit("close"))
    halved = rows.filter(tagged).select(reasoning=before, response=after, format=form)
    left = ~(plain | tagged)
    pairs = zip(content.filter(left), field.filter(left), strict=True)
    others = [split_thinking(text, own) for text, own in pairs]
    read = pl.DataFrame(
        [(other.reasoning, other.response, other.format) for other in others], schema=whole.schema, orient="row"
    )
    order = pl.concat([mask.arg_true() for mask in (plain, tagged, left)]).arg_sort()
    return pl.concat([whole, halved, read]).select(pl.all().gather(order))


def _split_content(content: str) -> Thought:
    text = content.strip(BLANK)
    if "<|channel|>" in text and "<|message|>" in text:
        return _by_channels(text)
    if text.startswith("analysis") and "assistantfinal" in text:
        # Harmony without its special tokens: a server that skips them when decoding.
        before, _, after = text.removeprefix("analysis").rpartition("assistantfinal")
        return _thought([before], [after], "channels")
    if opening := _THINK_LINE.match(text):
        return _by_lines(text, opening.end())
    return _by_tags(text)


def _by_lines(text: str, start: int) -> Thought:
    closings = list(_ANSWER_LINE.finditer(text, start))
    if not closings:
        return _thought([text[start:]], [], "open")
    end = closings[-1]
    return _thought([text[start : end.start()]], [text[end.end() :]], "lines")


def _by_channels(text: str) -> Thought:
    """`final` is the response; what any other channel says, or text before the first header, is reasoning."""
    inside: list[str] = []
    outside: list[str] = []
    channel, at = "analysis", 0
    for header in _HEADER.finditer(text):
        (outside if channel == "final" else inside).append(text[at : header.start()])
        at = header.end()
        if header["channel"] is not None:
            channel = header["channel"].strip(BLANK).partition(" ")[0]
    (outside if channel == "final" else inside).append(text[at:])
    return _thought(inside, outside, "channels")


def _by_tags(text: str) -> Thought:
    marks = [(kind, m.start(), m.end()) for m in _MARK.finditer(text) if (kind := _kind(m)) != "drop"]
    closing = _without_trailing_closes(text, marks)
    inside: list[str] = []
    outside: list[str] = []
    thinking = opened = closed = False
    at = 0
    for i, (kind, start, end) in enumerate(marks):
        if kind == "open":
            if not thinking and _starts_line(text, start):
                outside.append(text[at:start])
                at, thinking, opened = end, True, True
        elif thinking or not closed or i < closing:
            inside.append(text[at:start])
            at, thinking, closed = end, False, True
    rest = text[at:]
    if not thinking:
        outside.append(rest)
    elif (answer := rest.rfind("<answer>")) >= 0 and rest.rstrip(BLANK).endswith("</answer>"):
        # Never closed, but answered: small models forget the mark.
        inside.append(rest[:answer])
        outside.append(rest[answer:])
    else:
        inside.append(rest)
    form: Format = "tags" if opened and closed else "open" if opened else "close" if closed else "none"
    return _thought(inside, outside, form)


def _thought(inside: Iterable[str], outside: Iterable[str], form: Format) -> Thought:
    # An opening mark that opened nothing is talk about the mark: the response keeps it.
    return Thought(_join(map(_clean, inside)), _join(_clean(part, keep="open") for part in outside), form)


def _kind(mark: re.Match[str]) -> Kind:
    text = mark[0]
    if text in _DROPPED:
        return "drop"
    return "close" if "/" in text or text in _CLOSING else "open"


def _without_trailing_closes(text: str, marks: Sequence[tuple[Kind, int, int]]) -> int:
    """How many marks there are before those that close nothing: a second `</think>` at the very end."""
    at = len(text)
    for left in range(len(marks), 0, -1):
        kind, start, end = marks[left - 1]
        if kind != "close" or text[end:at].strip(BLANK):
            return left
        at = start
    return 0


def _starts_line(text: str, at: int) -> bool:
    # 64 characters back, no more: a line of a million marks must not cost a million looks at the whole line.
    before = text[max(0, at - 64) : at].rstrip(" \t")
    return not before or before.endswith("\n")


def _clean(text: str, keep: Kind | None = None) -> str:
    """The text without its marks, white space around it aside."""

    def removed(mark: re.Match[str]) -> str:
        return mark[0] if _kind(mark) == keep else ""

    cleaned = _MARK.sub(removed, text)
    if len(cleaned) < len(text) and any(_kind(mark) != keep for mark in _MARK.finditer(cleaned)):
        # `<th<think>ink>`: taking out one mark made another. With a space in its place it cannot.
        cleaned = _MARK.sub(lambda mark: removed(mark) or " ", text)
    return cleaned.strip(BLANK)


def _join(parts: Iterable[str]) -> str:
    return "\n\n".join(stripped for part in parts if (stripped := part.strip(BLANK)))
