"""Facts about plans: what is asked, what it will take, and that a pilot's rollouts are the build's own."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from curate.asking.lost_reasoning import LostReasoningError
from curate.build import build
from curate.manifest import read_manifest
from curate.planning.forecast import Forecast
from curate.planning.plan import Plan, plan_build
from curate.planning.projection import project
from curate.plug import load
from curate.progress import Steps
from curate.recipes.manifest_plugs import Use
from curate.recipes.recipe import Rollouts
from curate.version import Version
from distill.account import Spent
from distill.store import Store
from tests.distill.hostile_server import HostileServer

TUTORED = """
name: small
sources: [{use: procedural, n: 80, seed: 3}]
rollouts:
  teacher: {use: tutor, error_rate: 0.4}
  sampling: {n: 4, temperature: 1.0, max_tokens: 2048}
  prices: {input: 1, output: 10}
verdicts: [rule]
views: {sft: {}}
heldout: 0.0
"""

SERVED = """
name: served
sources: [{use: files, path: problems.jsonl, columns: {problem: problem, answer: answer}}]
prompt: {user: "{problem}"}
rollouts:
  teacher: {use: openai_server, model: m, base_url: URL, tries: 1, backoff_s: 0, in_flight: 2}
  sampling: {n: 3, max_tokens: 64}
