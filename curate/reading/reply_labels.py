"""What sources say of a reply, in whose words ever: whether it is right, and why it ended."""

import polars as pl

_CORRECT = ("true", "correct", "right", "yes")
_WRONG = ("false", "incorrect", "wrong", "no")

_FINISH = {
    "stop": "stop eos eos_token stop_sequence stop_token end_turn end_of_turn completed",
    "length": "length max_tokens max_length max_new_tokens max_output_tokens model_length",
    "error": "error failed content_filter abort aborted cancelled",
}
_FINISH_OF = {theirs: ours for ours, words in _FINISH.items() for theirs in words.split()}


def verdict() -> pl.Expr:
    """`correct`, `wrong` or null from what the source's label says."""
    label = pl.col("labels").str.strip_chars().str.to_lowercase()
    score = label.cast(pl.Float64, strict=False).fill_nan(None)
    right = label.is_in(_CORRECT) | (score >= 1).fill_null(False)
    wrong = label.is_in(_WRONG) | (score < 1).fill_null(False)
    return pl.when(right).then(pl.lit("correct")).when(wrong).then(pl.lit("wrong"))


def finish_reason() -> pl.Expr:
    """`stop`, `length`, `error`, or `unknown` where the source says nothing that we know."""
    said = pl.col("finish_reasons").str.strip_chars().str.to_lowercase()
    return said.replace_strict(_FINISH_OF, default="unknown", return_dtype=pl.String)
