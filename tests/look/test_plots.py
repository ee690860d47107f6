"""Charts are drawn from counts, never from rows, and say what is missing where they cannot be drawn."""

from pathlib import Path

import polars as pl
import pytest

from curate.look.drawing import svg
from curate.look.overview import link_lists, overview
from curate.look.picking import pick
from curate.look.plots import (
    PlotError,
    Plots,
    balance_table,
    domain_counts,
    funnel_counts,
    length_counts,
    pass_rate_counts,
)
from curate.version import Version

pytest.importorskip("altair", reason='the extra "notebook" is not installed')
pytest.importorskip("vl_convert", reason='the extra "notebook" is not installed')

CHARTS = ("pass_rate", "lengths", "funnel", "domains", "balance")


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_holds_counts_not_rows(name: str, version: Version) -> None:
    chart = getattr(version.plot, name)()
    assert len(chart.data) < 100
    drawn = svg(chart, name)
    assert drawn is not None
    assert drawn.startswith(f'<figure role="img" aria-label="{name}"><svg')


def test_counts_are_those_of_the_rows(version: Version) -> None:
    problems, rollouts = version.problems.collect(), version.rollouts.collect()
    assert pass_rate_counts(version)["problems"].sum() == problems["pass_rate"].is_not_null().sum()
    rates = dict(pass_rate_counts(version).iter_rows())
    assert rates["1"] == (problems["pass_rate"] == 1).sum()
    assert rates["0.5 to 0.6"] == problems["pass_rate"].is_between(0.5, 0.6, closed="left").sum()
    lengths = length_counts(version)
    assert lengths["rollouts"].sum() == 96
    assert lengths.filter(pl.col("verdict") == "wrong")["rollouts"].sum() == (rollouts["verdict"] == "wrong").sum()
    band = lengths.filter(pl.col("tokens") == "256 to 511")["rollouts"].sum()
    assert band == rollouts["completion_tokens"].is_between(256, 511).sum()
    assert domain_counts(version)["problems"].sum() == balance_table(version)["problems"].sum() == 24
    kept = {(e["stage"], e["unit"]): e["kept"] for e in version.lock["funnel"]}
    rows = funnel_counts(version).filter(pl.col("fate") == "kept")
    assert {(stage, unit): n for stage, unit, _, _, n in rows.iter_rows()} == kept


def rewritten(version: Version, folder: Path, problems: pl.DataFrame) -> Version:
    """The version with other problems."""
    folder.mkdir()
    (folder / "lock.json").write_text((version.path / "lock.json").read_text())
    for name, splits in version.lock["tables"].items():
        for part in splits.values():
            for file in part["files"]:
                place = folder / file["path"]
                place.parent.mkdir(exist_ok=True)
                if name == "problems":
                    problems.write_parquet(place)
                else:
                    place.symlink_to((version.path / file["path"]).absolute())
    return Version(folder)


def test_a_missing_tag_is_named(version: Version, tmp_path: Path) -> None:
    problems = version.problems.collect()
    bare = rewritten(version, tmp_path / "bare", problems.drop("pass_rate"))
    with pytest.raises(PlotError, match=r"no column pass_rate.*difficulty"):
        bare.plot.pass_rate()
    empty = rewritten(version, tmp_path / "empty", problems.with_columns(domain=pl.lit(None, pl.String)))
    with pytest.raises(PlotError, match=r"no row has a domain.*domain"):
        empty.plot.domains()


def test_without_vl_convert_a_site_has_bars(version: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    picked = pick(version, 5, False)
    monkeypatch.setattr("curate.look.drawing.find_spec", lambda name: None)
    html = overview(version, picked, {key: "lists/0001.html" for key, _, _ in link_lists(picked)}, 1)
    assert "<svg" not in html
    assert html.count('class="bar"') > 20


def test_a_missing_extra_is_named(version: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curate.look.plots.find_spec", lambda name: None)
    with pytest.raises(PlotError, match=r'pip install "cotillion\[notebook\]"'):
        Plots(version).pass_rate()
