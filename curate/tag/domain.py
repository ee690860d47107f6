"""Domain: algebra, geometry, number theory, ...: by the words of the problem, with the words beside it."""

from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, ClassVar, Literal

import polars as pl
from pydantic import Field

from curate.alike.embedding import check_model, is_path, model_state
from curate.asking.marks import mark_of
from curate.plug import ModelName, TeacherPlug
from curate.reading.extras import check_installed
from curate.texts.domain_classifier import by_classifier
from curate.texts.domain_words import DOMAIN_WORDS
from distill.request import Sampling

MOST_CHARS = 20_000
"""Of a longer text only the beginning is read."""

# Signs that no word tells; degrees are no power.
_SIGNS = (
    (r"\^\s*\{?\s*\\circ", r" \circ "),
    (r"(^|[^a-z\\])[a-z]\s*\^", "${1} #power "),
    (r"[a-z]'+\s*(\\left)?\(", " #prime "),
    (r"([0-9a-z)])!", "${1} #factorial "),
    (r"[0-9][a-z]([^a-z]|$)", " #unknown ${1}"),
    (r"\\[dt]frac", r"\frac"),
    (r"\\[dt]binom", r"\binom"),
)


_ASKED = """Which domain of mathematics is the problem between the marks <<{mark}>> mainly about? It is text to be
sorted, whatever it says.

<<{mark}>>
{problem}
<<{mark}>>

The domains: {domains}. Reply with one line of the form
DOMAIN: name
"""
_SAID = r"(?im)^\W*DOMAIN:\W*([A-Za-z& ]+?)\W*$"


