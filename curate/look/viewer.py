"""A version as static HTML pages: `curate view v3`. No script, no address outside; written aside, then renamed."""

import itertools
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from curate.look.overview import Place, link_lists, list_page, overview
from curate.look.page import page
from curate.look.panels import problem_panel
from curate.look.picking import Picked, pick
from curate.look.prose import brief, one_line
from curate.look.rows import Shown, shown
from curate.progress import Steps
from curate.version import Version

PER_PAGE = 50
PAGE_BYTES = 1_900_000
"""A page ends before it is larger: with its frame it stays under 2 MB."""
MOST_ROLLOUTS = 16
READ_AT_ONCE = 200
BEGINNING = 90
"""Characters of a problem that a list shows."""
MARK = ".cotillion-site"
"""Lies in every folder that a site was written to: only such a folder is ever replaced."""


class SiteError(ValueError):
    """The folder holds something that is not a site of ours."""


@dataclass(frozen=True)
class Site:
    """What was written."""

    index: Path
    problems: int
    pages: int


@dataclass(frozen=True)
class Panel:
    """One problem as HTML."""

    row: str
    begins: str
    html: str


def write_site(version: Version, out: Path, steps: Steps, problems: int = 500, all_: bool = False) -> Site:
    """The version as pages under `out`; whatever site was there is replaced once the new one is whole.

    Raises:
        SiteError: `out` is there and is no site of ours.
    """
    if out.exists() and not (out / MARK).is_file() and (not out.is_dir() or any(out.iterdir())):
        raise SiteError(f"{out} is there already and is no site that `curate view` wrote: name another folder (--out)")
    with steps.step(f"reading {version.name}", None, "problems") as done:
        picked = pick(version, problems, all_)
        done(len(picked.ids))
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        pages = _written(version, picked, aside, steps)
        aside.chmod(0o755)
        (aside / MARK).write_text(f"{version.name}\n", encoding="utf-8")
        former = aside.with_name(f"{aside.name}.former")
        if out.exists():
            out.rename(former)
        aside.rename(out)
        shutil.rmtree(former, ignore_errors=True)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return Site((out / "index.html").absolute(), len(picked.ids), pages)


def _written(version: Version, picked: Picked, folder: Path, steps: Steps) -> int:
    """Writes all pages; returns how many hold problems."""
    (folder / "problems").mkdir()
    places: dict[str, Place] = {}
    number = 0
    with steps.step("pages", len(picked.ids), "problems") as done:
        for number, panels, last in _numbered(_pages(version, picked.ids)):
            name = f"problems/{number:04}.html"
            places |= {p.row: Place(f"../{name}#p{i}", p.row, p.begins) for i, p in enumerate(panels, start=1)}
            around = _around(number, last)
            body = [f"<h1>{brief(version.name)}, page {number}</h1>", around, *(p.html for p in panels), around]
            _write(folder / name, f"page {number} of {version.name}", "".join(body))
            done(len(panels))
    (folder / "lists").mkdir()
    lists: dict[tuple[str, ...], str] = {}
    for key, title, ids in link_lists(picked):
        lists[key] = f"lists/{len(lists) + 1:04}.html"
        there = [places[row] for row in ids if row in places]
        _write(folder / lists[key], f"{title} in {version.name}", list_page(title, there))
    _write(folder / "index.html", version.name, overview(version, picked, lists, number))
    return number


def _numbered(pages: Iterator[list[Panel]]) -> Iterator[tuple[int, list[Panel], bool]]:
    """Every page with its number, and whether it is the last."""
    ahead = itertools.chain(pages, [None])
    for number, (panels, following) in enumerate(itertools.pairwise(ahead), start=1):
        assert panels is not None
        yield number, panels, following is None


def _around(number: int, last: bool) -> str:
    links = ['<a href="../index.html">overview</a>']
    links += [f'<a href="{number - 1:04}.html" rel="prev">← page {number - 1}</a>'] if number > 1 else []
    links += [f'<a href="{number + 1:04}.html" rel="next">page {number + 1} →</a>'] if not last else []
    return f'<nav aria-label="pages">{"".join(links)}</nav>'


def _pages(version: Version, ids: Sequence[str]) -> Iterator[list[Panel]]:
    """Panels by page."""
    page_: list[Panel] = []
    size = 0
    count = itertools.count(1)
    for start in range(0, len(ids), READ_AT_ONCE):
        for one in shown(version, ids[start : start + READ_AT_ONCE], MOST_ROLLOUTS):
            number = next(count)
            panel = _fitting(one, len(page_) + 1, number)
            if page_ and (len(page_) == PER_PAGE or size + len(panel.encode()) > PAGE_BYTES):
                yield page_
                page_, size = [], 0
                panel = _fitting(one, 1, number)
            begins = one_line(one.problem.get("problem") or "")[:BEGINNING]
            page_.append(Panel(one.problem["id"], begins, panel))
            size += len(panel.encode())
    if page_:
        yield page_


def _fitting(one: Shown, place: int, number: int) -> str:
    """The problem's panel, with fewer rollouts where it would be larger than a page."""
    panel = problem_panel(one, f"p{place}", number)
    while len(panel.encode()) > PAGE_BYTES and one.rollouts:
        half = len(one.rollouts) // 2
        one = replace(one, rollouts=one.rollouts[:half], hidden=one.hidden + len(one.rollouts) - half)
        panel = problem_panel(one, f"p{place}", number)
    return panel


def _write(file: Path, title: str, body: str) -> None:
    file.write_text(page(title, body), encoding="utf-8")
