"""Gold answers: whether a column's text is one at all, and those that stand at the end of a worked solution."""

from collections.abc import Sequence

import polars as pl

from distill.thinking import split_columns

PROOF = "proof"

SENTINELS = (PROOF, "notfound", "not found", "n/a", "nan", "null", "unknown", "see solution")
"""What stands in answer columns and only says that there is none; a quarter of NuminaMath."""


def bare(answer: pl.Expr) -> pl.Expr:
    """The answer without case, spacing around it and LaTeX wrapping; null is empty."""
    plain = answer.fill_null("").str.strip_chars().str.to_lowercase()
    return plain.str.replace_all(r"\\(boxed|text|textbf|mathrm)\b", "").str.strip_chars("${}(). ")


def answer_fault(answer: pl.Expr, sentinels: Sequence[str] = SENTINELS) -> pl.Expr:
    """`missing`, `sentinel`, or null for an answer that says something."""
    said = bare(answer)
    says_none = said.is_in([sentinel.lower() for sentinel in sentinels])
    return pl.when(said == "").then(pl.lit("missing")).when(says_none).then(pl.lit("sentinel"))


def marked_answers(texts: pl.Series) -> pl.Series:
    """What each text marks as its final answer, with a box, a tag or `####`; null where it marks none.

    Thinking is left aside: an answer that it holds may have been withdrawn.

    Example:
        >>> marked_answers(pl.Series(["So \\\\boxed{17}.", "3 + 4 = 7\\n#### 7", "It is 7."])).to_list()
        ['17', '7', None]
    """
    from verify.extract import MARKED, extract

    said = split_columns(texts)["response"].to_list()
    found = [extract(text) for text in said]
    answers = [one.answer if one is not None and one.method in MARKED else None for one in found]
    return pl.Series(texts.name, answers, dtype=pl.String)
