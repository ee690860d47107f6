"""A rollout that was cut off is drawn again with more tokens, where the manifest says so."""

# Manifests name what is here, and are checked before polars or numpy, which the store needs, have loaded.
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from distill.request import Request

if TYPE_CHECKING:
    from distill.store import Store


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

    def may_grow(self, request: Request) -> bool:
        """Whether a longer request would follow if this one's reply were cut off."""
        return self._tokens(request) > request.sampling.max_tokens

    def longer(self, request: Request) -> Request | None:
        """The request that is asked when this one's reply is cut off; None where that was the last one."""
        if not self.may_grow(request):
            return None
        tokens = self._tokens(request)
        return replace(request, sampling=replace(request.sampling, max_tokens=tokens))

    def _tokens(self, request: Request) -> int:
        return min(int(request.sampling.max_tokens * self.times), self.up_to)


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
    newly = [place for place, trail in enumerate(trails) if trail.answered and cut_off]
    while newly and cut_off:
        ended = {place: trails[place].requests[-1] for place in newly}
        newly = []
        places = [place for place, end in ended.items() if cut_off.may_grow(end)]
        for place in compress(places, store.cut_off([ended[place].key for place in places])):
            if longer := cut_off.longer(ended[place]):
                trails[place] = Trail((*trails[place].requests, longer), longer.key in store)
                newly += [place] if trails[place].answered else []
    return trails
