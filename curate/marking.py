"""Marks joined to their rows: facts as columns, and the fate of each row. Joins are by id, never by row position."""

from typing import Any

import polars as pl

NO_DROPS = pl.DataFrame(schema={"id": pl.String, "drop": pl.String})

KEPT = pl.col("drop_reason").is_null()

NO_FATE = (pl.lit(None, pl.String).alias("dropped_by"), pl.lit(None, pl.String).alias("drop_reason"))


def columns_for(rows: pl.DataFrame, stage: Any) -> list[str]:
    """What the stage reads and the rows have, `id` first."""
    return [c for c in dict.fromkeys(("id", *stage.reads)) if c in rows.columns]


def marked(rows: pl.DataFrame, marks: pl.DataFrame, stage: str) -> pl.DataFrame:
    """The rows with the marks joined by id; a later one that is not null replaces an earlier one of its name."""
    facts = [c for c in marks.columns if c not in ("id", "drop")]
    joined = rows.join(marks, on="id", how="left", maintain_order="left", suffix=":new")
    again = [c for c in facts if c in rows.columns]
    dropped = pl.col("drop").is_not_null()
    return joined.with_columns(
        *(pl.coalesce(f"{c}:new", c).alias(c) for c in again),
        dropped_by=pl.when(dropped).then(pl.lit(stage)).otherwise("dropped_by"),
        drop_reason=pl.coalesce("drop_reason", "drop"),
    ).drop("drop", *(f"{c}:new" for c in again))
