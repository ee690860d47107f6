"""How often values stand in a table, before and after: difficulty, domain, length, teacher, source, verdict."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

COUNTED = ("source", "domain", "level", "teacher", "verdict", "drop_reason")

_EDGES = (0, 500, 1000, 2000, 4000, 8000, 16_000, 32_000)


@dataclass(frozen=True)
class Shift:
    """How often each value of a column stands in a table."""

    table: str
    column: str
    counts: tuple[tuple[str, int, int], ...]
    """Value, rows before, rows after; the most frequent first."""


def shifts(table: str, before: pl.LazyFrame | None, after: pl.LazyFrame | None) -> list[Shift]:
    """Every column of the table whose counts moved; dropped rows count under `drop_reason` only."""
    found = []
    for column in (*COUNTED, "pass_rate", "length"):
        sides = [None if side is None else _values(side, column) for side in (before, after)]
        # A column that one version's format has not is no value that its rows have lost.
        if any(side is not None and values is None for side, values in zip((before, after), sides, strict=True)):
            continue
        counts = [{} if values is None else counts_of(values) for values in sides]
        values = _sorted(column, counts)
        # One value alone only says again how many rows there are.
        if counts[0] != counts[1] and len(values) > 1:
            found.append(Shift(table, column, tuple((v, counts[0].get(v, 0), counts[1].get(v, 0)) for v in values)))
    return found


def _values(rows: pl.LazyFrame, column: str) -> pl.LazyFrame | None:
    """The column as `value`, numbers as bands, None if there is none. Of dropped rows `drop_reason` alone."""
    schema = rows.collect_schema()
    if "drop_reason" in schema and column != "drop_reason":
        rows = rows.filter(pl.col("drop_reason").is_null())
    if column == "length":
        value = _length_band(schema)
    elif column == "pass_rate" and schema.get("pass_rate") == pl.Float64:
        tenth = (pl.col("pass_rate") * 10).floor().clip(0, 9).cast(pl.Int64)
        value = pl.format("0.{} to {}", tenth, ((tenth + 1) / 10).round(1))
    elif column == "level" and "pass_rate_level" in schema:
        value = pl.coalesce("level", "pass_rate_level")
    else:
        value = pl.col(column) if schema.get(column) == pl.String else None
    return None if value is None else rows.select(value=value)


def _length_band(schema: Mapping[str, pl.DataType]) -> pl.Expr | None:
    """Tokens where the row has them, else characters; which of them is said in the band."""
    if "chosen_length" in schema:
        return _band(pl.col("chosen_length"), pl.lit("of chosen"))
    if "completion_tokens" not in schema:
        return None
    has_tokens = pl.col("completion_tokens") > 0
    chars = "completion_chars" if "completion_chars" in schema else "reasoning_chars"
    length = pl.when(has_tokens).then("completion_tokens").otherwise(chars)
    return _band(length, pl.when(has_tokens).then(pl.lit("tokens")).otherwise(pl.lit("characters")))


def _band(length: pl.Expr, unit: pl.Expr) -> pl.Expr:
    names = [f"{low:,} to {high:,}" for low, high in pairwise(_EDGES)]
    above = pl.when(length >= _EDGES[-1]).then(pl.lit(f"{_EDGES[-1]:,} and more"))
    within = [
        pl.when(length.is_between(*ends, closed="left")).then(pl.lit(name))
        for ends, name in zip(pairwise(_EDGES), names, strict=True)
    ]
    return pl.concat_str(pl.coalesce(above, *within, pl.lit("unknown")), unit, separator=" ")


def counts_of(values: pl.LazyFrame) -> dict[str, int]:
    """Rows by `value`, the most frequent first; null is `none`."""
    named = values.select(pl.col("value").fill_null("none"))
    counts = named.group_by("value").len("rows").sort("rows", "value", descending=[True, False])
    return dict(counts.collect(engine="streaming").iter_rows())


def _sorted(column: str, counts: list[dict[str, int]]) -> list[str]:
    return sorted({*counts[0], *counts[1]}, key=lambda value: _rank(column, value, counts))


def _rank(column: str, value: str, counts: list[dict[str, int]]) -> tuple[float, str]:
    """Bands from low to high; other values by how often they stand in either version."""
    if column in ("pass_rate", "length"):
        return (float(value.split(" ")[0].replace(",", "")) if value[0].isdigit() else float("inf"), value)
    return (-max(side.get(value, 0) for side in counts), value)
