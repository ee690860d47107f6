"""The language of a question."""

import difflib
from dataclasses import dataclass
from typing import Annotated, ClassVar

import polars as pl
from pydantic import Field

from curate.texts.languages import LANGUAGES, languages


@dataclass(frozen=True)
class Language:
    """Mark the language of every question, and drop those in another than wanted.

    Told by script and common words (curate.texts.languages), no model: of 2,500 translated GSM8K questions in ten
    languages and 30,000 English ones nearly all are told right (docs/hygiene.md). A question of formulas alone is of
    no language, and stays.

    Example:
        >>> rows = pl.DataFrame({"id": ["a", "b"], "problem": ["How many of the apples are red?", "求 3 的平方。"]})
        >>> Language()(rows).select("question_language", "drop").rows()
        [('en', None), ('zh', 'language')]
    """

    over = "problems"
    marks = "problems"
    scope = "row"
    reads = ("id", "problem")
    writes: ClassVar = {"question_language": pl.String, "language_share": pl.Float64}
    drops = ("language",)
    REV = 2

    keep: Annotated[tuple[str, ...], Field(min_length=1)] = ("en",)
    """Languages that stay, by ISO 639-1 (`en`, `zh`, `de`); `[any]` keeps all and only marks."""

    def __post_init__(self) -> None:
        for name in self.keep:
            if name not in (*LANGUAGES, "any"):
                close = difflib.get_close_matches(name.lower(), LANGUAGES, n=1)
                meant = f" Did you mean {close[0]!r}?" if close else ""
                raise ValueError(
                    f"keep: no language {name!r} is told.{meant} Those that are: {' '.join(LANGUAGES)}, any"
                )

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`question_language`, null where nothing tells it, and the share of the letters or common words that do."""
        told = rows.select("id").hstack(languages(rows["problem"]))
        other = pl.col("language").is_not_null() & ~pl.col("language").is_in(self.keep) & pl.lit("any" not in self.keep)
        return told.select(
            "id",
            question_language="language",
            language_share=pl.col("share").cast(pl.Float64),
            drop=pl.when(other).then(pl.lit("language")),
        )
