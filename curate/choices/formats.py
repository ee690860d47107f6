"""Rows of worked examples as others know them: TRL's messages, OpenR1-Math's lists, OpenThoughts' conversations."""

from typing import Literal

import polars as pl
import pyarrow as pa

from curate.choices.selection import Format
from curate.records import ABOUT_PROBLEM, MESSAGES

TURNS = pa.list_(pa.struct([pa.field("from", pa.string()), pa.field("value", pa.string())]))

Exported = Literal["sharegpt", "alpaca"]

SCHEMAS: dict[Format, pa.Schema] = {
    "trl": pa.schema(
        [
            pa.field("messages", MESSAGES),
            pa.field("id", pa.string()),  # of the rollout
            pa.field("problem_id", pa.string()),
            pa.field("problem", pa.string()),
            pa.field("answer", pa.string()),
            *ABOUT_PROBLEM,
            pa.field("teacher", pa.string()),
            pa.field("verdict", pa.string()),
            pa.field("completion_tokens", pa.int64()),
            pa.field("completion_chars", pa.int64()),
        ]
    ),
    # The columns of open-r1/OpenR1-Math-220k: one row per problem.
    "openr1": pa.schema(
        [
            pa.field("problem", pa.string()),
            pa.field("solution", pa.string()),
            pa.field("answer", pa.string()),
            pa.field("problem_type", pa.string()),
            pa.field("question_type", pa.string()),
            pa.field("source", pa.string()),
            pa.field("uuid", pa.string()),  # of the problem
            pa.field("is_reasoning_complete", pa.list_(pa.bool_())),
            pa.field("generations", pa.list_(pa.string())),
            pa.field("correctness_math_verify", pa.list_(pa.bool_())),  # whether our verdict is `correct`
            pa.field("correctness_llama", pa.list_(pa.bool_())),  # whether the judge's is; null where nobody was asked
            pa.field("finish_reasons", pa.list_(pa.string())),
            pa.field("correctness_count", pa.int64()),
            pa.field("messages", MESSAGES),  # with the best rollout
            pa.field("rollout_ids", pa.list_(pa.string())),  # ours: what traces a generation back
        ]
    ),
    # Those of open-thoughts/OpenThoughts-114k, and where the row is from.
    "openthoughts": pa.schema(
        [
            pa.field("system", pa.string()),
            pa.field("conversations", TURNS),
            pa.field("id", pa.string()),
            pa.field("problem_id", pa.string()),
            pa.field("source", pa.string()),
            pa.field("license", pa.string()),
            pa.field("level", pa.string()),
            pa.field("domain", pa.string()),
        ]
    ),
}
"""The columns of each format. All types are written out: a column that is all null must not become one of type null."""


EXPORTED: dict[Exported, pa.Schema] = {
    # As LLaMA-Factory, Axolotl and FastChat read it.
    "sharegpt": pa.schema([pa.field("id", pa.string()), pa.field("conversations", TURNS)]),
    # As Stanford Alpaca; `system` is LLaMA-Factory's.
    "alpaca": pa.schema([pa.field(name, pa.string()) for name in ("instruction", "input", "output", "system", "id")]),
}
"""The columns of formats that are exported to and not built."""

_SPEAKERS = {"user": "human", "assistant": "gpt"}


def formatted(rows: pl.DataFrame, form: Format) -> pl.DataFrame:
    """The rows in the columns of SCHEMAS[form].

    Args:
        rows: one per rollout, a problem's rows together, its best first: the columns of `trl`, and `solution`,
            `answer_type`, `text` (what the assistant says), `finish_reason`, `reasoning_chars`, `judge_verdict`.
    """
    made = {"trl": lambda: rows, "openr1": lambda: _openr1(rows), "openthoughts": lambda: _openthoughts(rows)}[form]()
    return made.select(SCHEMAS[form].names)


def _openr1(rows: pl.DataFrame) -> pl.DataFrame:
    correct = pl.col("verdict") == "correct"
    complete = (pl.col("reasoning_chars") > 0) & pl.col("finish_reason").ne_missing("length")
    return rows.group_by("problem_id", maintain_order=True).agg(
        pl.col("problem", "solution", "answer", "source", "messages").first(),
        problem_type=pl.col("domain").first(),
        question_type=pl.col("answer_type").first(),
        uuid=pl.col("problem_id").first(),
        is_reasoning_complete=complete,
        generations=pl.col("text"),
        correctness_math_verify=correct,
        correctness_llama=pl.col("judge_verdict") == "correct",
        finish_reasons=pl.col("finish_reason"),
        correctness_count=correct.sum().cast(pl.Int64),
        rollout_ids=pl.col("id"),
    )


def _openthoughts(rows: pl.DataFrame) -> pl.DataFrame:
    turn = pl.element()
    turns = pl.col("messages").list.eval(
        pl.struct(turn.struct.field("role").alias("from"), turn.struct.field("content").alias("value")).filter(
            turn.struct.field("role") != "system"
        )
    )
    first = pl.col("messages").list.first()
    is_system = first.struct.field("role") == "system"
    system = pl.when(is_system).then(first.struct.field("content"))
    return rows.with_columns(system=system, conversations=turns)


def exported(rows: pl.DataFrame, form: Exported) -> pl.DataFrame:
    """Rows with `id` and `messages` in the columns of EXPORTED[form].

    Example:
        >>> talk = [{"role": "user", "content": "1 + 1?"}, {"role": "assistant", "content": "2"}]
        >>> exported(pl.DataFrame({"id": ["a"], "messages": [talk]}), "alpaca").to_dicts()
        [{'instruction': '1 + 1?', 'input': '', 'output': '2', 'system': None, 'id': 'a'}]
    """
    turn = pl.element().struct
    if form == "sharegpt":
        speaker = turn.field("role").replace(_SPEAKERS)
        turns = pl.struct(speaker.alias("from"), turn.field("content").alias("value"))
        return rows.select("id", conversations=pl.col("messages").list.eval(turns))
    said = {role: _said(role) for role in ("user", "assistant", "system")}
    return rows.select(
        instruction=said["user"], input=pl.lit(""), output=said["assistant"], system=said["system"], id="id"
    )


def _said(role: str) -> pl.Expr:
    """The content of the role's last turn; null where it has none."""
    turn = pl.element()
    own = pl.col("messages").list.eval(turn.filter(turn.struct.field("role") == role).struct.field("content"))
    return own.list.last()
