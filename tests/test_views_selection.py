"""Bands, caps, quotas, mixtures and budgets: what each leaves out, in which order, and that every row is told of."""

from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curate.alike.clusters import clusters
from curate.choices.selection import MixError, Quota
from curate.manifest import read_manifest
from curate.recipes.order import OrderError, check_order
from curate.views.dpo import Dpo
from curate.views.midtrain import Midtrain
from curate.views.rl import Rl
from curate.views.sft import Sft
from tests.test_views import _many, fates, problems, rollouts


def correct(*tokens_by_problem: list[int]) -> pl.DataFrame:
    """Correct rollouts `p0.0`, `p0.1`, ... with so many tokens."""
    return rollouts(
        *(
            (f"p{p}.{i}", f"p{p}", "correct", n)
            for p, tokens in enumerate(tokens_by_problem)
            for i, n in enumerate(tokens)
        )
    )


def kept(view: Any, asked: pl.DataFrame, answered: pl.DataFrame, seed: int = 0) -> list[str]:
    return [row for row, why in fates(view, asked, answered, seed).items() if why is None]


@pytest.mark.parametrize("seed", range(4))
def test_a_cap_takes_every_problems_best_before_any_second_one(seed: int) -> None:
    asked = problems(level=[None] * 5)
    answered = correct([10] * 30, [10, 10], [10], [10], [10])
    capped = kept(Midtrain(at_most=6), asked, answered, seed)
    assert Counter(row[:2] for row in capped).most_common(1)[0][1] == 2
    assert {row[:2] for row in capped} == {"p0", "p1", "p2", "p3", "p4"}
    told = fates(Midtrain(at_most=6), asked, answered, seed)
    assert Counter(told.values()) == {"at_most": 29, None: 6}


def test_a_cap_draws_problems_by_the_seed_and_a_view_may_have_its_own() -> None:
    asked, answered = problems(level=[None] * 40), correct(*[[10]] * 40)
    some = kept(Midtrain(at_most=10), asked, answered, seed=1)
    assert some == kept(Midtrain(at_most=10, seed=1), asked, answered, seed=2)
    assert some != kept(Midtrain(at_most=10), asked, answered, seed=2)
    fewer = kept(Midtrain(at_most=10), asked.head(30), answered.head(30), seed=1)
    assert set(some) & set(answered["id"].head(30)) <= set(fewer), (
        "rows that come later push some out, change no others"
    )


def test_per_cluster_counts_problems_that_are_forms_of_one_together() -> None:
    asked = problems(cluster=["p0", "p0", "p2"], pass_rate=[0.5, 0.5, 0.5])
    answered = correct([10], [10], [10])
    assert Counter(fates(Sft(per_cluster=1), asked, answered).values()) == {"per_cluster": 1, None: 2}
    assert Counter(fates(Rl(per_cluster=1), asked, answered).values()) == {"per_cluster": 1, None: 2}


def test_links_join_problems_over_any_number_of_steps() -> None:
    rows = pl.DataFrame(
        {
            "id": ["a", "b", "c", "d", "e", "f"],
            "duplicate_of": [None, "a", None, None, None, None],
            "near_duplicate_of": [None, None, "b", None, None, None],
            "variant_of": [None, None, None, None, "f", None],
            "level": [None] * 6,
        }
    )
    assert clusters(rows).to_list() == ["a", "a", "a", "d", "e", "e"]
    assert clusters(rows.select("id")).to_list() == ["a", "b", "c", "d", "e", "f"]


def test_a_quota_counts_by_domain_and_by_the_level_that_rows_show() -> None:
    asked = problems(
        domain=["algebra"] * 4 + ["geometry"] * 2 + [None, None],
        level=["high", None, "high", "college", "high", "high", None, None],
        pass_rate_level=["college", "high", None, None, None, None, None, None],
    )
    view = Sft(quota=Quota(("domain", "level"), 1))
    told = fates(view, asked, correct(*[[10]] * 8))
    assert sum(told[f"p{i}.0"] is None for i in (0, 1, 2)) == 1, "algebra, high: the second by its pass rate"
    assert told["p3.0"] is None
    assert Counter(told.values()) == {None: 4, "quota": 4}


def test_a_mixture_holds_and_every_later_cap_keeps_it() -> None:
    asked = problems(source=["a"] * 60 + ["b"] * 30 + ["c"] * 10)
    answered = correct(*[[10]] * 100)
    source = dict(zip((f"{p}.0" for p in asked["id"]), asked["source"], strict=True))
    shares = {"a": 0.7, "b": 0.3}
    whole = Counter(source[row] for row in kept(Midtrain(mix=shares), asked, answered))
    assert whole == {"a": 60, "b": 25}, "60 / 0.7 is 85.7 rows in all"
    some = Counter(source[row] for row in kept(Midtrain(mix=shares, at_most=20), asked, answered))
    assert some == {"a": 14, "b": 6}
    budget = Counter(source[row] for row in kept(Sft(mix={"a": 7, "b": 3}, tokens=200), asked, answered))
    assert budget == {"a": 14, "b": 6}


