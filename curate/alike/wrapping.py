"""What stands around a question: chat marks, instructions how to answer, headings, numbering, a source, escapes."""

from collections.abc import Callable
from typing import Literal

import polars as pl

EDGE = r"(?-u:\b)"
"""The edge of a word, in a pattern: ASCII's. With Unicode's own polars goes through other scripts at a crawl."""

_ESCAPES = {
    "&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"', "&nbsp;": " ", "&#39;": "'", "&#x27;": "'", "&apos;": "'",
    "&le;": "≤", "&ge;": "≥", "&times;": "×", "&minus;": "-", "&deg;": "°", "&pi;": "π", "&ne;": "≠",
}  # fmt: skip
"""HTML's names of the signs that mathematics needs."""

_JSON = (
    (r"(?:\\+n)+(\s|[A-Z$(\[\d\\]|$)", "\n${1}"),
    (r'\\"', '"'),
)
"""Texts that were escaped once too often: line breaks, commands and quotes."""

_NAMES = "(?:system|user|assistant|human|model|question|problem|instruction|input|task|exercise|q)"
_MARKS = (
    rf"(?is)(?:<\|im_start\|>\s*system{EDGE}.*?<\|im_end\|>|<<SYS>>.*?<</SYS>>)",
    rf"(?i)<\|[^<>|]+\|>(?:\s*{_NAMES}{EDGE})?|\[/?INST\]|</?s>|<(?:start|end)_of_turn>(?:\s*{_NAMES}{EDGE})?|<think>",
)
"""Of chats: what the system is told, and marks."""

_ABOUT_ANSWERS = "|".join(
    (
        r"last line of (?:your|the) response",
        r"your (?:response|output) should",
        r"without quotes",
        r"that solves the problem",
        r"appropriately completes",
        r"describes a task",
        r"helpful assistant",
        r"give a final answer",
        r"return your (?:final )?(?:answer|response)",
        r"solve the following (?:math\w* )?problem",
    )
)
_INSTRUCTIONS = (
    rf"(?i)[^.?!\n:]*{EDGE}(?:{_ABOUT_ANSWERS}){EDGE}[^.?!\n:]*[.?!:]*",
    rf"(?i)\s*(?:please,?\s+|let'?s\s+)?(?:reason|think){EDGE}[^.\n]*?{EDGE}step[ -]by[ -]step{EDGE}[^.?!\n]*[.?!]*",
    r"(?i)\s*(?:please,?\s+|and\s+)*(?:put|give|write|return|present|express|enclose|place|box)\s+(?:your|the)\s+"
    rf"(?:final\s+)?answer{EDGE}[^\n]*(?:\\+boxed|<answer>|####)[^\n]*",
    rf"(?i)['\"]?(?:therefore,?\s+)?(?:the|my) final answer is{EDGE}[^\n.]*\\+boxed[^\n.]*\.?",
    rf"(?i)\s*remember to (?:put|box|give|write) your (?:final )?answer{EDGE}[^\n]*",
    r"(?is)^\s*(?:please\s+)?(?:solve|answer)\s+(?:the\s+following|this)\s[^\n:.]*(?:problem|question|task)[^\n:.]*[:.]\s+",
)
"""How to answer: a sentence that speaks of nothing else, or from where it begins to."""

_CONTESTS = "(?:AMC|AIME|AHSME|HMMT|IMO|olympiad|contest|kangaroo)"
_HEADINGS = (
    # With what comes before it and has no number.
    rf"(?is)^[^\d]*?(?:^|\n)\s*[#*]+\s*{_NAMES}\s*\d*\s*(?::|\*\*)*(?:\s*\n|\s+)",
    rf"(?is)^\s*(?:{_NAMES}\s*(?:\d+\s*)?[:.]\s+)+",
    r"(?is)\s*\n\s*[#*]+\s*(?:answer|solution|response)\W*$",
    r"(?is)\s+(?:answer|solution|response|assistant|a)\s*:\s*$",
    r"(?i)\s*[(\[](?:\d+\s*(?:points?|marks?|pts)"
    rf"|[^()\[\]]*{EDGE}{_CONTESTS}{EDGE}[^()\[\]]*)\.?[)\]]\s*$",
)
"""Before and after the question; the last one is where it comes from, or what it counts."""

_NUMBERING = r"^\s*(?:\(?\d{1,3}[.)]|#\d{1,4}[.:]?)\s+(\p{Lu}|\$|\\)"
_SUPERSCRIPTS = "([⁰¹²³⁴⁵⁶⁷⁸⁹]+)"


def normalized(texts: pl.Series, form: Literal["NFC", "NFKC"]) -> pl.Series:
    """The texts in one of Unicode's normal forms. ASCII has them all, and most texts are that: they cost nothing."""
    foreign = texts.str.len_bytes() != texts.str.len_chars()
    return changed(texts, foreign, lambda text: text.str.normalize(form))


def changed(texts: pl.Series, where: pl.Series, change: Callable[[pl.Expr], pl.Expr]) -> pl.Series:
    """The texts, those changed for which `where` is true."""
    # polars passes over nulls.
    made = pl.when("where").then("text")
    return pl.DataFrame({"text": texts, "where": where}).select(pl.coalesce(change(made), "text").alias("text"))["text"]


def unwrapped(texts: pl.Series) -> pl.Series:
    """The texts without what is wrapped around them: two copies of one question from two sources come out alike."""
    # NFKC makes x2 of x².
    bare = normalized(texts.fill_null("").str.replace_all(_SUPERSCRIPTS, "^${1}"), "NFKC")
    bare = changed(bare, bare.str.contains("&[a-z#]"), lambda text: text.str.replace_many(_ESCAPES))
    for pattern, same in _JSON:
        bare = bare.str.replace_all(pattern, same)
    doubled = bare.str.contains(r"\\\\[A-Za-z]") & ~bare.str.contains(r"(?:^|[^\\])\\[A-Za-z]")
    bare = changed(bare, doubled, lambda text: text.str.replace_all(r"\\", "\\", literal=True))
    for pattern in (*_MARKS, *_INSTRUCTIONS, *_HEADINGS):
        bare = bare.str.replace_all(pattern, "")
    return bare.str.replace(_NUMBERING, "${1}")
