"""Source level: what a source calls easy or hard, on our five levels."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import polars as pl

from curate.records import LEVELS
from curate.texts.ten_points import TEN, Ends, check_ends, of_ten

Scale = Literal["five", "ten", "words"]

_NUMBER = r"^\s*(?:(?:level|difficulty|lvl)\s*:?\s*)?([0-9]{1,2}(?:\.[0-9]+)?)\s*(?:/\s*(5|10))?\s*$"

# The first that fits decides: "undergraduate" is no "graduate", "very hard" more than "hard".
_WORDS = (
    (r"\b(under-?graduate|college|university)\b", "college"),
    (r"\b(graduate|olympiad|imo|very hard|extremely hard|expert|research)\b", "graduate"),
    (r"\b(high school|senior high|hs)\b|\bgrade\s*(9|1[0-2])\b", "high"),
    (r"\b(middle school|junior high)\b|\bgrade\s*[6-8]\b", "middle"),
    (r"\b(elementary|primary|grade school|very easy|trivial)\b|\bgrade\s*[1-5]\b", "elementary"),
    (r"\b(easy|simple|beginner|basic)\b", "middle"),
    (r"\b(medium|moderate|intermediate|normal|average)\b", "high"),
    (r"\b(hard|difficult|challenging|advanced)\b", "college"),
)


@dataclass(frozen=True)
class SourceLevel:
    """Give problems the level that their source says in its own words (`source_level`): `Level 5`, `3`, `6.5`, `hard`.

    A number is on a scale to five (MATH) or to ten (AoPS, Omni-MATH, DeepScaleR): that of a source is to ten where one
    of its numbers is above five; `4/10` says so itself. Five points are the five levels in their order; ten are cut at
    `ten`. Words are read as they say; `easy` is above elementary school. So a level says how hard a problem is among
    those of its source before it says where it would be taught. What cannot be read gives none, and a level that is
    there stays.

    Example:
        >>> rows = pl.DataFrame({"id": list("abcd"), "source": ["math", "math", "aops", "aops"], "level": None,
        ...     "source_level": ["Level 5", "Level 1", "2.5", "8"]}, schema_overrides={"level": pl.String})
        >>> SourceLevel()(rows)["level"].to_list()
        ['graduate', 'elementary', 'middle', 'graduate']
    """

    over = "problems"
    marks = "problems"
    scope = "table"
    reads = ("id", "source", "level", "source_level")
    writes: ClassVar = {"level": pl.String, "level_by": pl.String}
    drops = ()
    REV = 2

    scales: dict[str, Scale] = field(default_factory=dict)
    """By source: whether its numbers are on a scale to `five` or to `ten`, or say nothing (`words`)."""

    ten: Ends = TEN
    """On a scale to ten: the lowest middle, high, college and graduate number."""

    def __post_init__(self) -> None:
        check_ends(self.ten)

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`level` is null where one is there already, or nothing can be read; `level_by` says where it is new."""
        said = pl.col("source_level").str.to_lowercase().str.strip_chars()
        number = said.str.extract(_NUMBER).cast(pl.Float64, strict=False)
        known = rows.with_columns(said=said, number=pl.when(number <= 10).then(number))
        over_five = (pl.col("number") > 5).any().over(pl.col("source").fill_null(""))
        guessed = pl.when(over_five).then(pl.lit("ten")).otherwise(pl.lit("five"))
        scale = pl.col("source").replace_strict(self.scales, default=None, return_dtype=pl.String)
        own = said.str.extract(_NUMBER, 2).replace_strict({"5": "five", "10": "ten"}, default=None)
        level = _by_number(pl.coalesce(scale, own, guessed), self.ten).fill_null(_by_words())
        new = pl.when(pl.col("level").is_null()).then(level)
        marks = known.select("id", level=new)
        return marks.with_columns(
            level_by=pl.when(pl.col("level").is_not_null()).then(pl.lit("source")), drop=pl.lit(None, pl.String)
        )


def _by_number(scale: pl.Expr, ends: Ends) -> pl.Expr:
    number = pl.col("number")
    # A zero stands for `none` in what MATH's copies hold.
    point = pl.when((number >= 1) & (number <= 5)).then(number.round(0, "half_away_from_zero"))
    five = point.replace_strict(
        {float(n): level for n, level in enumerate(LEVELS, 1)}, default=None, return_dtype=pl.String
    )
    return pl.when(scale == "five").then(five).when((scale == "ten") & (number > 0)).then(of_ten(number, ends))


def _by_words() -> pl.Expr:
    words = pl.when(pl.col("number").is_null())
    said = [words.then(pl.when(pl.col("said").str.contains(sign)).then(pl.lit(level))) for sign, level in _WORDS]
    return pl.coalesce(*said)
