"""Worked examples: which rollouts are fit to be learnt from, and what the views `midtrain` and `sft` share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import polars as pl
import pyarrow as pa

from curate.choices.formats import SCHEMAS, formatted
from curate.choices.selection import (
    CUTS,
    UNWANTED,
    AtLeastOne,
    Format,
    Selection,
    check_band,
    cut,
    problem_facts,
    tokens,
    unwanted,
)
from curate.records import assistant_text, effective_level, with_facts

Keep = Literal["correct", "all"]

Rank = Callable[[pl.DataFrame, int], pl.Expr | pl.Series]
"""From rollouts and a seed: what a problem's rollouts are sorted by, smallest first."""

FAULTS = ("error", "truncated", "wrong", "no_answer", "no_verdict", "no_reasoning")
"""Why a rollout is not fit, in the order in which they are asked."""

FATE_COLUMNS = (
    "id",
    "problem_id",
    "finish_reason",
    "verdict",
    "completion_tokens",
    "reasoning_chars",
    "response_chars",
)
"""Rollout columns from which fitness and length are told."""

PROBLEM_COLUMNS = ("id", "cluster", "taken", "source", "level", "pass_rate", "pass_rate_level")
"""Problem columns that bands and caps read, beside those of a quota."""

PROVENANCE = ("source", "source_id", "license", "domain")
"""Problem columns that every view's rows carry as they are, beside the level and the pass rate."""


@dataclass(frozen=True)
class Worked(Selection):
    """What `midtrain` and `sft` share: a row is a rollout that is fit to be learnt from."""

    unit = "rollouts"
    problem_columns = PROBLEM_COLUMNS
    rollout_columns = FATE_COLUMNS
    drops = (*FAULTS, *UNWANTED, "over_cap", *CUTS)

    keep: Keep = "correct"
    """`correct`: judged correct. `all`: whatever the verdict, for bulk data that nothing can judge."""

    reasoning: bool = True
    """Leave out rollouts without any thinking."""

    length: tuple[int, int] | None = None
    """Fewest and most completion tokens of a rollout, ends included; where nobody counted them, a quarter of its
    characters. None keeps all."""

    tokens: AtLeastOne | None = None
    """At most so many completion tokens in all, held-out rows included."""

    format: Format = "trl"
    """Columns of the rows: TRL's `messages`; those of OpenR1-Math, a row per problem with lists; or OpenThoughts'
    `conversations`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_band("length", self.length)

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the rows."""
        return SCHEMAS[self.format]

    def chosen(
        self, problems: pl.DataFrame, rollouts: pl.DataFrame, seed: int, per_problem: int | None, rank: Rank
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The fate of every rollout, and the picks (`problem_id`, `rollout_id`): each problem's best first."""
        seed = seed if self.seed is None else self.seed
        fates = (
            with_facts(rollouts)
            .select(*FATE_COLUMNS, tokens(), row=pl.int_range(pl.len()))
            .join(problem_facts(problems, self), on="problem_id", how="left", maintain_order="left")
            .with_columns(drop=pl.coalesce(fault(self.keep, self.reasoning), unwanted(self, self.length)))
        )
        fit = fates.filter(pl.col("drop").is_null())
        fit = fit.with_columns(rank=rank(fit, seed)).sort("order", "rank", "row")
        beyond = pl.int_range(pl.len()).over("problem_id") >= per_problem if per_problem else pl.lit(False)
        fit = fit.with_columns(beyond=beyond)
        best = fit.filter(~pl.col("beyond"))
        best = best.with_columns(cut=cut(best, self, seed, self.tokens))
        left_out = pl.concat(
            [fit.filter("beyond").select("row", cut=pl.lit("over_cap")), best.select("row", "cut").drop_nulls()]
        )
        fates = fates.select("id", "drop", "row").join(left_out, on="row", how="left", maintain_order="left")
        picks = best.filter(pl.col("cut").is_null()).select("problem_id", rollout_id="id")
        return fates.select("id", drop=pl.coalesce("drop", "cut")), picks

    def render(self, picks: pl.DataFrame, problems: pl.DataFrame, rollouts: pl.DataFrame) -> pl.DataFrame:
        """Conversations: the prompt, then `<think>` and the response. In `openr1` one row per problem."""
        return formatted(_worked_rows(picks, problems, rollouts), self.format)


def fault(keep: Keep, reasoning: bool) -> pl.Expr:
    """The first of FAULTS that a rollout has, null for a fit one.

    A cut-off reply is never fit, whatever is kept: it would teach to stop in mid-thought. With `keep="all"` the
    verdict is not asked for; with `reasoning` a rollout without any thinking is not fit.
    """
    verdict, finish = pl.col("verdict"), pl.col("finish_reason")
    reason = (
        pl.when(finish == "error")
        .then(pl.lit("error"))
        .when((finish == "length") | (verdict == "truncated"))
        .then(pl.lit("truncated"))
    )
    if keep == "correct":
        reason = (
            reason.when(verdict.is_in(["wrong", "no_answer"]))
            .then(verdict)
            .when(verdict.ne_missing("correct"))
            .then(pl.lit("no_verdict"))
        )
    return reason.when(pl.lit(reasoning) & (pl.col("reasoning_chars") == 0)).then(pl.lit("no_reasoning"))


def _worked_rows(picks: pl.DataFrame, problems: pl.DataFrame, rollouts: pl.DataFrame) -> pl.DataFrame:
    """One row per pick (`problem_id`, `rollout_id`), in its order: all that any format shows."""
    asked = with_facts(problems).select(
        "prompt",
        "problem",
        "answer",
        "solution",
        "answer_type",
        *PROVENANCE,
        effective_level(),
        "pass_rate",
        "pass_rate_n",
        problem_id="id",
    )
    answered = with_facts(rollouts).select(
        "id",
        "teacher",
        "verdict",
        "finish_reason",
        "completion_tokens",
        "reasoning_chars",
        "judge_verdict" if "judge_verdict" in rollouts.columns else pl.lit(None, pl.String).alias("judge_verdict"),
        text=assistant_text(),
        completion_chars=pl.col("reasoning_chars") + pl.col("response_chars"),
    )
    turn = pl.struct(role=pl.lit("assistant"), content=pl.col("text"))
    return (
        picks.select("problem_id", id="rollout_id")
        .join(asked, on="problem_id", how="left", maintain_order="left")
        .join(answered, on="id", how="left", maintain_order="left")
        .with_columns(messages=pl.concat_list("prompt", turn))
    )
