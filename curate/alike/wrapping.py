"""What stands around a question: chat marks, instructions how to answer, headings, numbering, a source, escapes."""

from typing import Literal

import polars as pl

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

_NAMES = r"(?:system|user|assistant|human|model|question|problem|instruction|input|task|exercise|q)"
_AROUND = (
    r"(?is)(?:<\|im_start\|>\s*system\b.*?<\|im_end\|>|<<SYS>>.*?<</SYS>>)",
    r"(?i)<\|[^<>|]+\|>(?:\s*(?:user|assistant|human)\b)?|\[/?INST\]|</?s>|<(?:start|end)_of_turn>(?:\s*(?:user|model)\b)?"
    r"|<think>",
    # How to answer: a sentence that speaks of nothing else, or from where it begins to.
    r"(?i)[^.?!\n:]*\b(?:last line of (?:your|the) response|your (?:response|output) should|without quotes|that solves"
    r" the problem|appropriately completes|describes a task|helpful assistant|give a final answer|return your (?:final )?"
    r"(?:answer|response)|solve the following (?:math\w* )?problem)\b[^.?!\n:]*[.?!:]*",
    r"(?i)\s*(?:please,?\s+|let'?s\s+)?(?:reason|think)\b[^.\n]*?\bstep[ -]by[ -]step\b[^.?!\n]*[.?!]*",
    r"(?i)\s*(?:please,?\s+|and\s+)*(?:put|give|write|return|present|express|enclose|place|box)\s+(?:your|the)\s+(?:final\s+)?"
    r"answer\b[^\n]*(?:\\+boxed|<answer>|####)[^\n]*",
    r"(?i)['\"]?(?:therefore,?\s+)?(?:the|my) final answer is\b[^\n.]*\\+boxed[^\n.]*\.?",
    r"(?i)\s*remember to (?:put|box|give|write) your (?:final )?answer\b[^\n]*",
    # What comes before a heading and has no number, and the heading.
    r"(?is)^[^\d]*?(?:^|\n)\s*[#*]+\s*" + _NAMES + r"\s*\d*\s*(?::|\*\*)*(?:\s*\n|\s+)",
    r"(?is)^\s*(?:" + _NAMES + r"\s*(?:\d+\s*)?[:.]\s+)+",
    r"(?is)^\s*(?:please\s+)?(?:solve|answer)\s+(?:the\s+following|this)\s[^\n:.]*[:.]\s+",
    r"(?is)\s*\n\s*[#*]+\s*(?:answer|solution|response)\W*$",
    r"(?is)\s+(?:answer|solution|response|assistant|a)\s*:\s*$",
    r"(?i)\s*[(\[](?:\d+\s*(?:points?|marks?|pts)|[^()\[\]]*\b(?:AMC|AIME|AHSME|HMMT|IMO|olympiad|contest|kangaroo)\b"
    r"[^()\[\]]*)\.?[)\]]\s*$",
)
_NUMBERING = r"^\s*(?:\(?\d{1,3}[.)]|#\d{1,4}[.:]?)\s+(\p{Lu}|\$|\\)"
_SUPERSCRIPTS = "([⁰¹²³⁴⁵⁶⁷⁸⁹]+)"


def normalized(text: pl.Expr, form: Literal["NFC", "NFKC"]) -> pl.Expr:
    """The text in one of Unicode's normal forms. ASCII has them all, and most texts are that: they cost nothing."""
    foreign = pl.when(text.str.len_bytes() != text.str.len_chars()).then(text)
    return pl.coalesce(foreign.str.normalize(form), text)


def unwrapped(text: pl.Expr) -> pl.Expr:
    """The text without what is wrapped around it: two copies of one question from different sources come out alike."""
    # NFKC makes x2 of x².
    bare = normalized(text.fill_null("").str.replace_all(_SUPERSCRIPTS, "^${1}"), "NFKC")
    named = pl.when(bare.str.contains("&[a-z#]")).then(bare)
    bare = pl.coalesce(named.str.replace_many(_ESCAPES), bare)
    for pattern, same in _JSON:
        bare = bare.str.replace_all(pattern, same)
    doubled = bare.str.contains(r"\\\\[A-Za-z]") & ~bare.str.contains(r"(?:^|[^\\])\\[A-Za-z]")
    bare = pl.coalesce(pl.when(doubled).then(bare).str.replace_all(r"\\", "\\", literal=True), bare)
    for pattern in _AROUND:
        bare = bare.str.replace_all(pattern, "")
    return bare.str.replace(_NUMBERING, "${1}")
