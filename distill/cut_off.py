"""A rollout that was cut off is drawn again with more tokens, where the manifest says so."""

# Manifests name what is here, and are checked before polars or numpy, which the store needs, have loaded.
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from distill.request import Request

if TYPE_CHECKING:
    from distill.store import Store

READ_AT_ONCE = 256
"""Replies whose texts are in memory at once while trails are followed."""


@dataclass(frozen=True)
class CutOff:
    """What becomes of a rollout that is cut off at `max_tokens`: it is drawn again with more.

    Each draw is paid and kept; the last one counts.

    Example:
        >>> from distill.request import Message, Sampling
        >>> request = Request((Message("user", "2 + 2?"),), "qwen3", "", Sampling(max_tokens=100), 0)
        >>> longer = CutOff(times=2, up_to=300).longer(request)
        >>> longer.sampling.max_tokens, CutOff(times=2, up_to=300).longer(longer).sampling.max_tokens
        (200, 300)
    """

    times: Annotated[float, Field(gt=1, le=64)] = 2.0
    """How many times as many tokens each next draw may take."""
    up_to: Annotated[int, Field(ge=1)] = 65536
    """The most tokens that a draw may take; cut off there, a rollout stays cut off."""

    def longer(self, request: Request) -> Request | None:
        """The request that is asked when this one's reply is cut off; None where that was the last one."""
        tokens = min(int(request.sampling.max_tokens * self.times), self.up_to)
        if tokens <= request.sampling.max_tokens:
            return None
        return replace(request, sampling=replace(request.sampling, max_tokens=tokens))


@dataclass(frozen=True, slots=True)
class Trail:
    """The requests of one rollout, as far as the store knows: each but the last was cut off."""

    requests: tuple[Request, ...]
    answered: bool
    """Whether the last one has a good reply. If not, it is what is lacking."""

    @property
    def counted(self) -> Request:
        """The request whose reply is the rollout: the last one that was answered, else the first."""
        return self.requests[-1] if self.answered or len(self.requests) == 1 else self.requests[-2]


def follow(store: Store, requests: Sequence[Request], cut_off: CutOff | None) -> list[Trail]:
    """The trail of each first request, in the order given."""
    known = store.answered([request.key for request in requests])
    trails = [Trail((request,), old) for request, old in zip(requests, known, strict=True)]
    ended = cut_off is None
    while not ended:
        ended = True
        for place, longer in _cut(store, trails, cut_off):
            trails[place] = Trail((*trails[place].requests, longer), longer.key in store)
            ended = False
    return trails


def _cut(store: Store, trails: list[Trail], cut_off: CutOff | None) -> Iterator[tuple[int, Request]]:
    """The places of trails that end with a cut-off reply, and what is asked next."""
    ends = [(place, trail.requests[-1]) for place, trail in enumerate(trails) if trail.answered]
    further = [(place, end, longer) for place, end in ends if cut_off and (longer := cut_off.longer(end))]
    for start in range(0, len(further), READ_AT_ONCE):
        some = further[start : start + READ_AT_ONCE]
        replies = store.get([end.key for _, end, _ in some])
        for (place, _, longer), reply in zip(some, replies, strict=True):
            if reply.finish_reason == "length":
                yield place, longer
