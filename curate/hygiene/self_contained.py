"""Self-contained: questions that need something which is not in their text, and what says so."""

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import polars as pl

from curate.texts.options import may_list

Need = Literal["drawing", "figure", "link", "table", "options", "elsewhere", "unfinished"]
NEEDS: tuple[Need, ...] = get_args(Need)

LOOKED_AT = 20_000
QUOTED = 120

_DRAWING = r"\[asy\]|\\begin\{(?:tikzpicture|asy|picture|pspicture)\}|\\draw\b"
_PICTURE = r"(?:figure|diagram|picture|drawing|sketch|illustration|image|graph|chart|number\s+line)s?"
_PLACE = r"(?:below|above|here|(?:at|to|on)\s+(?:the\s+)?(?:right|left))"
_EMBEDDED = (
    r"(?i)!\[[^\]]*\]\(|\\includegraphics|<img\b|\[\s*(?:image|figure|diagram|img|insert\s+\w+)[^\]]{0,40}\]|\{\{image"
)
_FIGURE = (
    r"(?i)\b(?:in|from|of|on|see|to|use|using|with)\s+(?:the|this|each|these|both)\s+"
    r"(?:following\s+|adjacent\s+|accompanying\s+|attached\s+|given\s+)?(?:figure|diagram|sketch|illustration)s?\b"
    r"|\bin\s+the\s+(?:following\s+|accompanying\s+|given\s+)?(?:picture|image)\b"
    rf"|\b{_PICTURE}\s+(?:(?:is|are|as)\s+)?(?:(?:shown|drawn|pictured)\b|(?:shown\s+)?{_PLACE}\b)"
    rf"|\b(?:the|this|following|accompanying|adjacent)\s+(?:bar\s+|line\s+|pie\s+|circle\s+)?{_PICTURE}\s+"
    r"(?:shows?|gives?|represents?|depicts?|illustrates?)\b"
    rf"|\b(?:look\s+at|refer\s+to|study|examine)\s+the\s+{_PICTURE}\s*[.,;]|\battached\s+{_PICTURE}\b"
    r"|\bfig(?:ure|\.)\s?\d|如图|下图|上图|右图|左图|图中|图\s?\d|图所示|示意图"
)
_SHAPE = (
    r"(?:region|area|triangle|quadrilateral|rectangle|square|trapezoid|trapezium|parallelogram|rhombus|pentagon|hexagon|"
    r"octagon|polygon|circle|semicircle|sector|shape|solid|prism|pyramid|cone|cylinder|graph|grid|angle|number\s+line)s?"
)
_SHOWN = (
    rf"(?i)\b(?:shown|pictured|drawn|depicted|illustrated|graphed)\s+{_PLACE}\b"
    r"|\bas\s+(?:is\s+)?(?:shown|pictured|illustrated|depicted)\s*(?:[.,;:)]|$|\n|in\s)"
    rf"|\b{_SHAPE}\s+(?:(?:is|are)\s+)?(?:shown|pictured)\s*(?:[.?;]|$)|\bgraph\s+of\s[^.?]{{1,40}}\s(?:is|are)\s+shown\s*[.?;]"
)
_DISPLAYED = r"\$\$|\\\[|\\begin\{|\\[lc]dots|\.\.\.|(?:\n[^\n]{1,60}){3}"
"""What may be that which is shown."""
_LINK = r"(?i)\bhttps?://\S+|\bwww\.[a-z0-9-]+\.\S+|\[[^\]]+\]\(https?:[^)]*\)"
_HAS_TABLE = (
    r"\\begin\{(?:tabular|array|longtable)\}|\\hline|(?m)^\s*\|.*\|.*\|\s*$|<t[rd]\b|\t.*\t|(?:\s\|\s[^|\n]+){3}|\\\|"
)
_TABLE = (
    r"(?i)\b(?:the|this|following|each)\s+table\s+(?:shown|below|above|at\s+the\s+(?:right|left)|shows?|gives?|lists?|summari[sz]es)\b"
    r"|\b(?:in|according\s+to|based\s+on|see|refer\s+to)\s+(?:the|this)\s+"
    r"(?:following\s+|given\s+|accompanying\s+)?table\b|\busing\s+(?:the|this)\s+table\s*[.,;]"
    r"|\b(?:following|accompanying|above)\s+table\b|下表|表中"
)
_WHICH = (
    r"(?i)\bwhich\s+(?:one\s+|ones\s+)?of\s+the(?:se)?\s+following\b|\bwhich\s+of\s+the\s+(?:options|choices|statements)\b"
    r"|\bwhich\s+of\s+these\b|\b(?:all|one|none)\s+of\s+the\s+following\b[^.?]*\bexcept\b|下列.{0,12}(?:的是|是\s*[(（])"
)
_GIVEN = r"(?s)(?:following|these|下列).{0,200}?(?:[:：]|\n\s*\S|\$[^$]+\$[^.?!]{0,40}\$|\(?I\)|\(?1\)|,.{1,60},|;)"
_ELSEWHERE = (
    r"(?i)\b(?:previous|preceding|prior|earlier)\s+(?:problem|question|exercise|part|example)s?\b"
    r"|\b(?:problem|question|exercise|example|theorem|lemma)\s+(?:above|\d+\.\d+|\(\d+\.\d+\))"
    r"|\b(?:in|from|see|using)\s+(?:problem|exercise|example|theorem|lemma)\s+\(?\d+\b"
    r"|\b(?:in|from|see|using|of)\s+part\s+\(?[a-z]\)"
    r"|\byour\s+answer\s+(?:to|from)\s+(?:the\s+)?(?:last|first|previous)\s+(?:question|problem|part)\b"
    r"|\b(?:the|this)\s+(?:passage|article|excerpt)\s+(?:above|below|says|states|describes)\b|\bcontinued?\s+from\s+the\b"
    r"|\b(?:above|given)\s+(?:passage|article|excerpt|problem)\b|上题|前一题|上一题|上一问"
)
_UNFINISHED = (
    r"(?s)(?:\b(?:if|[Ll]et|and|or|the|of|with|where|such\s+that|[Ss]uppose|for|is\s+a|are\s+the|when|then|but|because|"
    r"by|an)|[(\[{+<]|\\frac)\s*$"
)
_BLANK = r"(?:=|\bis|\bare|\bequals?|\bby|\bof|\bthe|\ba|\ban|\bto|\bfor)\s*$"


