"""Shape: whether a rollout has all its parts, thinking and response with an answer, and comes to its end."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, get_args

import polars as pl
from pydantic import Field

from curate.texts.endings import END_MARKS, ends_midway

Reason = Literal[
    "cut_off",
    "no_text",
    "answer_only",
    "no_response",
    "answer_in_thinking",
    "unclosed",
    "doubled",
    "no_thinking",
    "length",
]

SHOWN_CHARS = 80
"""Characters at the end of a cut-off rollout that are shown."""


@dataclass(frozen=True)
class Shape:
    r"""Per rollout its `shape`, the first of these that is so:

    - `cut_off`: the server said so (finish reason `length`), or, where it is not known how an imported rollout
      ended, it stops in the middle of a formula or a sentence, or never closes its thinking;
    - `no_text`: neither thinking nor response;
    - `answer_only`: no thinking, and a response too short to hold any work;
    - `no_response`: thinking, and nothing after it;
    - `answer_in_thinking`: the answer is boxed there, and the response names none;
    - `unclosed`: the thinking block is never closed, and the response was found at its end;
    - `doubled`: a second thinking block follows the first response;
    - `no_thinking`: no thinking block; the work stands in the response;
    - `whole`.

    `cut_off_by` says who told (`finish_reason` or `text`), `ends_with` shows the last characters of what was cut off,
    and `padded` is true where marks of the end (`</s></s>...`) were left on it.

    Example:
        >>> rows = pl.DataFrame({"id": ["a", "b"], "reasoning": ["2 + 2, that is 4.", "First, we add 2 and"],
        ...                      "response": ["It is 4.", None], "format": ["tags", "open"],
        ...                      "finish_reason": ["stop", "unknown"]})
        >>> Shape()(rows).select("shape", "cut_off_by", "ends_with").rows()
        [('whole', None, None), ('cut_off', 'text', 'First, we add 2 and')]
    """

    over = "rollouts"
    marks = "rollouts"
    scope = "row"
    reads = ("id", "reasoning", "response", "format", "finish_reason")
    writes: ClassVar = {
        "shape": pl.String,
        "cut_off_by": pl.String,
        "ends_with": pl.String,
        "padded": pl.Boolean,
    }
    drops: ClassVar[tuple[str, ...]] = get_args(Reason)
    REV = 1

    drop: tuple[Reason, ...] = ()
    """Drop rollouts of these shapes; `length`: those of fewer or more characters than `chars`."""

    answer_only_chars: Annotated[int, Field(ge=1)] = 100
    """A response without thinking of at most so many characters is an answer alone."""

    chars: tuple[int, int] = (0, 10**9)
    """Characters of thinking and response together, from and to, outside which `length` drops."""

    def __post_init__(self) -> None:
        if self.chars[0] > self.chars[1]:
            raise ValueError(f"chars: from the fewest to the most, got {list(self.chars)}")

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Marks for every rollout."""
        texts = [pl.col(name).fill_null("").str.strip_chars().alias(name) for name in ("reasoning", "response")]
        said = rows.select("id", "format", "finish_reason", *texts)
        thinking, response = pl.col("reasoning"), pl.col("response")
        last = pl.when(response != "").then(response).otherwise(thinking)
        said = said.with_columns(end=last.str.tail(4000)).with_columns(
            padded=pl.col("end").str.tail(24).str.contains(END_MARKS)
        )
        unpadded = pl.when("padded").then(pl.col("end").str.replace(END_MARKS, "")).otherwise("end")
        said = said.with_columns(end=unpadded, cut_off_by=self._cut_off_by(unpadded))
        marks = said.select(
            "id",
            shape=self._shape(),
            cut_off_by="cut_off_by",
            ends_with=pl.when(pl.col("cut_off_by").is_not_null()).then(pl.col("end").str.tail(SHOWN_CHARS)),
            padded="padded",
            length=thinking.str.len_chars() + response.str.len_chars(),
        )
        wanted = pl.when(pl.col("shape").is_in([*self.drop])).then("shape")
        outside = pl.lit("length" in self.drop) & ~pl.col("length").is_between(*self.chars)
        reason = pl.coalesce(wanted, pl.when(outside).then(pl.lit("length")))
        return marks.select("id", *self.writes, drop=reason)

    def _cut_off_by(self, end: pl.Expr) -> pl.Expr:
        finish = pl.col("finish_reason").fill_null("unknown")
        unclosed = (pl.col("format") == "open").fill_null(False) & (pl.col("response") == "") & (end != "")
        midway = ~finish.is_in(["stop", "length"]) & (ends_midway(end) | unclosed)
        return pl.when(finish == "length").then(pl.lit("finish_reason")).when(midway).then(pl.lit("text"))

    def _shape(self) -> pl.Expr:
        thinking, response = pl.col("reasoning"), pl.col("response")
        boxed = thinking.str.contains(r"\boxed", literal=True)
        named = response.str.contains(r"(?i)boxed|answer|\d")
        return (
            pl.when(pl.col("cut_off_by").is_not_null())
            .then(pl.lit("cut_off"))
            .when((thinking == "") & (response == ""))
            .then(pl.lit("no_text"))
            .when((thinking == "") & (response.str.len_chars() <= self.answer_only_chars))
            .then(pl.lit("answer_only"))
            .when(response == "")
            .then(pl.lit("no_response"))
            .when(boxed & ~named)
            .then(pl.lit("answer_in_thinking"))
            .when(pl.col("format") == "open")
            .then(pl.lit("unclosed"))
            .when(pl.col("format") == "blocks")
            .then(pl.lit("doubled"))
            .when(thinking == "")
            .then(pl.lit("no_thinking"))
            .otherwise(pl.lit("whole"))
        )
