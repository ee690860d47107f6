"""Rewards in TRL's form: a function over columns that gives one number, or None, per completion."""

import os
from collections.abc import Sequence
from typing import Any

from verify.grade import Gold, grade_many
from verify.tiers import DEFAULT

_REWARD = {"correct": 1.0, "wrong": -1.0, "no_answer": -1.0, "truncated": -1.0}


def accuracy(
    completions: Sequence[str] | Sequence[Sequence[dict[str, Any]]],
    solution: Sequence[Gold],
    finish_reason: Sequence[str | None] | None = None,
    **_: Any,
) -> list[float | None]:
    """+1 for a correct answer, -1 for a wrong, missing or cut-off one, None for what could not be judged.

    None (a bad gold answer, a timeout, an undecided pair) keeps the completion out of the mean of its group.

    Args:
        completions: texts, or message lists whose last message is the reply.
        solution: the gold answers, as in the view `rl`.
        finish_reason: `length` marks a completion that was cut off.

    Example:
        >>> accuracy(["It is \\\\boxed{4}.", "It is \\\\boxed{5}.", "\\\\boxed{4}"], ["4", "4", None])
        [1.0, -1.0, None]
    """
    texts = [c if isinstance(c, str) else _said(c[-1]) if c else "" for c in completions]
    workers = len(os.sched_getaffinity(0))  # a bomb holds up one of them, not the rest of the batch
    verdicts = grade_many(texts, solution, finish_reasons=finish_reason, policy=DEFAULT, workers=workers)
    return [_REWARD.get(verdict.status) for verdict in verdicts]


def _said(message: dict[str, Any]) -> str:
    """The text of a message: a string, parts with a text each, or nothing (a tool call, say)."""
    content = message.get("content")
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""
