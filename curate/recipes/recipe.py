"""What a manifest says: its keys, their defaults and their bounds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from curate.recipes.manifest_faults import shown
from curate.recipes.manifest_plugs import PlugsOf, Use
from distill.budget import Budget, Prices
from distill.cut_off import CutOff
from distill.goals import Goal
from distill.request import Sampling

if TYPE_CHECKING:
    import polars as pl


def checked_name(name: str) -> str:
    """The name, if it is one: of a dataset, a ladder, a stage."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", name):
        raise ValueError(
            f"{shown(name)} is no name. Write a-z, 0-9, '.', '_' and '-', a letter or digit first, 64 at most."
        )
    return name


def _asks(user: str) -> str:
    if user.count("{problem}") != 1:
        raise ValueError(f"holds {{problem}} {user.count('{problem}')} times. Write it once, where the problem goes.")
    return user


@dataclass(frozen=True)
class Prompt:
    """How a problem is asked. Braces other than those of `{problem}` are plain text."""

    user: Annotated[str, AfterValidator(_asks)] = (
        "{problem}\n\nPlease reason step by step, and put your final answer within \\boxed{}."
    )
    """What the user says; `{problem}` stands in it once."""
    system: str | None = None
    """What the system message says; none if null."""

    def messages(self, problem: pl.Expr) -> pl.Expr:
        """The message list that asks each problem, as `MESSAGES`.

        Example:
            >>> import polars as pl
            >>> asked = Prompt("Solve {problem}!").messages(pl.col("problem"))
            >>> pl.DataFrame({"problem": ["x = 1"]}).select(asked).item().to_list()
            [{'role': 'user', 'content': 'Solve x = 1!'}]
        """
        import polars as pl  # not above: `curate check` needs none

        before, after = (pl.lit(text) for text in self.user.split("{problem}"))
        user = pl.struct(role=pl.lit("user"), content=pl.concat_str(before, problem, after))
        if self.system is None:
            return pl.concat_list(user)
        return pl.concat_list(pl.struct(role=pl.lit("system"), content=pl.lit(self.system)), user)


@dataclass(frozen=True)
class Rollouts:
    """Who answers, and how answers are drawn."""

    teacher: Annotated[Use, PlugsOf("teacher")]
    """The model that is asked."""
    ask: Literal["all", "without_rollouts"] = "all"
    """Which problems it is asked: all that are kept, or only those that no source brings rollouts for."""
    sampling: Sampling = field(default_factory=Sampling)
    """How rollouts are drawn."""
    goal: Goal | None = None
    """Draws rounds of `sampling.n` per problem until it has what the goal asks for; without it, one round."""
    cut_off: CutOff | None = None
    """Draws a rollout that is cut off again, with more tokens; without it, it stays cut off."""
    budget: Budget | None = None
    """What the rollouts may cost. When it is spent the build stops, and goes on when built again with a larger one."""
    prices: Prices | None = None
    """What the teacher's tokens cost; needed for a budget in USD."""
    no_reasoning: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Largest share of rollouts without reasoning; above it the build stops. 1 for a teacher that does not think."""

    def __post_init__(self) -> None:
        if self.budget and self.budget == Budget():
            raise ValueError("budget names no limit. Write usd, tokens or hours, such as budget: {usd: 50}.")
        if self.budget and self.budget.usd is not None and self.prices is None:
            raise ValueError(
                "budget.usd needs prices. Write, in USD per million tokens, prices: {input: 0.55, output: 2.19}."
            )
        if self.goal and self.goal.at_most < self.sampling.n:
            raise ValueError(
                f"goal.at_most is {self.goal.at_most}, but the first round alone draws sampling.n = {self.sampling.n} "
                "rollouts. Raise at_most or lower n."
            )
        if self.goal and not self.goal.correct and not self.goal.wrong:
            raise ValueError("goal wants no rollouts. Write how many, such as goal: {correct: 2, wrong: 2}.")
        if self.cut_off and self.cut_off.up_to <= self.sampling.max_tokens:
            raise ValueError(
                f"cut_off.up_to is {self.cut_off.up_to}, not more than sampling.max_tokens = "
                f"{self.sampling.max_tokens}. Raise up_to."
            )


@dataclass(frozen=True)
class Recipe:
    """A Cotillion manifest: questions in, one dataset version out."""

    name: Annotated[
        str, AfterValidator(checked_name), Field(json_schema_extra={"pattern": "^[a-z0-9][a-z0-9._-]{0,63}$"})
    ]
    """The dataset's name; its versions are `name@v1`, `name@v2`, ..."""
    sources: Annotated[tuple[Annotated[Use, PlugsOf("sources")], ...], Field(min_length=1)]
    """Where problems come from, and rollouts where there are some already."""
    description: str = ""
    """A few sentences for the dataset card."""
    license: str | None = None
    """The licence of the dataset as a whole, such as apache-2.0; those of the sources are kept per row."""
    language: str = "en"
    """The language code of the problems, for the card."""
    problems: tuple[Annotated[Use, PlugsOf("problems")], ...] = ()
    """Stages that mark problems, in this order."""
    prompt: Prompt = field(default_factory=Prompt)
    """How a problem is asked, of the teacher and of the student."""
    rollouts: Rollouts | None = None
    """Who answers. Without it, only rollouts that came with a source are used."""
    verdicts: tuple[Annotated[Use, PlugsOf("verdicts")], ...] = ()
    """Who judges the rollouts, in this order."""
    tags: tuple[Annotated[Use, PlugsOf("tags")], ...] = ()
    """Stages that add facts such as difficulty, domain or repetition, in this order."""
    views: dict[str, Annotated[Use, PlugsOf("views")]] = field(default_factory=dict)
    """What each training stage reads."""
    heldout: Annotated[float, Field(ge=0, le=0.5)] = 0.05
    """The share of problem clusters that is kept out of training."""
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0
    """Decides every draw: who is held out, which rollouts are picked."""
    engine: Annotated[Use, PlugsOf("engine")] | None = None
    """Which workers do row stages and sampling; processes here if null. It changes nothing about the rows."""
