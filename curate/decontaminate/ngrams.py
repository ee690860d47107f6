"""Contaminated: problems that a benchmark asks, in its words, in other words or in another language."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import Field

from curate.alike.contamination import VARIANT_RULE, lookup
from curate.reading.against import QUOTED_CHARS, Against


@dataclass(frozen=True, kw_only=True)
class Ngrams(Against):
    """Drop every problem that is a question of a benchmark.

    The rules, in their order: `exact` (spacing, mark-up, prompts and option lists aside), `ngrams` and `characters`
    (the question stands in the problem, with all its numbers), `paraphrase` (the rare words and the numbers agree),
    `translation` (all numbers agree, in another language). The same sentence with other numbers is another problem:
    it stays, marked as a variant. What each rule finds and misses is measured in docs/decontamination.md.
    """

    writes: ClassVar = {
        "contaminated_by": pl.String,
        "contamination_rule": pl.String,
        "contamination_similarity": pl.Float64,
        "variant_in_benchmark": pl.String,
        "benchmark_question": pl.String,
    }
    drops = ("contaminated", "variant")
    REV = 3

    n: Annotated[int, Field(ge=2)] = 8
    """Words that make a run; 13 and 32 are usual too. A question of fewer words is compared whole."""
    paraphrase: Annotated[float, Field(gt=0)] = 0.38
    """Likeness from which a problem is a paraphrase: lower finds more, and flags more that is none. Above 1: never."""
    characters: Annotated[float, Field(gt=0)] = 0.85
    """Share of a question's runs of five characters from which a problem that has its words, numbers and signs is a
    copy, however words are cut. Above 1: never."""
    variants: Literal["keep", "drop"] = "keep"
    """`drop`: the same sentence with other numbers goes too."""

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The facts `contaminated_by`, or `variant_in_benchmark`: the nearest question, as `benchmark:its id`."""
        asked = self.known()
        numbered = rows.select("id", "problem").with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
        found = lookup(asked, numbered, self.n, self.paraphrase, self.characters).find(numbered)
        found = found.join(asked, on="known", how="left", maintain_order="left")
        marked = numbered.select("id", "row").join(found, on="row", how="left", maintain_order="left")
        variant = pl.col("rule") == VARIANT_RULE
        dropped_variant = pl.lit("variant" if self.variants == "drop" else None, pl.String)
        return marked.select(
            "id",
            contaminated_by=pl.when(~variant).then("by"),
            contamination_rule="rule",
            contamination_similarity="similarity",
            variant_in_benchmark=pl.when(variant).then("by"),
            benchmark_question=pl.col("problem").str.slice(0, QUOTED_CHARS),
            drop=pl.when(variant).then(dropped_variant).when(pl.col("rule").is_not_null()).then(pl.lit("contaminated")),
        )
