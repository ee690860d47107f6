"""Where a teacher's reasoning ends and its response begins, however the teacher marks it.

Losing the reasoning is the field's quiet failure: servers rename the field, chat templates prefill the opening tag so
that it never comes back, replies are cut off inside it. So every known form is read here, once, when a reply is used;
what is stored is what came (request.Reply).

    form                                                        who                                   format
    a field of its own beside the content                       servers with a reasoning parser       field
    <think> .. </think> ..                                      Qwen3, distilled data                 tags
    the same, and a second block after it                       models that start over                blocks
    .. </think> ..   (the template wrote the opening tag)       DeepSeek R1, QwQ, distilled models    close
    <think> ..       (cut off: all of it is reasoning)          any                                   open
    a line `think`, later a line `answer`                       s1.1                                  lines
    a line `Thinking...`, later `...done thinking.`             ollama's command line                 lines
    `Here is my thought process:` .. `Here is my response:`     Granite 3.2                           lines
    <|channel|>analysis<|message|> .. final<|message|> ..       harmony (gpt-oss)                     channels
    no mark: all of it is the response                          models that do not think aloud        none

Also known as tags: `<thinking>`, `<thought>`, `<reasoning>`, `<seed:think>`, `<longcat_think>`, `[THINK]` (Magistral),
`◁think▷` (Kimi), `<|START_THINKING|>`, `<|inner_prefix|>`, `<|begin_of_thought|>` with `<|begin_of_solution|>`
(Sky-T1, OpenThoughts), `<|channel>thought`, and `\\end{think}`, which small models write for `</think>`. Nothing is
lost but the marks and the white space around the parts; time is linear in the text.

A reply that is all reasoning, never closed, is one of two things. Cut off, it has no response. Ended by itself
(`finished`), it has one, and it stands at the end: a server's parser takes the whole reply of a model that does not
think aloud for reasoning (GPQA at 1.3 %: NVIDIA-NeMo/Evaluator#1093), and small models forget the mark. The
response is then all from the last paragraph on that boxes or names the answer, or the last paragraph where none does.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from distill.think_marks import BLANK, MARK, Kind, kind_of, starts_line, without_marks

Format = Literal["none", "field", "tags", "blocks", "close", "open", "lines", "channels"]

REV = 3
"""Raised when an equal reply is split otherwise than before: what was made from it is made anew."""

_HEADER = re.compile(
    r"(?:<\|start\|>[^<]{0,200})?<\|channel\|>(?P<channel>[^<]{0,200})(?:<\|constrain\|>[^<]{0,200})?<\|message\|>"
    r"|<\|(?:end|return|call)\|>"
)
# How a text in lines opens, how its reasoning closes, and whether it is reasoning if it never closes.
_LINES = (
    (re.compile(r"(?:<\|im_start\|>)?think[ \t]*\n"), re.compile(r"(?m)^(?:<\|im_start\|>)?answer[ \t]*\n"), True),
    (re.compile(r"Thinking\.\.\.[ \t]*\n"), re.compile(r"(?m)^\.\.\.done thinking\.[ \t]*$"), False),
    (re.compile(r"Here(?:'s| is) my thought process:"), re.compile(r"(?m)^Here(?:'s| is) my response:"), True),
)
# Read by another rule than tags. Apart, for each alone is a fast search and their alternation is not.
_UNTAGGED = (r"<\|channel\|>", "assistantfinal", *(rf"\A{opening.pattern}" for opening, _, _ in _LINES))
_NAMED = re.compile(r"\\boxed|\banswer(?:\*\*)?(?: is\b|:)|final answer", re.IGNORECASE)
_BREAK = re.compile(r"\n[ \t\r]*\n")


@dataclass(frozen=True)
class Thought:
    """A reply in its two parts; `response` is empty where the reply was cut off while reasoning."""

    reasoning: str
    response: str
    format: Format


def split_thinking(content: str | None, reasoning: str | None = None, *, finished: bool = False) -> Thought:
    """The reasoning and the response of one message; `reasoning` is the server's own field, where it has one.

    Several blocks are joined by a blank line; a block inside a block is part of it. A closing mark with text after it
    makes all text since the last block reasoning, so that reasoning which mentions `</think>` never leaks into the
    response. An opening mark counts at the start of a line only: elsewhere it is talk about the mark. `<answer>` tags
    stay in the response, for the verifier.

    Args:
        finished: the reply ended by itself (finish reason `stop`), so that it has a response if reasoning never closes.

    Example:
        >>> split_thinking("Two and two ...</think>The answer is 4.")
        Thought(reasoning='Two and two ...', response='The answer is 4.', format='close')
        >>> split_thinking("4", reasoning="Two and two ...")
        Thought(reasoning='Two and two ...', response='4', format='field')
        >>> split_thinking("<think>Two and")
        Thought(reasoning='Two and', response='', format='open')
    """
    thought = _split(content, reasoning)
    unanswered = finished and not thought.response and thought.format in ("field", "open", "channels")
    return _answered(thought) if unanswered else thought


def split_columns(
    contents: pl.Series | Sequence[str | None],
    reasonings: pl.Series | Sequence[str | None] | None = None,
    finished: pl.Series | Sequence[bool] | None = None,
) -> pl.DataFrame:
    """`split_thinking` over rows: columns `reasoning`, `response` and `format`, in the order given.

    Plain rows and rows with one `</think>`, nearly all there are, never become Python strings.
    """
    content = pl.Series("content", contents, dtype=pl.String).fill_null("")
    given = [None] * len(content) if reasonings is None else reasonings
    field = pl.Series("field", given, dtype=pl.String).fill_null("").str.strip_chars(BLANK)
    ended = pl.Series("finished", [False] * len(content) if finished is None else finished, dtype=pl.Boolean)
    if not len(field) == len(ended) == len(content):
        raise ValueError(f"{len(content)} contents, {len(field)} reasonings, {len(ended)} ends: one per row")

    text = pl.col("content").str.strip_chars(BLANK)
    rows = pl.DataFrame([content, field, ended]).select(
        "field", "finished", text=text, body=text.str.strip_prefix("<think>")
    )
    odd = pl.any_horizontal(pl.col("text", "field").str.contains(pattern) for pattern in _UNTAGGED)
    odd |= pl.col("field").str.contains(MARK.pattern) | (pl.col("finished") & (pl.col("text") == ""))
    marks = pl.col("body").str.count_matches(MARK.pattern)
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
    rest = zip(*(column.filter(left) for column in (content, field, ended)), strict=True)
    others = [split_thinking(text, own, finished=end) for text, own, end in rest]
    read = pl.DataFrame(
        [(other.reasoning, other.response, other.format) for other in others], schema=whole.schema, orient="row"
    )
    order = pl.concat([mask.arg_true() for mask in (plain, tagged, left)]).arg_sort()
    return pl.concat([whole, halved, read]).select(pl.all().gather(order))


def _split(content: str | None, reasoning: str | None) -> Thought:
    content, field = content or "", (reasoning or "").strip(BLANK)
    if not field:
        return _split_content(content)
    if not content.strip(BLANK):
        # A server that parsed nothing, or cut off: the field may hold the whole reply, marks and all.
        inner = _split_content(field)
        return Thought(without_marks(field), "", "field") if inner.format in ("none", "open") else inner
    inner = _split_content(content)
    field = without_marks(field)
    # Some servers give the reasoning twice, in the field and inline.
    parts = [field, inner.reasoning] if inner.reasoning != field else [field]
    return Thought(_join(parts), inner.response, "field")


def _split_content(content: str) -> Thought:
    text = content.strip(BLANK)
    if "<|channel|>" in text and "<|message|>" in text:
        return _by_channels(text)
    if text.startswith("analysis") and "assistantfinal" in text:
        # Harmony without its special tokens: a server that skips them when decoding.
        before, _, after = text.removeprefix("analysis").rpartition("assistantfinal")
        return _thought([before], [after], "channels")
    return _by_lines(text) or _by_tags(text)


def _by_lines(text: str) -> Thought | None:
    for opening, closing, unclosed in _LINES:
        if start := opening.match(text):
            ends = list(closing.finditer(text, start.end()))
            if ends:
                return _thought([text[start.end() : ends[-1].start()]], [text[ends[-1].end() :]], "lines")
            if unclosed:
                return _thought([text[start.end() :]], [], "open")
    return None


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
    marks = [(kind, m.start(), m.end()) for m in MARK.finditer(text) if (kind := kind_of(m)) != "drop"]
    closing = _without_trailing_closes(text, marks)
    inside: list[str] = []
    outside: list[str] = []
    thinking = opened = closed = again = False
    at = 0
    for i, (kind, start, end) in enumerate(marks):
        if kind == "open":
            if not thinking and starts_line(text, start):
                outside.append(text[at:start])
                again = again or closed
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
    form = "blocks" if again else form
    return _thought(inside, outside, form)


def _thought(inside: Iterable[str], outside: Iterable[str], form: Format) -> Thought:
    # An opening mark that opened nothing is talk about the mark: the response keeps it.
    return Thought(_join(map(without_marks, inside)), _join(without_marks(part, keep="open") for part in outside), form)


def _without_trailing_closes(text: str, marks: Sequence[tuple[Kind, int, int]]) -> int:
    """How many marks there are before those that close nothing: a second `</think>` at the very end."""
    at = len(text)
    for left in range(len(marks), 0, -1):
        kind, start, end = marks[left - 1]
        if kind != "close" or text[end:at].strip(BLANK):
            return left
        at = start
    return 0


def _answered(thought: Thought) -> Thought:
    """All that was said, its end taken for the response."""
    text = thought.reasoning
    named = [match.start() for match in _NAMED.finditer(text)]
    starts = [0, *(gap.end() for gap in _BREAK.finditer(text))]
    start = next(start for start in reversed(starts) if not named or start <= named[-1])
    return replace(thought, reasoning=text[:start].strip(BLANK), response=text[start:])


def _join(parts: Iterable[str]) -> str:
    return "\n\n".join(stripped for part in parts if (stripped := part.strip(BLANK)))
