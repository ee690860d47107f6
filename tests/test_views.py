"""The four views: what goes in, what stays out, and why."""

import time
from typing import Any

import numpy as np
import polars as pl
import pytest

from curate.records import PROBLEM, ROLLOUT, empty, to_arrow
from curate.views.dpo import Dpo
from curate.views.midtrain import Midtrain
from curate.views.rl import Rl
from curate.views.sft import Sft

VIEWS = (Midtrain(), Sft(), Dpo(), Rl())


def problems(**columns: Any) -> pl.DataFrame:
    """Problems `p0`, `p1`, ... with a gold answer."""
    n = max(len(values) for values in columns.values())
    ids = [f"p{i}" for i in range(n)]
    base = {"id": ids, "problem": [f"question {i}" for i in ids], "answer": ["4"] * n, "source": ["gsm8k"] * n}
    frame = pl.concat([empty(PROBLEM), pl.DataFrame({**base, **columns})], how="diagonal_relaxed")
    turn = pl.concat_list(pl.struct(role=pl.lit("user"), content=pl.col("problem")))
    return frame.with_columns(prompt=turn)


def rollouts(*rows: tuple[str, str, str, int]) -> pl.DataFrame:
    """From (id, problem, verdict, tokens); a truncated one was cut off."""
    frame = pl.DataFrame(rows, schema=["id", "problem_id", "verdict", "completion_tokens"], orient="row")
    cut = pl.col("verdict") == "truncated"
    frame = frame.with_columns(
        index=pl.int_range(pl.len(), dtype=pl.Int32),
        teacher=pl.lit("m@1"),
        finish_reason=pl.when(cut).then(pl.lit("length")).otherwise(pl.lit("stop")),
        reasoning=pl.format("thinking of {}", "id"),
        response=pl.format("it is {}", "id"),
        reasoning_chars=pl.lit(13),
        response_chars=pl.lit(7),
    )
    return pl.concat([empty(ROLLOUT), frame], how="diagonal_relaxed")


def fates(view: Any, asked: pl.DataFrame, answered: pl.DataFrame, seed: int = 0) -> dict[str, str | None]:
    return dict(view.choose(asked, answered, seed)[0].iter_rows())


def test_midtrain_keeps_every_complete_correct_rollout_and_says_why_not() -> None:
    answered = rollouts(
        ("a", "p0", "correct", 5),
        ("b", "p0", "wrong", 5),
        ("c", "p0", "truncated", 5),
        ("d", "p0", "correct", 7),
        ("e", "p0", "no_answer", 5),
        ("f", "p0", "timeout", 5),
        ("g", "p0", "undecided", 5),
    )
    expected = {"a": None, "b": "wrong", "c": "truncated", "d": None, "e": "no_answer", "f": "no_verdict"}
    assert fates(Midtrain(), problems(level=[None]), answered) == expected | {"g": "no_verdict"}


def test_a_cut_off_reply_is_never_trained_on_even_where_its_verdict_is_correct() -> None:
    cut = rollouts(("a", "p0", "correct", 5)).with_columns(finish_reason=pl.lit("length"))
    for view in (Midtrain(), Midtrain(keep="all"), Sft(keep="all"), Dpo()):
        assert fates(view, problems(level=[None]), cut) == {"a": "truncated"}


def test_an_unjudged_rollout_is_kept_only_where_all_are_asked_for() -> None:
    unjudged = rollouts(("a", "p0", "wrong", 5)).drop("verdict")
    assert fates(Midtrain(), problems(level=[None]), unjudged) == {"a": "no_verdict"}
    assert fates(Midtrain(keep="all"), problems(level=[None]), unjudged) == {"a": None}


def test_a_rollout_without_thinking_teaches_no_thinking() -> None:
    bare = rollouts(("a", "p0", "correct", 5)).with_columns(reasoning_chars=pl.lit(0))
    assert fates(Midtrain(), problems(level=[None]), bare) == {"a": "no_reasoning"}
    assert fates(Midtrain(reasoning=False), problems(level=[None]), bare) == {"a": None}


def test_a_cap_draws_by_id_and_seed_whatever_other_rows_there_are() -> None:
    rows = [(f"{i:016x}", "p0", "correct", 5) for i in range(40)]
    view = Midtrain(per_problem=10)
    _, picks = view.choose(problems(level=[None]), rollouts(*rows), seed=1)
    _, same = view.choose(problems(level=[None]), rollouts(*reversed(rows)), seed=1)
    _, other = view.choose(problems(level=[None]), rollouts(*rows), seed=2)
    assert picks.height == 10
    assert set(picks["rollout_id"]) == set(same["rollout_id"]) != set(other["rollout_id"])
    _, fewer = view.choose(problems(level=[None]), rollouts(*rows[:30]), seed=1)
    assert set(picks["rollout_id"]) & {row[0] for row in rows[:30]} <= set(fewer["rollout_id"])


