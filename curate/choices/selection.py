"""What a view is cut to: bands, caps, quotas, mixtures. The same words in every view."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import Field

from curate.records import Level, draws, effective_level, with_facts

Format = Literal["trl", "openr1", "openthoughts"]

UNWANTED = ("disjoint_from", "level", "pass_rate", "length")
"""Why a fit row is not wanted, in the order in which it is asked."""

CUTS = ("per_cluster", "quota", "mix", "at_most", "tokens")
"""Which cap left a wanted row out, in the order in which caps are laid on."""

AtLeastOne = Annotated[int, Field(ge=1)]


class MixError(ValueError):
    """A mixture names a source that has no rows to give."""


@dataclass(frozen=True)
class Quota:
    """At most so many rows of a kind."""

    by: Annotated[tuple[str, ...], Field(min_length=1)]
    """Problem columns that tell the kinds apart, such as `[domain, level]`. An unknown value is a kind, too."""

    at_most: AtLeastOne
    """Rows of each kind."""


# A base, where plugs have none: the four views would say these eight options in the same words four times.
@dataclass(frozen=True)
class Selection:
    """Options that all views share.

    A cap cuts in one fair order: every problem's best row, then every problem's second, and so on; among equals by a
    draw per problem. So no problem, cluster or source crowds out the others, and further rows disturb few.
    """

    level: Annotated[tuple[Level, ...], Field(min_length=1)] | None = None
    """Levels to keep; None keeps all. A problem without a level is left out where levels are named."""

    pass_rate: tuple[float, float] | None = None
    """Lowest and highest pass rate to keep, ends included; None keeps all, also problems without a pass rate."""

    disjoint_from: tuple[str, ...] = ()
    """Views of this manifest whose problem clusters stay out of this one; they choose first."""

    per_cluster: AtLeastOne | None = None
    """At most so many rows of one cluster: a problem and its near duplicates and variants, where a stage found some."""

    quota: Quota | None = None
    """At most so many rows of each kind, such as `{by: [domain, level], at_most: 200}`."""

    mix: Annotated[dict[str, Annotated[float, Field(gt=0)]], Field(min_length=1)] | None = None
    """Shares of the sources, such as `{gsm8k: 0.7, aime: 0.3}`: rows are left out until they hold. Weights need not
    add up to 1; other sources stay out; a source without rows is an error."""

    at_most: AtLeastOne | None = None
    """At most so many rows, held-out ones included."""

    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None
    """Decides this view's draws; None takes the manifest's."""

    def __post_init__(self) -> None:
        check_band("pass_rate", self.pass_rate)
        if self.pass_rate is not None and not 0 <= self.pass_rate[0] <= self.pass_rate[1] <= 1:
            raise ValueError(f"pass_rate: a share of rollouts, from 0 to 1, got {list(self.pass_rate)}")

    def caps_rows(self) -> bool:
        """Whether a cap may leave rows out that bands let in."""
        return any(getattr(self, name, None) is not None for name in CUTS)

    def asks_for(self) -> tuple[tuple[str, str], ...]:
        """Options that read a problem column, with the column."""
        by = self.quota.by if self.quota else ()
        band = (("pass_rate", "pass_rate"),) if self.pass_rate else ()
        return (*band, *(("quota.by", column) for column in by))


def check_band(name: str, band: tuple[float, float] | None) -> None:
    """Raises ValueError for a band with its ends exchanged."""
    if band is not None and not band[0] <= band[1]:
        raise ValueError(f"{name}: the lower end comes first, got {list(band)}")


def in_band(value: pl.Expr, band: tuple[float, float]) -> pl.Expr:
    """Whether the value lies in the band, ends included; False where it is unknown."""
    return value.is_between(*band).fill_null(False)


def problem_facts(problems: pl.DataFrame, options: Selection) -> pl.DataFrame:
    """`problem_id`, `order`, and what the options read of a problem: `kind` is a struct of the quota's columns.

    `taken` says whether a view named in `disjoint_from` has the problem's cluster.
    """
    rows = with_facts(problems)
    absent = {"level": pl.String, "cluster": pl.String, "source": pl.String, "taken": pl.Boolean}
    missing = [pl.lit(None, kind).alias(name) for name, kind in absent.items() if name not in rows.columns]
    # The level that is asked for is the one that rows show.
    rows = rows.with_columns(missing).with_columns(effective_level())
    kind = pl.struct(*options.quota.by) if options.quota else pl.lit(None, pl.String)
    return rows.select(
        "level",
        "pass_rate",
        "source",
        problem_id="id",
        order=pl.int_range(pl.len()),
        cluster=pl.coalesce("cluster", "id"),
        taken=pl.col("taken").fill_null(False),
        kind=kind,
    )


def unwanted(options: Selection, length: tuple[int, int] | None = None) -> pl.Expr:
    """The first of UNWANTED that holds of a row, null for a wanted one.

    Args:
        length: the band that the column `tokens` must lie in.
    """
    no = pl.lit(False)
    level = ~pl.col("level").is_in(options.level).fill_null(False) if options.level is not None else no
    rate = ~in_band(pl.col("pass_rate"), options.pass_rate) if options.pass_rate else no
    long = ~in_band(pl.col("tokens"), length) if length else no
    asked = zip(UNWANTED, (pl.col("taken"), level, rate, long), strict=True)
    return pl.coalesce(*(pl.when(why).then(pl.lit(name)) for name, why in asked))


def tokens() -> pl.Expr:
    """Completion tokens; where nobody counted them a quarter of the characters, which is near for English and LaTeX."""
    counted = pl.when(pl.col("completion_tokens") > 0).then("completion_tokens")
    chars = pl.col("reasoning_chars") + pl.col("response_chars")
    return pl.coalesce(counted, (chars + 3) // 4).alias("tokens")


def cut(rows: pl.DataFrame, options: Selection, seed: int, most_tokens: int | None = None) -> pl.Series:
    """Which of CUTS leaves each row out, null for rows that stay.

    Args:
        rows: the wanted rows, each problem's best first: columns of `problem_facts`, and `tokens` where they are
            limited.

    Raises:
        MixError: a source of the mixture has no rows.
    """
    caps = (options.per_cluster, options.quota, options.mix, options.at_most, most_tokens)
    if all(cap is None for cap in caps):
        return pl.repeat(None, rows.height, dtype=pl.String, eager=True).alias("cut")
    left = _in_fair_order(rows, seed)
    gone: list[pl.DataFrame] = []

    def leave(reason: str, stays: pl.Expr) -> pl.DataFrame:
        marked = left.with_columns(stays=stays)
        gone.append(marked.filter(~pl.col("stays")).select("row", cut=pl.lit(reason)))
        return marked.filter("stays")

    if options.per_cluster is not None:
        left = leave("per_cluster", pl.int_range(pl.len()).over("cluster") < options.per_cluster)
    if options.quota is not None:
        left = leave("quota", pl.int_range(pl.len()).over("kind") < options.quota.at_most)
    if options.mix is not None:
        left = _mixed(left, options.mix)
        left = leave("mix", pl.col("fits"))
    if options.at_most is not None:
        left = leave("at_most", pl.int_range(pl.len()) < options.at_most)
    if most_tokens is not None:
        left = leave("tokens", pl.col("tokens").cum_sum() <= most_tokens)
    told = pl.DataFrame({"row": pl.int_range(rows.height, eager=True)})
    return told.join(pl.concat(gone), on="row", how="left", maintain_order="left")["cut"]


def _in_fair_order(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The rows with `row`, their place before: every problem's first, then every second, problems as drawn."""
    problems = rows.select("problem_id").unique(maintain_order=True)
    drawn = problems.with_columns(draws(problems["problem_id"], seed))
    place = pl.int_range(pl.len()).over("problem_id")
    rows = rows.with_columns(row=pl.int_range(pl.len()), place=place).join(
        drawn, on="problem_id", maintain_order="left"
    )
    return rows.sort("place", "draw", "row")


