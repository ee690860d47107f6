"""What requests cost in all runs, as the store knows it."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass

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
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    """The teacher's, summed over attempts; many run at the same time."""

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))


def spent(store: Store, trails: Iterable[Trail]) -> Spent:
    """What these rollouts cost; a request that several of them share is paid once."""
    trails = list(trails)
    keys = list(dict.fromkeys(request.key for trail in trails for request in trail.requests))
    costs = store.costs(keys)
    asked = set(costs["key"])
    missing = sum(trail.requests[-1].key not in asked for trail in trails)
    answered = sum(trail.answered for trail in trails)
    return Spent(
        rollouts=len(trails),
        answered=answered,
        failed=len(trails) - answered - missing,
        missing=missing,
        drawn_longer=sum(len(trail.requests) - 1 for trail in trails),
        attempts=costs["attempts"].sum(),
        prompt_tokens=costs["prompt_tokens"].sum(),
        completion_tokens=costs["completion_tokens"].sum(),
        seconds=costs["seconds"].sum(),
    )
