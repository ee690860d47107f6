"""Lost reasoning: the field's silent bug. A build stops when its teacher's chains of thought do not arrive."""

from collections.abc import Callable, Iterable, Sequence

import polars as pl

from distill.request import Reply, Request
from distill.thinking import split_thinking

FIRST = 200
"""Replies after which the share is looked at while sampling goes on; once more over all rollouts at the end."""
FEWEST = 20
"""A share of fewer rollouts is taken of so many: one odd reply of four is no sign."""
SHOWN_CHARS = 160


class LostReasoningError(RuntimeError):
    """More rollouts have no reasoning than the manifest allows."""


class ReasoningWatch:
    """Looks at the first replies of a build for their reasoning; a watch of the sampling loop."""

    def __init__(self, model: str, limit: float) -> None:
        self.model, self.limit = model, limit
        self.count = self.without = 0
        self.examples: list[str] = []

    def know(self, replies: Iterable[Reply]) -> None:
        """Counts replies of earlier runs, so that a build that was stopped is stopped again before it pays again."""
        for reply in replies:
            self._count(reply)

    def saw(self, request: Request, reply: Reply) -> None:
        """Counts one more reply, unless enough are known."""
        self._count(reply)

    def stop(self) -> LostReasoningError | None:
        """Why nothing more may be asked; None as long as there are too few replies to say."""
        if self.count < FIRST:
            return None
        return _lost(self.model, self.limit, self.count, self.without, self.examples)

    def _count(self, reply: Reply) -> None:
        if self.count == FIRST or reply.finish_reason == "error":
            return
        self.count += 1
        if not split_thinking(reply.content, reply.reasoning, finished=reply.finish_reason == "stop").reasoning:
            self.without += 1
            self.examples = [*self.examples, reply.content][:2]


def check_reasoning(
    model: str, limit: float, rollouts: pl.DataFrame, responses: Callable[[pl.DataFrame], Sequence[str | None]]
) -> None:
    """Passes if enough of a teacher's rollouts have reasoning; those without a reply do not count.

    Args:
        rollouts: the teacher's, with `finish_reason` and `reasoning_chars`.
        responses: given a few of these rows, the text of each, to be shown.

    Raises:
        LostReasoningError: more are without than `limit` allows.
    """
    there = rollouts.filter(pl.col("finish_reason") != "error")
    without = there.filter(pl.col("reasoning_chars") == 0)
    examples = [text or "" for text in responses(without.head(2))]
    if error := _lost(model, limit, there.height, without.height, examples):
        raise error


def _lost(model: str, limit: float, count: int, without: int, examples: Sequence[str]) -> LostReasoningError | None:
    """The error, if so many of the rollouts are without reasoning that the manifest's limit is passed."""
    if without <= limit * max(count, FEWEST):
        return None
    shown = "\n".join(f"  {_shortened(text)}" for text in examples)
    return LostReasoningError(
        f"reasoning is lost: {without:,} of {count:,} rollouts of {model} ({without / count:.0%}) have none, more than "
        f"rollouts.no_reasoning allows ({limit:.0%}). They begin, for example:\n{shown}\n"
        "If the teacher should think aloud, check the server's reasoning parser and chat template. What was answered "
        "without stays in the store: draw anew with another rollouts.sampling.seed. If the teacher does not think, set "
        "rollouts.no_reasoning: 1"
    )


def _shortened(text: str) -> str:
    text = " ".join(text[: 2 * SHOWN_CHARS].split())
    return repr(text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}...")
