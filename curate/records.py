"""The rows: Problem, Rollout and Pair as Arrow schemas, their ids, and the text that a student reads.

One row is one problem or one rollout. A schema here holds what every row has; the facts that stages add (`writes`)
are appended in the order of the manifest.
"""

import hashlib
import re
from typing import Literal, get_args

import polars as pl
import pyarrow as pa

Level = Literal["elementary", "middle", "high", "college", "graduate"]
LEVELS: tuple[Level, ...] = get_args(Level)

MESSAGES = pa.list_(pa.struct([pa.field("role", pa.string()), pa.field("content", pa.string())]))

PROBLEM = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("problem", pa.string()),
        pa.field("answer", pa.string()),  # gold; null where there is none
        pa.field("other_answers", pa.list_(pa.string())),  # golds of further rows of this problem that differ
        pa.field("solution", pa.string()),  # worked
        pa.field("answer_type", pa.string()),
        pa.field("source", pa.string()),
        pa.field("source_id", pa.string()),
        pa.field("license", pa.string()),
        pa.field("rewritten_from", pa.string()),
        pa.field("content_hash", pa.string()),
        pa.field("level", pa.string()),  # one of LEVELS
        pa.field("source_level", pa.string()),  # the source's own word where it is none of LEVELS: `Level 5`, `3`
        pa.field("domain", pa.string()),
        pa.field("synthetic", pa.bool_()),  # posed by a program
    ]
)

SAMPLING = pa.struct(
    [
        pa.field("temperature", pa.float64()),
        pa.field("top_p", pa.float64()),
        pa.field("max_tokens", pa.int64()),
        pa.field("seed", pa.int64()),
    ]
)

ROLLOUT = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("problem_id", pa.string(), nullable=False),
        pa.field("index", pa.int32(), nullable=False),
        pa.field("teacher", pa.string()),  # model@revision
        pa.field("sampling", SAMPLING),  # null for imported rollouts
        pa.field("reasoning", pa.string()),
        pa.field("response", pa.string()),
        pa.field("format", pa.string()),  # how reasoning and response were told apart (distill.thinking)
        pa.field("finish_reason", pa.string()),  # stop, length, error, unknown
        pa.field("prompt_tokens", pa.int64()),
        pa.field("completion_tokens", pa.int64()),
        pa.field("reasoning_chars", pa.int64()),  # see text_lengths: views never read the texts themselves
        pa.field("response_chars", pa.int64()),
        pa.field("text_hash", pa.string()),  # see text_hash
        pa.field("source_verdict", pa.string()),  # the source's own label: correct, wrong
    ]
)

ABOUT_PROBLEM = (
    pa.field("source", pa.string()),
    pa.field("source_id", pa.string()),
    pa.field("license", pa.string()),
    pa.field("level", pa.string()),
    pa.field("domain", pa.string()),
    pa.field("pass_rate", pa.float64()),
    pa.field("pass_rate_n", pa.int64()),
)
"""What the rows of every view say of their problem: where it is from, and how hard it is."""

PAIR = pa.schema(
    [
        pa.field("prompt", MESSAGES),
        pa.field("chosen", MESSAGES),
        pa.field("rejected", MESSAGES),
        pa.field("problem_id", pa.string()),
        pa.field("chosen_id", pa.string()),
        pa.field("rejected_id", pa.string()),
        pa.field("because", pa.string()),
        pa.field("chosen_length", pa.int64()),  # rollout_length: tokens, or characters for both
        pa.field("rejected_length", pa.int64()),
        pa.field("chosen_teacher", pa.string()),
        pa.field("rejected_teacher", pa.string()),
        *ABOUT_PROBLEM,
    ]
)

FACTS = {"verdict": pl.String, "pass_rate": pl.Float64, "pass_rate_n": pl.Int64, "pass_rate_level": pl.String}
"""Facts of stages that views read, by name and type."""

TEXT_COLUMNS = ("reasoning", "response")
"""Rollout columns that are read shard by shard only."""


def row_ids(*columns: pl.Series) -> pl.Series:
    """16 hex digits per row over the texts of the columns, null apart from ''. The same on every machine."""
    # A loop: polars' own hash is fast but promises nothing from one release to the next.
    rows = zip(*(column.cast(pl.String).to_list() for column in columns), strict=True)
    return pl.Series("id", [_digest(row) for row in rows], dtype=pl.String)


def _digest(row: tuple[str | None, ...]) -> str:
    hashed = hashlib.blake2b(digest_size=8)
    for text in row:
        data = b"\xff" if text is None else text.encode("utf-8", "surrogatepass")
        hashed.update(len(data).to_bytes(8, "little") + data)
    return hashed.hexdigest()


