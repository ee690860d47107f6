"""What a build may spend on its teacher: dollars, tokens, hours. When it is spent, no further request is started."""

# Manifests name what is here, and are checked before polars, which the account needs, has loaded.
from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from distill.request import Reply, Request, TeacherError

if TYPE_CHECKING:
    from distill.account import Spent


@dataclass(frozen=True)
class Prices:
    """What tokens cost.

    Example:
        >>> Prices(input=0.55, output=2.19).usd(1_000_000, 2_000_000)
        4.93
    """

    input: Annotated[float, Field(ge=0)]
    """USD per million prompt tokens."""
    output: Annotated[float, Field(ge=0)]
    """USD per million completion tokens, reasoning included."""

    def usd(self, prompt_tokens: int, completion_tokens: int) -> float:
        """The price of so many tokens."""
        return (self.input * prompt_tokens + self.output * completion_tokens) / 1e6


UNCOUNTED = 0.05
"""So many replies may come without a count of their tokens, and are taken to be like the others; more are no budget."""
FEWEST = 100
"""A share of fewer replies is taken of so many: five are allowed, whenever they come."""


def dollars(amount: float) -> str:
    """USD with the digits that matter.

    Example:
        >>> dollars(1234.5), dollars(0.0123456), dollars(0.00007), dollars(0.0)
        ('$1,234.50', '$0.012', '$0.000070', '$0.00')
    """
    digits = 1 - math.floor(math.log10(amount)) if 0 < amount < 0.1 else 2
    return f"${amount:,.{digits}f}"


@dataclass(frozen=True)
class Budget:
    """The most that a build may spend on its rollouts. What is in flight when it is spent is waited for and kept."""

    usd: Annotated[float, Field(gt=0)] | None = None
    """By `prices`; counts what this build's requests cost in all runs, failed and repeated attempts included."""
    tokens: Annotated[int, Field(gt=0)] | None = None
    """Prompt and completion tokens of this build's requests in all runs."""
    hours: Annotated[float, Field(gt=0)] | None = None
    """Wall clock of sampling in one run."""


class BudgetError(TeacherError):
    """The budget is spent and requests are lacking: says what was spent and how to go on."""


class Meter:
    """What was spent against a budget; a watch of the sampling loop (distill.sample.Watch)."""

    def __init__(
        self, budget: Budget, prices: Prices | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.budget, self.prices, self.clock = budget, prices, clock
        self.prompt_tokens = self.completion_tokens = self.attempts = self.answered = self.uncounted = 0
        self.started: float | None = None

    def begin(self) -> None:
        """The clock of `hours` runs from the first call on."""
        if self.started is None:
            self.started = self.clock()

    def add(self, spent: Spent) -> None:
        """Counts what earlier runs spent."""
        self.prompt_tokens += spent.prompt_tokens
        self.completion_tokens += spent.completion_tokens
        self.attempts += spent.attempts
        # Otherwise every further run would pay for some more before it finds out.
        self.answered += spent.attempts - spent.failed_attempts
        self.uncounted += spent.uncounted

    def saw(self, request: Request, reply: Reply) -> None:
        """Counts one more attempt."""
        self.attempts += 1
        self.prompt_tokens += reply.prompt_tokens
        self.completion_tokens += reply.completion_tokens
        answered = bool(reply.content or reply.reasoning)
        self.answered += answered
        self.uncounted += answered and not reply.completion_tokens

    def stop(self) -> BudgetError | None:
        """Why no further request may be started; None while the budget lasts."""
        budget, (read, written) = self.budget, self._taken()
        usd = self.prices.usd(read, written) if self.prices else 0.0
        tokens = read + written
        hours = 0.0 if self.started is None else (self.clock() - self.started) / 3600
        blind = self.uncounted > UNCOUNTED * max(self.answered, FEWEST)
        if blind and (budget.usd is not None or budget.tokens is not None):
            return BudgetError(
                f"the teacher does not say how many tokens its replies took ({self.uncounted:,} of {self.answered:,}), "
                "so that a budget in usd or tokens cannot be kept. Limit the build by rollouts.budget.hours instead. "
                "What was answered is kept"
            )
        if budget.usd is not None and usd >= budget.usd:
            return self._spent("usd", f"{dollars(usd)} of {dollars(budget.usd)}")
        if budget.tokens is not None and tokens >= budget.tokens:
            return self._spent("tokens", f"{tokens:,} tokens of {budget.tokens:,}")
        if budget.hours is not None and hours >= budget.hours:
            return self._spent("hours", f"{hours:.2f} hours of {budget.hours:g}")
        return None

    def _taken(self) -> tuple[int, int]:
        """Prompt and completion tokens; a reply without a count took what the others took in the mean."""
        counted = self.answered - self.uncounted
        more = 1 + self.uncounted / counted if counted > 0 else 1.0
        return round(self.prompt_tokens * more), round(self.completion_tokens * more)

    def _spent(self, kind: str, text: str) -> BudgetError:
        read, written = self._taken()
        price = f", {dollars(self.prices.usd(read, written))}" if self.prices else ""
        guess = (
            f", {self.uncounted:,} of them without a count and taken to be like the others" if self.uncounted else ""
        )
        return BudgetError(
            f"budget spent: {text}. All runs of this build together took {read:,} prompt and {written:,} completion "
            f"tokens in {self.attempts:,} attempts{guess}{price}; all replies are kept. "
            f"To go on, raise rollouts.budget.{kind} and build again, or take what is there: curate build --offline"
        )
