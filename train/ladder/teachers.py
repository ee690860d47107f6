"""What the teachers of a ladder gave in truth: planted errors, and how well the verdicts know them."""

import sys
from collections import Counter
from dataclasses import dataclass
from typing import Any

import polars as pl

from curate import plug
from curate.recipes.recipe import Prompt
from curate.records import row_ids
from curate.version import Version
from distill.request import Message, Request, Sampling

MOST = 20_000
"""Rollouts of a version that are looked at: the first ones."""


@dataclass(frozen=True)
class Truth:
    """The rollouts of one version whose truth is known."""

    version: str
    teacher: str
    counts: dict[tuple[str, str], int]
    """Rollouts by the status that a perfect verifier gives, and the verdict that was given."""

    @property
    def rollouts(self) -> int:
        """All that were looked at."""
        return sum(self.counts.values())

    @property
    def errors(self) -> float:
        """The share that is not correct in truth."""
        return 1 - self._share(lambda true, given: true == "correct")

    @property
    def agreement(self) -> float:
        """The share whose verdict is the one that a perfect verifier gives."""
        return self._share(lambda true, given: true == given)

    @property
    def confusions(self) -> dict[tuple[str, str], int]:
        """Where the two differ, the most frequent first."""
        return {pair: n for pair, n in Counter(self.counts).most_common() if pair[0] != pair[1]}

    def _share(self, holds: Any) -> float:
        return sum(n for pair, n in self.counts.items() if holds(*pair)) / self.rollouts if self.rollouts else 0.0


def truth_of(version: Version) -> Truth | None:
    """What the version's own teacher planted; None where it has none that knows the truth."""
    named = (version.lock["manifest"].get("rollouts") or {}).get("teacher")
    if not named:
        return None
    cls = plug.load("teacher", named["use"])
    if not hasattr(cls, "truth"):
        return None
    teacher = cls(**{key: value for key, value in named.items() if key != "use"})
    expected = sys.modules[cls.__module__].EXPECTED
    prompt = Prompt(**version.lock["manifest"]["prompt"])
    asked = version.table("problems").select(problem_id="id", prompt=prompt.messages(pl.col("problem")))
    columns = ("id", "problem_id", "index", "sampling", "verdict", "teacher")
    drawn = version.table("rollouts").select(columns).filter(pl.col("sampling").is_not_null()).head(MOST)
    rows = drawn.join(asked, on="problem_id", how="left", maintain_order="left").collect()
    requests = _requests(rows, teacher)
    # The id says which request it was: a rollout that was drawn again, longer, is another's and is left out.
    known = row_ids(rows["problem_id"], pl.Series([request.key for request in requests], dtype=pl.String)) == rows["id"]
    counts = Counter(
        (expected[teacher.truth(request)], verdict or "none")
        for request, verdict, same in zip(requests, rows["verdict"], known, strict=True)
        if same
    )
    return Truth(version.name, f"{teacher.model}@{teacher.revision}", dict(counts)) if counts else None


def _requests(rows: pl.DataFrame, teacher: Any) -> list[Request]:
    """The request that drew each rollout."""
    return [
        Request(tuple(Message(**turn) for turn in prompt), teacher.model, teacher.revision, Sampling(**sampling), index)
        for prompt, sampling, index in rows.select("prompt", "sampling", "index").iter_rows()
    ]
