"""Maths: questions that have something to calculate, count or deduce with, and what says so."""

from dataclasses import dataclass
from typing import ClassVar

import polars as pl

LOOKED_AT = 20_000
QUOTED = 60

_FORMULA = (
    r"\$[^$]*[\d\\^_=<>+*/(|a-zA-Z][^$]*\$|\\(?:frac|sqrt|sum|int|lim|log|sin|cos|tan|cdot|times|begin|\[|\()"
    r"|\d\s?[-+*/×÷^=<>]\s?[\d(a-z]|[a-z]\s?[\^=]\s?[-\d(a-z]|[∑∫√π≤≥≠∠△⊥∈∪∩]"
)
_WORD = (
    r"(?i)\b(?:how\s+(?:many|much|long|old|far|tall|heavy|fast|high|wide|deep|often)|sum|product|differences?|ratio|"
    r"percent\w*|probabilit\w+|average|mean|median|mode|equations?|inequalit\w+|integers?|numbers?|digits?|prime|divisor|"
    r"divisible|remainder|multiple|factors?|fractions?|decimals?|squares?|cubes?|roots?|triangles?|circles?|rectangles?|"
    r"polygons?|angles?|perimeter|areas?|volumes?|radius|diameter|lengths?|widths?|heights?|distances?|speed|functions?|"
    r"polynomials?|derivative|integral|limit|matri(?:x|ces)|vectors?|sets?|sequences?|series|graphs?|proof|prove|theorem|"
    r"permutations?|combinations?|arrangements?|calculate|compute|solve|evaluate|simplify|expression|variables?|"
    r"coordinates?|parallel|perpendicular|congruent|symmetr\w+|twice|half|thirds?|doubled?|dozens?|"
    r"groups?|ring|field|topolog\w+|converge\w*|continuous|eigenvalues?)\b"
    r"|多少|几|求|计算|等于|面积|周长|概率|方程|函数|三角|倍|平均|质数|余数"
)
_NUMBER = (
    r"(?i)\d+|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|sixty|hundred|"
    r"thousand|million)\b|[二三四五六七八九十百千]"
)


@dataclass(frozen=True)
class Maths:
    """Mark what makes a question one of mathematics, and drop those in which nothing does.

    A formula, a number, or a word such as `how many`, `ratio` or `triangle` is enough: the rule throws out chat and
    broken rows; physics, puzzles and trivia with a year in them stay. The words are English and Chinese; of a question
    in another language formulas and numbers decide.

    Example:
        >>> rows = pl.DataFrame({"id": ["a", "b"], "problem": ["Who wrote Emma?", "What is $x$ if $2x = 6$?"]})
        >>> Maths()(rows).select("maths_evidence", "drop").rows()
        [(None, 'not_maths'), ('$x$', None)]
    """

    over = "problems"
    marks = "problems"
    scope = "row"
    reads = ("id", "problem")
    writes: ClassVar = {"maths_evidence": pl.String}
    drops = ("not_maths",)
    REV = 1

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`maths_evidence`: the first formula, word or number that says so; null where nothing does."""
        text = pl.col("problem").fill_null("").str.slice(0, LOOKED_AT)
        found = pl.coalesce(text.str.extract(pattern, 0) for pattern in (_FORMULA, _WORD, _NUMBER))
        rows = rows.select("id", maths_evidence=found.str.slice(0, QUOTED))
        return rows.with_columns(drop=pl.when(pl.col("maths_evidence").is_null()).then(pl.lit("not_maths")))
