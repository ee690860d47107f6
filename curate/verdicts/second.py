"""Second: what math-verify and sympy alone say of the answers that the rules judged, for a report of disagreement."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import polars as pl
from pydantic import Field

from verify.workers import ask

MAX_CHARS = 2_000


@dataclass(frozen=True)
class Second:
    """Compare each extracted answer with the gold answer once more, by math-verify only; `verdict` stays as it is.

    Two verifiers that share no code before sympy rarely err alike: where they differ, look. The card has the table.

    Example:
        >>> rows = pl.DataFrame({"id": ["a", "b"], "extracted_answer": ["0.5", None], "answer": r"\\frac{1}{2}"})
        >>> Second()(rows)["second_verdict"].to_list()
        ['correct', None]
    """

    over = "rollouts"
    marks = "rollouts"
    scope = "row"
    reads = ("id", "extracted_answer", "answer")
    writes: ClassVar = {"second_verdict": pl.String}
    drops = ()
    REV = 1

    timeout_s: Annotated[float, Field(gt=0)] = 1.5
    """CPU seconds that one comparison may take; beyond that there is no second verdict."""

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`second_verdict`: correct, wrong, or null where math-verify cannot say. Equal pairs are compared once."""
        short = pl.all_horizontal(pl.col("answer", "extracted_answer").str.len_chars().is_between(1, MAX_CHARS))
        pairs = rows.filter(short.fill_null(False)).select("answer", "extracted_answer").unique(maintain_order=True)
        said = {True: "correct", False: "wrong", None: None}
        verdicts = [said[reply.agreed] for reply in ask(pairs.rows(), self.timeout_s)]
        judged = pairs.with_columns(second_verdict=pl.Series(verdicts, dtype=pl.String))
        joined = rows.join(judged, on=["answer", "extracted_answer"], how="left", maintain_order="left")
        return joined.select("id", "second_verdict", drop=pl.lit(None, pl.String))
