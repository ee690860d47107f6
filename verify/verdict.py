"""What a verifier says of one response: more than right or wrong."""

from dataclasses import dataclass
from typing import Literal, get_args

Status = Literal["correct", "wrong", "no_answer", "unreadable_gold", "truncated", "undecided", "timeout", "error"]
STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True)
class Verdict:
    """One decision. A timeout, a cut-off reply or a bad gold answer is never `wrong`."""

    status: Status
    answer: str | None = None
    """The answer as extracted from the response; None where there is none."""
    method: str = ""
    """Who decided: the tier (`exact`, `numeric`, `choice`, `symbolic`) or `judge:<name>`."""
    detail: str | None = None
    """Why, where status and method do not say it: `cut off at max_tokens`, `out of memory`, ..."""
