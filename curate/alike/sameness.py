"""What two problems must share to be one: their figures in order, their names, and what is asked; on columns."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import polars as pl

from curate.alike.telling import told
from curate.alike.wording import MAX_CHARS, form, plain, stem
from curate.alike.wrapping import unwrapped

BATCH_ROWS = 20_000
"""Rows whose texts are worked on at once, by a thread."""

MATTERS = ("drawing", "options", "of_options", "asks")
"""Columns that `compatible` reads."""

_DRAWING = r"(?s)\[asy\].*?(?:\[/asy\]|$)|\\begin\{(?:asy|tikzpicture)\}.*?(?:\\end\{(?:asy|tikzpicture)\}|$)"

_LAYOUT = (
    (_DRAWING, " "),
    (r"!\[[^\]]*\]\([^)\s]*\)|https?://\S+", " "),
    (r"(?is)(?-u:\b)(?:(?:note|hint|reminder|source)\s*:|the\s+notation)[^\d]*$", " "),
    (
        r"(?i)(?-u:\b)(?:express|give|enter|write|leave)\s+(?:your|the)\s+(?:final\s+)?answers?\s[^.?!]*[.?!)*#\s]*$",
        " ",
    ),
    (r"\\[dtc]?frac\s*([[:alnum:]])\s*([[:alnum:]])", r"\frac{${1}}{${2}}"),
    (r"\\[dtc]?frac\s*([[:alnum:]])\s*\{", r"\frac{${1}}{"),
    (r"\\[dtc]?frac\s*\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}\s*([[:alnum:]])", r"\frac{${1}}{${2}}"),
    (r"\{([^{}]*)\\over\b([^{}]*)\}", r"{${1}}{${2}}"),
    (r"\^\s*(\{[^{}]*\}|\w)\s*_\s*(\{[^{}]*\}|\w)", "_${2}^${1}"),
    (r"\\(?:[dtc]?frac|limits|[lr]brace|[mh]box)", " "),
    (r"\\(?:u?line|underline)\{[~\s\\_]*\}|_{3,}|-{3,}(?:,\s*-{3,})*|\\hrulefill\b", " "),
    (r"\\(?:not\s*=|neq?\b)", "≠"),
    (r"\\div\b", "÷"),
    (r"\\(?:mid|[lr]?vert)\b", "|"),
    (r"\\leq?(?:slant)?(\P{L})", "≤${1}"),
    (r"\\geq?(?:slant)?(\P{L})", "≥${1}"),
    (r"(?i)\s?n\s?['’]\s?t\b|\b(can)not\b", "${1} not"),
    (r"\\(?:begin|end)\{[a-z]+\*?\}(?:\{[lcr|]+\})?", " "),
    (r"\\(?:[lcdv]?dots[cbmio]?)\b", "..."),
    (r"\\(?:(?:over|under)(?:line|set|brace)|bar|hat|vec|operatorname|boldsymbol|bold|emph|it|bf)\b", " "),
    (r"\\\\|\\[()\[\]]|[$&]", " "),
    (r"(\d) , (\d{3},\d{3})\b", "${1},${2}"),
)
"""Ways of writing the same, and what is no part of the question: drawings, links, notes, how to give the answer."""

_SIDES = (
    (r"(?:-\s?){3,}|/\s?-|[_~]", " "),
    (r"\s?-\s?\{?(\p{L}{2})", " ${1}"),
    (r"(\p{L}{2})-", "${1} "),
    (r"(?-u:\b)([a-z])([0-9])", "${1} ${2}"),
    (r"(?-u:\b)([w-z])([w-z])(?-u:\b)", "${1} ${2}"),
    (r"\(((?:[^()\p{L}]|\b\p{L}\b)*[-+*/÷](?:[^()\p{L}]|\b\p{L}\b)*)\)", "⟨${1}⟩"),
    (r"(\d\}?)\s*\*\s*\{?\s*(\d)", "${1}×${2}"),
    (r"\bno matter\b", " "),
    (r"\b(?:only|exactly) one of\b", "one of"),
    (r"\b(d(?:id|oes)|will)\b([^.?!]*?)\blast\b", "${1}${2}"),
    (r"\bfrom (?:the )?(?:high|larg|great|bigg)est to (?:the )?(?:low|small)?(?:est|least)\b", "descending"),
    (r"\bfrom (?:the )?(?:low|small)?(?:est|least) to (?:the )?(?:high|larg|great|bigg)est\b", "ascending"),
)
"""A dash between words is no minus. Brackets count where they hold a calculation, an asterisk between numbers. And
words that tell one quantity from another elsewhere (telling.py), where they tell none."""

_NAME = r"(?-u:\b)[A-Z]{2,}(?-u:\b)"

_ASKS = r"\?|？|\b(?:what|how|find|compute|calculate|when|who|where|evaluate|determine|solve|simplify|prove|show)\b"
_OF_OPTIONS = r"\b(?:(?:of|from|among) (?:the )?following|options?|choices?|which)\b"

_OPTION_WORD = r"\d+(?:·\d+)?|\p{L}{2,}"
_OPTION_FIGURE = r"\d+(?:·\d+)?|[-+<>≤≥≠^/]"

SAME_OPTIONS = 0.6
"""Of the words and numbers of two lists of options: the share in common from which they are one list."""
FEW_OPTIONS = 3
"""So many words and numbers make a list that another one may hold, with more beside them."""


def statements(problems: pl.Series) -> pl.DataFrame:
    """What every problem says, a row per problem; hashes are equal where it is the same.

    `form`: letters, numbers and signs without layout; null for a text that says nothing. `figures`: numbers and signs
    in order. `says`: that, the names of points and variables, and the words that tell one quantity from another.
    `bag`: numbers, signs and those words in any order. `drawing`: numbers of the drawing's code; null without one.
    `options`: the form of the list of options after the question; null without one. `of_options`: the question cannot
    be told without them. `asks`: it asks something, options aside.
    `skeleton`: the form with every number as 0. `words`: of every word and sign a hash, in order, numbers as 0.
    `asked`: the question's text in plain layout, up to MAX_CHARS.
    """
    texts = problems.alias("text").to_frame().select(pl.col("text").fill_null(""))
    texts = texts.with_columns(
        drawing=_sorted(pl.col("text").str.extract_all(_DRAWING).list.join(" "), r"\d+(?:\.\d+)?")
    )
    texts = texts.with_columns(text=_replaced(unwrapped(pl.col("text")), _LAYOUT))
    texts = texts.with_columns(stem=stem(pl.col("text")))
    texts = texts.with_columns(asked=plain(pl.col("stem")))
    texts = texts.with_columns(form=form(pl.col("asked")))
    # The stem is how the text begins.
    options = form(plain(pl.col("text").str.slice(pl.col("stem").str.len_chars())))
    names = pl.col("stem").str.extract_all(_NAME).list.join(" ").str.to_lowercase()
    said = texts.select(
        form=pl.when(pl.col("form") != "").then(pl.col("form").hash()),
        skeleton=pl.col("form").str.replace_all(r"\d+(?:·\d+)?", "0").hash(),
        names=names.hash(),
        drawing=pl.when(pl.col("drawing") != "").then(pl.col("drawing").hash()),
        options=pl.when(options != "").then(options),
        of_options=pl.col("asked").str.contains(_OF_OPTIONS),
        asks=pl.col("asked").str.contains(_ASKS),
        asked=pl.col("asked").str.slice(0, MAX_CHARS),
    )
    said = said.hstack(told(texts.select(_replaced(pl.col("asked"), _SIDES))["asked"]))
    return said.with_columns(says=pl.struct("says", "names").hash()).drop("names")


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
        left, right: `drawing`, `options`, `of_options`, `asks` of statements.
    """
    sides = pl.concat([left.rename(lambda name: f"a_{name}"), right.rename(lambda name: f"b_{name}")], how="horizontal")
    drawn = (pl.col("a_drawing") == pl.col("b_drawing")).fill_null(True)
    a, b = pl.col("a_options"), pl.col("b_options")
    longer = a.str.starts_with(b) | b.str.starts_with(a)
    words = [side.str.extract_all(_OPTION_WORD).list.unique() for side in (a, b)]
    both = words[0].list.set_intersection(words[1]).list.len()
    share = both / words[0].list.set_union(words[1]).list.len()
    fewer = pl.min_horizontal(words[0].list.len(), words[1].list.len())
    of_options = pl.col("a_of_options") | pl.col("b_of_options")
    more = ~of_options & (both == fewer) & (fewer >= FEW_OPTIONS)
    figures = [side.str.extract_all(_OPTION_FIGURE).list.sort().list.join(" ") for side in (a, b)]
    same = a.eq_missing(b) | longer | more | ((figures[0] == figures[1]) & (share >= SAME_OPTIONS))
    free = ~of_options & pl.col("a_asks") & pl.col("b_asks")
    return sides.select((drawn & (free | same.fill_null(False))).alias("compatible"))["compatible"]


def _sorted(text: pl.Expr, pattern: str) -> pl.Expr:
    return text.str.extract_all(pattern).list.unique().list.sort().list.join(" ")


def _replaced(text: pl.Expr, ways: tuple[tuple[str, str], ...]) -> pl.Expr:
    for pattern, same in ways:
        text = text.str.replace_all(pattern, same)
    return text
