"""One table of two versions side by side, rows met by their ids: which came, which went, which hold other values."""

import polars as pl

from curate.version import Version, VersionError

KEYS = (("chosen_id", "rejected_id"), ("id",), ("uuid",))
"""What tells the rows of a table apart: the first of these that it has."""

_SCALARS = (pl.String, pl.Boolean, pl.Int32, pl.Int64, pl.Float64)

_LONG = ("problem", "solution", "answer")
"""Texts of problems, compared by a hash: two of them side by side would fill the memory."""

_UNREAD = ("reasoning", "response")


def table_of(version: Version, name: str) -> pl.LazyFrame | None:
    """The table, where the version has it."""
    return version.table(name) if name in version.lock["tables"] else None


def only_in(version: Version, other: Version, table: str) -> pl.LazyFrame:
    """Keys of the rows that the other version lacks, in order."""
    rows, theirs = table_of(version, table), table_of(other, table)
    if rows is None:
        return pl.LazyFrame(schema={"id": pl.String})
    key = key_of(rows)
    keys = rows.select(key)
    if theirs is None or key_of(theirs) != key:
        return keys
    return keys.join(theirs.select(key), on=list(key), how="anti", maintain_order="left")


def moved(before: Version, after: Version, name: str, column: str, kept: tuple[str, ...]) -> pl.LazyFrame:
    """Rows of both versions whose value of one column differs: the kept columns, `before`, `after`."""
    nothing = pl.LazyFrame(schema=dict.fromkeys((*kept, "before", "after"), pl.String))
    both = _both(before, after, name)
    if both is None or any(column not in side.collect_schema() for side in both[:2]):
        return nothing
    old = both[0].select(*both[2], before=column)
    new = both[1].select(*kept, after=column)
    joined = new.join(old, on=list(both[2]), how="inner", maintain_order="left")
    return joined.filter(pl.col("before").ne_missing(pl.col("after"))).select(*kept, "before", "after")


def changed(before: Version, after: Version, name: str) -> dict[str, int]:
    """By column, of how many rows of both versions the value differs."""
    both = _both(before, after, name)
    if both is None:
        return {}
    old, new, key = both
    schemas = old.collect_schema(), new.collect_schema()
    columns = [
        column
        for column, kind in schemas[1].items()
        if kind in _SCALARS and schemas[0].get(column) == kind and column not in (*key, *_UNREAD)
    ]
    sides = [side.select(*key, *map(_comparable, columns)) for side in (old, new)]
    joined = sides[1].join(sides[0], on=list(key), how="inner", suffix=":old")
    differ = [pl.col(column).ne_missing(pl.col(f"{column}:old")).sum().alias(column) for column in columns]
    counts = joined.select(differ).collect(engine="streaming").row(0, named=True) if columns else {}
    return {column: n for column, n in counts.items() if n}


def key_of(rows: pl.LazyFrame) -> tuple[str, ...]:
    """What tells the rows of a table apart.

    Raises:
        VersionError: it has no column of ids.
    """
    columns = set(rows.collect_schema().names())
    for key in KEYS:
        if columns.issuperset(key):
            return key
    raise VersionError(f"rows without an id cannot be compared; there are: {', '.join(sorted(columns))}")


def _both(before: Version, after: Version, name: str) -> tuple[pl.LazyFrame, pl.LazyFrame, tuple[str, ...]] | None:
    """The table of both versions, and what tells its rows apart; None if one has none."""
    old, new = table_of(before, name), table_of(after, name)
    if old is None or new is None or key_of(old) != key_of(new):
        return None
    return old, new, key_of(new)


def _comparable(column: str) -> pl.Expr:
    return pl.col(column).hash().alias(column) if column in _LONG else pl.col(column)
