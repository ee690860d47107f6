"""A report as blocks, written as Markdown and as one static page: no script, foreign text shown as it is."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from curate.look import page, panels, prose
from curate.share import markdown


@dataclass(frozen=True)
class Heading:
    """A section begins."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Text:
    """A paragraph; anyone's text."""

    text: str


@dataclass(frozen=True)
class Items:
    """A list of lines; anyone's text."""

    lines: Sequence[str]


@dataclass(frozen=True)
class Table:
    """Cells are shown as text, whole numbers to the right."""

    header: Sequence[str]
    rows: Sequence[Sequence[object]]


@dataclass(frozen=True)
class Code:
    """Text as it was written: commands, rollouts."""

    text: str


@dataclass(frozen=True)
class Picture:
    """A PNG beside the report."""

    file: Path
    alt: str


_NUMBER = re.compile(r"[-+\d][-+.,\d ]*|\[[-+.,\d ]+\]|", re.ASCII)
"""Numbers, pairs of bounds, and nothing: what needs no escape in Markdown."""

Block = Heading | Text | Items | Table | Code | Picture


def as_markdown(blocks: Sequence[Block]) -> str:
    """The report in Markdown."""
    return "\n\n".join(map(_markdown, blocks)) + "\n"


def as_html(title: str, blocks: Sequence[Block]) -> str:
    """The report as one page, its pictures within it."""
    return page.page(title, "\n".join(map(_html, blocks)))


def _markdown(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * level} {markdown.plain(text)}"
        case Text(text):
            return markdown.plain(text)
        case Items(lines):
            return "\n".join(f"- {markdown.plain(line)}" for line in lines)
        case Table(header, rows):
            return _table(header, rows)
        case Code(text):
            return markdown.fenced(text)
        case Picture(file, alt):
            return f"![{markdown.plain(alt)}]({file.name})"


def _table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """As curate.share.markdown.table, but numbers with their signs and bounds stay readable in the source."""
    cells = [[_cell(cell) for cell in row] for row in rows]
    numeric = [bool(column) and all(map(_NUMBER.fullmatch, column)) for column in zip(*cells, strict=True)]
    rule = ["---:" if number else "---" for number in numeric or [False] * len(header)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (list(map(_cell, header)), rule, *cells))


def _cell(cell: object) -> str:
    text = f"{cell:,}" if isinstance(cell, int) else str(cell)
    return text if _NUMBER.fullmatch(text) or re.fullmatch(r"avg@\d+", text) else markdown.plain(text)


def _html(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"<h{level}>{prose.brief(text)}</h{level}>"
        case Text(text):
            return f"<p>{prose.plain(text)}</p>"
        case Items(lines):
            return f"<ul>{''.join(f'<li>{prose.plain(line)}</li>' for line in lines)}</ul>"
        case Table(header, rows):
            return panels.table(header, rows)
        case Code(text):
            return f"<pre>{prose.plain(text)}</pre>"
        case Picture(file, alt):
            data = base64.b64encode(file.read_bytes()).decode()
            return f'<p><img src="data:image/png;base64,{data}" alt="{prose.brief(alt)}" style="max-width:100%"></p>'
