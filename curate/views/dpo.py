"""View dpo: a correct rollout against a wrong one of the same problem."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import Field

from curate.choices.pairing import Rule, length_drift, possible_pairs, without_drift
from curate.choices.selection import (
    CUTS,
    UNWANTED,
    AtLeastOne,
    Selection,
    check_band,
    cut,
    problem_facts,
    tokens,
    unwanted,
)
from curate.choices.worked import FATE_COLUMNS, PROBLEM_COLUMNS, PROVENANCE, fault
from curate.records import PAIR, assistant_text, effective_level, rollout_length, with_facts


@dataclass(frozen=True)
class Dpo(Selection):
    """Pairs of like length: roll-out DPO (arXiv 2504.21233, stage 3), where rejected rollouts earn their keep.

    The rejected side is complete and judged `wrong`; a cut-off, undecided or failed one would teach brevity or noise.
    No rollout stands in two pairs, and no two sides say the same but for boxes and spacing. Lengths are matched because
    unmatched pairs lengthen answers by a quarter and cost instruction following (arXiv 2505.02142).

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
    problem_columns = PROBLEM_COLUMNS
    rollout_columns = (*FATE_COLUMNS, "teacher", "text_hash")
    drops = (
        "error",
        "truncated",
        "no_reasoning",
        "no_answer",
        "no_verdict",
        *UNWANTED,
        "other_teacher",
        "all_correct",
        "all_wrong",
        "same_text",
        "length_ratio",
        "over_cap",
        *CUTS,
        "length_drift",
    )
    schema = PAIR
    REV = 3

    rule: Rule = "closest_length"
    """Which pairs come first. `closest_length`: the most alike in length. `random`: drawn with the seed.
    `shortest_correct`: the shortest correct rollout, with the wrong one nearest to it in length.
    `best_against_worst`: the correct one nearest their median length, with the longest wrong one."""

    length_ratio: tuple[float, float] = (0.5, 2.0)
    """Lowest and highest length of the chosen over that of the rejected rollout, ends included."""

    drift_at_most: Annotated[float, Field(ge=0)] | None = None
    """By how much the median chosen rollout may be longer or shorter than the median rejected one, such as 0.05. Pairs
    that pull hardest are left out until it holds; None only tells how much it is."""

    per_problem: AtLeastOne = 2
    """At most so many pairs of one problem."""

    rejected: Annotated[tuple[Literal["wrong", "no_answer"], ...], Field(min_length=1)] = ("wrong",)
    """Verdicts of rejected rollouts. With `no_answer` a student also learns to come to an answer."""

    chosen_from: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Teachers (`model` or `model@revision`) whose rollouts may be chosen; None takes all."""

    rejected_from: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Teachers whose rollouts may be rejected; with the student's own name the pairs are semi-on-policy."""

    reasoning: bool = True
    """Leave out rollouts without any thinking, on both sides."""

    length: tuple[int, int] | None = None
    """Fewest and most completion tokens of either rollout, ends included; where nobody counted them, a quarter of its
    characters. None keeps all."""

    tokens: AtLeastOne | None = None
    """At most so many completion tokens of both sides in all, held-out pairs included."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_band("length_ratio", self.length_ratio)
        check_band("length", self.length)

    def choose(self, problems: pl.DataFrame, rollouts: pl.DataFrame, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The fate of every rollout, and the picks (`problem_id`, `chosen_id`, `rejected_id`, lengths, `because`)."""
        seed = seed if self.seed is None else self.seed
        facts = problem_facts(problems, self)
        seen = self._seen(rollouts, facts)
        fit = seen.filter(pl.col("drop").is_null()).with_columns(length=rollout_length())
        pairs, fates = possible_pairs(fit, self.rule, self.length_ratio, self.per_problem, seed)
        pairs = self._in_order(pairs, fit, facts)
        pairs = pairs.with_columns(cut=cut(pairs, self, seed, self.tokens))
        if self.drift_at_most is not None:
            left = pairs.filter(pl.col("cut").is_null()).select("chosen_row", "chosen_length", "rejected_length")
            pulls = left.filter(~without_drift(left, self.drift_at_most))["chosen_row"].implode()
            drift = pl.when(pl.col("chosen_row").is_in(pulls)).then(pl.lit("length_drift"))
            pairs = pairs.with_columns(cut=pl.coalesce("cut", drift))
        sides = [pairs.select(row=f"{side}_row", drop="cut").drop_nulls() for side in ("chosen", "rejected")]
        fates = pl.concat([fates, *sides]).rename({"drop": "later"})
        told = seen.select("id", "row", "drop").join(fates, on="row", how="left", maintain_order="left")
        picks = pairs.filter(pl.col("cut").is_null())
        return told.select("id", drop=pl.coalesce("drop", "later")), picks.select(
            "problem_id", "chosen_id", "rejected_id", "chosen_length", "rejected_length", because=self._because()
        )

    def facts(self, picks: pl.DataFrame) -> dict[str, Any]:
        """For the lock and the card: how many pairs of how many problems, and how lengths drift between their sides."""
        return {
            "pairs": picks.height,
            "problems": picks["problem_id"].n_unique(),
            "chosen_length": picks["chosen_length"].median(),
            "rejected_length": picks["rejected_length"].median(),
            "length_drift": length_drift(picks),
        }

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

    def _seen(self, rollouts: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
        """Every rollout with `right` (may be chosen, else rejected) and why it stands on neither side."""
        verdict, right = pl.col("verdict"), pl.col("right")
        unjudged = pl.when(~verdict.is_in(["correct", *self.rejected]).fill_null(False)).then(
            pl.when(verdict.is_in(["wrong", "no_answer"])).then(verdict).otherwise(pl.lit("no_verdict"))
        )
        allowed = pl.when(right).then(_is_from(self.chosen_from)).otherwise(_is_from(self.rejected_from))
        missing = [pl.lit(None, pl.String).alias(c) for c in ("teacher", "text_hash") if c not in rollouts.columns]
        rows = (
            with_facts(rollouts.with_columns(missing))
            .select(*self.rollout_columns, tokens(), right=verdict == "correct", row=pl.int_range(pl.len()))
            .join(facts, on="problem_id", how="left", maintain_order="left")
            .with_columns(drop=pl.coalesce(fault("all", self.reasoning), unjudged, unwanted(self, self.length)))
            .with_columns(drop=pl.coalesce("drop", pl.when(~allowed).then(pl.lit("other_teacher"))))
        )
        fit = pl.col("drop").is_null()
        # Problems without two sides have nothing to learn from here; midtrain, or harder sampling, may use them.
        rights, wrongs = ((fit & side.fill_null(False)).any().over("problem_id") for side in (right, ~right))
        lone = pl.when(~wrongs).then(pl.lit("all_correct")).when(~rights).then(pl.lit("all_wrong"))
        return rows.with_columns(drop=pl.coalesce("drop", lone))

    def _in_order(self, pairs: pl.DataFrame, fit: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
        """Pairs in the order of their problems, each problem's best first, with what caps and `because` tell of."""
        right = pl.col("right")
        counts = fit.group_by("problem_id").agg(right=right.sum(), wrong=(~right).sum())
        both = [fit.select(pl.col("row", "tokens").name.prefix(f"{side}_")) for side in ("chosen", "rejected")]
        pairs = pairs.join(facts, on="problem_id", how="left", maintain_order="left")
        pairs = pairs.join(counts, on="problem_id", how="left", maintain_order="left")
        for side, counted in zip(("chosen", "rejected"), both, strict=True):
            pairs = pairs.join(counted, on=f"{side}_row", how="left", maintain_order="left")
        pairs = pairs.with_columns(tokens=pl.col("chosen_tokens") + pl.col("rejected_tokens"))
        return pairs.sort("order", maintain_order=True)

    def _because(self) -> pl.Expr:
        ratio = pl.col("ratio").round(2)
        return pl.format("{}: {} correct, {} wrong, length ratio {}", pl.lit(self.rule), "right", "wrong", ratio)


def _is_from(teachers: tuple[str, ...] | None) -> pl.Expr:
    """Whether one of these wrote the rollout, with or without its revision."""
    if teachers is None:
        return pl.lit(True)
    named = pl.col("teacher").is_in(teachers) | pl.col("teacher").str.replace(r"@[^@]*$", "").is_in(teachers)
    return named.fill_null(False)
