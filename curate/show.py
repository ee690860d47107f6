"""Versions as text: the funnel, the list, the story of one row."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from curate.share.spending import SPENDING, spending_notes, spending_rows
from curate.version import Version, VersionError, datasets, versions

RESERVED = ("problems", "rollouts", "ledger", "funnel")
"""Tables of every version; the others are its views."""


def summary(version: Version) -> str:
    """Funnel, rollouts and their cost, views and place of a version."""
    lock = version.lock
    blocks = [
        f"{version.name}   {version.path}\ndigest {version.digest}, made by cotillion {lock['libraries']['cotillion']}",
        funnel_text(lock["funnel"]),
        *([_spending(lock["rollouts"])] if lock.get("rollouts") else []),
        text_table(("view", "train", "heldout"), [_view_row(name, lock["tables"][name]) for name in views(version)]),
        f"open it: curate.open({version.name!r}), datasets.load_dataset({str(version.path)!r}, NAME)",
    ]
    return "\n\n".join(blocks)


def funnel_text(funnel: list[dict[str, Any]]) -> str:
    """The funnel as a table: in, kept, dropped by reason."""
    return text_table(("stage", "unit", "in", "kept", "dropped"), [_funnel_row(entry) for entry in funnel])


def views(version: Version) -> list[str]:
    """Names of the version's views."""
    return [name for name in version.lock["tables"] if name not in RESERVED]


def version_list(root: Path) -> str:
    """One line per version under the root."""
    rows = []
    for name in datasets(root):
        for version in versions(root, name):
            tables = version.lock["tables"]
            sizes = ", ".join(f"{view} {_rows(tables[view]):,}" for view in views(version))
            rows.append((version.name, f"{_rows(tables['problems']):,}", f"{_rows(tables['rollouts']):,}", sizes))
    if not rows:
        return f"no versions under {root} yet: curate build -m MANIFEST makes one"
    return text_table(("version", "problems", "rollouts", "views"), rows)


def story(places: Sequence[Version], row: str) -> str:
    """All that is known of one problem or rollout, in the order in which it happened.

    Args:
        row: an id or how it begins, a problem's `source_id`, or the place of a row that could not be read.

    Raises:
        VersionError: no row in any of these versions, or several.
    """
    by_id, by_source = pl.col("id").str.starts_with(row), pl.col("source_id") == row
    for version in places:
        for table, named in (("problems", by_id | by_source.fill_null(False)), ("rollouts", by_id)):
            found = version.table(table).filter(named).head(2).collect()
            if found.height > 1:
                raise VersionError(f"{version.name}: several {table} are named {row!r}; give the whole id")
            if found.height:
                return _story(version, table, found.row(0, named=True))
        refused = version.table("ledger").filter((pl.col("id") == row) & (pl.col("unit") == "rows")).collect()
        for entry in refused.iter_rows(named=True):
            return f"{row} could not be read by {entry['stage']} of {version.name}: {entry['reason']}"
    looked = ", ".join(version.name for version in places) or "no version"
    raise VersionError(
        f"no problem or rollout {row!r} (looked in {looked}). Ids stand in the column `id` of every table"
    )


def _spending(bills: list[dict[str, Any]]) -> str:
    """What teachers took, and what each number comes from."""
    lines = [text_table(SPENDING, spending_rows(bills))]
    for bill in bills:
        run = f"the run that made it asked for {bill['asked']:,} and had {bill['reused']:,} already"
        lines += [f"  {bill['teacher']}: {note}" for note in (*spending_notes(bill), run)]
    return "\n".join(lines)


def _story(version: Version, table: str, facts: dict[str, Any]) -> str:
    lines = [f"{table[:-1]} {facts['id']} in {version.name}"]
    lines += [f"  {name:<18} {_short(value)}" for name, value in facts.items() if name != "id" and value is not None]
    left_out = version.table("ledger").filter(pl.col("id") == facts["id"]).collect()
    lines += [f"  {stage}: dropped, {reason}" for stage, reason in left_out.select("stage", "reason").iter_rows()]
    for view in views(version):
        lines += [f"  {view} ({split}): {count} row(s)" for split, count in _appearances(version, view, facts["id"])]
    if table == "problems":
        fields = ("id", "teacher", "finish_reason", "verdict", "extracted_answer", "drop_reason")
        rollouts = version.table("rollouts").filter(pl.col("problem_id") == facts["id"])
        named = [name for name in fields if name in rollouts.collect_schema().names()]
        rows = [tuple(_short(value) for value in row) for row in rollouts.select(named).collect().iter_rows()]
        lines += ["", text_table(tuple(named), rows)] if rows else ["  no rollouts"]
    return "\n".join(lines)


def _appearances(version: Version, view: str, row: str) -> list[tuple[str, int]]:
    """Rows of a view, by split, in which a problem or rollout stands."""
    found = []
    for split in version.lock["tables"][view]:
        rows = version.table(view, split)
        columns = [c for c in ("id", "problem_id", "chosen_id", "rejected_id") if c in rows.collect_schema().names()]
        count = rows.filter(pl.any_horizontal(pl.col(columns) == row)).select(pl.len()).collect().item()
        found += [(split, count)] if count else []
    return found


def _funnel_row(entry: dict[str, Any]) -> tuple[str, ...]:
    reasons = ", ".join(f"{drop['reason']} {drop['rows']:,}" for drop in entry["dropped"])
    return entry["stage"], entry["unit"], f"{entry['seen']:,}", f"{entry['kept']:,}", reasons or "-"


def _view_row(name: str, splits: dict[str, Any]) -> tuple[str, ...]:
    return name, f"{splits['train']['rows']:,}", f"{splits.get('heldout', {'rows': 0})['rows']:,}"


def _rows(splits: dict[str, Any]) -> int:
    return sum(split["rows"] for split in splits.values())


def _short(value: Any, limit: int = 300) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= limit else f"{text[:limit]} ... ({len(text):,} characters)"


def text_table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Columns padded to their widest cell, numbers to the right."""
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    numeric = [all(row[i].replace(",", "").isdigit() for row in rows) for i in range(len(header))]
    lines = []
    for row in (header, *rows):
        cells = [c.rjust(w) if n else c.ljust(w) for c, w, n in zip(row, widths, numeric, strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
