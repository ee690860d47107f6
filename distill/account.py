"""What requests cost in all runs, as the store knows it."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import polars as pl

from distill.cut_off import Trail
from distill.store import Store


@dataclass(frozen=True)
class Spent:
    """What a set of rollouts cost in all runs, failed and repeated attempts included."""

    rollouts: int = 0
    """Those asked about here."""
    answered: int = 0
    """Of these, how many have a good reply to their last request."""
    failed: int = 0
    """How many were asked for, and every attempt of their last request failed."""
    missing: int = 0
    """How many whose last request was never asked."""
    drawn_longer: int = 0
    """Replies that were cut off and drawn again with more tokens."""
    attempts: int = 0
    failed_attempts: int = 0
    """Of these, how many ended in an error. Their tokens count where the teacher told them; few do."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    """The teacher's, summed over attempts; many run at the same time."""
    uncounted: int = 0
    """Requests whose good reply came without a count of its tokens."""

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))


def costs(store: Store, trails: Sequence[Trail]) -> pl.DataFrame:
    """What was paid per request of these trails (Store.costs); one that several of them share stands once."""
    return store.costs(list(dict.fromkeys(request.key for trail in trails for request in trail.requests)))


def spent(trails: Sequence[Trail], paid: pl.DataFrame) -> Spent:
    """What these rollouts cost, from the costs of their requests."""
    asked = set(paid["key"])
    missing = sum(trail.requests[-1].key not in asked for trail in trails)
    answered = sum(trail.answered for trail in trails)
    good = {request.key for trail in trails for request in trail.requests[: None if trail.answered else -1]}
    return Spent(
        rollouts=len(trails),
        answered=answered,
        failed=len(trails) - answered - missing,
        missing=missing,
        drawn_longer=sum(len(trail.requests) - 1 for trail in trails),
        attempts=int(paid["attempts"].sum()),
        failed_attempts=int(paid["attempts"].sum()) - len(good),
        prompt_tokens=int(paid["prompt_tokens"].sum()),
        completion_tokens=int(paid["completion_tokens"].sum()),
        seconds=float(paid["seconds"].sum()),
        uncounted=paid.filter(pl.col("completion_tokens") == 0, pl.col("key").is_in(list(good))).height,
    )
