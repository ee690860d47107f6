"""What a problem says: its question without the wrapping, its words, its numbers and its signs, on columns."""

import re

import polars as pl

from curate.alike.columns import EDGE, changed, foreign, replaced
from curate.alike.numerals import in_digits
from curate.alike.wrapping import unsigned, unwrapped

MAX_CHARS = 20_000
"""How far into a text runs of words and rare words are read; numbers and quantities are read to its end. The longest of
11,000 benchmark questions has 4,300 characters."""

MIN_STEM_WORDS = 6
"""A question that has fewer words without its options, and no number or asks for one of them, is compared with them."""

DRAWING = r"(?s)\[asy\].*?(?:\[/asy\]|$)|\\begin\{(?:asy|tikzpicture)\}.*?(?:\\end\{(?:asy|tikzpicture)\}|$)"
NOTE = rf"(?is){EDGE}(?:(?:note|hint|reminder|source)\s*:|the\s+notation)[^\d]*$"
"""Code of a drawing, and a note without numbers at the end: other copies of the problem may lack them."""
_IN_WHAT_FORM = (
    r"(?i)([.?!])\s*(?:express|give|write|enter|leave)\s+(?:your|the)\s+(?:final\s+)?answers?\s+(?:as|in|to)\s"
    r"[^.?!]*[.?!]?\s*$"
)
"""A sentence that a hundred questions end with."""
_SAYS_ENOUGH = (
    rf"(?s)\d.*?(?:[\p{{L}}]{{2,}}.*?){{{MIN_STEM_WORDS}}}|(?:[\p{{L}}]{{2,}}.*?){{{MIN_STEM_WORDS}}}\d"
    rf"|(?:[\p{{L}}]{{2,}}.*?){{{MIN_STEM_WORDS + 2}}}"
)

_FONT = r"\$?(?:\\(?:text|textbf|mathrm|rm|bf)\s?\{?)?\(?"
_LETTER = rf"(?:(?:^|[\s$}}~:]){_FONT}%s[ \t]?[)\]]|[.,;?!]\(%s[ \t]?[)\]]|(?:^|\n|[^\p{{L}}\s]\s*){_FONT}%s[ \t]?[.:])"
"""An option's letter: `A)`; `A.` and `A:` not behind a word (`Plan A: ...`)."""
_BEFORE_OPTIONS = r"(?s)\s*(?:(?:[Aa]nswer )?[Cc]hoices|[Oo]ptions)?\s*:?\s*" + _LETTER.replace("%s", "A")
_FIRST_OPTION = f"(?s)({_LETTER}.*?".replace("%s", "A") + f"{_LETTER})".replace("%s", "B")
OF_OPTIONS = rf"(?i){EDGE}(?:(?:of|from|among) (?:the )?following|options?|choices?|which){EDGE}"
"""Such a question cannot be told without its options."""
LONGEST_OPTION = 400
"""Characters from the first option's letter to that of the second."""

_GREEK_NAMES = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau phi chi psi omega"
)
_GREEK = {letter: f" {name} " for letter, name in zip("αβγδεζηθικλμνξπρστφχψω", _GREEK_NAMES.split(), strict=True)}

_STARS = (
    (r"(^|[^\w)}\]])\*\*", "${1}"),
    (r"\*\*([^\w({\\-]|$)", "${1}"),
    (r"\*\*", "^"),
)
"""Bold, and powers."""
_LAYOUT = (
    (r"\$?\s?\\textsuperscript\s*\{", "^{"),
    (rf"\\(?:u?line|underline)\{{[~\s\\_]*\}}|_{{3,}}|-{{3,}}(?:,\s*-{{3,}})*|\\hrulefill{EDGE}", " "),
    (r"(?:[\^_]\s*\{\s*\})+", " "),
    (r"([0-9])(?:\{,\}|\\?,)([0-9]{3})([^0-9]|$)", "${1}${2}${3}"),
    (r"([0-9])(?:\{,\}|\\?,)([0-9]{3})([^0-9]|$)", "${1}${2}${3}"),
    (r"\\(?:left|right|displaystyle|q?quad|[,;!:]|text\w{0,4}|math\w{2,4}|rm|bf|label\{[^}]*\})", " "),
    (r"\\[dt]?frac\s*(\d)\s*(\d)", r"\frac{${1}}{${2}}"),
    (r"\\[dt]frac", r"\frac"),
    (rf"(\d+)\.0+{EDGE}", "${1}"),
    (r"\}\s*\{", "/"),
    (rf"\\leq?{EDGE}", "≤"),
    (rf"\\geq?{EDGE}", "≥"),
    (rf"\\(?:cdot|times){EDGE}|[×·⋅]", "*"),
    (r"[−–]", "-"),
    (r"[’′]", "'"),
    (r"\\?%", " percent "),
    (r"(?:\^\s*\{?\s*|(\d)\s*)\\circ\s*\}?", "${1} degrees "),
    (r"°", " degrees "),
    (r"∞", r"\infty "),
    (rf"√|{EDGE}sqrt\s*\(([^()]*)\)", r"\sqrt{${1}}"),
)
"""Ways of writing the same: blanks to fill in, sizes and fonts, thousands, fractions, signs."""

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
"""Numbers in words; a fraction is its denominator."""

