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
    r"(?i)(?:(?:\b(?:final\s+|correct\s+|right\s+)?(?:answer|ans|answer\s+key|solution)\b|答案|解答)\s*(?:%s)|####"
    r"|\\boxed\s?\{)\s*([^\n]{1,80})"
)
_SAID = _STATED % "is|are|:|：|=|为|是"
# With nothing to compare it with: `if the answer is m/n in lowest terms` states none.
_MARKED = _STATED % ":|："
_BARE = r"\\(?:text\w*|math\w+|boxed|mbox|left|right|displaystyle|[,;:! ])|[${}().,;:。，]"
_GOES_ON = r"^[\p{L}\d/^]"


@dataclass(frozen=True)
class AnswerInQuestion:
    """Mark questions that hold their gold answer, and drop those that state it as the answer.

    `stated`: behind `Answer:`, `the answer is`, `####` or in a box, and it is the gold answer; where there is none to
    compare it with, `the answer is` is not enough. `verbatim`: a gold answer of 12 characters or more stands in the
    question's own words, beside any options; that may be meant, as in `Which is larger, ...`.

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
    REV = 2

    drop: tuple[Literal["stated", "verbatim"], ...] = ("stated",)
    """Ways for which a question is dropped; `[]` only marks."""

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`answer_given`, null where it is not, and the words that give it."""
        text = pl.col("problem").str.slice(0, LOOKED_AT)
        gold = _plain(pl.col("answer").fill_null("").str.slice(0, LOOKED_AT))
        rows = rows.select("id", "answer", text=text, gold=gold, lists=may_list(pl.col("problem")))
        said, marked = (pl.col("text").str.extract(pattern, 1) for pattern in (_SAID, _MARKED))
        none = pl.col("gold") == ""
        stated = (
            pl.when(none & (_plain(marked) != ""))
            .then(pl.col("text").str.extract(_MARKED, 0))
            .when(~none & _begins_with(said, pl.col("answer")))
            .then(pl.col("text").str.extract(_SAID, 0))
        )
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


def _begins_with(said: pl.Expr, gold: pl.Expr) -> pl.Expr:
    """Whether what is said begins with the gold answer, and goes on with another word or number: 42 is not 4."""
    gold = gold.fill_null("").str.slice(0, LOOKED_AT)
    ways = [(_bare(said), _bare(gold)), (_plain(said), _plain(gold))]
    return pl.any_horizontal(
        text.str.starts_with(own) & ~text.str.strip_prefix(own).str.contains(_GOES_ON) for text, own in ways
    ).fill_null(False)


def _bare(text: pl.Expr) -> pl.Expr:
    """A text without fonts and stops, in small letters."""
    return text.str.replace_all(_BARE, "").str.strip_chars().str.to_lowercase()


def _plain(text: pl.Expr) -> pl.Expr:
    """The same without spacing."""
    return _bare(text).str.replace_all(r"\s+", "")
