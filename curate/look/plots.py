"""Charts of a version from counts: `v.plot.pass_rate()`, `.lengths()`, `.funnel()`, `.domains()`, `.balance()`."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import polars as pl

from curate.look.balance import LEVEL_ORDER, balance_counts, balance_rows
from curate.look.prose import one_line, seen
from curate.records import LEVELS
from curate.version import Version

if TYPE_CHECKING:
    import altair

INK, GRID, FILL = "#59636e", "#9ba6b2", "#4a7fb5"
"""Colours that are legible on light and on dark."""
VERDICT_COLOURS = {
    "correct": "#3f9b63",
    "wrong": "#cf5a50",
    "no_answer": "#c79a3b",
    "truncated": "#8b7bb8",
    "other": "#9ba6b2",
}
RATE_BANDS = ("0", *(f"{i / 10:.1f} to {(i + 1) / 10:.1f}" for i in range(10)), "1")
MOST_DOMAINS = 30
_WIDTH = 460


class PlotError(ValueError):
    """The version lacks what the chart shows, or the environment what draws it."""


@dataclass(frozen=True)
class Plots:
    """The charts of one version, each an altair chart over a few dozen counted rows."""

    version: Version

    def pass_rate(self) -> "altair.Chart":
        """Problems by pass rate: never solved and always solved apart from what lies between."""
        alt, rows = _altair(), pass_rate_counts(self.version)
        x = alt.X("pass rate:N", sort=list(RATE_BANDS), axis=alt.Axis(labelAngle=-45))
        return _styled(alt.Chart(rows).mark_bar(color=FILL).encode(x=x, y="problems:Q", tooltip=list(rows.columns)))

    def lengths(self) -> "altair.Chart":
        """Rollouts by length, in bands that double, coloured by verdict."""
        alt, rows = _altair(), length_counts(self.version)
        unit, order = rows.columns[0], rows[rows.columns[0]].unique(maintain_order=True).to_list()
        scale = alt.Scale(domain=list(VERDICT_COLOURS), range=list(VERDICT_COLOURS.values()))
        x = alt.X(f"{unit}:N", sort=order, axis=alt.Axis(labelAngle=-45))
        colour = alt.Color("verdict:N", scale=scale)
        return _styled(alt.Chart(rows).mark_bar().encode(x=x, y="rollouts:Q", color=colour, tooltip=list(rows.columns)))

    def funnel(self) -> "altair.Chart":
        """Share of rows that each stage and view kept, and what it dropped, by reason."""
        alt, rows = _altair(), funnel_counts(self.version)
        order = rows["stage"].unique(maintain_order=True).to_list()
        fate = alt.Color("fate:N", title=None, scale=alt.Scale(domain=["kept", "dropped"], range=[FILL, "#cf8a5a"]))
        encoded = (
            alt.Chart(rows)
            .mark_bar()
            .encode(
                y=alt.Y("stage:N", sort=order, title=None),
                x=alt.X("rows:Q", stack="normalize", title="share of rows seen", axis=alt.Axis(format="%")),
                color=fate,
                order=alt.Order("fate:N", sort="descending"),
                tooltip=list(rows.columns),
            )
        )
        return _styled(encoded, height=alt.Step(22))

    def domains(self) -> "altair.Chart":
        """Problems by domain, the most frequent ones first, coloured by level."""
        alt, rows = _altair(), domain_counts(self.version)
        order = rows["domain"].unique(maintain_order=True).to_list()
        shades = ["#c6dbef", "#9ecae1", "#6baed6", "#3182bd", "#08519c", "#9ba6b2"]
        level = alt.Color("level:N", scale=alt.Scale(domain=[*LEVELS, "unknown"], range=shades))
        y = alt.Y("domain:N", sort=order, title=None)
        bars = alt.Chart(rows).mark_bar().encode(y=y, x="problems:Q", color=level, tooltip=list(rows.columns))
        return _styled(bars, height=alt.Step(22))

    def balance(self) -> "altair.Chart":
        """Problems by source and domain against level, the darker the more."""
        alt, rows = _altair(), balance_table(self.version)
        order = rows["of"].unique(maintain_order=True).to_list()
        x = alt.X("level:N", sort=list(LEVEL_ORDER), title=None, axis=alt.Axis(labelAngle=0, orient="top"))
        shade = alt.Color("problems:Q", scale=alt.Scale(scheme="blues", type="sqrt"))
        cells = alt.Chart(rows).mark_rect().encode(x=x, y=alt.Y("of:N", sort=order, title=None), color=shade)
        return _styled(cells.encode(tooltip=list(rows.columns)), height=alt.Step(22))


def pass_rate_counts(version: Version) -> pl.DataFrame:
    """`pass rate`, `problems`: kept problems by band.

    Raises:
        PlotError: no problem has a pass rate.
    """
    rate = pl.col("pass_rate")
    rows = _kept(version, "problems", ("pass_rate",), "tags: [difficulty]")
    inside = pl.lit(list(RATE_BANDS[1:-1])).list.get((rate * 10).floor().clip(0, 9).cast(pl.UInt32))
    band = pl.when(rate == 0).then(pl.lit("0")).when(rate == 1).then(pl.lit("1")).otherwise(inside)
    counted = rows.filter(rate.is_not_null()).group_by(band.alias("pass rate")).agg(problems=pl.len()).collect()
    _some(version, counted, "a pass rate", "tags: [difficulty]")
    bands = pl.DataFrame({"pass rate": RATE_BANDS})
    return bands.join(counted, on="pass rate", how="left", maintain_order="left").fill_null(0)


def length_counts(version: Version) -> pl.DataFrame:
    """`tokens` (else `characters`), `verdict`, `rollouts`: kept rollouts by length and verdict.

    Raises:
        PlotError: there are no rollouts.
    """
    rows = _kept(version, "rollouts", ("completion_tokens", "reasoning_chars", "response_chars"), "rollouts")
    tokens = pl.col("completion_tokens")
    counted = bool(rows.select((tokens > 0).fill_null(False).all() & (pl.len() > 0)).collect().item())
    chars = pl.col("reasoning_chars").fill_null(0) + pl.col("response_chars").fill_null(0)
    length = tokens if counted else chars
    verdict = pl.col("verdict") if "verdict" in rows.collect_schema().names() else pl.lit(None, pl.String)
    known = pl.when(verdict.is_in(list(VERDICT_COLOURS))).then(verdict).otherwise(pl.lit("other"))
    power = length.clip(1).log(2).floor().cast(pl.Int64)
    groups = rows.group_by(power.alias("power"), known.alias("verdict")).agg(rollouts=pl.len()).collect()
    _some(version, groups, "rollouts", "rollouts: {teacher: ...}")
    powers = groups["power"].drop_nulls().to_list()
    bands = range(min(powers), max(powers) + 1)
    names = pl.DataFrame({"power": bands, "band": [f"{2**p:,} to {2 ** (p + 1) - 1:,}" for p in bands]})
    # A band without rollouts stays on the axis: lengths must not look closer than they are.
    banded = names.join(groups, on="power", how="left").sort("power", "verdict")
    unit = pl.col("band").alias("tokens" if counted else "characters")
    return banded.select(unit, pl.col("verdict").fill_null("other"), pl.col("rollouts").fill_null(0))


def funnel_counts(version: Version) -> pl.DataFrame:
    """`stage`, `unit`, `fate`, `reason`, `rows`, in the order of the flow."""
    rows = []
    for entry in version.lock["funnel"]:
        rows.append((entry["stage"], entry["unit"], "kept", None, entry["kept"]))
        rows += [(entry["stage"], entry["unit"], "dropped", drop["reason"], drop["rows"]) for drop in entry["dropped"]]
    names = {"stage": pl.String, "unit": pl.String, "fate": pl.String, "reason": pl.String, "rows": pl.Int64}
    return pl.DataFrame(rows, schema=names, orient="row")


def domain_counts(version: Version) -> pl.DataFrame:
    """`domain`, `level`, `problems`: kept problems of the most frequent domains, `unknown` among them.

    Raises:
        PlotError: no problem has a domain.
    """
    rows = _kept(version, "problems", ("domain", "level"), "tags: [domain]")
    other = ("pass_rate_level",) if "pass_rate_level" in rows.collect_schema().names() else ()
    said = pl.coalesce("level", *other)
    level = pl.when(said.is_in(LEVELS)).then(said).otherwise(pl.lit("unknown")).alias("level")
    counted = rows.group_by("domain", level).agg(problems=pl.len()).collect()
    _some(version, counted.drop_nulls("domain"), "a domain", "tags: [domain]")
    whole = counted.with_columns(pl.col("domain").fill_null("unknown"), of=pl.col("problems").sum().over("domain"))
    first = whole.select("domain", "of").unique().sort("of", "domain", descending=[True, False]).head(MOST_DOMAINS)
    names = first.select("domain", shown=pl.Series([one_line(seen(name)) for name in first["domain"]], dtype=pl.String))
    kept = whole.join(names, on="domain").with_columns(domain="shown").drop("shown")
    return kept.sort("of", "domain", "level", descending=[True, False, False]).drop("of")


def balance_table(version: Version) -> pl.DataFrame:
    """`of` (source and domain), `level`, `problems`: kept problems of the most frequent pairs, the others as one.

    Raises:
        PlotError: there are no problems.
    """
    there = version.problems.collect_schema().names()
    names = [c for c in ("source", "domain", "level", "pass_rate_level", "drop_reason") if c in there]
    counted = balance_rows(balance_counts(version.problems.select(names).collect()))
    rows = [
        (one_line(seen(f"{source}, {domain}" if domain else source)), level, count)
        for source, domain, counts in counted
        for level, count in zip(LEVEL_ORDER, counts, strict=True)
        if count
    ]
    table = pl.DataFrame(rows, schema={"of": pl.String, "level": pl.String, "problems": pl.Int64}, orient="row")
    _some(version, table, "a source", "sources")
    return table


def _kept(version: Version, table: str, columns: tuple[str, ...], remedy: str) -> pl.LazyFrame:
    rows = version.table(table)
    missing = [name for name in columns if name not in rows.collect_schema().names()]
    if missing:
        raise PlotError(f"{version.name}: {table} have no column {missing[0]}. It comes with {remedy} in the manifest")
    return rows.filter(pl.col("drop_reason").is_null())


def _some(version: Version, rows: pl.DataFrame, what: str, remedy: str) -> None:
    if not rows.height:
        raise PlotError(f"{version.name}: no row has {what}. It comes with {remedy} in the manifest")


def _altair() -> Any:
    if find_spec("altair") is None:
        raise PlotError('charts need altair: pip install "cotillion[notebook]"')
    import altair

    return altair


def _styled(chart: Any, height: Any = 220) -> "altair.Chart":
    axis = {"labelColor": INK, "titleColor": INK, "gridColor": GRID, "gridOpacity": 0.25, "tickColor": GRID}
    plain = {"titleFontWeight": "normal", "labelFontSize": 12, "titleFontSize": 12, "labelLimit": 260}
    legend = {
        "orient": "bottom",
        "labelColor": INK,
        "titleColor": INK,
        "titleFontWeight": "normal",
        "labelFontSize": 12,
    }
    whole = chart.properties(width=_WIDTH, height=height, background="transparent")
    styled: altair.Chart = (
        whole.configure_axis(domain=False, **axis, **plain).configure_view(stroke=None).configure_legend(**legend)
    )
    return styled