verdicts: [rule]
views: {sft: {}}
heldout: 0.0
"""

GOAL = "rollouts.goal={correct: 2, wrong: 1, at_most: 12}"


def plan(folder: Path, text: str, *sets: str, pilot: int = 0) -> Plan:
    (folder / "m.yaml").write_text(text)
    return plan_build(read_manifest(folder / "m.yaml", sets), folder / "data", Steps(quiet=True), pilot)


def made(folder: Path, *sets: str) -> Version:
    return build(read_manifest(folder / "m.yaml", sets), folder / "data", Steps(quiet=True), workers=1).version


def served(folder: Path, server: HostileServer, *problems: str) -> str:
    rows = [json.dumps({"problem": problem, "answer": "4"}) for problem in problems]
    (folder / "problems.jsonl").write_text("\n".join(rows) + "\n")
    return SERVED.replace("URL", server.url)


def test_without_rollouts_a_plan_asks_for_a_pilot_and_asks_nobody(tmp_path: Path) -> None:
    with HostileServer() as server:
        said = plan(tmp_path, served(tmp_path, server, "reasoning_content|1", "reasoning_content|2")).text()
        assert server.requests == []
    assert "6 asked for, 0 in the store, 6 to be drawn" in said
    assert "no rollout of this manifest is in the store yet" in said
    assert "--pilot 8" in said


def test_a_pilot_is_paid_once_and_the_rest_is_projected_from_it(tmp_path: Path) -> None:
    with HostileServer() as server:
        text = served(tmp_path, server, *(f"reasoning_content|{i:02}" for i in range(10)))
        first = plan(tmp_path, text, "rollouts.prices={input: 1, output: 100}", pilot=4)
        assert len(server.requests) == 12
        forecast = first.forecast
        assert forecast is not None
        found = forecast.projection
        assert found is not None
        assert (found.problems, found.rollouts) == (4, 12)
        # All replies of this server are alike: 18 missing rollouts of 7 and 11 tokens, and no doubt about it.
        for span, tokens in ((found.prompt_tokens, 18 * 7), (found.completion_tokens, 18 * 11)):
            assert (span.expected, span.low, span.high) == pytest.approx((tokens, tokens, tokens))
        assert "$0.02" in first.text()
        assert "projected from 12 rollouts of 4 problems" in first.text()
        assert "time  " in first.text()
        plan(tmp_path, text, pilot=4)
        assert len(server.requests) == 12
        version = made(tmp_path)
        assert len(server.requests) == 30
    assert version.rollouts.collect().height == 30
    assert plan(tmp_path, text).text().startswith("nothing to do")


def test_a_pilot_is_spread_over_the_table(tmp_path: Path) -> None:
    with HostileServer() as server:
        plan(tmp_path, served(tmp_path, server, *(f"reasoning_content|{i:02}" for i in range(40))), pilot=4)
        asked = sorted({int(body["messages"][-1]["content"][-2:]) for body in server.requests})
    assert [place // 10 for place in asked] == [0, 1, 2, 3]


def test_a_pilot_shows_that_the_reasoning_is_lost(tmp_path: Path) -> None:
    with HostileServer() as server:
        text = served(tmp_path, server, *(f"fine|{i:02}" for i in range(50)))
        with pytest.raises(LostReasoningError, match="24 of 24 rollouts of m"):
            plan(tmp_path, text, pilot=8)
        assert plan(tmp_path, text, "rollouts.no_reasoning=1", pilot=8).stored == 24
        assert len(server.requests) == 24


def took(teacher: str) -> str:
    """The time that is said for 4 rollouts of `teacher`, where 8 took 4,800 seconds together."""
    found = project(
        pl.DataFrame(
            {"characters": 9, "rollouts": [4, 4], "prompt_tokens": 9, "completion_tokens": 9, "seconds": 2400.0}
        ),
        pl.DataFrame({"characters": [9], "rollouts": [4]}),
        seed=0,
    )
    plug = load("teacher", teacher)
    options = {"model": "m", "commit": "0" * 40} if teacher == "vllm_engine" else {"model": "m"}
    wanted = Rollouts(teacher=Use(teacher, plug(**options)))
    return next(
        line for line in Forecast(wanted, 3, 8, 8, 2, 4, found, None, Spent()).text().splitlines() if "time" in line
    )


def test_the_last_few_rollouts_of_a_server_take_as_long_as_one() -> None:
    assert "time                  10 min" in took("openai_server")  # 600 s each, all 4 at once


def test_an_engine_in_this_process_takes_what_its_replies_took_together() -> None:
    assert "time                  40 min" in took("vllm_engine")  # its replies' seconds are shares of the clock


def test_failed_attempts_are_projected_too(tmp_path: Path) -> None:
    with HostileServer() as server:
        text = served(
            tmp_path, server, *(f"empty|{i}" for i in range(4)), *(f"reasoning_content|{i}" for i in range(4))
        )
        found = plan(tmp_path, text, pilot=8).forecast
    assert found
    # 12 good ones of 11 tokens are there; every empty one was asked twice, so none of it tells what a reply takes.
    assert (found.stored, found.lacking, found.settled) == (12, 12, 4)


def test_the_truth_lies_in_the_range(tmp_path: Path) -> None:
    found = plan(tmp_path, TUTORED, pilot=10).forecast
    assert found
    assert found.projection
    version = made(tmp_path)
    rollouts = version.rollouts.select("completion_tokens", "prompt_tokens").sum().collect()
    asked = Store(tmp_path / "data" / ".rollouts").costs()
    assert asked["completion_tokens"].sum() == rollouts["completion_tokens"].item()
    drawn = {
        name: rollouts[name].item() - spent
        for name, spent in zip(rollouts.columns, _pilot_tokens(tmp_path / "again", 10), strict=True)
    }
    for name, span in (
        ("completion_tokens", found.projection.completion_tokens),
        ("prompt_tokens", found.projection.prompt_tokens),
    ):
        assert span.low is not None
        assert span.high is not None
        assert span.low <= drawn[name] <= span.high
        assert span.high < 2 * span.low


def _pilot_tokens(folder: Path, count: int) -> tuple[int, int]:
    folder.mkdir()
    plan(folder, TUTORED, pilot=count)
    spent = Store(folder / "data" / ".rollouts").costs()
    return spent["completion_tokens"].sum(), spent["prompt_tokens"].sum()


def test_with_a_goal_a_plan_says_the_bound_and_what_is_expected(tmp_path: Path) -> None:
    blind = plan(tmp_path, TUTORED, GOAL)
    assert blind.forecast
    assert blind.forecast.at_most == 80 * 12
    assert blind.forecast.projection is None
    seen = plan(tmp_path, TUTORED, GOAL, pilot=16)
    assert seen.forecast
    assert seen.forecast.projection
    assert (seen.forecast.settled, seen.forecast.at_most) == (16, 64 * 12)
    missing = seen.forecast.projection.missing
    assert 64 * 4 <= missing.expected < 64 * 12
    version = made(tmp_path, GOAL)
    drawn = version.rollouts.collect().height - seen.forecast.stored
    assert missing.low is not None
    assert missing.high is not None
    assert missing.low <= drawn <= missing.high
    assert "16 of 80 problems have what the goal asks for or are given up; at most 768 to be drawn" in seen.text()


def test_problems_on_the_way_to_a_goal_tell_nothing_of_its_cost(tmp_path: Path) -> None:
    plan(tmp_path, TUTORED, pilot=8)
    found = plan(tmp_path, TUTORED, "rollouts.goal={correct: 9, at_most: 12}").forecast
    assert found
    assert (found.stored, found.settled, found.projection) == (32, 0, None)


def test_a_pilot_of_nothing_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "problems.jsonl").write_text('{"problem": "", "answer": "4"}\n')
    text = SERVED.replace("URL", "http://127.0.0.1:9/v1")
    assert plan(tmp_path, text, pilot=8).stored == 0


def test_a_budget_that_will_not_do_is_said_before_it_is_spent(tmp_path: Path) -> None:
    said = plan(tmp_path, TUTORED, "rollouts.budget={tokens: 50000, usd: 1000}", pilot=8).text()
    assert "rollouts.budget.tokens will not do: 50,000 tokens, while" in said
    assert "budget.usd" not in said


def test_a_budget_that_is_partly_spent_is_compared_with_what_is_left_of_it(tmp_path: Path) -> None:
    found = plan(tmp_path, TUTORED, pilot=40).forecast
    assert found
    assert found.projection
    left = found.projection.prompt_tokens.expected + found.projection.completion_tokens.expected
    enough = round(left + found.spent.prompt_tokens + found.spent.completion_tokens) + 1
    assert "budget.tokens" not in plan(tmp_path, TUTORED, f"rollouts.budget.tokens={enough}").text()
    assert left < enough - 2
    assert "budget.tokens will not do" in plan(tmp_path, TUTORED, f"rollouts.budget.tokens={enough - 2}").text()


def test_more_rollouts_are_projected_from_those_there_are(tmp_path: Path) -> None:
    plan(tmp_path, TUTORED)
    made(tmp_path)
    found = plan(tmp_path, TUTORED, "rollouts.sampling.n=6").forecast
    assert found
    assert found.projection
    assert (found.stored, found.lacking, found.projection.rollouts) == (320, 160, 320)


def test_a_range_from_clustered_rollouts_is_wide_enough() -> None:
    """Ten problems of four rollouts each, of very different lengths: the range holds the truth as often as it says."""
    rng = np.random.default_rng(1)
    hits = 0
    for trial in range(200):
        means = rng.lognormal(7, 0.8, 10 + 300)
        tokens = (means[:, None] * rng.lognormal(0, 0.4, (310, 4))).sum(axis=1)
        zeros = [0.0] * 10
        asked = {"characters": [100] * 10, "rollouts": [4] * 10, "prompt_tokens": zeros, "seconds": zeros}
        unasked = pl.DataFrame({"characters": [100] * 300, "rollouts": [4] * 300})
        span = project(pl.DataFrame({**asked, "completion_tokens": tokens[:10]}), unasked, trial).completion_tokens
        assert span.low is not None
        assert span.high is not None
        hits += span.low <= tokens[10:].sum() <= span.high
    assert 125 <= hits <= 185  # 0.8 of 200 is 160; taken as 40 independent rollouts it is 87


def test_one_problem_gives_no_range() -> None:
    one = {"characters": [10], "rollouts": [2], "prompt_tokens": [4], "completion_tokens": [100], "seconds": [1.0]}
    found = project(pl.DataFrame(one), pl.DataFrame({"characters": [20, 30], "rollouts": [2, 1]}), 0)
    assert (found.completion_tokens.expected, found.completion_tokens.low) == (150, None)
    assert found.prompt_tokens.expected == pytest.approx(4 / 20 * (20 * 2 + 30 * 1))
