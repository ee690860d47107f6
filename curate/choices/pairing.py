"""Pairs of one problem's rollouts: which may stand together, which come first, and how long the chosen ones are."""

from typing import Literal

import polars as pl

from curate.records import draws

Rule = Literal["closest_length", "random", "shortest_correct", "best_against_worst"]

PAIRS_AT_ONCE = 5_000_000
"""Possible pairs in memory: a problem with 32 correct and 32 wrong rollouts alone has 1,024."""

MOST_A_SIDE = 2_000
"""Rollouts of one problem that are looked at as chosen, or as rejected: 3,000 of each took 2 GB."""


def possible_pairs(
    fit: pl.DataFrame, rule: Rule, length_ratio: tuple[float, float], per_problem: int, seed: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The pairs of every problem, best first and none of its rollouts twice; and why rollouts are in none.

    Args:
        fit: `row`, `id`, `problem_id`, `right` (whether it may be chosen, else rejected), `length`, `text_hash`.
        length_ratio: of the chosen over the rejected one.

    Returns:
        Pairs (`problem_id`, `{chosen,rejected}_{row,id,length}`, `ratio`), and `row`, `drop` of the other rollouts:
        `same_text`, `length_ratio` (no other side for it) or `over_cap`.
    """
    nobody = fit.select("row", drop=pl.lit("length_ratio"))
    drawn = _drawn(fit, seed)
    beyond = fit.filter(~pl.col("row").is_in(drawn["row"].implode())).select("row", drop=pl.lit("over_cap"))
    pairs, fates = [_ranked(fit.clear(), rule, seed)], [nobody.clear(), beyond]
    for part in _parts(drawn):
        every = _ranked(part, rule, seed)
        differ = every.filter(~pl.col("same"))
        matched = differ.filter(pl.col("ratio").is_between(*length_ratio))
        pairs.append(_disjoint(matched, per_problem))
        row, lone = pl.col("row"), pl.lit(None, pl.String)
        reason = (
            pl.when(row.is_in(_rows(pairs[-1])))
            .then(lone)
            .when(~row.is_in(_rows(differ)))
            .then(pl.lit("same_text"))
            .when(~row.is_in(_rows(matched)))
            .then(pl.lit("length_ratio"))
            .otherwise(pl.lit("over_cap"))
        )
        fates.append(part.select("row", drop=reason).drop_nulls())
    return pl.concat(pairs), pl.concat(fates)


def length_drift(pairs: pl.DataFrame) -> float | None:
    """By how much the median chosen rollout is longer than the median rejected one: 0.05 is 5 %; None without pairs."""
    chosen, rejected = pairs.select(pl.col("chosen_length", "rejected_length").median()).row(0)
    return chosen / rejected - 1 if rejected else None


def without_drift(pairs: pl.DataFrame, at_most: float) -> pl.Series:
    """Whether each pair stays, so that what is left drifts by no more; those that pull hardest go first.

    Of few pairs one more or less may carry the drift past zero and too far: then the other end gives some, too.
    """
    pulls = pairs.select(pull=pl.col("chosen_length") / pl.col("rejected_length"), row=pl.int_range(pl.len()))
    while (drift := length_drift(pairs[pulls["row"]])) is not None and abs(drift) > at_most:
        pulls = pulls.sort("pull", "row", descending=[drift > 0, False])
        low, high = 0, pulls.height  # pairs to leave out: with all of them gone nothing drifts
        while low < high:
            some = (low + high) // 2
            left = length_drift(pairs[pulls["row"][some:]])
            within = left is None or (left <= at_most if drift > 0 else left >= -at_most)
            low, high = (low, some) if within else (some + 1, high)
        pulls = pulls[low:]
    return pl.int_range(pairs.height, eager=True).is_in(pulls["row"].implode())


def _drawn(fit: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The rollouts without those beyond MOST_A_SIDE, which go by chance."""
    sides = ("problem_id", "right")
    if fit.filter(pl.len().over(sides) > MOST_A_SIDE).is_empty():
        return fit
    place = pl.col("draw").rank("ordinal").over(sides)
    return fit.with_columns(draw=draws(fit["id"], seed)).filter(place <= MOST_A_SIDE).drop("draw")


def _parts(fit: pl.DataFrame) -> list[pl.DataFrame]:
    """The rollouts in parts of whole problems with so many possible pairs at most."""
    right = pl.col("right").sum()
    sizes = fit.group_by("problem_id", maintain_order=True).agg(pairs=right.cast(pl.Int64) * (pl.len() - right))
    parts = sizes.select("problem_id", part=pl.col("pairs").cum_sum() // PAIRS_AT_ONCE)
    placed = fit.join(parts, on="problem_id", how="left", maintain_order="left")
    return placed.partition_by("part", include_key=False, maintain_order=True)


def _ranked(fit: pl.DataFrame, rule: Rule, seed: int) -> pl.DataFrame:
    """Every right with every wrong rollout of its problem, in the order in which the rule wants them."""
    right = pl.col("right")
    median = pl.col("length").filter(right).median().over("problem_id")
    fit = fit.with_columns(
        draw=draws(fit["id"], seed) if rule == "random" else pl.lit(0.0), typical=(pl.col("length") - median).abs()
    )
    columns = pl.col("row", "id", "length", "text_hash", "draw", "typical")
    chosen = fit.filter(right).select("problem_id", columns.name.prefix("chosen_"))
    rejected = fit.filter(~right).select("problem_id", columns.name.prefix("rejected_"))
    ratio = pl.col("chosen_length") / pl.col("rejected_length")
    apart = ratio.log().abs()
    by: dict[Rule, tuple[pl.Expr, ...]] = {
        "closest_length": (apart,),
        # Two uniform draws added and wrapped are uniform again.
        "random": ((pl.col("chosen_draw") + pl.col("rejected_draw")) % 1.0,),
        "shortest_correct": (pl.col("chosen_length"), apart),
        "best_against_worst": (pl.col("chosen_typical"), pl.col("chosen_row"), -pl.col("rejected_length")),
    }
    pairs = chosen.join(rejected, on="problem_id")
    pairs = pairs.sort("problem_id", *by[rule], "chosen_row", "rejected_row")
    return pairs.select(
        "problem_id",
        *(f"{side}_{what}" for side in ("chosen", "rejected") for what in ("row", "id", "length")),
        ratio=ratio,
        same=(pl.col("chosen_text_hash") == pl.col("rejected_text_hash")).fill_null(False),
    )


def _disjoint(pairs: pl.DataFrame, per_problem: int) -> pl.DataFrame:
    """The best pair of every problem, then the best of what is left, and so on: no rollout twice."""
    best = [pairs.clear()]
    for _ in range(per_problem):
        first = pairs.unique("problem_id", keep="first", maintain_order=True)
        if first.is_empty():
            break
        taken = [pl.col(row).is_in(first[row].implode()) for row in ("chosen_row", "rejected_row")]
        pairs = pairs.filter(~pl.any_horizontal(taken))
        best.append(first)
    return pl.concat(best)


def _rows(pairs: pl.DataFrame) -> pl.Series:
    return pl.concat([pairs["chosen_row"], pairs["rejected_row"]]).unique().implode()