def content_hash(problem: pl.Series) -> pl.Series:
    """The id of the text alone, case and spacing aside: equal for the same question from two sources."""
    plain = problem.str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
    return row_ids(plain).alias("content_hash")


def assistant_text() -> pl.Expr:
    """What the student learns to write: `<think>\\n{reasoning}\\n</think>\\n\\n{response}`."""
    reasoning, response = pl.col("reasoning").fill_null(""), pl.col("response").fill_null("")
    return pl.concat_str(pl.lit("<think>\n"), reasoning, pl.lit("\n</think>\n\n"), response)


def text_lengths() -> tuple[pl.Expr, pl.Expr]:
    """`reasoning_chars` and `response_chars`, 0 for no text: lengths that views can read without the texts."""
    reasoning, response = (pl.col(name).str.len_chars().fill_null(0).cast(pl.Int64) for name in TEXT_COLUMNS)
    return reasoning.alias("reasoning_chars"), response.alias("response_chars")


# What may differ between two texts that say the same: boxes and fonts, spacing, braces, Markdown.
# Bytes, and literals where they do: one regular expression over text for all of it reads a tenth as fast.
_LATEX_FORM = re.compile(
    rb"\\(?:(?:boxed|fbox|text(?:bf|it|rm)?|math(?:bf|rm)|displaystyle|q?quad|left|right)(?![a-z])|[,;:! ()\[\]])"
)
_FORM = (b"**", b". ", b".\n", b", ", b": ", b":\n")
_FORM_BYTES = b" \t\r\n$`#{};?"


def text_hash(rows: pl.DataFrame) -> pl.Series:
    """The id of what a rollout says, thinking and response as one: equal for two that differ in form only.

    Boxes, spacing, case and stops are form; a sign, or a point before a digit, is none.
    """
    texts = zip(*(rows[name].fill_null("").to_list() for name in TEXT_COLUMNS), strict=True)
    said = (_said(f"{reasoning}\n{response}") for reasoning, response in texts)
    return pl.Series("text_hash", [hashlib.blake2b(text, digest_size=8).hexdigest() for text in said], dtype=pl.String)


def _said(text: str) -> bytes:
    said = text.lower().encode("utf-8", "surrogatepass") + b"\n"
    said = _LATEX_FORM.sub(b"", said)
    for form in _FORM:
        said = said.replace(form, b"")
    return said.translate(None, _FORM_BYTES)


def rollout_length() -> pl.Expr:
    """Completion tokens where every rollout of the problem (in this frame) has them, else characters of the text.

    Never one for one rollout and the other for its neighbour: they could not be compared.
    """
    tokens = pl.when(pl.col("completion_tokens") > 0).then("completion_tokens")
    chars = pl.col("reasoning_chars") + pl.col("response_chars")
    all_counted = tokens.is_not_null().all().over("problem_id")
    return pl.when(all_counted).then(tokens).otherwise(chars).alias("rollout_length")


def effective_level() -> pl.Expr:
    """The source's (or a judge's) own level where there is one, else the one mapped from the pass rate."""
    return pl.coalesce("level", "pass_rate_level").alias("level")


def with_facts(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with every column of FACTS: null where the manifest has no stage that writes it."""
    missing = [pl.lit(None, dtype=kind).alias(name) for name, kind in FACTS.items() if name not in rows.columns]
    return rows.with_columns(missing)


def draws(ids: pl.Series, seed: int) -> pl.Series:
    """A number in [0, 1) per id, drawn by id and seed alone: equal on every machine, whatever other rows there are."""
    hexes = row_ids(ids, pl.repeat(str(seed), len(ids), eager=True))
    return (hexes.str.slice(0, 13).str.to_integer(base=16) / 16**13).alias("draw")


def to_arrow(rows: pl.DataFrame, schema: pa.Schema) -> pa.Table:
    """The rows in exactly this schema: columns picked, ordered and cast; what is missing becomes null.

    polars writes large strings and Null columns of its own accord, and one such shard breaks `load_dataset`.
    """
    arrow = rows.to_arrow()
    columns = [
        arrow.column(f.name).cast(f.type) if f.name in arrow.column_names else pa.nulls(rows.height, f.type)
        for f in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def empty(schema: pa.Schema) -> pl.DataFrame:
    """No rows, the right columns."""
    frame = pl.from_arrow(schema.empty_table())
    assert isinstance(frame, pl.DataFrame)
    return frame
