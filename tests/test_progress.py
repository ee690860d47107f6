"""Facts about the progress of sampling: rates, failures and the time left, on a terminal and in a log."""

import io
import time

import pytest
from rich.console import Console

from curate import progress
from curate.planning.pace import Pace
from curate.progress import Steps
from distill.request import Message, Reply, Request, Sampling

REQUEST = Request((Message("user", "2 + 2?"),), "m", "", Sampling(), 0)
GOOD = Reply(REQUEST.key, "4", prompt_tokens=10, completion_tokens=500)
BAD = Reply(REQUEST.key, "", finish_reason="error", error="503")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_rates_are_those_of_the_last_minute_and_the_time_left_follows_from_them() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert pace.text(0, 100) == "waiting for the first reply"
    for _ in range(100):  # one in ten seconds, then two in a second
        clock.now += 10
        pace.saw(REQUEST, GOOD)
    for _ in range(240):
        clock.now += 0.5
        pace.saw(REQUEST, GOOD)
    assert pace.text(340, 940) == "2/s, 1,000 tokens/s, 5 min left"
    assert pace.summary() == f"{340 / 1120:.2g}/s, {500 * 340 / 1120:,.0f} tokens/s"


def test_failures_are_said_and_rollouts_from_the_store_are_no_speed() -> None:
    clock = Clock()
    pace = Pace(clock)
    told = []
    pace.done = told.append
    pace.done(1_000_000)
    clock.now = 20.0
    pace.saw(REQUEST, BAD)
    pace.saw(REQUEST, GOOD)
    assert pace.text(1_000_001, 1_000_101) == "0.1/s, 25 tokens/s, 1 failed, 17 min left"
    assert told == [1_000_000, 0]


@pytest.mark.parametrize("terminal", [False, True])
def test_a_sampling_step_says_rate_tokens_and_failures(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.05)
    steps = Steps()
    steps.console = Console(file=io.StringIO(), force_terminal=terminal, width=200)
    with steps.sampling("rollouts of m", 3) as pace:
        for reply in (GOOD, BAD, GOOD):
            pace.saw(REQUEST, reply)
            pace.done(1)
        time.sleep(0.2)
        said = steps.console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
    end = steps.console.file.getvalue().splitlines()[-1]  # type: ignore[attr-defined]  # a StringIO
    assert "rollouts of m" in end
    assert "tokens/s, 1 failed" in end
    if not terminal:
        last = said.splitlines()[-1]
        assert last.startswith("rollouts of m: 3 of 3 rollouts, 0 s, ")
        assert last.endswith("tokens/s, 1 failed, 0 s left")


def test_a_log_hears_of_a_step_that_does_not_advance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.05)
    steps = Steps()
    steps.console = Console(file=io.StringIO(), force_terminal=False, width=200)
    with steps.step("dedup.minhash", 5000, "problems"):
        time.sleep(0.2)
    said = steps.console.file.getvalue().splitlines()  # type: ignore[attr-defined]  # a StringIO
    assert said[0] == "dedup.minhash: 0 of 5,000 problems, 0 s"
    assert said[-1].split()[:2] == ["dedup.minhash", "none"]


def test_a_terminal_shows_the_pace_beside_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Steps()
    steps.console = Console(file=io.StringIO(), force_terminal=True, width=200)
    with steps.sampling("rollouts of m", 3) as pace:
        pace.saw(REQUEST, GOOD)
        pace.done(1)
        steps.console.file.flush()
    assert "tokens/s" in steps.console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO


def test_other_steps_end_as_before() -> None:
    steps = Steps()
    steps.console = Console(file=io.StringIO(), force_terminal=False, width=200)
    with steps.step("sources", None, "rows") as done:
        done(1200)
    assert steps.console.file.getvalue().split() == ["sources", "1,200", "rows", "0.0", "s"]  # type: ignore[attr-defined]
