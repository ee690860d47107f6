"""What two problems must share to be one: their figures in order, their names, and what is asked; on columns."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import polars as pl

from curate.alike.wording import MAX_CHARS, NUMBERS, form, plain, stem, unprompted

BATCH_ROWS = 20_000
"""Rows whose texts are worked on at once, by a thread."""

MATTERS = ("drawing", "options", "of_options")
"""Columns that `compatible` reads."""

_DRAWING = r"(?s)\[asy\].*?(?:\[/asy\]|$)|\\begin\{(?:asy|tikzpicture)\}.*?(?:\\end\{(?:asy|tikzpicture)\}|$)"

_LAYOUT = (
    (_DRAWING, " "),
    (r"!\[[^\]]*\]\([^)\s]*\)|https?://\S+", " "),
    (r"(?is)(?-u:\b)(?:(?:note|hint|reminder|source)\s*:|the\s+notation)[^\d]*$", " "),
    (r"(?i)(?-u:\b)(?:express|give|enter|write|leave)\s+(?:your|the)\s+(?:final\s+)?answers?\s[^.?!]*[.?!)]?\s*$", " "),
    (r"\\[dtc]?frac\s*([[:alnum:]])\s*([[:alnum:]])", r"\frac{${1}}{${2}}"),
    (r"\\[dtc]?frac\s*([[:alnum:]])\s*\{", r"\frac{${1}}{"),
    (r"\\[dtc]?frac\s*\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}\s*([[:alnum:]])", r"\frac{${1}}{${2}}"),
    (r"\{([^{}]*)\\over\b([^{}]*)\}", r"{${1}}{${2}}"),
    (r"\^\s*(\{[^{}]*\}|\w)\s*_\s*(\{[^{}]*\}|\w)", "_${2}^${1}"),
    (r"\\(?:[dtc]?frac|limits|[lr]brace|[mh]box)", " "),
    (r"\\(?:u?line|underline)\{[~\s\\_]*\}|_{3,}|-{3,}(?:,\s*-{3,})*|\\hrulefill\b", " "),
    (r"\\(?:not\s*=|neq?\b)", "≠"),
    (r"\\div\b", "÷"),
    (r"\\leq?(?:slant)?(\P{L})", "≤${1}"),
    (r"\\geq?(?:slant)?(\P{L})", "≥${1}"),
    (r"(?i)\s?n\s?['’]\s?t\b|\b(can)not\b", "${1} not"),
    (r"\\(?:begin|end)\{[a-z]+\*?\}(?:\{[lcr|]+\})?", " "),
    (r"\\(?:[lcdv]?dots[cbmio]?)\b", "..."),
    (r"\\(?:(?:over|under)(?:line|set|brace)|bar|hat|vec|operatorname|boldsymbol|bold|emph|it|bf)\b", " "),
    (r"\\\\|\\[()\[\]]|[$&]", " "),
)
"""Ways of writing the same, and what is no part of the question: drawings, links, notes, how to give the answer."""

_SIDES = (
    (r"(?:-\s?){3,}|/\s?-|[_~]", " "),
    (r"\s?-\s?(\p{L}{2})", " ${1}"),
    (r"(\p{L}{2})-", "${1} "),
    (r"(\d)(\p{L})", "${1} ${2}"),
    (r"\b(\p{L})(\d)", "${1} ${2}"),
    (r"\(((?:[^()\p{L}]|\b\p{L}\b)*[-+*/÷](?:[^()\p{L}]|\b\p{L}\b)*)\)", "⟨${1}⟩"),
    (r"(\d)\s*\*\s*(\d)", "${1}×${2}"),
)
"""A dash between words is no minus. Brackets count where they hold a calculation, an asterisk between numbers."""

_NUMBER = r"\d+(?:\.\d+)?"
_IN_WORDS = "|".join(sorted((word for word in NUMBERS), key=len, reverse=True))
_FIGURE = rf"{_NUMBER}|[-+<>≤≥≠±÷×⟨⟩%]|\b(?:{_IN_WORDS})\b"
_NAME = r"\b[A-Z]{2,}\b"
_LETTER = r"\b[b-hj-ru-z]\b|[α-ω]|\\(?:alpha|beta|gamma|delta|theta|lambda|mu|phi|omega)\b"

_ASKS = r"\?|？|\b(?:what|how|find|compute|calculate|when|who|where|evaluate|determine|solve|simplify|prove|show)\b"
_OF_OPTIONS = r"\b(?:following|options?|choices?|which)\b"

_OPTION_WORD = r"\d+(?:·\d+)?|\p{L}{2,}"
_OPTION_FIGURE = r"\d+(?:·\d+)?|[-+<>≤≥≠^/]"

SAME_OPTIONS = 0.6
"""Of the words and numbers of two lists of options: the share in common from which they are one list."""

# Words that make another problem of the same sentence. Found from their beginning; `$` ends a word that begins others.
_ASKED = (
    "sum$ sums$ product difference quotient remainder average mean$ median mode$ range$ maxim minim "
    "largest smallest greatest least$ most$ fewest more$ less$ fewer highest lowest longest shortest biggest "
    "larger$ smaller$ greater$ higher$ lower$ longer$ shorter$ older$ younger$ oldest youngest first$ last$ "
    "area$ areas$ perimeter volume surface width height depth radius radii diameter circumference diagonal "
    "hypotenuse slope intercept degree root$ roots$ zero$ zeros$ zeroes$ vertex vertices "
    "even$ odd$ prime composite positive negative nonnegative nonzero integer rational irrational "
    "real$ complex$ imaginary whole$ natural consecutive distinct increas decreas ascending descending multiple "
    "factor divisor divisible divides square cube cubic quadratic linear circle ellipse parabola hyperbola sphere "
    "cylinder cone$ cones$ pyramid prism triang rectang pentagon hexagon octagon polygon trapezoid rhombus isosceles "
    "equilateral scalene acute obtuse right$ inside outside interior exterior intern extern inscribed "
    "circumscribed inner outer above bisector altitude centroid det$ determinant trace transpose inject surject biject "
    "equal$ equals$ unequal bigger different distinguish indistinguish north\\w* south\\w* east$ eastern west$ western "
    "clockwise counterclockwise horizontal vertical "
    "parallel perpendicular arithmetic geometric harmonic probability permutation combination "
    "sin$ cos$ tan$ cot$ sec$ csc$ sine cosine tangent log$ ln$ exp$ sqrt lfloor lceil floor ceil gcd$ lcm$ mod$ pmod "
    "bmod not$ never no$ without$ with$ none any$ some$ only$ both$ neither either or$ "
    "after$ until gain loss profit discount increase cost$ price remain "
    "inverse reciprocal opposite absolute percent numerator denominator units$ unit$ tens$ "
    "hundreds$ day$ days$ week$ weeks$ month$ months$ year$ years$ hour second "
    "inch inches foot$ feet$ yard mile centim kilom millim meter metre gram kilogram ounce pound ton$ tons$ liter "
    "litre gallon dollar cent$ cents$ "
    "king queen jack$ ace$ heart spade club diamond head$ heads$ tail$ tails$"
)


_SPELT = {"metre": "meter", "litre": "liter", "kilom": "kilometer", "centim": "centimeter", "radii": "radius"}


def _pattern(words: str) -> str:
    return "^(?:" + "|".join(sorted(words.split(), key=len, reverse=True)) + ")"


_QUANTITY = _pattern(_ASKED)


def statements(problems: pl.Series) -> pl.DataFrame:
    """What every problem says, a row per problem; hashes are equal where it is the same.

    `form`: letters, numbers and signs without layout; null for a text that says nothing. `figures`: numbers and signs
    in order. `says`: that, the names of points and variables, and the words that tell one quantity from another.
    `bag`: numbers, signs and those words in any order. `drawing`: numbers of the drawing's code; null without one.
    `options`: the form of the list of options after the question; null without one. `of_options`: the question cannot
    be told without them.
    `skeleton`: the form with every number as 0. `asked`: the question's text in plain layout, up to MAX_CHARS.
    """
    texts = problems.alias("text").to_frame().select(pl.col("text").fill_null(""))
    texts = texts.with_columns(drawing=_sorted(pl.col("text").str.extract_all(_DRAWING).list.join(" "), _NUMBER))
    texts = texts.with_columns(text=_replaced(unprompted(pl.col("text")), _LAYOUT))
    texts = texts.with_columns(stem=stem(pl.col("text")))
    texts = texts.with_columns(asked=plain(pl.col("stem")))
    texts = texts.with_columns(form=form(pl.col("asked")), figured=_replaced(pl.col("asked"), _SIDES))
    texts = texts.with_columns(_quantities(texts["asked"]))
    # The stem is how the text begins.
    options = form(plain(pl.col("text").str.slice(pl.col("stem").str.len_chars())))
    written = _in_digits(pl.col("figured").str.extract_all(_FIGURE).list.join("||"))
    figures = written.hash()
    letters = pl.col("figured").str.extract_all(_LETTER).list.join(" ")
    names = pl.col("stem").str.extract_all(_NAME).list.sort().list.join(" ").str.to_lowercase()
    return texts.select(
        form=pl.when(pl.col("form") != "").then(pl.col("form").hash()),
        skeleton=pl.col("form").str.replace_all(r"\d+(?:·\d+)?", "0").hash(),
        figures=figures,
        says=pl.concat_str(figures, "quantities", letters, names, separator="\n").hash(),
        bag=pl.concat_str(written.str.split("|").list.sort().list.join("|"), "quantities", separator="\n").hash(),
        drawing=pl.when(pl.col("drawing") != "").then(pl.col("drawing").hash()),
        options=pl.when(options != "").then(options),
        of_options=pl.col("asked").str.contains(_OF_OPTIONS) | ~pl.col("asked").str.contains(_ASKS),
        asked=pl.col("asked").str.slice(0, MAX_CHARS),
    )


def statements_of(problems: pl.Series, workers: int) -> pl.DataFrame:
    """What `statements` gives, on so many threads."""
    parts = (problems[low : low + BATCH_ROWS] for low in range(0, len(problems), BATCH_ROWS))
    with ThreadPoolExecutor(workers) as pool:
        said = list(pool.map(statements, parts))
    return pl.concat(said) if said else statements(problems)


def first_of_form(said: pl.DataFrame) -> Any:
    """For every row the first one with its form, figures, drawing and options: its own, if that is itself."""
    keys = said.select("form", "figures", "drawing", "options").with_row_index("place")
    first = pl.col("place").first().over("form", "figures", "drawing", "options")
    first = pl.when(pl.col("form").is_null()).then("place").otherwise(first)
    return keys.select(first.cast(pl.Int64).alias("first"))["first"].to_numpy()


def compatible(left: pl.DataFrame, right: pl.DataFrame) -> pl.Series:
    """Whether drawings and options allow two problems with the same question to be the same one; row by row.

    Args:
        left, right: `drawing`, `options`, `of_options` of statements.
    """
    sides = pl.concat([left.rename(lambda name: f"a_{name}"), right.rename(lambda name: f"b_{name}")], how="horizontal")
    drawn = (pl.col("a_drawing") == pl.col("b_drawing")).fill_null(True)
    a, b = pl.col("a_options"), pl.col("b_options")
    longer = a.str.starts_with(b) | b.str.starts_with(a)
    words = [side.str.extract_all(_OPTION_WORD) for side in (a, b)]
    share = words[0].list.set_intersection(words[1]).list.len() / words[0].list.set_union(words[1]).list.len()
    figures = [side.str.extract_all(_OPTION_FIGURE).list.sort().list.join(" ") for side in (a, b)]
    same = a.eq_missing(b) | longer | ((figures[0] == figures[1]) & (share >= SAME_OPTIONS))
    free = ~(pl.col("a_of_options") | pl.col("b_of_options"))
    return sides.select((drawn & (free | same.fill_null(False))).alias("compatible"))["compatible"]


def _sorted(text: pl.Expr, pattern: str) -> pl.Expr:
    return text.str.extract_all(pattern).list.unique().list.sort().list.join(" ")


def _quantities(asked: pl.Series) -> pl.Series:
    """Of every text a number that is the same where the words of _ASKED are, each as often, in any order."""
    found = asked.to_frame("text").select(word=pl.col("text").str.slice(0, MAX_CHARS).str.extract_all("[a-z]{2,}"))
    found = found.with_row_index("row").filter(pl.col("word").list.len() > 0).explode("word")
    # Words are looked at once each: there are a hundred times fewer.
    known = found.select(pl.col("word").unique())
    known = known.select("word", code=pl.col("word").str.extract(_QUANTITY, 0).replace(_SPELT).hash())
    known = known.filter(pl.col("word").str.contains(_QUANTITY))
    bags = found.join(known, on="word").group_by("row").agg(pl.col("code").sum())
    rows = pl.DataFrame({"row": pl.int_range(len(asked), dtype=pl.get_index_type(), eager=True)})
    return rows.join(bags, on="row", how="left", maintain_order="left")["code"].fill_null(0).alias("quantities")


def _replaced(text: pl.Expr, ways: tuple[tuple[str, str], ...]) -> pl.Expr:
    for pattern, same in ways:
        text = text.str.replace_all(pattern, same)
    return text


def _in_digits(figures: pl.Expr) -> pl.Expr:
    """Numbers in words as digits; `||` between the figures keeps them whole."""
    fenced = pl.concat_str(pl.lit("|"), figures, pl.lit("|"))
    return fenced.str.replace_many([f"|{word}|" for word in NUMBERS], [f"|{digits}|" for digits in NUMBERS.values()])
