"""What two problems must share to be one: their figures in order, their names, and what is asked; on columns."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import polars as pl

from curate.alike.columns import EDGE, replaced
from curate.alike.golds import contradict
from curate.alike.telling import tell, things
from curate.alike.wording import DRAWING, MAX_CHARS, NOTE, OF_OPTIONS, drawing, form, plain, stem
from curate.alike.wrapping import unwrapped

BATCH_ROWS = 20_000
"""Rows whose texts are worked on at once, by a thread."""

MATTERS = ("drawing", "tail", "options", "of_options", "asks", "asking", "words", "gold")
"""Columns that `compatible` reads: those of `statements`, and golds.gold_numbers."""
MAY_LACK = ("drawing", "tail", "gold")
"""Of these: where one of two problems tells nothing, the other may tell anything."""

_TAIL = (
    NOTE,
    rf"(?i){EDGE}(?:express|give|enter|write|leave)\s+(?:your|the)\s+(?:final\s+)?answers?\s[^.?!]*[.?!)*#\s]*$",
)
"""A note, and how to give the answer: what other copies of the problem may lack."""

_NOTATION = (
    (DRAWING, " "),
    (r"\\textquotesingle\s*(?:\{\})?\s?", "'"),
    (r"\\textasciitilde", "~"),
    (r"\\textsuperscript", "^"),
    (r"\\varepsilon", r"\epsilon"),
    (r"m\\angle", r"\angle"),
    (r"US\\?\$", "$"),
    (rf"(\d)\s?([AaPp])\s?\.\s?m{EDGE}", "${1} ${2}m"),
    (r"!\[[^\]]*\]\([^)\s]*\)|https?://\S+", " "),
    *((tail, " ") for tail in _TAIL),
    (r"\\[dtc]?frac\s*([[:alnum:]])\s*([[:alnum:]])", r"\frac{${1}}{${2}}"),
    (r"\\[dtc]?frac\s*([[:alnum:]])\s*\{", r"\frac{${1}}{"),
    (r"\\[dtc]?frac\s*\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}\s*([[:alnum:]])", r"\frac{${1}}{${2}}"),
    (rf"\{{([^{{}}]*)\\over{EDGE}([^{{}}]*)\}}", r"{${1}}{${2}}"),
    (r"\^\s*(\{[^{}]*\}|\w)\s*_\s*(\{[^{}]*\}|\w)", "_${2}^${1}"),
    (r"\\(?:[dtc]?frac|limits|[lr]brace|[mh]box)", " "),
    (rf"\\(?:not\s*=|neq?{EDGE})|!=", "≠"),
    (r"<=", "≤"),
    (r">=", "≥"),
    (rf"\\div{EDGE}", "÷"),
    (rf"\\pm{EDGE}", "±"),
    (rf"\\mp{EDGE}", "∓"),
    (rf"\\(?:mid|[lr]?vert){EDGE}", "|"),
    (r"\\leq?(?:slant)?(\P{L})", "≤${1}"),
    (r"\\geq?(?:slant)?(\P{L})", "≥${1}"),
    (rf"(?i)\s?n?\s?['’]\s?t{EDGE}|{EDGE}(can)not{EDGE}", "${1} not"),
    (rf"(?i)\s?['’]\s?s{EDGE}", " "),
    (r"\\(?:begin|end)\{[a-z]+\*?\}(?:\{[lcr|]+\})?", " "),
    (rf"\\(?:[lcdv]?dots[cbmio]?){EDGE}", "..."),
    (r"\\(?:bar|overline)\s*\{?\s*([a-z])\s*\}?", "‾${1}"),
    (rf"\\(?:(?:over|under)(?:line|set|brace)|bar|hat|vec|operatorname|boldsymbol|bold|emph|it|bf){EDGE}", " "),
    (r"\{([^{}]*)\\choose\s*([^{}]*)\}", r"\binom{${1}}{${2}}"),
    (rf"(\$\s?\d{{1,3}}) , (\d{{3}}){EDGE}", "${1}${2}"),
    (rf"(\$\s?\d+) \. (\d\d){EDGE}", "${1}.${2}"),
    (r"\\\\|\\[()\[\]]|[$&]", " "),
    (rf"(\d) , (\d{{3}},\d{{3}}){EDGE}", "${1},${2}"),
)
"""Ways of writing the same, and what is no part of the question: drawings, links, notes, how to give the answer."""

_NAMED = "pi|theta|alpha|beta|gamma|delta|lambda|mu|phi|omega|sin|cos|tan|cot|sec|csc|sqrt|log|ln|infty"
_OPERATORS = r"[-+*÷±]"
_SIDES = (
    (r"(?:-\s?){3,}|/\s?-|[_~]", " "),
    (rf"-\s?\{{?\s?\\?({_NAMED}){EDGE}", "− ${1}"),
    (rf"{EDGE}({_NAMED})\s?-\s?(\w)", "${1} − ${2}"),
    (r"\s?-\s?\{?(\p{L}{2})", " ${1}"),
    (r"(\p{L}{2})-", "${1} "),
    (r"\{\s*([\p{L}\d.]+)\s*\}", " ${1} "),
    (rf"{EDGE}([a-z])([0-9])", "${1} ${2}"),
    (rf"{EDGE}([xyz])([xyz])(\s*-?\s*plane)", "${1} ${2}${3}"),
    (rf"{EDGE}([a-z])''\s*\(", "${1}′′("),
    (rf"{EDGE}([a-z])'\s*\(", "${1}′("),
    (rf"{EDGE}(?:a|one)\s+third{EDGE}", "thirds"),
    (r"([0-9)])\s?!", "${1}ǃ"),
    (rf"{EDGE}([a-z])\s?!", "${1}ǃ"),
    (r"\[\s*(-?\d[\d.]*)\s*,", "⊏${1},"),
    (r",\s*(-?\d[\d.]*)\s*\]", ",${1}⊐"),
    (r"\^[\s{]*(st|nd|rd|th)(?:[\s}]+|$)", "${1} "),
    (rf"\(((?:[^()\p{{L}}]|{EDGE}\p{{L}}{EDGE})*[-+*/÷](?:[^()\p{{L}}]|{EDGE}\p{{L}}{EDGE})*)\)", "⟨${1}⟩"),
    (rf"\{{((?:[^{{}}\p{{L}}]|{EDGE}\p{{L}}{EDGE})*{_OPERATORS}(?:[^{{}}\p{{L}}]|{EDGE}\p{{L}}{EDGE})*)\}}", "⟨${1}⟩"),
    (r"(\d\}?)\s*\*\s*\{?\s*(\d)", "${1}×${2}"),
    (rf"(\d)\s*\*\s*([a-z]){EDGE}", "${1}${2}"),
    (r"(\d\.\d*[1-9])0+(\D|$)", "${1}${2}"),
    (rf"{EDGE}no matter{EDGE}", " "),
    (rf"{EDGE}(?:only|exactly) one of{EDGE}", "one of"),
    (rf"{EDGE}(d(?:id|oes)|will){EDGE}([^.?!]*?){EDGE}last{EDGE}", "${1}${2}"),
    (rf"{EDGE}from (?:the )?(?:high|larg|great|bigg)est to (?:the )?(?:low|small)?(?:est|least){EDGE}", "descending"),
    (rf"{EDGE}from (?:the )?(?:low|small)?(?:est|least) to (?:the )?(?:high|larg|great|bigg)est{EDGE}", "ascending"),
)
"""A dash between words is no minus. Brackets count where they hold a calculation, an asterisk between numbers. And
words that tell one quantity from another elsewhere (telling.py), where they tell none."""

_NAME = rf"{EDGE}[A-Z]{{2,}}{EDGE}"

_ASKING = "what how find compute calculate when who where evaluate determine solve simplify prove show"
_ASKS = rf"\?|？|{EDGE}(?:{'|'.join(_ASKING.split())}){EDGE}"

_OPTION_WORD = r"\d+(?:·\d+)?|\p{L}{2,}"
_OPTION_FIGURE = r"\d+(?:·\d+)?|[-+<>≤≥≠^/]"

SAME_OPTIONS = 0.6
"""Of the words and numbers of two lists of options: the share in common from which they are one list."""
FEW_OPTIONS = 3
"""So many words and numbers make a list that another one may hold, with more beside them."""


_LAST_SENTENCE = r"((?:[^.?!]|\.\d)*)[.?!\s]*$"


def statements(problems: pl.Series) -> pl.DataFrame:
    """What every problem says, a row per problem; hashes are equal where it is the same.

    `form`: letters, numbers and signs without layout; null for a text that says nothing. `skeleton`: the form with
    every number as 0. `figures`, `says`, `bag`, `words`: what its words tell (telling.tell), names of points included.
    `drawing`: numbers of the drawing's code. `tail`: what a note, or how to give the answer, tells. `options`: the form
    of the list of options after the question. These three are null where there is none. `of_options`: the question
    cannot be told without them. `asks`: it asks something, options aside. `asking`: the words of the sentence that
    asks. `asked`: the question's text in plain layout, up to MAX_CHARS.
    """
    bare = unwrapped(problems)
    texts = replaced(bare, _NOTATION)
    stems = stem(texts)
    asked = plain(stems)
    # The stem is how the text begins.
    rest = pl.DataFrame({"text": texts, "stem": stems}).select(pl.col("text").str.slice(pl.col("stem").str.len_chars()))
    said = pl.DataFrame(
        {
            "form": form(asked),
            "drawing": drawing(bare),
            "options": form(plain(rest["text"])),
            "names": stems.str.extract_all(_NAME).list.join(" ").str.to_lowercase(),
            "asked": asked,
        }
    )
    said = said.select(
        form=pl.when(pl.col("form") != "").then(pl.col("form").hash()),
        skeleton=pl.col("form").str.replace_all(r"\d+(?:·\d+)?", "0").hash(),
        names="names",
        drawing=pl.when(pl.col("drawing").is_not_null()).then(pl.col("drawing").hash()),
        tail=_tails(bare),
        options=pl.when(pl.col("options") != "").then("options"),
        of_options=pl.col("asked").str.contains(OF_OPTIONS),
        asks=pl.col("asked").str.contains(_ASKS),
        asking=_asking(asked),
        asked=pl.col("asked").str.slice(0, MAX_CHARS),
    )
    said = said.hstack(tell(replaced(asked, _SIDES)))
    return said.with_columns(says=pl.struct("says", "names").hash()).drop("names")


def _tails(bare: pl.Series) -> pl.Series:
    """What the tails of every text tell; null where it has none."""
    found = [bare.str.extract(f"({tail})") for tail in _TAIL]
    there = found[0].is_not_null() | found[1].is_not_null()
    tails = (found[0].fill_null("") + found[1].fill_null("")).filter(there)
    says = pl.DataFrame(
        {"place": pl.arg_where(there, eager=True), "says": tell(replaced(plain(tails), _SIDES))["says"]}
    )
    places = pl.DataFrame({"place": pl.int_range(len(bare), dtype=pl.get_index_type(), eager=True)})
    return places.join(says, on="place", how="left", maintain_order="left")["says"]


def _asking(asked: pl.Series) -> pl.Series:
    """The words of the last sentence, which mostly is the one that asks."""
    return things(asked.str.extract(_LAST_SENTENCE).fill_null(""))


def statements_of(problems: pl.Series, workers: int) -> pl.DataFrame:
    """What `statements` gives, on so many threads."""
    parts = (problems[low : low + BATCH_ROWS] for low in range(0, len(problems), BATCH_ROWS))
    with ThreadPoolExecutor(workers) as pool:
        said = list(pool.map(statements, parts))
    return pl.concat(said) if said else statements(problems)


def first_of_form(said: pl.DataFrame) -> Any:
    """For every row the first one with its form, figures, drawing, tail and options: its own, if that is itself."""
    keys = said.select("form", "figures", "drawing", "tail", "options").with_row_index("place")
    first = pl.col("place").first().over("form", "figures", "drawing", "tail", "options")
    first = pl.when(pl.col("form").is_null()).then("place").otherwise(first)
    return keys.select(first.cast(pl.Int64).alias("first"))["first"].to_numpy()


def compatible(left: pl.DataFrame, right: pl.DataFrame) -> pl.Series:
    """Whether two problems whose figures and quantities agree can be the same one; row by row.

    Drawings, tails, options and gold answers may forbid it, or that they ask for something else of what both speak of.

    Args:
        left, right: columns MATTERS.
    """
    sides = pl.concat([left.rename(lambda name: f"a_{name}"), right.rename(lambda name: f"b_{name}")], how="horizontal")
    drawn = (pl.col("a_drawing") == pl.col("b_drawing")).fill_null(True)
    ended = (pl.col("a_tail") == pl.col("b_tail")).fill_null(True)
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
    found = sides.select(compatible=drawn & ended & ~_asks_for_another() & (free | same.fill_null(False)))
    return found["compatible"] & ~contradict(left["gold"], right["gold"])


def fits(said: pl.DataFrame, first: Any) -> Callable[[Any, Any], Any]:
    """Of two arrays of places, those that stay and those that would go for them, whether each pair fits: it is of one
    form, or can be the same problem.

    What one that stays does not tell (a drawing, a tail, a gold), the first that does tells for it: two that differ
    there do not go for a third one without.

    Args:
        said: columns MATTERS.
        first: first_of_form.
    """
    matters = said.select(MATTERS)

    def look(left: Any, right: Any) -> Any:
        stays, goes = matters[left], matters[right]
        of_first = goes.select(pl.col(MAY_LACK).drop_nulls().first().over(pl.Series(left)))
        stays = stays.with_columns(pl.coalesce(stays[name], of_first[name]) for name in MAY_LACK)
        good = first[left] == first[right]
        good[~good] = compatible(stays.filter(~good), goes.filter(~good)).to_numpy()
        return good

    return look


def _asks_for_another() -> pl.Expr:
    """Whether each side asks by a word that the other has too, but does not ask by: Ann's age, Bob's age."""
    a, b = pl.col("a_asking"), pl.col("b_asking")
    ours, theirs = a.list.set_difference(b), b.list.set_difference(a)
    found = [
        one.list.set_intersection(pl.col(other)).list.len() > 0
        for one, other in ((ours, "b_words"), (theirs, "a_words"))
    ]
    return found[0] & found[1]
