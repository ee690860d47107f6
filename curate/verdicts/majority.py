"""Majority: where a problem has no gold answer, the answer that most rollouts give becomes it, before verdicts."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import polars as pl
from pydantic import Field

from curate.reading.gold import PROOF, answer_fault, bare
from curate.votes import most_frequent, of_teacher

MARK = "majority"


@dataclass(frozen=True)
class _Answers:
    """The final answer of each rollout as `verify` reads it: null for cut-off and failed replies, and where none is."""

    over = "rollouts"
    marks = "rollouts"
    scope = "row"
    reads = ("id", "response", "finish_reason")
    writes: ClassVar = {"extracted_answer": pl.String}
    drops = ()
    REV = 1

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        from verify.extract import extract

        whole = ~pl.col("finish_reason").is_in(["length", "error"]).fill_null(False)
        said = rows.select(pl.when(whole).then("response")).to_series().to_list()
        # A loop: an answer is read from one reply at a time, as for a verdict.
        found = [extract(text) if text else None for text in said]
        answers = pl.Series([one.answer.strip() if one else None for one in found], dtype=pl.String)
        return rows.select("id", extracted_answer=answers, drop=pl.lit(None, pl.String))


@dataclass(frozen=True)
class Majority:
    """Give problems without a gold answer the one that most of their rollouts agree on, and say so.

    It stands before the stage that judges: `verdicts: [majority, rule]`, with `{use: hygiene.answerable,
    require_answer: false}` so that such problems are still there. `answer_by` is `majority`, `answer_share` and
    `answer_n` its share of the readable answers and their number; a gold answer of the source stays. A problem whose
    rollouts do not agree keeps no gold, and its rollouts have no verdict.

    Such a verdict says that a rollout agrees with the others, and the pass rate is the majority's share: take
    neither for difficulty (OpenMathReasoning and Llama-Nemotron take their gold so, arXiv 2504.16891, 2505.00949).

    Example:
        >>> rows = pl.DataFrame({"problem_id": ["p"] * 4, "answer": [None] * 4, "teacher": ["m"] * 4,
        ...                      "extracted_answer": ["1/2", "0.5", "\\\\frac12", "2"]},
        ...                     schema_overrides={"answer": pl.String})
        >>> Majority()(rows).select("answer", "answer_by", "answer_share", "answer_n").rows()
        [('1/2', 'majority', 0.75, 4)]
    """

    over = "rollouts"
    marks = "problems"
    scope = "table"
    per_rollout: ClassVar = _Answers()
    reads = ("problem_id", "answer", "teacher")
    writes: ClassVar = {
        "answer": pl.String,
        "answer_by": pl.String,
        "answer_share": pl.Float64,
        "answer_n": pl.Int64,
    }
    drops = ()
    REV = 1

    least: Annotated[int, Field(ge=2)] = 4
    """Fewer readable answers than this elect none."""

    share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """From this share of the readable answers on, the most frequent one is gold. Of two equally frequent ones none."""

    teacher: str | None = None
    """Count only rollouts of this teacher (`model` or `model@revision`); None counts all, imported ones too."""

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """One row per problem; all null where the source has a gold answer or no answer has the majority."""
        problems = rows.select(id="problem_id").unique(maintain_order=True)
        # A proof has no final answer to agree on, whatever its rollouts put into boxes.
        none = answer_fault(pl.col("answer")).is_not_null() & (bare(pl.col("answer")) != PROOF)
        voters = rows.filter(none & of_teacher(self.teacher))
        votes = most_frequent(voters.select("problem_id", "extracted_answer")).rename({"problem_id": "id"})
        share = pl.col("votes") / pl.col("readable")
        elected = (pl.col("readable") >= self.least) & (share >= self.share)
        gold = votes.filter(pl.col("voted").is_not_null() & elected).select(
            "id", answer="voted", answer_by=pl.lit(MARK), answer_share=share, answer_n="readable"
        )
        return problems.join(gold, on="id", how="left", maintain_order="left").select(
            "id", *self.writes, drop=pl.lit(None, pl.String)
        )
