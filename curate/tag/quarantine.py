"""Quarantine: problems that no rollout solves, with what the teacher answers where it mostly answers the same."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import polars as pl
from pydantic import Field

from curate.votes import most_frequent, of_teacher

REASON = "too_hard_or_bad_gold"


@dataclass(frozen=True)
class Quarantine:
    """Drop problems of which enough rollouts were judged and none is correct: too hard, or the gold answer is bad.

    Which of the two, nobody knows; but where most rollouts agree on another answer, that one is worth a look:
    `suspected_answer`, with its share of the readable answers and their number. Answers that are the same as
    mathematics count as one. Judged are `correct`, `wrong` and `no_answer`, as for a pass rate.

    Example:
        >>> rows = pl.DataFrame({"problem_id": ["p"] * 4, "verdict": ["wrong"] * 4, "teacher": ["m"] * 4,
        ...                      "extracted_answer": ["7", "7.0", "7", "3"]})
        >>> Quarantine()(rows).select("suspected_answer", "suspected_share", "drop").rows()
        [('7', 0.75, 'too_hard_or_bad_gold')]
    """

    over = "rollouts"
    marks = "problems"
    scope = "table"
    reads = ("problem_id", "verdict", "extracted_answer", "teacher")
    writes: ClassVar = {
        "quarantined": pl.String,
        "suspected_answer": pl.String,
        "suspected_share": pl.Float64,
        "suspected_n": pl.Int64,
    }
    drops = (REASON,)
    REV = 1

    drop: bool = True
    """Drop them from every view; they stay in the table `problems`. Without it they are only marked (`quarantined`)."""

    least: Annotated[int, Field(ge=1)] = 4
    """Fewer judged rollouts than this put no problem into quarantine."""

    share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """From this share of the readable answers on, the most frequent one is suspected to be the right one."""

    least_answers: Annotated[int, Field(ge=2)] = 3
    """Fewer readable answers than this suspect nothing."""

    teacher: str | None = None
    """Count only rollouts of this teacher (`model` or `model@revision`); None counts all, imported ones too."""

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """One row per problem; `quarantined` is the reason or null."""
        own = rows.with_columns(counts=of_teacher(self.teacher))
        judged = pl.col("counts") & pl.col("verdict").is_in(["correct", "wrong", "no_answer"]).fill_null(False)
        # Right is right, whoever it is by: a problem that another teacher solves is not too hard and its gold not bad.
        solved = (pl.col("verdict") == "correct").fill_null(False)
        problems = own.group_by(id="problem_id", maintain_order=True).agg(judged=judged.sum(), solved=solved.any())
        caught = ~pl.col("solved") & (pl.col("judged") >= self.least)
        problems = problems.with_columns(quarantined=pl.when(caught).then(pl.lit(REASON)))
        unsolved = problems.filter(pl.col("quarantined").is_not_null())["id"]
        voters = own.filter("counts").filter(pl.col("problem_id").is_in(unsolved.implode()))
        votes = most_frequent(voters.select("problem_id", "extracted_answer")).rename({"problem_id": "id"})
        frequent = (pl.col("readable") >= self.least_answers) & (pl.col("votes") / pl.col("readable") >= self.share)
        suspected = votes.filter(pl.col("voted").is_not_null() & frequent).select(
            "id", suspected_answer="voted", suspected_share=pl.col("votes") / pl.col("readable"), suspected_n="readable"
        )
        marked = problems.join(suspected, on="id", how="left", maintain_order="left")
        drop = pl.when(pl.lit(self.drop)).then("quarantined")
        return marked.select("id", *self.writes, drop=drop)
