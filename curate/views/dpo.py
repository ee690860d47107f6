"""View dpo: a correct rollout against a wrong one of the same problem."""

from dataclasses import dataclass
from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from curate.records import PAIR, assistant_text, draws, effective_level, rollout_length, with_facts
from curate.worked import FATE_COLUMNS, PROVENANCE, check_band, fault


@dataclass(frozen=True)
class Dpo:
    """Pairs of like length: roll-out DPO (arXiv 2504.21233, stage 3), where rejected rollouts earn their keep.

    The rejected side is complete and judged `wrong`; a cut-off, undecided or failed one would teach brevity or noise.
    No rollout stands in two pairs. Lengths are matched because unmatched pairs lengthen answers by a quarter and cost
    instruction following (arXiv 2505.02142).

    Example:
        >>> problems = pl.DataFrame({"id": ["p"]})
        >>> rollouts = pl.DataFrame({"id": ["a", "b", "c"], "problem_id": "p", "finish_reason": "stop",
        ...     "verdict": ["correct", "wrong", "wrong"], "completion_tokens": [50, 90, 60],
        ...     "reasoning_chars": 8, "response_chars": 8})
        >>> fates, picks = Dpo().choose(problems, rollouts, seed=0)
        >>> picks.select("chosen_id", "rejected_id").rows(), fates["drop"].to_list()
        ([('a', 'c')], [None, 'over_cap', None])
    """

    unit = "rollouts"
    problem_columns = ("id",)
    rollout_columns = FATE_COLUMNS
    drops = (
        "error",
        "truncated",
        "no_reasoning",
        "no_answer",
        "no_verdict",
        "all_correct",
        "all_wrong",
        "length_ratio",
        "over_cap",
    )
    schema = PAIR
    REV = 1

    length_ratio: tuple[float, float] = (0.5, 2.0)
    """Lowest and highest length of the chosen over that of the rejected rollout, ends included."""

    per_problem: Annotated[int, Field(ge=1)] = 2
    """At most so many pairs of one problem."""

    rule: Literal["closest_length", "random"] = "closest_length"
    """Which pairs come first: the most alike in length, or drawn with the seed."""

    reasoning: bool = True
    """Leave out rollouts without any thinking, on both sides."""

    def __post_init__(self) -> None:
        check_band("length_ratio", self.length_ratio)

    def choose(self, problems: pl.DataFrame, rollouts: pl.DataFrame, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The fate of every rollout, and the picks (`problem_id`, `chosen_id`, `rejected_id`, lengths, `because`)."""
        seen = with_facts(rollouts).select(*FATE_COLUMNS, drop=_unfit(self.reasoning), row=pl.int_range(pl.len()))
        fit = seen.filter(pl.col("drop").is_null()).with_columns(length=rollout_length())
        pairs = self._pairs(fit, seed)
        best = _disjoint(pairs, self.per_problem)
        order = problems.select(problem_id="id", order=pl.int_range(pl.len()))
        picks = best.join(order, on="problem_id", maintain_order="left").sort("order", maintain_order=True)
        because = pl.format(
            "{}: {} correct, {} wrong, length ratio {}", pl.lit(self.rule), "right", "wrong", pl.col("ratio").round(2)
        )
        return _fates(seen, fit, pairs, best), picks.select(
            "problem_id", "chosen_id", "rejected_id", "chosen_length", "rejected_length", because=because
        )

    def render(self, picks: pl.DataFrame, problems: pl.DataFrame, rollouts: pl.DataFrame) -> pl.DataFrame:
        """Pairs of conversations: the prompt, and what either rollout thought and said."""
        asked = with_facts(problems).select(
            "prompt", *PROVENANCE, effective_level(), "pass_rate", "pass_rate_n", problem_id="id"
        )
        rows = picks.join(asked, on="problem_id", how="left", maintain_order="left")
        for side in ("chosen", "rejected"):
            turn = pl.concat_list(pl.struct(role=pl.lit("assistant"), content=assistant_text()))
            said = rollouts.select(
                turn.alias(side), pl.col("id").alias(f"{side}_id"), pl.col("teacher").alias(f"{side}_teacher")
            )
            rows = rows.join(said, on=f"{side}_id", how="left", maintain_order="left")
        return rows.select(PAIR.names)

    def _pairs(self, fit: pl.DataFrame, seed: int) -> pl.DataFrame:
        """Every correct with every wrong rollout of its problem within the length ratio, the best first."""
        correct = pl.col("verdict") == "correct"
        fit = fit.with_columns(
            draw=draws(fit["id"], seed) if self.rule == "random" else pl.lit(0.0),
            right=correct.sum().over("problem_id"),
            wrong=(~correct).sum().over("problem_id"),
        )
        chosen = fit.filter(correct).select(
            "problem_id", "right", "wrong", pl.col("id", "row", "length", "draw").name.prefix("chosen_")
        )
        rejected = fit.filter(~correct).select(
            "problem_id", pl.col("id", "row", "length", "draw").name.prefix("rejected_")
        )
        ratio = pl.col("chosen_length") / pl.col("rejected_length")
        # Two uniform draws added and wrapped are uniform again.
        drawn = (pl.col("chosen_draw") + pl.col("rejected_draw")) % 1.0
        return (
            chosen.join(rejected, on="problem_id")
            .with_columns(ratio=ratio)
            .filter(pl.col("ratio").is_between(*self.length_ratio))
            .with_columns(rank=pl.col("ratio").log().abs() if self.rule == "closest_length" else drawn)
            .sort("problem_id", "rank", "chosen_row", "rejected_row")
        )


def _unfit(reasoning: bool) -> pl.Expr:
    """Why a rollout can stand on neither side of a pair."""
    verdict = pl.col("verdict")
    unjudged = (
        pl.when(verdict == "no_answer")
        .then(pl.lit("no_answer"))
        .when(verdict.is_null() | ~verdict.is_in(["correct", "wrong"]))
        .then(pl.lit("no_verdict"))
    )
    return pl.coalesce(fault("all", reasoning), unjudged)


def _disjoint(pairs: pl.DataFrame, per_problem: int) -> pl.DataFrame:
    """The best pair of every problem, then the best of what is left, and so on: no rollout twice."""
    best = [pairs.clear()]
    for _ in range(per_problem):
        first = pairs.unique("problem_id", keep="first", maintain_order=True)
        taken = [pl.col(row).is_in(first[row].implode()) for row in ("chosen_row", "rejected_row")]
        pairs = pairs.filter(~pl.any_horizontal(taken))
        best.append(first)
    return pl.concat(best)


def _fates(seen: pl.DataFrame, fit: pl.DataFrame, pairs: pl.DataFrame, best: pl.DataFrame) -> pl.DataFrame:
    row = pl.col("row")
    mixed = fit.filter(pl.col("verdict").n_unique().over("problem_id") > 1)["row"].implode()
    matched = pl.concat([pairs["chosen_row"], pairs["rejected_row"]]).unique().implode()
    paired = pl.concat([best["chosen_row"], best["rejected_row"]]).implode()
    reason = (
        pl.when(pl.col("drop").is_not_null())
        .then("drop")
        .when(~row.is_in(mixed))
        .then(pl.concat_str(pl.lit("all_"), "verdict"))
        .when(~row.is_in(matched))
        .then(pl.lit("length_ratio"))
        .when(~row.is_in(paired))
        .then(pl.lit("over_cap"))
    )
    return seen.select("id", drop=reason)
