"""What differs between two versions, as text, Markdown, HTML or rows: one report, told three ways."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from curate.changes.compare import MOST_FLIPS, Diff, TableDiff
from curate.changes.shifts import Shift
from curate.look.page import fragment
from curate.look.prose import plain, seen
from curate.look.show import text_table
from curate.share import markdown
from curate.version import VersionError

MOST_VALUES = 12
"""Values of a column that are shown; the others are counted together."""
BAR_CELLS = 16

Row = tuple[str | int, ...]


@dataclass(frozen=True)
class _Section:
    title: str
    header: tuple[str, ...]
    rows: list[Row]
    note: str = ""


def diff_text(diff: Diff) -> str:
    """For a terminal."""
    blocks = [_headline(diff)]
    for section in _sections(diff):
        cells = [
            tuple(f"{c:,}" if isinstance(c, int) else " ".join(seen(c).split()) for c in row) for row in section.rows
        ]
        table = text_table(section.header, cells) if cells else ""
        blocks.append("\n".join(part for part in (section.title, table, section.note) if part))
    return "\n\n".join(blocks)


def diff_markdown(diff: Diff) -> str:
    """For a pull request or a card: foreign text in it cannot become structure."""
    blocks = [f"# {markdown.plain(_headline(diff))}"]
    for section in _sections(diff):
        blocks.append(f"## {markdown.plain(section.title)}")
        blocks += [markdown.table(section.header, section.rows)] if section.rows else []
        blocks += [markdown.plain(section.note)] if section.note else []
    return "\n\n".join(blocks) + "\n"


def diff_html(diff: Diff) -> str:
    """For Jupyter."""
    body = [f"<h1>{plain(_headline(diff))}</h1>"]
    for section in _sections(diff):
        body.append(f"<h2>{plain(section.title)}</h2>")
        body.append(_html_table(section) if section.rows else "")
        body.append(f"<p>{plain(section.note)}</p>" if section.note else "")
    return fragment("".join(body))


def write_diff(diff: Diff, file: Path) -> None:
    """The report (`.md`) or every changed row (`.parquet`), written aside and renamed.

    Raises:
        VersionError: the file's name ends in neither.
    """
    if file.suffix not in (".md", ".parquet"):
        raise VersionError(f"{file}: a diff is written as .md (the report) or .parquet (every changed row)")
    handle, aside = tempfile.mkstemp(prefix=".diff-", dir=file.absolute().parent)
    os.close(handle)
    try:
        if file.suffix == ".md":
            Path(aside).write_text(diff_markdown(diff), encoding="utf-8")
        else:
            diff.changes.sink_parquet(aside)
        Path(aside).chmod(0o644)
        Path(aside).replace(file)
    finally:
        Path(aside).unlink(missing_ok=True)


def _headline(diff: Diff) -> str:
    said = "the same rows" if diff.same else "what differs"
    return f"{diff.before.name} -> {diff.after.name}: {said}"


def _sections(diff: Diff) -> Iterator[_Section]:
    yield from _causes(diff)
    if diff.same:
        return
    yield _Section("Rows", ("table", "before", "after", "added", "removed"), [_sizes(t) for t in diff.tables.values()])
    yield from _left(diff.tables)
    yield from _flips(diff)
    changed = [(t.name, column, rows) for t in diff.tables.values() for column, rows in t.changed.items()]
    if changed:
        yield _Section("Values of rows that both have", ("table", "column", "rows that differ"), list(changed))
    for shift in diff.shifts:
        yield _shifted(shift)


def _causes(diff: Diff) -> Iterator[_Section]:
    for title, found in (("What the manifests say", diff.recipe), ("Sources, teacher, libraries", diff.world)):
        if found:
            yield _Section(title, ("key", "before", "after"), [change.cells() for change in found])
    if not diff.recipe and not diff.world and not diff.same:
        yield _Section("Cause", (), [], "Manifests, sources and libraries are equal: stages, or replies, are others.")


def _sizes(table: TableDiff) -> Row:
    return table.name, table.before, table.after, table.added, table.removed


def _left(tables: dict[str, TableDiff]) -> Iterator[_Section]:
    rows = [(t.name, reason, n) for t in tables.values() for reason, n in t.why.items()]
    if rows:
        yield _Section("Why rows left a view", ("view", "reason", "rows"), list(rows))


def _flips(diff: Diff) -> Iterator[_Section]:
    if not diff.flip_counts:
        return
    counts: list[Row] = [(before, after, rows) for (before, after), rows in diff.flip_counts.items()]
    yield _Section("Verdicts that flipped", ("before", "after", "rollouts"), counts)
    some: list[Row] = [
        (row, before or "none", after or "none")
        for row, before, after in diff.flips.head(MOST_FLIPS).select("id", "before", "after").iter_rows()
    ]
    rest = diff.flips.height - len(some)
    note = f"and {rest:,} more (curate explain ID tells the story of one)" if rest else "curate explain ID tells of one"
    yield _Section("Rollouts whose verdict flipped", ("rollout", "before", "after"), some, note)


def _shifted(shift: Shift) -> _Section:
    """Counts with bars, the longest full; values beyond the first few together."""
    counts = list(shift.counts[:MOST_VALUES])
    if rest := shift.counts[MOST_VALUES:]:
        counts.append((f"{len(rest):,} others", sum(b for _, b, _ in rest), sum(a for _, _, a in rest)))
    most = max(max(before, after) for _, before, after in counts)
    rows: list[Row] = [(v, before, _bar(before, most), after, _bar(after, most)) for v, before, after in counts]
    return _Section(f"{shift.table}: {shift.column}", (shift.column, "before", "", "after", ""), rows)


def _bar(count: int, most: int) -> str:
    # A count that is not nothing shows: an eighth of a cell at least.
    eighths = max(round(BAR_CELLS * 8 * count / most), 1) if count else 0
    return ("█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8]).strip()


def _html_table(section: _Section) -> str:
    head = "".join(f"<th>{plain(name)}</th>" for name in section.header)
    lines = [
        "".join(f'<td class="n">{c:,}</td>' if isinstance(c, int) else f"<td>{plain(c)}</td>" for c in row)
        for row in section.rows
    ]
    return (
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(f'<tr>{line}</tr>' for line in lines)}</tbody></table>"
    )
