"""Near duplicates by meaning: problems whose vectors are near, and whose numbers and asked quantities agree."""

import os
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np
import polars as pl
from pydantic import Field

from curate.alike.embedding import LIBRARIES, check_model, encode, is_path, model_state, neighbours, revision_of
from curate.alike.golds import gold_numbers
from curate.alike.keeping import RULE, WRITES, Reason, both, fates, in_order, nearest, who_stays
from curate.alike.sameness import MATTERS, compatible, first_of_form, fits, statements_of
from curate.plug import ModelName
from curate.reading.extras import check_installed


@dataclass(frozen=True)
class Semantic:
    """Drop every problem that says what one that stays says in other words.

    Candidates are the nearest neighbours (FAISS) of vectors by any sentence-transformers model; without one, by an
    encoder that is fitted on the problems themselves and needs no download. They are the same where numbers, signs and
    the words that tell one quantity from another agree, in any order; else they are variants, and both stay.
    """

    over = "problems"
    marks = "problems"
    scope = "table"
    reads = ("id", "problem", "answer", "with_rollouts")
    writes = WRITES
    drops = ("near_duplicate", "variant")
    REV = 4

    model: ModelName | None = None
    """A folder (`./minilm`, `/models/minilm`), or a name on the Hub, `organisation/name@commit`. A name without a
    commit is resolved by the first build, and pinned in the lock. None: fitted on the problems."""
    threshold: Annotated[float, Field(gt=0, le=1)] = 0.9
    """Cosine from which two problems are held against each other."""
    neighbours: Annotated[int, Field(ge=1, le=256)] = 8
    """Nearest ones that are looked at, per problem."""
    dimensions: Annotated[int, Field(ge=2, le=4096)] = 256
    """Of the vectors of the built-in encoder."""
    variants: Literal["keep", "drop"] = "keep"
    """`drop`: problems that differ from one that stays in numbers, signs or what is asked go too."""
    keep: tuple[Reason, ...] = RULE
    """Who of a cluster stays: what has a gold answer, then what came with rollouts, then what came first."""
    seed: int = 0
    """Of the built-in encoder."""

    def __post_init__(self) -> None:
        if self.model is not None:
            check_model(self.model)

    def find(self) -> None:
        """Passes if the libraries of the extra are there."""
        check_installed("semantic", *LIBRARIES)

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The facts `near_duplicate_of` and `variant_of` name another problem, `similarity` is the cosine with it."""
        ordered = in_order(rows, self.keep)
        said = statements_of(ordered["problem"], len(os.sched_getaffinity(0))).with_columns(gold_numbers(ordered))
        first = first_of_form(said)
        heads = np.flatnonzero((first == np.arange(len(first))) & said["form"].is_not_null().to_numpy())
        if not len(heads):
            nobody = np.full(said.height, -1), np.zeros(said.height)
            return fates(rows, ordered, first, nobody, np.zeros(said.height), drop_variants=False)
        vectors = encode(said["asked"].gather(heads), self.model, self.dimensions, self.seed)
        left, right, cosine = neighbours(vectors, self.neighbours, self.threshold)
        left, right = heads[left], heads[right]
        bag = said["bag"].to_numpy()
        same = bag[left] == bag[right]
        sides = [said.select(MATTERS)[side] for side in (left[same], right[same])]
        same[same] = compatible(*sides).to_numpy()
        kept, apart = who_stays((left[same], right[same]), first, fits(said, first))
        place = np.zeros(said.height, np.int64)
        place[heads] = np.arange(len(heads))
        vector = vectors[place[first]]
        similarity = _cosines(vector, kept, np.arange(len(kept)))
        stays = ~same & (kept[left] == left) & (kept[right] == right)
        links = both((left[stays], right[stays]), apart)
        alike = np.concatenate([cosine[stays], _cosines(vector, *apart)])
        drop = self.variants == "drop"
        return fates(rows, ordered, kept, nearest(said.height, links, alike, drop), similarity, drop)

    def inputs(self) -> dict[str, Any]:
        """What stands behind `model`: its commit, or the digest of its folder."""
        return {"model": None if self.model is None else model_state(self.model)}

    def pinned(self, earlier: list[dict[str, Any]]) -> "Semantic":
        """The stage with a model's name at a commit: the one that `inputs` told earlier, or the one of today."""
        if self.model is None or is_path(self.model) or "@" in self.model:
            return self
        told = {m["name"]: m["state"].get("revision") for stage in earlier if isinstance(m := stage.get("model"), dict)}
        return replace(self, model=f"{self.model}@{told.get(self.model) or revision_of(self.model)}")


def _cosines(vectors: Any, left: Any, right: Any) -> Any:
    """Of normalised vectors, pair by pair, from 0 to 1."""
    return np.einsum("ij,ij->i", vectors[left], vectors[right]).clip(0, 1).astype(np.float64)
