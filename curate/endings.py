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
