"""What a problem says: its question without the wrapping, its words, its numbers and its signs, on columns."""

import re

import polars as pl

from curate.alike.wrapping import unwrapped

MAX_CHARS = 20_000
"""How far into a text words are read. The longest of 11,000 benchmark questions has 4,300 characters."""

MIN_STEM_WORDS = 6
"""A question that has fewer words without its options is compared with them."""

_LETTER = r"(?:(?:^|[\s$}~:])\$?(?:\\(?:text|textbf|mathrm|rm|bf)\s?\{?)?\(?|[.,;?!]\()%s[ \t]?[).:\]]"
_BEFORE_OPTIONS = r"(?s)\s*(?:(?:[Aa]nswer )?[Cc]hoices|[Oo]ptions)?\s*:?\s*" + _LETTER % "A"
_FIRST_OPTION = "(?s)(" + _LETTER % "A" + ".*?" + _LETTER % "B" + ")"
LONGEST_OPTION = 400
"""Characters from the first option's letter to that of the second."""

_GREEK = {
    letter: f" {name} "
    for letter, name in zip(
        "αβγδεζηθικλμνξπρστφχψω",
        (
            "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau phi chi psi omega"
        ).split(),
        strict=True,
    )
}

_LAYOUT = (
    (r"(?:[\^_]\s*\{\s*\})+", " "),
    (r"(^|[^\w)}\]])\*\*", "${1}"),
    (r"\*\*([^\w({\\-]|$)", "${1}"),
    (r"\*\*", "^"),
    (r"(\d)(?:\{,\}|\\?,)(\d{3})(\D|$)", "${1}${2}${3}"),
    (r"(\d)(?:\{,\}|\\?,)(\d{3})(\D|$)", "${1}${2}${3}"),
    (r"\\(?:left|right|displaystyle|q?quad|[,;!:]|text\w{0,4}|math\w{2,4}|rm|bf|label\{[^}]*\})", " "),
    (r"\\[dt]?frac\s*(\d)\s*(\d)", r"\frac{${1}}{${2}}"),
    (r"\\[dt]frac", r"\frac"),
    (r"(\d+)\.0+\b", "${1}"),
    (r"\}\s*\{", "/"),
    (r"\\leq?\b", "≤"),
    (r"\\geq?\b", "≥"),
    (r"\\(?:cdot|times)\b|[×·⋅]", "*"),
    (r"[−–]", "-"),
    (r"\\?%", " percent "),
    (r"(?:\^\s*\{?\s*|(\d)\s*)\\circ\s*\}?|°", "${1} degrees "),
    (r"∞", r"\infty "),
    (r"√|(?-u:\b)sqrt\s*\(([^()]*)\)", r"\sqrt{${1}}"),
)
"""Ways of writing the same: sizes and fonts, thousands, fractions, signs."""

WORD = r"\d+(?:\.\d+)?|\p{Han}|\p{Hiragana}|\p{Katakana}|\p{Thai}|[\p{L}\p{M}]+"
"""Scripts that put no space between words give a word per character."""
WORD_IN_PYTHON = re.compile(r"\d+(?:\.\d+)?|[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]|[^\W\d_]+")
"""The same, as Python's own expressions know it."""

_ONES = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_PARTS = "third fourth fifth sixth seventh eighth ninth tenth"
NUMBERS = {
    **{word: str(n) for n, word in enumerate(_ONES.split(), 2)},
    **{word: str(10 * n) for n, word in enumerate(_TENS.split(), 2)},
    **{word: str(n) for n, word in enumerate(_PARTS.split(), 3)},
    **dict.fromkeys(("twice", "double", "doubled", "half", "halves", "pair", "couple"), "2"),
    **dict.fromkeys(("thirds", "thrice", "triple", "tripled"), "3"),
    **dict.fromkeys(("quarter", "quarters", "fourths", "quadruple"), "4"),
    **dict.fromkeys(("dozen", "dozens"), "12"),
    "hundred": "100",
    "thousand": "1000",
    "million": "1000000",
}
"""Numbers in words. A fraction is its denominator, so that `a third` and `1/3` say the same: 1 is never counted."""

_ENDING = r"^(..+[a-z])(?:ings?|edly|ed|ies|ers?|es|s|ly|e|y)$"


def question(text: pl.Expr) -> pl.Expr:
    """The question alone: prompts around it and the list of options after it are gone, where enough words remain."""
    return plain(stem(unwrapped(text)))


def stem(bare: pl.Expr) -> pl.Expr:
    """What `wrapping.unwrapped` gave without the list of options after it, where enough words remain."""
    length = bare.str.extract(_FIRST_OPTION, 1).str.len_chars()
    near, far = (pl.when(here).then(bare) for here in (length <= LONGEST_OPTION, length > LONGEST_OPTION))
    # A bounded repeat is ten times as slow: only texts need it whose first A and B stand far apart.
    bounded = _BEFORE_OPTIONS + f".{{0,{LONGEST_OPTION}}}?" + _LETTER % "B" + ".*$"
    asked = pl.coalesce(near.str.replace(_BEFORE_OPTIONS + ".*$", ""), far.str.replace(bounded, ""))
    enough = asked.str.slice(0, 200).str.count_matches(r"[\p{L}\d]+") >= MIN_STEM_WORDS
    return pl.when(enough).then(asked).otherwise(bare)


def plain(text: pl.Expr) -> pl.Expr:
    """The text in small letters, written in one of the many ways in which LaTeX and typists say the same."""
    text = text.str.to_lowercase()
    foreign = pl.when(text.str.len_bytes() != text.str.len_chars()).then(text)
    text = pl.coalesce(foreign.str.replace_many(_GREEK), text)
    for pattern, same in _LAYOUT:
        text = text.str.replace_all(pattern, same)
    return text


def form(asked: pl.Expr) -> pl.Expr:
    """What two copies of one question share: letters, numbers and signs; no spacing, brackets or punctuation."""
    kept = asked.str.replace_all(r"(\d)\.(\d)", "${1}·${2}").str.replace_all(r"(\w)!", "${1}ǃ")
    kept = kept.str.replace_all(" ", "", literal=True)  # the pattern alone takes longer
    return kept.str.replace_all(r"[\s\p{C}$\\{}()\[\].,;:!?'\"“”‘’`~&_]+", "")


def words(rows: pl.DataFrame) -> pl.DataFrame:
    """Every word of every row, in order: `row` and `word`, cut of its ending; numbers in digits.

    Args:
        rows: `row`, `asked` (what `question` gives).
    """
    found = rows.select("row", word=pl.col("asked").str.slice(0, MAX_CHARS).str.extract_all(WORD))
    found = found.filter(pl.col("word").list.len() > 0).explode("word")
    # Endings are cut per distinct word: there are a thousand times fewer.
    spelt = found.select(pl.col("word").unique())
    cut = pl.col("word").str.replace(_ENDING, "${1}")
    spelt = spelt.with_columns(cut=pl.col("word").replace_strict(NUMBERS, default=cut))
    return found.join(spelt, on="word", how="left", maintain_order="left").select("row", word="cut")
