"""How a text ends: in the middle of something, or with marks that a tokenizer left there."""

import polars as pl

END_MARKS = (
    r"(?:\s*(?:</s>|<\|endoftext\|>|<\|im_end\|>|<\|im_start\|>|<\|eot_id\|>|<\|end_of_text\|>|<\|end\|>|<eos>|<pad>"
    r"|\[PAD\]|<end_of_turn>|<｜end▁of▁sentence｜>))+\s*\z"
)
"""Marks of the end, and padding, at the end of a text: a server or a script has not cut them off."""


def without_end_marks(text: pl.Expr) -> pl.Expr:
    """The text up to the marks of its end."""
    # Looked for in the last characters first: a search for the end from every place of a long text is slow.
    marked = text.str.tail(24).str.contains(END_MARKS)
    return pl.when(marked).then(text.str.replace(END_MARKS, "")).otherwise(text)


_READ_CHARS = 500
_OPEN_SIGN = r"[,;:+=({\[\\^_&<×·∩∪−-]\z"
_OPEN_FORMULA = r"(?s)\\\[(?:[^\\]|\\[^\]])*\z|\\\((?:[^\\]|\\[^)])*\z|(?:^|[\s(])\$[^$\d\s](?:[^$\n]*[^$\n.!?*])?\z"
_OPEN_BLOCK = r"(?s)\\begin\{[a-z*]+\}(?:[^\\]|\\[^e])*\z"
_ANSWER = r"(?i)boxed|answer|####|\*\*|[=≈:]|</"
_LONG_LINE = 40
_OPEN_WORD = (
    r"(?i)\b(?:the|a|an|of|to|by|and|or|we|is|are|that|which|with|for|from|in|on|if|then|so|as|at|can|be|this|our|their"
    r"|its|have|has|will|need|using|gives|get|let|because|since|those|where)\z"
)


def ends_midway(text: pl.Expr) -> pl.Expr:
    """Whether the text stops in the middle: of a formula, a bracket, or a sentence that has not come to its point.

    A last line that names an answer, closes a formula or is short needs no full stop. What is cut off behind a full
    stop cannot be told from what is finished.
    """
    end = text.str.tail(_READ_CHARS).str.strip_chars()
    line = end.str.extract(r"([^\n]*)\z")
    sentence = line.str.replace_all(r"(\d)\.(\d)", "${1}${2}").str.extract(r"([^.!?]*)\z")
    in_words = line.str.contains(r"[\p{Latin}\d]\z") & ~sentence.str.contains(_ANSWER)
    unsaid = in_words & (line.str.len_chars() >= _LONG_LINE)
    opened = pl.any_horizontal(end.str.contains(p) for p in (_OPEN_SIGN, _OPEN_FORMULA, _OPEN_BLOCK, _OPEN_WORD))
    return (end != "") & (opened | unsaid)
