"""Contaminated by a run of words: the rule that most published datasets were cleaned with, by datatrove's block."""

import os
from dataclasses import dataclass
from typing import Annotated, ClassVar

import polars as pl
from pydantic import Field

from curate.alike.wording import MAX_CHARS, WORD, question
from curate.reading.against import QUOTED_CHARS, Against
from curate.workers.blocks import PAD, runs_in_common, spaced

RULE = "run"


@dataclass(frozen=True, kw_only=True)
class NgramsBlocks(Against):
    """Drop every problem that has a run of `n` words in common with a question of a benchmark.

    The rule of open-r1's scripts/decontaminate.py and of datatrove's NGramsDecontFilter, on words without layout,
    prompts and lists of options. Shards of the table go to the workers of the manifest's `engine` (without one, to
    processes here), where the block looks for the runs. It is there to compare with datasets that were cleaned so, and
    for tables that one machine takes too long for: `decontaminate.ngrams` finds far more and drops fewer siblings
    (docs/decontamination.md). A question of fewer words than `n` is compared whole.

    Needs datatrove: pip install 'cotillion[ray]'.
    """

    writes: ClassVar = {
        "contaminated_by": pl.String,
        "contamination_rule": pl.String,
        "contaminated_run": pl.String,
        "benchmark_question": pl.String,
    }
    drops = ("contaminated",)
    REV = 2
    INSTALLED = ("ray", "datatrove")

    n: Annotated[int, Field(ge=2)] = 8
    """Words that make a run: open-r1 takes 8, datatrove 12, GPT-3 13."""

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The facts `contaminated_by`, the first question with the run, and `contaminated_run`, the words."""
        asked = self.known()
        # A question without a word is like no other.
        asked = asked.with_columns(words=_words(asked["problem"])).filter(pl.col("words").list.len() > 0)
        found = runs_in_common(_words(rows["problem"]), asked["words"], self.n, len(os.sched_getaffinity(0)))
        marked = pl.DataFrame({"id": rows["id"], "run": found})
        hit = pl.col("run").is_not_null()
        marked = marked.join(_first_with(marked["run"], asked, self.n), on="run", how="left", maintain_order="left")
        return marked.select(
            "id",
            contaminated_by="by",
            contamination_rule=pl.when(hit).then(pl.lit(RULE)),
            contaminated_run=pl.col("run").str.replace_all(PAD, "", literal=True).str.strip_chars_end(),
            benchmark_question=pl.col("problem").str.slice(0, QUOTED_CHARS),
            drop=pl.when(hit).then(pl.lit("contaminated")),
        )


def _words(problems: pl.Series) -> pl.Series:
    """Of every problem the words of its question, in order."""
    return question(problems).str.slice(0, MAX_CHARS).str.extract_all(WORD)


def _first_with(runs: pl.Series, asked: pl.DataFrame, n: int) -> pl.DataFrame:
    """`run`, `by` and `problem`: of each of the runs the first question that has it."""
    texts = asked.select("known", text=spaced(asked["words"], n))
    some = texts.filter(pl.col("text").str.contains_any(runs.drop_nulls().unique().implode()))
    words = some.select("known", word=pl.col("text").str.split(" ")).explode("word")
    run = pl.concat_str([pl.col("word").shift(-place).over("known") for place in range(n)], separator=" ")
    having = words.select("known", run=run).filter(pl.col("run").is_in(runs.drop_nulls().implode()))
    first = having.unique("run", keep="first", maintain_order=True)
    return first.join(asked.select("known", "by", "problem"), on="known", maintain_order="left")
