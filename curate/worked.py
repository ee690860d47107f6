"""Worked examples: which rollouts are fit to be learnt from, and the rows of `midtrain` and `sft`."""

from typing import Literal

import polars as pl
import pyarrow as pa

from curate.records import ABOUT_PROBLEM, MESSAGES, assistant_text, effective_level, with_facts

Keep = Literal["correct", "all"]

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

PROVENANCE = ("source", "source_id", "license", "domain")
"""Problem columns that every view's rows carry as they are, beside the level and the pass rate."""

WORKED = pa.schema(
    [
        pa.field("messages", MESSAGES),
        pa.field("id", pa.string()),  # of the rollout
        pa.field("problem_id", pa.string()),
        pa.field("problem", pa.string()),
        pa.field("answer", pa.string()),
        *ABOUT_PROBLEM,
        pa.field("teacher", pa.string()),
        pa.field("verdict", pa.string()),
        pa.field("completion_tokens", pa.int64()),
        pa.field("completion_chars", pa.int64()),
    ]
)


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


def in_band(value: pl.Expr, band: tuple[float, float]) -> pl.Expr:
    """Whether the value lies in the band, ends included; False where it is unknown."""
    return value.is_between(*band).fill_null(False)


def check_band(name: str, band: tuple[float, float] | None) -> None:
    """Raises ValueError for a band with its ends exchanged."""
    if band is not None and not band[0] <= band[1]:
        raise ValueError(f"{name}: the lower end comes first, got {list(band)}")


def worked_rows(picks: pl.DataFrame, problems: pl.DataFrame, rollouts: pl.DataFrame) -> pl.DataFrame:
    """One row of WORKED per pick (`problem_id`, `rollout_id`), in its order: the prompt, then thinking and response."""
    asked = with_facts(problems).select(
        "prompt", "problem", "answer", *PROVENANCE, effective_level(), "pass_rate", "pass_rate_n", problem_id="id"
    )
    answered = with_facts(rollouts).select(
        "id",
        "teacher",
        "verdict",
        "completion_tokens",
        turn=pl.struct(role=pl.lit("assistant"), content=assistant_text()),
        completion_chars=pl.col("reasoning_chars") + pl.col("response_chars"),
    )
    return (
        picks.select("problem_id", id="rollout_id")
        .join(asked, on="problem_id", how="left", maintain_order="left")
        .join(answered, on="id", how="left", maintain_order="left")
        .with_columns(messages=pl.concat_list("prompt", "turn"))
        .select(WORKED.names)
    )