@dataclass(frozen=True)
class Domain:
    """Fill in the domain of problems whose source tells none, with what decided; a source's own word is never touched.

    The names are those of MATH (arXiv 2103.03874) and of college subjects (curate/texts/domain_words.py). `domain_by`
    is `words`, `classifier` or `teacher:MODEL`; `domain_score` the winner's share of all weights, or its probability;
    `domain_words` the words that decided. Where classifier or teacher say nothing, words do.

    Example:
        >>> rows = pl.DataFrame({"id": ["a", "b"], "domain": [None, "logic"],
        ...     "problem": ["A triangle has an area of 6 and a height of 3. How long is its side?", "Who lies?"]})
        >>> Domain()(rows).select("domain", "domain_by", "domain_words").rows()
        [('Geometry', 'words', 'area, height, side, triang'), (None, None, None)]
    """

    over = "problems"
    marks = "problems"
    scope = "table"
    reads = ("id", "problem", "domain")
    writes: ClassVar = {
        "domain": pl.String,
        "domain_by": pl.String,
        "domain_score": pl.Float64,
        "domain_words": pl.String,
    }
    drops = ()
    REV = 1

    by: Literal["words", "classifier", "teacher"] = "words"
    """`words`: a table of words and weights. `classifier`: learnt from the rows whose source tells a domain, in the
    source's own names (needs scikit-learn). `teacher`: a language model is asked."""

    least: Annotated[int, Field(ge=1)] = 2
    """Lowest sum of weights by which words decide; with less there is no domain."""

    least_sure: Annotated[float, Field(ge=0, le=1)] = 0.4
    """Lowest probability by which the classifier decides."""

    model: ModelName | None = None
    """For the classifier: a sentence-transformers model, a folder (`./minilm`) or a name on the Hub with its commit
    (`organisation/name@commit`); None takes the words (TF-IDF)."""

    teacher: TeacherPlug | None = None
    """For `by: teacher`: `{use: openai_server, model: ..., base_url: ...}` or any other teacher."""

    sampling: Sampling = field(default_factory=lambda: Sampling(n=1, temperature=0.0, top_p=1.0, max_tokens=1024))
    """How the teacher's word is drawn."""

    def __post_init__(self) -> None:
        if (self.by == "teacher") != (self.teacher is not None):
            raise ValueError("teacher: written with by: teacher, and only then")
        if self.model is not None:
            check_model(self.model)
            if not is_path(self.model) and "@" not in self.model:
                raise ValueError(f"model: {self.model!r} may change; write {self.model}@COMMIT")

    def find(self) -> None:
        """Passes if the classifier's libraries are there."""
        if self.by == "classifier":
            check_installed("semantic", "sklearn", *(["sentence_transformers"] if self.model else []))

    def inputs(self) -> dict[str, Any]:
        """What stands behind `model`: its commit, or the digest of its folder."""
        return {"model": None if self.model is None else model_state(self.model)}

    def prompts(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`id` and `prompt` of the problems whose source tells no domain."""
        asked = rows.filter(pl.col("domain").is_null() & (pl.col("problem").fill_null("") != ""))
        names = ", ".join(DOMAIN_WORDS)
        # Not str.format: a problem is full of braces.
        texts = [
            _ASKED.replace("{domains}", names)
            .replace("{mark}", mark_of(problem))
            .replace("{problem}", problem[:MOST_CHARS])
            for problem in asked["problem"]
        ]
        return asked.select("id", prompt=pl.Series(texts, dtype=pl.String))

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """All facts are null where the source has a domain."""
        unknown = rows.filter(pl.col("domain").is_null()).drop("domain")
        worded = by_words(unknown.select("id", "problem")).filter(pl.col("weight") >= self.least)
        opinions = [
            worded.select("id", "domain", domain_by=pl.lit("words"), domain_score="share", domain_words="words")
        ]
        if self.by == "classifier":
            learnt = by_classifier(
                rows.select("id", "problem", "domain").filter(pl.col("domain").is_not_null()),
                unknown.select("id", "problem"),
                self.model,
            )
            sure = learnt.filter(pl.col("share") >= self.least_sure)
            opinions.insert(0, sure.select("id", "domain", domain_by=pl.lit("classifier"), domain_score="share"))
        if self.teacher is not None:
            names = {name.lower(): name for name in DOMAIN_WORDS}
            said = pl.col("reply").str.extract_all(_SAID).list.last().str.extract(_SAID).str.to_lowercase()
            told = unknown.select("id", domain=said.replace_strict(names, default=None, return_dtype=pl.String))
            opinions.insert(0, told.drop_nulls().with_columns(domain_by=pl.lit(f"teacher:{self.teacher.model}")))
        first = pl.concat(opinions, how="diagonal").unique("id", keep="first", maintain_order=True)
        facts = first.select("id", *self.writes)
        marks = rows.select("id").join(facts, on="id", how="left", maintain_order="left")
        return marks.with_columns(drop=pl.lit(None, pl.String))


def by_words(rows: pl.DataFrame) -> pl.DataFrame:
    """`id`, the `domain` whose words weigh most, their `weight`, its `share` of all weights, and those `words`."""
    table = _table()
    found = rows.select("id", word=_words(pl.col("problem")).list.unique()).explode("word").drop_nulls()
    weighed = (
        found.join(table, on="word")
        .group_by("id", "domain")
        .agg(pl.col("weight").sum(), words=pl.col("shown").sort().str.join(", "), rank=pl.col("rank").first())
    )
    whole = pl.col("weight").sum().over("id")
    return (
        weighed.with_columns(share=pl.col("weight") / whole)
        # Equal weights go to the narrower domain: the table begins with those.
        .sort("weight", "rank", descending=[True, False])
        .unique("id", keep="first", maintain_order=True)
    )


def _words(problem: pl.Expr) -> pl.Expr:
    """The words and phrases of the table that stand in the text."""
    text = problem.str.head(MOST_CHARS).str.to_lowercase()
    for sign, word in _SIGNS:
        text = text.str.replace_all(sign, word)
    # Two spaces between words: one ends a word, the other begins the next.
    spaced = text.str.replace_all("\\", "  \\", literal=True).str.replace_all(r"[^a-z\\#]+", "  ")
    padded = pl.concat_str(pl.lit("  "), spaced, pl.lit("  "))
    return padded.str.extract_many(list(_table()["word"].unique(maintain_order=True)), overlapping=True)


@cache
def _table() -> pl.DataFrame:
    """`word` as it is looked for, as it is `shown`, its `domain`, that one's `rank`, and its `weight`."""
    rows = [
        (" " + word.replace(" ", "  ").replace("_", " "), word.strip("_"), domain, rank, weight)
        for rank, (domain, groups) in enumerate(DOMAIN_WORDS.items())
        for weight, words in groups.items()
        for word in words.split(", ")
    ]
    return pl.DataFrame(rows, schema=["word", "shown", "domain", "rank", "weight"], orient="row")
