"""Language: which one a rollout thinks and answers in, and where it drifts into another than its problem's."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import polars as pl

from curate.records import TEXT_COLUMNS
from curate.texts.foreign_runs import foreign_runs
from curate.texts.languages import languages


@dataclass(frozen=True)
class Language:
    """Per rollout: the languages of problem, reasoning and response, and the first run in another than the problem's.

    Told by scripts, and by function words among languages written in Latin: English, Spanish, French, German,
    Portuguese, Italian, Dutch, Polish, Turkish, Vietnamese, Indonesian, Swahili, Romanian, Czech, Hungarian, Swedish.
    One Chinese character in English reasoning is a drift; mathematical signs, Greek letters and names in Latin letters
    are none, nor is a script that the problem itself is written with. Words that are quoted count.

    Example:
        >>> rows = pl.DataFrame({"id": ["a", "b"], "problem": ["How many are there of them?"] * 2,
        ...                      "reasoning": ["So there are 4.", "So the 分配 is 4."], "response": ["4", "4"]})
        >>> Language()(rows).select("mixes", "foreign", "foreign_at").rows()
        [(False, None, None), (True, '分配', 7)]
    """

    over = "rollouts"
    marks = "rollouts"
    scope = "row"
    reads = ("id", "problem", "reasoning", "response")
    writes: ClassVar = {
        "problem_language": pl.String,
        "reasoning_language": pl.String,
        "response_language": pl.String,
        "mixes": pl.Boolean,
        "foreign": pl.String,
        "foreign_in": pl.String,
        "foreign_at": pl.Int64,
        "foreign_chars": pl.Int64,
    }
    drops = ("other_language", "mixed_language")
    REV = 2

    drop: tuple[Literal["other_language", "mixed_language"], ...] = ()
    """Drop rollouts that reason or respond in another language than the problem's; that drift into another."""

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Marks for every rollout; a text with too few words to tell has no language and is in no other."""
        texts = rows.select("id", *(pl.col(name).fill_null("") for name in ("problem", *TEXT_COLUMNS)))
        # Rollouts of a problem share its text: its language is told once.
        asked = texts.select(pl.col("problem").unique(maintain_order=True))
        asked = asked.with_columns(problem_language=languages(asked["problem"])["language"])
        own = texts.join(asked, on="problem", how="left", maintain_order="left")["problem_language"]
        marks = texts.select(
            "id",
            own,
            place=pl.int_range(pl.len(), dtype=pl.UInt32),
            **{f"{name}_language": languages(texts[name])["language"] for name in TEXT_COLUMNS},
        )
        runs = pl.concat(
            foreign_runs(texts[name], own, texts["problem"]).with_columns(foreign_in=pl.lit(name))
            for name in TEXT_COLUMNS
        )
        first = runs.group_by("row", maintain_order=True).agg(
            pl.first("foreign", "foreign_in"), foreign_at=pl.first("at"), foreign_chars=pl.sum("chars")
        )
        marks = marks.join(first, left_on="place", right_on="row", how="left", maintain_order="left")
        marks = marks.with_columns(mixes=pl.col("foreign").is_not_null())
        return marks.select("id", *self.writes, drop=self._reason())

    def _reason(self) -> pl.Expr:
        own = pl.col("problem_language")
        other = pl.any_horizontal((pl.col(f"{name}_language") != own).fill_null(False) for name in TEXT_COLUMNS)
        reason = pl.when(pl.lit("other_language" in self.drop) & other).then(pl.lit("other_language"))
        return reason.when(pl.lit("mixed_language" in self.drop) & pl.col("mixes")).then(pl.lit("mixed_language"))
