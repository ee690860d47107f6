"""Two versions compared by stable ids: rows that came and went, verdicts that flipped, counts that shifted, and why.

Replies are never read: what a rollout says stands in its `text_hash`, what a problem asks in its `content_hash`.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from curate.changes.beside import changed, key_of, moved, only_in, table_of
from curate.changes.drift import Change, recipe_changes, world_changes
from curate.changes.shifts import Shift, counts_of, shifts
from curate.version import Version, VersionError

MOST_FLIPS = 20
"""Flips that are shown one by one; `Diff.flips` has all."""

_CHANGE = {"table": pl.String, "change": pl.String, "id": pl.String, "before": pl.String, "after": pl.String}


@dataclass(frozen=True)
class TableDiff:
    """What became of one table's rows."""

    name: str
    before: int
    after: int
    added: int
    removed: int
    changed: dict[str, int]
    """By column: rows of both versions whose value differs."""
    why: dict[str, int]
    """Of the rows that a view lost: by reason, how many."""


@dataclass(frozen=True, repr=False)
class Diff:
    """What differs between two versions. `.text()` is for people, Jupyter draws it, the rest is frames.

    `.tables`, `.shifts`, `.recipe` and `.world` are what the text tells; `.added("sft")` and `.removed("sft")` are the
    keys of rows, `.flips` the rollouts whose verdict is another, `.changes` all of it as one lazy frame.
    """

    before: Version
    after: Version

    @property
    def same(self) -> bool:
        """Whether both hold the same rows."""
        return self.before.digest == self.after.digest

    @cached_property
    def tables(self) -> dict[str, TableDiff]:
        """Problems, rollouts and every view of either version, by name."""
        return {name: self._table(name) for name in self._names}

    @cached_property
    def shifts(self) -> list[Shift]:
        """Every column of problems, rollouts and views whose counts moved."""
        return [
            shift
            for name in self._names
            if self._touched(name)
            for shift in shifts(name, table_of(self.before, name), table_of(self.after, name))
        ]

    @cached_property
    def recipe(self) -> list[Change]:
        """What the manifests say differently."""
        return recipe_changes(self.before.lock, self.after.lock)

    @cached_property
    def world(self) -> list[Change]:
        """What no manifest says: contents of sources, the teacher's revision, libraries."""
        return world_changes(self.before.lock, self.after.lock)

    @cached_property
    def flips(self) -> pl.DataFrame:
        """Rollouts of both versions whose verdict is another: `id`, `problem_id`, `before`, `after`."""
        if not self._touched("rollouts"):
            return pl.DataFrame(schema=dict.fromkeys(("id", "problem_id", "before", "after"), pl.String))
        return moved(self.before, self.after, "rollouts", "verdict", ("id", "problem_id")).collect()

    @cached_property
    def flip_counts(self) -> dict[tuple[str, str], int]:
        """How many verdicts went from what to what, most first."""
        named = self.flips.select(pl.col("before", "after").fill_null("none"))
        counts = (
            named.group_by("before", "after")
            .len("rows")
            .sort("rows", "before", "after", descending=[True, False, False])
        )
        return {(before, after): rows for before, after, rows in counts.iter_rows()}

    def added(self, table: str) -> pl.LazyFrame:
        """Keys of the rows that only the later version has, in its order."""
        return only_in(self.after, self.before, table)

    def removed(self, table: str) -> pl.LazyFrame:
        """Keys of the rows that only the earlier version has, in its order."""
        return only_in(self.before, self.after, table)

    @property
    def changes(self) -> pl.LazyFrame:
        """Rows that came or went, verdicts and fates that are others: `table`, `change`, `id`, `before`, `after`."""
        frames = [pl.LazyFrame(schema=_CHANGE)]
        for name in filter(self._touched, self._names):
            for change, keys in (("added", self.added(name)), ("removed", self.removed(name))):
                frames.append(_as_changes(name, change, keys))
        for name, column in (("rollouts", "verdict"), ("rollouts", "drop_reason"), ("problems", "drop_reason")):
            if self._touched(name):
                other = moved(self.before, self.after, name, column, ("id",))
                frames.append(
                    other.select(table=pl.lit(name), change=pl.lit(column), id="id", before="before", after="after")
                )
        return pl.concat(frames)

    def text(self) -> str:
        """For people: what differs, and what made the difference."""
        from curate.look.diff import diff_text

        return diff_text(self)

    def write(self, file: Path) -> None:
        """Writes the report (`.md`), or every changed row (`.parquet`). The file appears whole.

        Raises:
            VersionError: the file's name ends in neither.
        """
        from curate.look.diff import write_diff

        write_diff(self, file)

    def _repr_html_(self) -> str:
        from curate.look.diff import diff_html

        return diff_html(self)

    def __repr__(self) -> str:
        return self.text()

    @cached_property
    def _names(self) -> list[str]:
        tables = dict.fromkeys([*self.after.lock["tables"], *self.before.lock["tables"]])
        first = ["problems", "rollouts"]
        return first + [name for name in tables if name not in (*first, "ledger", "funnel")]

    def _touched(self, table: str) -> bool:
        """Whether the table's rows differ at all: equal digests need no reading."""
        sides = [version.lock["tables"].get(table, {}) for version in (self.before, self.after)]
        digests = [{split: part["digest"] for split, part in side.items()} for side in sides]
        return digests[0] != digests[1]

    def _table(self, name: str) -> TableDiff:
        before, after = (_rows(version, name) for version in (self.before, self.after))
        if not self._touched(name):
            return TableDiff(name, before, after, 0, 0, {}, {})
        added, removed = (_height(keys) for keys in (self.added(name), self.removed(name)))
        others = changed(self.before, self.after, name)
        return TableDiff(name, before, after, added, removed, others, self._why(name) if removed else {})

    def _why(self, view: str) -> dict[str, int]:
        """Why the later version leaves out what the earlier view had."""
        gone, own = self.removed(view), ("id",)
        after = table_of(self.after, view)
        if view in ("problems", "rollouts") or key_of(self.before.table(view)) != own:
            return {}
        if after is not None and key_of(after) != own:  # the same rows in another format, perhaps
            return {}
        left_out = (
            self.after.table("ledger").filter(pl.col("stage") == f"views.{view}").select("id", view_reason="reason")
        )
        unit = "problems" if view == "rl" else "rollouts"
        fates = self.after.table(unit).select("id", "drop_reason", there=True)
        told = gone.join(left_out, on="id", how="left").join(fates, on="id", how="left")
        nowhere = pl.when(pl.col("there").is_null()).then(pl.lit(f"not among its {unit}"))
        reason = pl.coalesce("view_reason", "drop_reason", nowhere, pl.lit("other"))
        return counts_of(told.select(value=reason))


def compare(before: Version, after: Version) -> Diff:
    """What differs between two versions; nothing is read before it is asked for.

    Raises:
        VersionError: one of them is none that can be compared: its lock names no tables.
    """
    for version in (before, after):
        if not isinstance(version.lock.get("tables"), dict):
            raise VersionError(f"{version.path}: its lock names no tables")
    return Diff(before, after)


def _as_changes(table: str, change: str, keys: pl.LazyFrame) -> pl.LazyFrame:
    names = keys.collect_schema().names()
    nothing = pl.lit(None, pl.String)
    joined = pl.concat_str(names, separator=" ")
    return keys.select(table=pl.lit(table), change=pl.lit(change), id=joined, before=nothing, after=nothing)


def _rows(version: Version, table: str) -> int:
    return sum(part["rows"] for part in version.lock["tables"].get(table, {}).values())


def _height(rows: pl.LazyFrame) -> int:
    return int(rows.select(pl.len()).collect(engine="streaming").item())
