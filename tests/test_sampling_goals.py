"""Facts about goals: rounds by index, what they ask for, and that nothing is asked twice."""

from pathlib import Path

import polars as pl
import pytest

from curate.manifest import ManifestError, read_manifest
from curate.recipes.order import OrderError, check_order
from distill.request import TeacherError
from tests.classroom import GOAL, PROBLEMS, SMALL, by_problem, line, make, posed, problems, room, write


def test_raising_n_asks_for_the_new_ones_and_what_does_not_ask_costs_nothing(tmp_path: Path) -> None:
    rows = problems(tmp_path)
    first, teacher = room(), room()
    make(tmp_path, first)
    assert set(by_problem(first.asked).values()) == {4}
    make(tmp_path, teacher, "rollouts.sampling.n=8")
    assert set(by_problem(teacher.asked).values()) == {4}
    assert {request.index for request in teacher.asked} == {4, 5, 6, 7}
    assert len(teacher.asked) == 4 * PROBLEMS

    idle = room()
    for sets in ("verdicts=[{use: rule, policy: {tolerance: 0.1}}]", "views={rl: {}}", "tags=[difficulty]"):
        make(tmp_path, idle, sets)
    write(tmp_path, rows[::-1])
    make(tmp_path, idle)
    write(tmp_path, rows[5:10])
    make(tmp_path, idle)
    assert idle.asked == []

    write(tmp_path, [*rows[::-1], *posed(3, seed=99)])
    make(tmp_path, idle)
    assert len(idle.asked) == 4 * 3


def test_rollouts_are_drawn_until_the_goal_is_reached_or_given_up(tmp_path: Path) -> None:
    problems(tmp_path)
    version = make(tmp_path, room(), *GOAL)
    counts = set()
    for _, verdicts in (
        version.rollouts.group_by("problem_id", maintain_order=True).agg("verdict").collect().iter_rows()
    ):
        needed = [n for n in (4, 8, 12) if verdicts[:n].count("correct") >= 2 and verdicts[:n].count("wrong") >= 1]
        assert len(verdicts) == (needed[0] if needed else 12)
        counts.add(len(verdicts))
    assert counts == {4, 8, 12}


@pytest.mark.parametrize("in_flight", [1, 8, 64])
def test_order_and_concurrency_change_no_row_of_a_goal(tmp_path: Path, in_flight: int) -> None:
    problems(tmp_path, 10)
    plain = make(tmp_path, room(), *GOAL, root="plain").digest
    for seed in range(5):
        assert make(tmp_path, room(in_flight=in_flight, shuffle=seed), *GOAL, root=f"{seed}").digest == plain


def test_interruptions_and_a_fuller_store_change_no_row_of_a_goal(tmp_path: Path) -> None:
    problems(tmp_path)
    plain = make(tmp_path, room(), *GOAL, root="plain").digest
    for stop in (1, 50, 50, 20):
        with pytest.raises(TeacherError):
            make(tmp_path, room(in_flight=8, stops_after=stop), *GOAL, root="broken")
    assert make(tmp_path, room(), *GOAL, root="broken").digest == plain

    make(tmp_path, room(), "rollouts.sampling.n=12", root="full")
    idle = room()
    assert make(tmp_path, idle, *GOAL, root="full").digest == plain
    assert idle.asked == []


def test_a_goal_asks_for_no_more_than_it_takes(tmp_path: Path) -> None:
    problems(tmp_path)
    teacher = room()
    version = make(tmp_path, teacher, *GOAL)
    assert len(teacher.asked) == version.rollouts.collect().height
    again = room()
    make(tmp_path, again, *GOAL, "views={rl: {}}")
    assert again.asked == []
    more = room()
    larger = make(tmp_path, more, "rollouts.goal={correct: 2, wrong: 2, at_most: 12}").rollouts.collect()
    assert len(more.asked) == larger.height - len(teacher.asked) > 0


def test_a_goal_without_a_verdict_and_keys_that_make_no_sense_are_told_at_once(tmp_path: Path) -> None:
    problems(tmp_path)
    (tmp_path / "m.yaml").write_text(SMALL)
    with pytest.raises(OrderError, match=r"rollouts.goal: no verdict says"):
        check_order(read_manifest(tmp_path / "m.yaml", (*GOAL, "verdicts=[]")))
    for sets, said in (
        ("rollouts.budget={usd: 5}", "budget.usd needs prices"),
        ("rollouts.budget={}", "budget names no limit"),
        ("rollouts.goal={correct: 0}", "goal wants no rollouts"),
        ("rollouts.goal={at_most: 2}", "goal.at_most is 2, but the first round alone draws sampling.n = 4"),
        ("rollouts.cut_off={up_to: 2048}", "cut_off.up_to is 2048, not more than sampling.max_tokens"),
    ):
        with pytest.raises(ManifestError, match=said):
            read_manifest(tmp_path / "m.yaml", (sets,))


def test_what_was_drawn_again_longer_stands_in_the_ledger(tmp_path: Path) -> None:
    problems(tmp_path)
    plain = make(tmp_path, room(), "rollouts.sampling.max_tokens=200")
    cut = plain.rollouts.filter(pl.col("finish_reason") == "length").collect().height
    teacher = room()
    version = make(tmp_path, teacher, "rollouts.sampling.max_tokens=200", "rollouts.cut_off={times: 4, up_to: 3000}")
    rows = version.rollouts.select("id", "finish_reason", limit=pl.col("sampling").struct.field("max_tokens")).collect()
    longer = line(version)["drawn_longer"]
    assert longer == len(teacher.asked) >= cut > 0
    assert line(version) == {"seen": 96 + longer, "kept": 96, "drawn_longer": longer}
    assert set(rows.filter(pl.col("finish_reason") == "length")["limit"]) <= {3000}
    assert set(rows["limit"]) == {200, 800, 3000}
    assert version.lock["teacher"]["cut_off"] == {"times": 4.0, "up_to": 3000}
