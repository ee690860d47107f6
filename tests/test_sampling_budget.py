"""Facts about builds that stop before it is too much: budgets, and lost reasoning."""

from pathlib import Path

import polars as pl
import pytest

from curate.asking.lost_reasoning import FIRST, LostReasoningError, ReasoningWatch
from distill.budget import BudgetError
from distill.request import Reply
from tests.classroom import PROBLEMS, Terse, make, problems, room


def test_a_spent_budget_stops_the_build_and_a_larger_one_goes_on(tmp_path: Path) -> None:
    problems(tmp_path)
    plain = make(tmp_path, room(), root="plain")
    paid = plain.rollouts.select(pl.sum("prompt_tokens") + pl.sum("completion_tokens")).collect().item()
    prices = "rollouts.prices={input: 1, output: 1}"
    first = room(in_flight=8)
    with pytest.raises(BudgetError, match=r"budget spent: \$"):
        make(tmp_path, first, prices, f"rollouts.budget={{usd: {paid / 3e6}}}")
    assert 4 * PROBLEMS / 4 < len(first.asked) < 4 * PROBLEMS / 2
    idle = room()
    with pytest.raises(BudgetError):
        make(tmp_path, idle, prices, f"rollouts.budget={{usd: {paid / 3e6}}}")
    assert idle.asked == [], "what the first run spent is not spent anew"
    rest = room()
    assert make(tmp_path, rest, f"rollouts.budget={{tokens: {paid}}}").digest == plain.digest
    assert len(first.asked) + len(rest.asked) == 4 * PROBLEMS


def test_lost_reasoning_stops_the_build_before_it_is_paid_for_and_again_without_paying(tmp_path: Path) -> None:
    problems(tmp_path, 100)
    teacher, again = room(Terse, in_flight=8), room(Terse, in_flight=8)
    with pytest.raises(LostReasoningError, match=r"of 200 rollouts of tutor \(\d+%\) have none") as told:
        make(tmp_path, teacher)
    assert FIRST <= len(teacher.asked) < FIRST + 8
    assert str(told.value).count("\n  '") == 2
    assert "rollouts.no_reasoning: 1" in str(told.value)
    with pytest.raises(LostReasoningError):
        make(tmp_path, again)
    assert again.asked == []
    assert make(tmp_path, again, "rollouts.no_reasoning=1").rollouts.collect().height == 400


def test_few_rollouts_without_reasoning_are_found_at_the_end(tmp_path: Path) -> None:
    problems(tmp_path, 5)
    with pytest.raises(LostReasoningError, match=r"of 20 rollouts"):
        make(tmp_path, room(Terse))
    watch = ReasoningWatch("qwen3", 0.1)
    watch.know(Reply(str(i), "4" if i < 20 else "<think>2 + 2</think>4") for i in range(FIRST))
    assert watch.stop() is None, "a tenth is allowed"