_ENDING = r"^(..+[a-z])(?:ings?|edly|ed|ies|ers?|es|s|ly|e|y)$"


def question(texts: pl.Series) -> pl.Series:
    """The questions alone: without prompts, lists of options, drawings and notes, where enough remains."""
    return asked_in(unwrapped(texts))


def asked_in(bare: pl.Series) -> pl.Series:
    """`question` of what `wrapping.unwrapped` gave."""
    told = replaced(bare, ((DRAWING, " "), (NOTE, ""), (_IN_WHAT_FORM, "${1}")))
    cut = pl.DataFrame({"told": told, "bare": bare}).with_row_index("row").filter(pl.col("told") != pl.col("bare"))
    whole = cut.filter(~pl.col("told").str.contains(_SAYS_ENOUGH))
    return plain(stem(told.scatter(whole["row"], whole["bare"])))


def drawing(texts: pl.Series) -> pl.Series:
    """The numbers in the code of every text's drawings, in order, with their signs; null where there are none."""
    code = texts.str.extract_all(DRAWING).list.join(" ")
    numbers = code.str.extract_all(r"-?\d+(?:\.\d+)?").list.join(" ")
    return numbers.set(numbers == "", None)


def stem(bare: pl.Series) -> pl.Series:
    """What `wrapping.unwrapped` gave without the list of options after it, where enough words remain."""
    length = bare.str.extract(_FIRST_OPTION, 1).str.len_chars()
    # A bounded repeat is ten times as slow: only texts need it whose first A and B stand far apart.
    bounded = _BEFORE_OPTIONS + f".{{0,{LONGEST_OPTION}}}?" + _LETTER.replace("%s", "B") + ".*$"
    asked = changed(bare, length <= LONGEST_OPTION, lambda text: text.str.replace(_BEFORE_OPTIONS + ".*$", ""))
    asked = changed(asked, length > LONGEST_OPTION, lambda text: text.str.replace(bounded, ""))
    listed = pl.DataFrame({"asked": asked, "bare": bare}).with_row_index("row")
    listed = listed.filter(pl.col("asked").str.len_bytes() != pl.col("bare").str.len_bytes())
    stems = pl.col("asked")
    few = stems.str.slice(0, 200).str.count_matches(r"[\p{L}\d]+") < MIN_STEM_WORDS
    whole = listed.filter(few & (~stems.str.contains(r"\d") | stems.str.contains(OF_OPTIONS)))
    return unsigned(asked.scatter(whole["row"], whole["bare"]))


def plain(texts: pl.Series) -> pl.Series:
    """The texts in small letters, written in one of the many ways in which LaTeX and typists say the same."""
    texts = texts.str.to_lowercase()
    texts = in_digits(changed(texts, foreign(texts), lambda text: text.str.replace_many(_GREEK)))
    texts = replaced(texts, _STARS, texts.str.contains("**", literal=True))
    return replaced(texts, _LAYOUT)


def form(asked: pl.Series) -> pl.Series:
    """What two copies of one question share: letters, numbers and signs; no spacing, brackets or punctuation."""
    kept = asked.str.replace_all(r"(\d)\.(\d)", "${1}·${2}").str.replace_all(r"(\w)!", "${1}ǃ")
    kept = kept.str.replace_all(" ", "", literal=True)  # the pattern alone takes longer
    return kept.str.replace_all(r"[\s\p{C}$\\{}()\[\].,;:!?'\"“”‘’`~&_]+", "")


def spelt(words: pl.Series) -> pl.Series:
    """Beside the words: each in small variety, cut of its ending; numbers in digits.

    Example:
        >>> spelt(pl.Series(["birds", "flying", "twelve", "12"])).to_list()
        ['bird', 'fly', '12', '12']
    """
    word = pl.col("word")
    told = word.replace_strict(NUMBERS, default=word.str.replace(_ENDING, "${1}"))
    return words.alias("word").to_frame().select(told.alias("word"))["word"]