@dataclass(frozen=True)
class SelfContained:
    """Mark what a question needs beside its text, and drop those that nobody can answer from the text alone.

    `drawing`: code that draws (`[asy]`, tikz): all is there, but a reader of text has to picture it. `figure`: one that
    is spoken of, linked or embedded, and not there; beside a drawing, the drawing is it. `link`: a URL. `table`: one
    that is spoken of and not there. `options`: it asks which of the following, and nothing follows. `elsewhere`:
    another problem, a theorem by number. `unfinished`: it breaks off. The first of these that holds is told.

    Example:
        >>> rows = pl.DataFrame({"id": ["a", "b"], "problem": ["What is x in the diagram?", "What is 1 + 1?"]})
        >>> SelfContained()(rows).select("needs", "needs_evidence", "drop").rows()
        [('figure', 'in the diagram', 'figure'), (None, None, None)]
    """

    over = "problems"
    marks = "problems"
    scope = "row"
    reads = ("id", "problem")
    writes: ClassVar = {"needs": pl.String, "needs_evidence": pl.String}
    drops = NEEDS
    REV = 2

    drop: tuple[Need, ...] = ("figure", "link", "table", "options", "elsewhere", "unfinished")
    """Needs for which a question is dropped; `[]` only marks, and `drawing` may be added."""

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`needs`, null where nothing is missing, and the words that say so."""
        text = pl.col("problem").str.slice(0, LOOKED_AT)
        end = pl.col("problem").str.slice(-200)
        rows = rows.select("id", "problem", text=text, end=end, lists=may_list(pl.col("problem")))
        rows = rows.with_columns(_evidence(need) for need in NEEDS)
        needs = pl.coalesce(pl.when(pl.col(need).is_not_null()).then(pl.lit(need)) for need in _ORDER)
        rows = rows.with_columns(needs=needs)
        return rows.select(
            "id",
            "needs",
            needs_evidence=pl.coalesce(_ORDER).str.strip_chars(" \n.,;:").str.slice(0, QUOTED),
            drop=pl.when(pl.col("needs").is_in(self.drop)).then("needs"),
        )


_ORDER: tuple[Need, ...] = ("link", "figure", "drawing", "table", "options", "elsewhere", "unfinished")


def _evidence(need: Need) -> pl.Expr:
    """The words that say so; null where none do."""
    text, end = pl.col("text"), pl.col("end")
    match need:
        case "drawing":
            found = text.str.extract(_DRAWING, 0)
        case "figure":
            shown = pl.when(~text.str.contains(_DISPLAYED)).then(text.str.extract(_SHOWN, 0))
            # A table, or rows set by LaTeX, may well be the figure that is spoken of.
            spoken = pl.when(~text.str.contains(_HAS_TABLE)).then(text.str.extract(_FIGURE, 0))
            found = pl.coalesce(text.str.extract(_EMBEDDED, 0), spoken, shown)
            found = pl.when(~text.str.contains(_DRAWING)).then(found)
        case "link":
            found = text.str.extract(_LINK, 0)
        case "table":
            found = pl.when(~text.str.contains(_HAS_TABLE) & ~text.str.contains(_DRAWING)).then(
                text.str.extract(_TABLE, 0)
            )
        case "options":
            found = pl.when(~pl.col("lists") & ~text.str.contains(_GIVEN)).then(text.str.extract(_WHICH, 0))
        case "elsewhere":
            found = text.str.extract(_ELSEWHERE, 0)
        case "unfinished":
            # `The sum is` and `2 + 2 =` ask for what follows.
            breaks_off = end.str.contains(_UNFINISHED) & ~end.str.contains(_BLANK) & ~pl.col("lists")
            found = pl.when(breaks_off).then(end.str.slice(-40))
    return found.alias(need)