def test_sft_picks_the_rollout_of_median_length() -> None:
    lengths = {"a": 10, "b": 500, "c": 90, "d": 100, "e": 110}
    answered = rollouts(*((i, "p0", "correct", n) for i, n in lengths.items()), ("x", "p0", "wrong", 95))
    one = problems(level=["college"])
    assert Sft().choose(one, answered, 0)[1]["rollout_id"].to_list() == ["d"]
    assert Sft(per_problem=3).choose(one, answered, 0)[1]["rollout_id"].to_list() == ["d", "c", "e"]
    assert Sft(pick="shortest").choose(one, answered, 0)[1]["rollout_id"].to_list() == ["a"]
    assert Sft(pick="longest").choose(one, answered, 0)[1]["rollout_id"].to_list() == ["b"]
    assert fates(Sft(), one, answered)["a"] == "over_cap"


def test_sft_keeps_only_the_levels_and_pass_rates_asked_for() -> None:
    asked = problems(
        level=["college", "high", None, None],
        pass_rate_level=["middle", "graduate", "graduate", None],
        pass_rate=[0.2, 0.2, 0.9, None],
    )
    answered = rollouts(*((f"r{i}", f"p{i}", "correct", 9) for i in range(4)))
    by_level = fates(Sft(level=("college", "graduate")), asked, answered)
    assert by_level == {"r0": None, "r1": "level", "r2": None, "r3": "level"}, "a source's own level wins"
    by_rate = fates(Sft(pass_rate=(0.0, 0.5)), asked, answered)
    assert by_rate == {"r0": None, "r1": None, "r2": "pass_rate", "r3": "pass_rate"}


def test_pairs_are_matched_by_length_and_no_rollout_stands_in_two() -> None:
    answered = rollouts(
        ("a", "p0", "correct", 100),
        ("b", "p0", "correct", 200),
        ("c", "p0", "wrong", 105),
        ("d", "p0", "wrong", 190),
        ("e", "p0", "wrong", 198),
        ("f", "p0", "wrong", 1000),
    )
    told, picks = Dpo().choose(problems(level=[None]), answered, 0)
    assert picks.select("chosen_id", "rejected_id").rows() == [("b", "e"), ("a", "c")]
    assert picks["because"][0] == "closest_length: 2 correct, 4 wrong, length ratio 1.01"
    expected = {"a": None, "b": None, "c": None, "d": "over_cap", "e": None, "f": "length_ratio"}
    assert dict(told.iter_rows()) == expected


@pytest.mark.parametrize(
    "verdict", ["truncated", "timeout", "undecided", "error", "unreadable_gold", "no_answer", None]
)
@pytest.mark.parametrize("rule", ["closest_length", "random"])
def test_only_a_complete_wrong_rollout_is_rejected(verdict: Any, rule: Any) -> None:
    answered = rollouts(("a", "p0", "correct", 100), ("b", "p0", verdict, 100))
    told, picks = Dpo(rule=rule).choose(problems(level=[None]), answered, 0)
    assert picks.height == 0
    reason = verdict if verdict in ("truncated", "no_answer") else "no_verdict"
    assert dict(told.iter_rows()) == {"a": "all_correct", "b": reason}


def test_a_problem_that_is_always_wrong_gives_no_pair() -> None:
    answered = rollouts(("a", "p0", "wrong", 100), ("b", "p0", "wrong", 100))
    assert fates(Dpo(), problems(level=[None]), answered) == {"a": "all_wrong", "b": "all_wrong"}


def test_lengths_are_characters_for_a_problem_where_one_rollout_has_no_token_count() -> None:
    answered = rollouts(
        ("a", "p0", "correct", 4000), ("b", "p0", "wrong", 0), ("c", "p1", "correct", 9), ("d", "p1", "wrong", 8)
    )
    _, picks = Dpo().choose(problems(level=[None, None]), answered, 0)
    assert picks.select("chosen_length", "rejected_length").rows() == [(20, 20), (9, 8)]


def test_rl_keeps_problems_that_are_solved_now_and_then() -> None:
    asked = problems(pass_rate=[0.0, 0.5, 1.0, None, 0.75, 0.5], answer=["4", "4", "4", "4", "4", " "])
    nothing = empty(ROLLOUT)
    assert list(fates(Rl(), asked, nothing).values()) == [
        "pass_rate",
        None,
        "pass_rate",
        "no_pass_rate",
        None,
        "no_gold",
    ]
    banded = fates(Rl(pass_rate=(0.05, 0.5), unsampled=True), asked, nothing)
    assert list(banded.values()) == ["pass_rate", None, "pass_rate", None, "pass_rate", "no_gold"]


def test_rl_can_ask_for_rollouts_of_like_length() -> None:
    asked = problems(pass_rate=[0.5, 0.5, 0.5])
    answered = rollouts(
        ("a", "p0", "correct", 90),
        ("b", "p0", "wrong", 110),
        ("c", "p1", "correct", 50),
        ("d", "p1", "truncated", 150),
        ("e", "p2", "wrong", 80),
    )
    told, picks = Rl(length_spread=0.35).choose(asked, answered, 0)
    assert told["drop"].to_list() == [None, "length_spread", "length_spread"]
    assert picks.rows() == [(pytest.approx(0.1), "p0")], "standard deviation 10 over mean 100"


