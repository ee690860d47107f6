"""Judge: a language model's second opinion on what the rules refused."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import polars as pl

from curate.plug import TeacherPlug
from distill.request import Sampling
from verify.judge import parse, prompt


@dataclass(frozen=True)
class Judge:
    """Ask a teacher whether a refused answer means the same as the gold answer; its word is kept beside the rule's.

    A rule's `correct` stands and is never asked about (arXiv 2504.21233: the second check is for rejects, since rules
    fail on complex answers). Cut-off replies and bad gold answers stay what they are. The judge sees delimited text
    and must end with one line of a fixed form; anything else is no opinion, and the rule's verdict stays.

    Example:
        >>> rows = pl.DataFrame({"id": ["a", "b"], "verdict": ["wrong", "correct"], "verdict_by": "exact",
        ...     "verdict_detail": "", "extracted_answer": ["one half", "2"], "closing": "", "answer": ["0.5", "2"],
        ...     "problem": "?", "reply": ["VERDICT: CORRECT", None]})
        >>> class Model:
        ...     model, revision = "judge-7b", ""
        >>> Judge(teacher=Model())(rows).select("judge_verdict", "verdict", "verdict_by").rows()
        [('correct', 'correct', 'judge:judge-7b'), (None, 'correct', 'exact')]
    """

    over = "rollouts"
    marks = "rollouts"
    scope = "table"
    reads = ("id", "verdict", "verdict_by", "verdict_detail", "extracted_answer", "closing", "answer", "problem")
    writes: ClassVar = {
        "judge_verdict": pl.String,
        "verdict": pl.String,
        "verdict_by": pl.String,
        "verdict_detail": pl.String,
    }
    drops = ()
    REV = 1

    teacher: TeacherPlug
    """Who judges: `{use: openai_server, model: ..., base_url: ...}` or any other teacher."""
    on: tuple[Literal["wrong", "no_answer", "undecided", "timeout", "error"], ...] = ("wrong", "undecided", "timeout")
    """Verdicts of the rules that are put to the judge. For `no_answer` it is shown the end of the response."""
    sampling: Sampling = field(default_factory=lambda: Sampling(n=1, temperature=0.0, top_p=1.0, max_tokens=1024))
    """How the opinion is drawn; one for each different question."""

    def prompts(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`id` and `prompt` of the rows that are put to the judge."""
        shown = pl.coalesce("extracted_answer", "closing")
        asked = rows.filter(pl.col("verdict").is_in(self.on) & pl.col("answer").is_not_null() & shown.is_not_null())
        columns = asked.select("problem", "answer", shown.alias("shown")).iter_rows()
        return asked.select("id", prompt=pl.Series([prompt(*row) for row in columns], dtype=pl.String))

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`judge_verdict` where the judge has an opinion, and then the effective `verdict` is its own."""
        opinions = {True: "correct", False: "wrong", None: None}
        read = [None if reply is None else opinions[parse(reply)] for reply in rows["reply"].to_list()]
        judged = rows.with_columns(judge_verdict=pl.Series(read, dtype=pl.String))
        heard = pl.col("judge_verdict").is_not_null()
        overruled = heard & (pl.col("judge_verdict") != pl.col("verdict"))
        return judged.select(
            "id",
            "judge_verdict",
            verdict=pl.coalesce("judge_verdict", "verdict"),
            verdict_by=pl.when(heard).then(pl.lit(f"judge:{self.teacher.model}")).otherwise("verdict_by"),
            verdict_detail=pl.when(overruled)
            .then(pl.format("the rules said {}", "verdict"))
            .otherwise("verdict_detail"),
            drop=pl.lit(None, pl.String),
        )
