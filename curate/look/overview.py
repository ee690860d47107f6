"""What a version is at one glance: funnel, views, verdicts, charts; and the lists that lead to its problems."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from curate.look.drawing import svg
from curate.look.panels import Cell, bar, bars, link, table
from curate.look.picking import Picked
from curate.look.plots import PlotError, Plots, domain_counts, length_counts, pass_rate_counts
from curate.look.prose import brief
from curate.look.show import views
from curate.version import Version

PER_LIST = 2_500
Places = Mapping[tuple[str, ...], str]
"""Where each list lies, by its kind and what it lists."""


@dataclass(frozen=True)
class Place:
    """Where a problem is shown."""

    href: str
    row: str
    begins: str


_CHARTS = {
    "pass_rate": ("Problems by pass rate", pass_rate_counts),
    "lengths": ("Rollouts by length and verdict", length_counts),
    "domains": ("Problems by domain and level", domain_counts),
}


def overview(version: Version, picked: Picked, places: Places, pages: int) -> str:
    """The body of a site's first page."""
    numbers = [str(link(f"problems/{n:04}.html", n).html) for n in range(1, pages + 1)]
    some = (
        f"{len(picked.ids):,} of {picked.of:,} problems are shown: drawn by chance, and each on which opinions differ."
    )
    which = f"All {picked.of:,} problems are shown." if len(picked.ids) == picked.of else some
    where = f'<nav aria-label="pages"><span>pages</span>{"".join(numbers)}</nav>' if numbers else ""
    return "".join(
        [
            f"<h1>{brief(version.name)}</h1>{digest_line(version)}",
            f'<p class="note">{which}</p>',
            where,
            '<h2 id="funnel">Where the rows went</h2>',
            funnel_table(version, places),
            '<div class="columns"><div><h2 id="views">Views</h2>',
            views_table(version),
            '</div><div><h2 id="verdicts">Verdicts</h2>',
            _verdicts(version),
            "</div></div>",
            _disagreements(picked, places),
            '<div class="columns">',
            *(_chart(version, name) for name in _CHARTS),
            "</div>",
            _domains(picked, places),
        ]
    )


def digest_line(version: Version) -> str:
    """What tells this version from every other, and what made it."""
    made = version.lock.get("libraries", {}).get("cotillion", "?")
    return f'<p class="facts">digest <code>{brief(version.digest)}</code> · made by cotillion {brief(made)}</p>'


def funnel_table(version: Version, places: Places) -> str:
    """Every stage and view: in, kept, and what was dropped by reason, with a link where there is a list of it."""
    rows = []
    for entry in version.lock["funnel"]:
        drops = [_drop(entry["stage"], drop, places) for drop in entry["dropped"]]
        share = Cell(bar(entry["kept"] / entry["seen"] if entry["seen"] else 0))
        dropped = Cell(" · ".join(drops))
        rows.append((entry["stage"], entry["unit"], entry["seen"], entry["kept"], share, dropped))
    return f'<div class="funnel">{table(("stage", "of", "in", "kept", "share", "dropped"), rows)}</div>'


def views_table(version: Version) -> str:
    """The views with the rows of both splits."""
    tables = version.lock["tables"]
    rows = [
        (name, *(tables[name].get(s, {"rows": 0})["rows"] for s in ("train", "heldout"))) for name in views(version)
    ]
    return table(("view", "train", "heldout"), rows)


def link_lists(picked: Picked) -> Iterator[tuple[tuple[str, ...], str, list[str]]]:
    """Every list of problems: its key, its title, the ids."""
    for (pair, ours, theirs), (_, ids) in picked.differing.items():
        yield ("differing", pair, ours, theirs), f"{pair}: {ours}, {theirs}", ids
    for (stage, reason), ids in picked.dropped.items():
        yield ("dropped", stage, reason), f"{stage}: {reason}", ids
    for domain, ids in picked.domains.items():
        yield ("domain", domain), f"domain {domain}", ids


def list_page(title: str, there: Sequence[Place]) -> str:
    """The body of a list's page: ids that lead to their problems, and how these begin."""
    items = "".join(
        f'<li><a href="{p.href}"><code>{brief(p.row)}</code></a> {brief(p.begins)}</li>' for p in there[:PER_LIST]
    )
    more = f'<p class="note">And {len(there) - PER_LIST:,} more.</p>' if len(there) > PER_LIST else ""
    count = f'<p class="note">{len(there):,} of the problems shown</p>'
    nav = '<nav aria-label="pages"><a href="../index.html">overview</a></nav>'
    return f'{nav}<h1>{brief(title)}</h1>{count}<ul class="links">{items}</ul>{more}'


def _drop(stage: str, drop: dict[str, Any], places: Places) -> str:
    place = places.get(("dropped", stage, drop["reason"]))
    named = link(place, drop["reason"]).html if place else brief(drop["reason"])
    return f"{named} {drop['rows']:,}"


def _verdicts(version: Version) -> str:
    rows = version.table("rollouts")
    if "verdict" not in rows.collect_schema().names():
        return '<p class="note">Nobody judged.</p>'
    verdict = pl.col("verdict").fill_null("not judged")
    counted = rows.group_by(verdict).agg(n=pl.len()).sort("n", "verdict", descending=[True, False]).collect()
    return bars(("verdict", "rollouts"), dict(counted.iter_rows()))


def _disagreements(picked: Picked, places: Places) -> str:
    head = '<h2 id="disagreements">Opinions that differ</h2>'
    if not picked.differing:
        return f'{head}<p class="note">None: whoever was asked agrees.</p>'
    rows = [
        (
            pair,
            ours,
            theirs,
            count,
            link(places["differing", pair, ours, theirs], f"{len(ids):,} problem{'s' * (len(ids) > 1)}"),
        )
        for (pair, ours, theirs), (count, ids) in picked.differing.items()
    ]
    return head + table(("between", "the first says", "the second", "rollouts", "look"), rows)


def _chart(version: Version, name: str) -> str:
    """A chart as SVG, as bars where nothing draws one, or why there is none."""
    title, counts = _CHARTS[name]
    try:
        rows = counts(version)
    except PlotError as error:
        return f'<div><h2>{title}</h2><p class="note">{brief(error)}</p></div>'
    try:
        drawn = svg(getattr(Plots(version), name)(), title)
    except PlotError:
        drawn = None
    if drawn is None:
        summed = rows.group_by(rows.columns[0], maintain_order=True).agg(pl.col(rows.columns[-1]).sum())
        drawn = bars((summed.columns[0], summed.columns[1]), dict(summed.iter_rows()))
    return f"<div><h2>{title}</h2>{drawn}</div>"


def _domains(picked: Picked, places: Places) -> str:
    if not picked.domains:
        return ""
    rows = [(link(places["domain", domain], domain), len(ids)) for domain, ids in picked.domains.items()]
    return f'<h2 id="domains">Problems shown, by domain</h2>{table(("domain", "problems"), rows)}'
