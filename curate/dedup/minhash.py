"""Near duplicates: the same problem in another form; and its variants, which are other problems."""

import os
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import polars as pl
from pydantic import Field

from curate.alike.buckets import Shingles, alike_pairs, bands, shares, shingle
from curate.alike.golds import gold_numbers
from curate.alike.keeping import RULE, WRITES, Reason, both, fates, in_order, nearest, who_stays
from curate.alike.sameness import MATTERS, compatible, first_of_form, fits, statements_of


@dataclass(frozen=True)
class Minhash:
    """Drop every problem that is another form of one that stays: tokenised, wrapped in a prompt, other LaTeX or words.

    Two problems are held against each other where their runs of words are alike (Jaccard, numbers aside; MinHash finds
    them). They are the same where their numbers, signs, letters and names are, in this order, and the words that tell
    one quantity from another. Else they are variants: both stay, and the later one is marked with the one that it is
    most like. How much of labelled pairs is found, and dropped wrongly, is measured in docs/duplicates.md.

    Example:
        >>> rows = pl.DataFrame({"id": ["a", "b"], "problem": ["Find $x$ if $x+2=7$.", "Find x if x + 2 = 7 ."]})
        >>> Minhash()(rows)["near_duplicate_of"].to_list()
        [None, 'a']
    """

    over = "problems"
    marks = "problems"
    scope = "table"
    reads = ("id", "problem", "answer", "with_rollouts")
    writes = WRITES
    drops = ("near_duplicate", "variant")
    REV = 3

    threshold: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of their shingles that two problems have in common (Jaccard) from which they are held against each other.
    Low, since the numbers and the words asked for decide what is the same."""
    shingles: Literal["words", "characters"] = "words"
    """What a shingle is a run of. Characters are those of the text without spacing and mark-up."""
    n: Annotated[int, Field(ge=1, le=50)] = 2
    """Words or characters in a shingle; 5 is usual for characters."""
    permutations: Annotated[int, Field(ge=8, le=1024)] = 128
    """Of a signature, at most. They are cut into bands that miss one pair in a hundred at the threshold itself."""
    variants: Literal["keep", "drop"] = "keep"
    """`drop`: problems that differ from one that stays in numbers, signs or what is asked go too."""
    keep: tuple[Reason, ...] = RULE
    """Who of a cluster stays: what has a gold answer, then what came with rollouts, then what came first."""
    seed: int = 0
    """Of the permutations."""

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The facts `near_duplicate_of` and `variant_of` name another problem, `similarity` is that with it."""
        workers = len(os.sched_getaffinity(0))
        ordered = in_order(rows, self.keep)
        said = statements_of(ordered["problem"], workers).with_columns(gold_numbers(ordered))
        first = first_of_form(said)
        heads = np.flatnonzero((first == np.arange(len(first))) & said["form"].is_not_null().to_numpy())
        looks = _Looks.of(said, first, heads, self, workers)
        kept, apart = who_stays(looks.same(heads), first, fits(said, first))
        stays = kept == np.arange(len(kept))
        gone = np.flatnonzero(~stays)
        similarity = np.zeros(said.height)
        similarity[gone] = looks.shares(kept[gone], gone)
        variants = both(looks.variants(np.flatnonzero(stays & said["form"].is_not_null().to_numpy())), apart)
        drop = self.variants == "drop"
        variant = nearest(said.height, variants, looks.shares(*variants), drop)
        return fates(rows, ordered, kept, variant, similarity, drop)

    def bands(self, said: pl.DataFrame, cut: Shingles, workers: int) -> Any:
        """By text and band a hash of the band: two texts with one in common are held against each other."""
        return bands(cut, self.permutations, self.threshold, self.seed, workers)


@dataclass(frozen=True)
class _Looks:
    """What is compared: shingles of every skeleton, which is a text with its numbers left open."""

    said: pl.DataFrame
    skeleton: Any
    """By row: the place of its skeleton; rows without a text, or a form of their own, have 0."""
    shingles: Shingles
    bands: Any
    threshold: float

    @classmethod
    def of(cls, said: pl.DataFrame, first: Any, heads: Any, options: Minhash, workers: int) -> "_Looks":
        _, at, code = np.unique(said["skeleton"].gather(heads).to_numpy(), return_index=True, return_inverse=True)
        texts = said.select("words", "asked")[heads[at]]
        cut = shingle(texts, options.shingles, options.n, workers)
        skeleton = np.zeros(said.height, np.int64)
        skeleton[heads] = code
        return cls(said, skeleton[first], cut, options.bands(texts, cut, workers), options.threshold)

    def same(self, heads: Any) -> tuple[Any, Any]:
        """Pairs of rows that say the same in nearly the same words."""
        rows = heads[self.said["says"].gather(heads).is_duplicated().to_numpy()]
        says = self.said["says"].to_numpy()
        keys = [self.bands[self.skeleton[rows], band] ^ says[rows] for band in range(self.bands.shape[1])]

        def alike(left: Any, right: Any) -> Any:
            good = (says[left] == says[right]) & (self.shares(left, right) >= self.threshold)
            sides = [self.said.select(MATTERS)[side] for side in (left[good], right[good])]
            good[good] = compatible(*sides).to_numpy()
            return good

        return alike_pairs(rows, keys, alike)

    def variants(self, stay: Any) -> tuple[Any, Any]:
        """Pairs of rows in nearly the same words."""
        _, at, code = np.unique(self.skeleton[stay], return_index=True, return_inverse=True)
        one, again = stay[at][code], np.ones(len(stay), bool)
        again[at] = False
        rows = np.sort(stay[at])
        keys = [self.bands[self.skeleton[rows], band] for band in range(self.bands.shape[1])]
        left, right = alike_pairs(rows, keys, lambda a, b: self.shares(a, b) >= self.threshold)
        return both((one[again], stay[again]), (left, right))

    def shares(self, left: Any, right: Any) -> Any:
        return shares(self.shingles, self.skeleton[left], self.skeleton[right])
