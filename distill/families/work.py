"""Work on paper: a solution is noted step by step, and one step may go wrong and be carried on from."""

from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Literal, TypeVar

from distill.families.value import Value, show
from distill.families.variants import slipped

MOST_STEPS = 200

V = TypeVar("V", bound=Value)


@dataclass(frozen=True)
class Step:
    """One step of a solution."""

    template: str
    """What is said; `@` stands for the value."""
    value: Value | None = None
    """What the step finds and a slip could change; None where there is nothing to get wrong."""
    trap: bool = False
    """A well-known wrong method exists here."""

    @cached_property
    def text(self) -> str:
        """What is said."""
        return self.template if self.value is None else self.template.replace("@", show(self.value))

    def slip(self, rng: Random) -> str:
        """What is said by someone who gets the value slightly wrong."""
        return self.template if self.value is None else self.template.replace("@", show(slipped(self.value, rng)))


@dataclass(frozen=True)
class Solution:
    """How the answer was found."""

    steps: tuple[Step, ...]
    answer: str
    value: Value
    checks: tuple[str, ...] = ()
    """Ways to see that the answer is right."""


@dataclass(frozen=True)
class Fault:
    """Something to get wrong on the way: the rest is carried on from there in good faith."""

    kind: Literal["slip", "trap"]
    at: int
    """Index of the step."""
    seed: int = 0


class Work:
    """The paper a solution is written on. Calling it notes a step and gives back the value, or the slip in its "
    "place."""

    def __init__(self, fault: Fault | None = None) -> None:
        self.steps: list[Step] = []
        self.checks: list[str] = []
        self._fault = fault

    def __call__(self, template: str, value: V, trap: tuple[str, V] | None = None) -> V:
        """Note a step; `@` in the text stands for its value.

        Args:
            trap: text and value of a well-known wrong method at this point.

        Raises:
            ValueError: a slip has led the work round in circles.
        """
        at, trapped = len(self.steps), trap is not None and trap[1] != value
        if at >= MOST_STEPS:
            raise ValueError("too many steps")
        if self._fault is not None and self._fault.at == at:
            if self._fault.kind == "trap" and trap is not None:
                template, value = trap
            elif self._fault.kind == "slip":
                value = slipped(value, Random(self._fault.seed))  # type: ignore[assignment]  # same kind of value
        self.steps.append(Step(template, value, trapped))
        return value

    def say(self, text: str) -> None:
        """Note a remark with nothing to compute."""
        self.steps.append(Step(text))

    def check(self, text: str) -> None:
        """Note a way to see that the answer is right."""
        self.checks.append(text)