def check_mixes(mixes: dict[str, dict[str, float] | None], problems: pl.DataFrame) -> None:
    """Passes if every source that a view's mixture names has a problem: a source's name is known once it is read.

    Raises:
        MixError: naming the view, the sources without problems, and those there are.
    """
    there = set(problems["source"].drop_nulls().unique())
    for view, mix in mixes.items():
        if bare := [source for source in mix or () if source not in there]:
            raise MixError(f"views.{view}.mix: no problem is of {_listed(bare)}. There are: {_listed(there) or 'none'}")


def _listed(sources: Iterable[str]) -> str:
    return ", ".join(sorted(map(repr, sources)))


def _mixed(rows: pl.DataFrame, mix: dict[str, float]) -> pl.DataFrame:
    """The rows with `fits`, in an order of which every beginning holds the shares: a later cap keeps them."""
    there: dict[Any, int] = dict(rows.group_by("source").len().iter_rows())
    bare = [source for source in mix if source not in there]
    if bare:
        sources = _listed(source for source in there if source is not None) or "none"
        raise MixError(f"mix: no row that this view could take is of {_listed(bare)}. There are: {sources}")
    # As many rows in all as the scarcest source allows; the small part is against 0.3 * 10 being 2.9999.
    whole = min(there[source] / share for source, share in mix.items())
    weight = pl.col("source").replace_strict(mix, default=None, return_dtype=pl.Float64)
    place = pl.int_range(pl.len()).over("source")
    rows = rows.with_columns(
        fits=(place < (weight * whole + 1e-9).floor()).fill_null(False), turn=(place + 0.5) / weight
    )
    return rows.sort("turn", "row", nulls_last=True)
