"""What is asked of the teacher: which rollouts of which problems, and what the store holds of them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from curate.records import row_ids
from distill.account import Spent, costs, spent
from distill.cut_off import CutOff, Trail, follow
from distill.goals import Round
from distill.request import Message, Request, Sampling
from distill.store import Store

SHARD_PROBLEMS = 256


@dataclass(frozen=True)
class Draw:
    """What is asked of the teacher: of each of these problems the rollouts from index `start` to `stop`."""

    model: str
    revision: str
    sampling: Sampling
    problems: pl.DataFrame
    """`id`, `ordinal`, `prompt` (message lists), `start` and `stop` (not included), by ascending ordinal."""
    cut_off: CutOff | None = None

    @property
    def total(self) -> int:
        """How many rollouts are asked for."""
        return int((self.problems["stop"] - self.problems["start"]).sum())

    def requests(self) -> Iterator[Request]:
        """The first request of every rollout, all indices of one problem together."""
        for turns, start, stop in self.problems.select("prompt", "start", "stop").iter_rows():
            messages = tuple(Message(**turn) for turn in turns)
            for index in range(start, stop):
                yield Request(messages, self.model, self.revision, self.sampling, index)

    def trails(self, store: Store) -> list[Trail]:
        """What the store holds of every rollout, in the order of `requests`."""
        return follow(store, list(self.requests()), self.cut_off)

    def part(self, first: int, count: int) -> "Draw":
        """Of some problems in a row only."""
        return replace(self, problems=self.problems[first : first + count])

    def shard(self, number: int) -> "Draw":
        """Of the problems of one shard only."""
        edges = pl.Series([number * SHARD_PROBLEMS, (number + 1) * SHARD_PROBLEMS])
        first, end = self.problems["ordinal"].cast(pl.Int64).search_sorted(edges).to_list()
        return self.part(first, end - first)

    def shards(self) -> Iterator["Draw"]:
        """The draw in pieces, one for each shard that has problems in it."""
        for number in (self.problems["ordinal"] // SHARD_PROBLEMS).unique(maintain_order=True):
            yield self.shard(number)

    def round(self, current: Round) -> "Draw":
        """What one round of a goal asks."""
        asked = self.problems[current.problems]
        start, stop = pl.lit(current.start, pl.Int64), pl.lit(current.stop, pl.Int64)
        return replace(self, problems=asked.with_columns(start=start, stop=stop))

    def drawn(self, counts: npt.NDArray[np.int64]) -> "Draw":
        """All that was drawn: of each problem so many rollouts, from the first on."""
        return replace(self, problems=self.problems.with_columns(start=pl.lit(0, pl.Int64), stop=pl.Series(counts)))


@dataclass(frozen=True)
class Settled:
    """What the store holds of a draw."""

    spent: Spent
    """What it cost in all runs."""
    aside: pl.DataFrame
    """`id` and `drop` of what is no row: replies that were drawn again longer, rollouts that are not in the store."""
    digest: str
    """Equal if the same replies are the rollouts."""


def settle(draw: Draw, store: Store) -> Settled:
    """Looks up every rollout of the draw; reads texts only where a cut-off reply may be followed by a longer one."""
    total, digest = Spent(), hashlib.blake2b(digest_size=16)
    aside = [pl.DataFrame(schema={"id": pl.String, "drop": pl.String})]
    for part in draw.shards():
        trails = part.trails(store)
        paid = costs(store, trails)
        total += spent(trails, paid)
        asked = set(paid["key"])
        digest.update("".join(t.counted.key + "01"[t.answered] for t in trails if t.counted.key in asked).encode())
        owners = _owners(part)
        left = [
            (owner, request.key, reason)
            for owner, trail in zip(owners, trails, strict=True)
            for request, reason in _left(trail, asked)
        ]
        columns = zip(*left, strict=True) if left else ((), (), ())
        problem, key, drop = (pl.Series(column, dtype=pl.String) for column in columns)
        aside.append(pl.DataFrame({"id": row_ids(problem, key), "drop": drop}))
    return Settled(total, pl.concat(aside), digest.hexdigest())


def _owners(draw: Draw) -> list[str]:
    """The problem of every rollout, in the order of `requests`."""
    counts = draw.problems["stop"] - draw.problems["start"]
    return [owner for owner, n in zip(draw.problems["id"], counts, strict=True) for _ in range(n)]


def _left(trail: Trail, asked: set[str]) -> Iterator[tuple[Request, str]]:
    """The requests that give no row, and why."""
    if trail.counted.key not in asked:
        yield trail.counted, "not_in_store"
    for request in trail.requests:
        if request is trail.counted:
            return
        yield request, "drawn_longer"