def test_a_mixture_of_a_source_without_rows_is_refused() -> None:
    with pytest.raises(MixError, match=r"is of 'gsm8k_'\. There are: 'gsm8k'"):
        Midtrain(mix={"gsm8k_": 1.0}).choose(problems(level=[None]), correct([10]), 0)


def test_a_token_budget_is_never_passed_and_counts_characters_where_nobody_counted() -> None:
    asked = problems(level=[None] * 9)
    answered = correct(*[[30]] * 9)
    assert len(kept(Midtrain(tokens=100), asked, answered)) == 3
    uncounted = answered.with_columns(completion_tokens=pl.lit(None, pl.Int64))
    assert len(kept(Midtrain(tokens=11), asked, uncounted)) == 2, "20 characters are 5 tokens"


def test_a_length_band_counts_tokens_with_its_ends() -> None:
    answered = correct([9, 10, 20, 21])
    told = fates(Midtrain(length=(10, 20)), problems(level=[None]), answered)
    assert list(told.values()) == ["length", None, None, "length"]
    pairs = rollouts(("a", "p0", "correct", 10), ("b", "p0", "wrong", 21), ("c", "p0", "wrong", 20))
    assert fates(Dpo(length=(10, 20)), problems(level=[None]), pairs) == {"a": None, "b": "length", "c": None}


@pytest.mark.parametrize("view", [Midtrain(), Sft(), Dpo(), Rl()], ids=lambda view: type(view).__name__)
def test_what_another_view_has_taken_stays_out(view: Any) -> None:
    asked = problems(pass_rate=[0.5, 0.5], taken=[True, False])
    answered = rollouts(*((f"{p}{v}", p, v, 10) for p in ("p0", "p1") for v in ("correct", "wrong")))
    _, picks = view.choose(asked, answered, 0)
    assert picks["problem_id"].to_list() == ["p1"]
    assert "disjoint_from" in fates(view, asked, answered).values()


ALL: dict[str, Any] = {
    "per_cluster": 3,
    "quota": Quota(("domain", "level"), 400),
    "mix": {"a": 0.6, "b": 0.4},
    "at_most": 900,
    "seed": 5,
}


@pytest.mark.parametrize(
    "view",
    [
        Midtrain(per_problem=2, length=(300, 3000), tokens=500_000, **ALL),
        Sft(level=("high", "college"), tokens=400_000, **ALL),
        Dpo(drift_at_most=0.0, rule="random", tokens=600_000, rejected=("wrong", "no_answer"), **ALL),
        Rl(pass_rate=(0.1, 0.9), **ALL),
    ],
    ids=lambda view: type(view).__name__,
)
def test_with_every_cap_each_unit_still_has_one_fate_and_the_picks_are_those_kept(view: Any) -> None:
    asked, answered = _many(40_000)
    n = pl.int_range(pl.len())
    asked = asked.with_columns(
        source=pl.when(n % 3 == 0).then(pl.lit("a")).otherwise(pl.lit("b")),
        domain=pl.when(n % 5 == 0).then(pl.lit("x")).otherwise(pl.lit("y")),
        level=pl.when(n % 2 == 0).then(pl.lit("high")).otherwise(pl.lit("college")),
        cluster=pl.format("p{}", n // 4),
    )
    told, picks = view.choose(asked, answered, seed=3)
    units = asked if view.unit == "problems" else answered
    assert told["id"].to_list() == units["id"].to_list()
    assert set(told["drop"].drop_nulls()) <= set(view.drops)
    columns = [name for name in ("rollout_id", "chosen_id", "rejected_id") if name in picks.columns] or ["problem_id"]
    picked = pl.concat([picks[name] for name in columns])
    assert picked.is_unique().all()
    assert set(picked) == set(told.filter(pl.col("drop").is_null())["id"])
    source = picks.join(asked, left_on="problem_id", right_on="id")["source"]
    assert 0 < picks.height <= 900
    if not isinstance(view, Dpo):  # which lets go of some pairs for the drift's sake
        assert (source == "a").mean() == pytest.approx(0.6, abs=0.01)


def test_a_quota_by_a_column_that_nobody_writes_is_told_by_check(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    manifest = "name: x\nsources: [{use: procedural, n: 3}]\nviews: {sft: {%s}}\n"
    file.write_text(manifest % "quota: {by: [pass_rate_level], at_most: 3}")
    with pytest.raises(OrderError, match=r"views.sft: quota.by reads 'pass_rate_level'.*tags: \[difficulty\]"):
        check_order(read_manifest(file))
    file.write_text(manifest % "pass_rate: [0, 1]")
    with pytest.raises(OrderError, match=r"views\.sft: pass_rate reads 'pass_rate'"):
        check_order(read_manifest(file))
    file.write_text(manifest % "quota: {by: [domain, level, cluster], at_most: 3}")
    check_order(read_manifest(file))
