"""Versions as text: the funnel, the list."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curate.share.spending import SPENDING, spending_notes, spending_rows
from curate.version import Version, datasets, versions

RESERVED = ("problems", "rollouts", "ledger", "funnel")
"""Tables of every version; the others are its views."""


def summary(version: Version) -> str:
    """Funnel, rollouts and their cost, views and place of a version."""
    from curate.look.advice import advice  # not above: lists of versions do without polars

    lock = version.lock
    blocks = [
        f"{version.name}   {version.path}\ndigest {version.digest}, made by cotillion {lock['libraries']['cotillion']}",
        funnel_text(lock["funnel"]),
        *([_spending(lock["rollouts"])] if lock.get("rollouts") else []),
        text_table(("view", "train", "heldout"), [_view_row(name, lock["tables"][name]) for name in views(version)]),
        *advice(version),
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


def _spending(bills: list[dict[str, Any]]) -> str:
    """What teachers took, and what each number comes from."""
    lines = [text_table(SPENDING, spending_rows(bills))]
    for bill in bills:
        run = f"{bill['stage']}: the run that made it asked for {bill['asked']:,} and had {bill['reused']:,} already"
        lines += [f"  {note}" for note in (*spending_notes(bill), run)]
    return "\n".join(lines)


def _funnel_row(entry: dict[str, Any]) -> tuple[str, ...]:
    reasons = ", ".join(f"{drop['reason']} {drop['rows']:,}" for drop in entry["dropped"])
    return entry["stage"], entry["unit"], f"{entry['seen']:,}", f"{entry['kept']:,}", reasons or "-"


def _view_row(name: str, splits: dict[str, Any]) -> tuple[str, ...]:
    return name, f"{splits['train']['rows']:,}", f"{splits.get('heldout', {'rows': 0})['rows']:,}"


def _rows(splits: dict[str, Any]) -> int:
    return sum(split["rows"] for split in splits.values())


def text_table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Columns padded to their widest cell, numbers to the right."""
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    numeric = [all(row[i].replace(",", "").isdigit() for row in rows) for i in range(len(header))]
    lines = []
    for row in (header, *rows):
        cells = [c.rjust(w) if n else c.ljust(w) for c, w, n in zip(row, widths, numeric, strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
