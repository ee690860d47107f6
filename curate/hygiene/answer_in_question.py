"""Answers in questions: the text tells the gold answer, so that whoever reads on need not solve it."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import polars as pl

from curate.texts.options import may_list

LOOKED_AT = 20_000
QUOTED = 120
LEAST_CHARS = 12
"""Of a gold answer, spacing aside, that is sought in the words of the question: shorter ones stand there by chance."""

_STATED = (
    r"(?i)(?:(?:\b(?:final\s+|correct\s+|right\s+)?(?:answer|ans|answer\s+key|solution)\b|答案|解答)\s*(?:is|are|:|：|=|为|是)|####"
    r"|\\boxed\s?\{)\s*([^\n]{1,80})"
)
_BARE = r"\\(?:text\w*|math\w+|boxed|mbox|left|right|displaystyle|[,;:! ])|[\s${}().,;:。，]"


@dataclass(frozen=True)
class AnswerInQuestion:
    """Mark questions that hold their gold answer, and drop those that state it as the answer.

    `stated`: behind `Answer:`, `the answer is`, `####` or in a box, and it is the gold answer (or there is none to
    compare it with). `verbatim`: a gold answer of 12 characters or more stands in the question's own words, beside any
    options; that may be meant, as in `Which is larger, ...`.

    Example:
        >>> rows = pl.DataFrame({"id": ["a", "b"], "problem": ["1 + 1? Answer: 2", "1 + 1?"], "answer": ["2", "2"]})
        >>> AnswerInQuestion()(rows).select("answer_given", "answer_evidence", "drop").rows()
        [('stated', 'Answer: 2', 'answer_in_question'), (None, None, None)]
    """

    over = "problems"
    marks = "problems"
    scope = "row"
    reads = ("id", "problem", "answer")
    writes: ClassVar = {"answer_given": pl.String, "answer_evidence": pl.String}
    drops = ("answer_in_question",)
    REV = 1

    drop: tuple[Literal["stated", "verbatim"], ...] = ("stated",)
    """Ways for which a question is dropped; `[]` only marks."""

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`answer_given`, null where it is not, and the words that give it."""
        text = pl.col("problem").str.slice(0, LOOKED_AT)
        gold = _plain(pl.col("answer").fill_null("").str.slice(0, LOOKED_AT))
        rows = rows.select("id", text=text, gold=gold, lists=may_list(pl.col("problem")))
        said = pl.col("text").str.extract(_STATED, 1)
        agrees = (pl.col("gold") == "") | _plain(said).str.starts_with(pl.col("gold"))
        stated = pl.when(agrees & (_plain(said) != "")).then(pl.col("text").str.extract(_STATED, 0))
        long = (pl.col("gold").str.len_chars() >= LEAST_CHARS) & ~pl.col("lists")
        there = long & _plain(pl.col("text")).str.contains(pl.col("gold"), literal=True)
        rows = rows.with_columns(stated=stated, verbatim=pl.when(there).then("gold"))
        given = (pl.when(pl.col(way).is_not_null()).then(pl.lit(way)) for way in ("stated", "verbatim"))
        rows = rows.with_columns(answer_given=pl.coalesce(given))
        return rows.select(
            "id",
            "answer_given",
            answer_evidence=pl.coalesce("stated", "verbatim").str.slice(0, QUOTED),
            drop=pl.when(pl.col("answer_given").is_in(self.drop)).then(pl.lit("answer_in_question")),
        )


def _plain(text: pl.Expr) -> pl.Expr:
    """A text without fonts, spacing and stops, in small letters."""
    return text.str.replace_all(_BARE, "").str.to_lowercase()
