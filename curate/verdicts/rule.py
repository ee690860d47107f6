"""Rule: the verdict of the answer checker on every rollout."""

from dataclasses import dataclass, field
from typing import ClassVar

import polars as pl

from verify import Policy, Verdict, grade_many

CLOSING_CHARS = 400
NO_REPLY = Verdict("error", detail="the teacher gave no reply")


@dataclass(frozen=True)
class Rule:
    """Judge each response against the gold answer by the tiers of `verify`: strings, numbers, forms, then sympy.

    Only the response is read: an answer that was thought and never given is `no_answer`, since a student trained on
    it would not give one either. A cut-off reply is `truncated` and a failed one `error`, whatever they hold.

    Example:
        >>> rows = pl.DataFrame({"id": ["a", "b"], "response": ["It is \\\\boxed{1/2}.", "It is"], "answer": "0.5",
        ...                      "problem": "Half of one?", "finish_reason": ["stop", "length"]})
        >>> Rule()(rows).select("verdict", "extracted_answer").rows()
        [('correct', '1/2'), ('truncated', None)]
    """

    over = "rollouts"
    marks = "rollouts"
    scope = "row"
    reads = ("id", "response", "finish_reason", "answer", "problem")
    writes: ClassVar = {
        "extracted_answer": pl.String,
        "rule_verdict": pl.String,
        "judge_verdict": pl.String,
        "verdict": pl.String,
        "verdict_by": pl.String,
        "verdict_detail": pl.String,
        "closing": pl.String,
    }
    drops = ()
    REV = 1

    policy: Policy = field(default_factory=Policy)
    """What counts as the same answer: tolerance, units, order, time for sympy (`verify.Policy`)."""

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`verdict` is the rule's until a judge says otherwise; `judge_verdict` is null here."""
        failed = rows["finish_reason"].eq_missing("error").to_list()
        gold, problem, finish = (rows[name].to_list() for name in ("answer", "problem", "finish_reason"))
        graded = grade_many(rows["response"].fill_null("").to_list(), gold, problem, finish, self.policy)
        verdicts = [NO_REPLY if no_reply else verdict for verdict, no_reply in zip(graded, failed, strict=True)]
        status = pl.Series([verdict.status for verdict in verdicts], dtype=pl.String)
        return rows.select(
            "id",
            extracted_answer=pl.Series([verdict.answer for verdict in verdicts], dtype=pl.String),
            rule_verdict=status,
            judge_verdict=pl.lit(None, dtype=pl.String),
            verdict=status,
            verdict_by=pl.Series([verdict.method or None for verdict in verdicts], dtype=pl.String),
            verdict_detail=pl.Series([verdict.detail for verdict in verdicts], dtype=pl.String),
            # For whoever gives a second opinion: verdicts that have no answer to look at.
            closing=pl.when(status == "no_answer").then(pl.col("response").str.tail(CLOSING_CHARS)),
            drop=pl.lit(None, dtype=pl.String),
        )