def test_rows_hold_the_prompt_and_the_thinking_in_their_schema() -> None:
    asked = problems(
        level=["college", None], pass_rate_level=[None, "high"], pass_rate=[0.5, 0.25], domain=["algebra"] * 2
    )
    answered = rollouts(
        ("a", "p1", "wrong", 10), ("b", "p1", "correct", 10), ("c", "p0", "correct", 9), ("d", "p0", "wrong", 9)
    )
    for view in VIEWS:
        _, picks = view.choose(asked, answered, 0)
        rows = view.render(picks, asked, answered)
        assert picks["problem_id"].to_list() == ["p0", "p1"], "in the order of the problems"
        assert to_arrow(rows, view.schema).schema == view.schema
        assert rows["level"].to_list() == ["college", "high"]
        assert rows["pass_rate"].to_list() == [0.5, 0.25]
        assert rows["source"].to_list() == ["gsm8k", "gsm8k"]
    asks = {"role": "user", "content": "question p0"}
    sft = Sft().render(Sft().choose(asked, answered, 0)[1], asked, answered).row(0, named=True)
    said = {"role": "assistant", "content": "<think>\nthinking of c\n</think>\n\nit is c"}
    assert sft["messages"] == [asks, said]
    assert (sft["id"], sft["problem_id"], sft["verdict"], sft["completion_chars"]) == ("c", "p0", "correct", 20)
    dpo = Dpo().render(Dpo().choose(asked, answered, 0)[1], asked, answered).row(0, named=True)
    assert (dpo["prompt"], dpo["chosen"]) == ([asks], [said])
    assert dpo["rejected"][0]["content"].endswith("it is d")
    assert (dpo["chosen_teacher"], dpo["chosen_length"]) == ("m@1", 9)
    rl = Rl().render(Rl().choose(asked, answered, 0)[1], asked, answered).row(0, named=True)
    assert (rl["prompt"], rl["solution"], rl["id"]) == ([asks], "4", "p0")


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: type(view).__name__)
def test_a_view_of_nothing_has_its_columns(view: Any) -> None:
    asked = problems(level=["high"]).clear()
    told, picks = view.choose(asked, empty(ROLLOUT), 0)
    rows = to_arrow(view.render(picks, asked, empty(ROLLOUT)), view.schema)
    assert (told.height, rows.num_rows, rows.schema) == (0, 0, view.schema)


@pytest.mark.parametrize(("view", "bad"), [(Sft, "pass_rate"), (Rl, "pass_rate"), (Dpo, "length_ratio")])
def test_a_band_with_its_ends_exchanged_is_refused(view: Any, bad: str) -> None:
    with pytest.raises(ValueError, match=f"{bad}: the lower end comes first"):
        view(**{bad: (0.9, 0.1)})


def _many(n: int, per_problem: int = 8) -> tuple[pl.DataFrame, pl.DataFrame]:
    rng = np.random.default_rng(0)
    verdict = pl.Series("verdict", ["correct", "wrong", "truncated", "no_answer", "timeout"])
    ids = pl.int_range(n, eager=True)
    answered = pl.DataFrame({"number": ids}).select(
        id=pl.format("{}", pl.col("number").cast(pl.String).str.zfill(16)),
        problem_id=pl.format("p{}", pl.col("number") // per_problem),
        verdict=verdict.gather(rng.choice(5, n, p=[0.5, 0.3, 0.1, 0.05, 0.05])),
        finish_reason=pl.lit("stop"),
        completion_tokens=pl.Series(rng.lognormal(7, 0.6, n).astype("int64")),
        reasoning_chars=pl.lit(9),
        response_chars=pl.lit(9),
    )
    asked = pl.DataFrame({"id": answered["problem_id"].unique(maintain_order=True)}).with_columns(
        answer=pl.lit("4"), level=pl.lit(None, dtype=pl.String), pass_rate=pl.Series(rng.random(n // per_problem))
    )
    return asked, answered


@pytest.mark.parametrize(
    "view",
    [Midtrain(per_problem=2), Sft(pick="random"), Sft(), Dpo(), Dpo(rule="random"), Rl(length_spread=0.5)],
    ids=lambda view: type(view).__name__,
)
def test_every_unit_has_one_fate_and_the_picks_are_those_kept(view: Any) -> None:
    asked, answered = _many(100_000)
    started = time.perf_counter()
    told, picks = view.choose(asked, answered, seed=3)
    assert time.perf_counter() - started < 10
    units = asked if view.unit == "problems" else answered
    assert told["id"].to_list() == units["id"].to_list()
    assert set(told["drop"].drop_nulls().unique()) <= set(view.drops)
    kept = set(told.filter(pl.col("drop").is_null())["id"])
    columns = [name for name in ("rollout_id", "chosen_id", "rejected_id") if name in picks.columns] or ["problem_id"]
    picked = pl.concat([picks[name] for name in columns])
    assert picked.is_unique().all()
    assert set(picked) == kept
    again = view.choose(asked, answered, seed=3)
    assert told.equals(again[0])
    assert picks.equals(again[1])
