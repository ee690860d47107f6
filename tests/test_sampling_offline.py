"""Facts about builds from the rollout store alone."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from distill.request import TeacherError
from tests.classroom import GOAL, line, make, problems, room
from tests.slow_server import Slow, command, slow_server


@pytest.fixture
def slow() -> Iterator[tuple[str, type[Slow]]]:
    with slow_server() as served:
        yield served


def test_offline_builds_what_the_store_has_and_the_next_version_when_it_has_more(tmp_path: Path) -> None:
    problems(tmp_path)
    with pytest.raises(TeacherError):
        make(tmp_path, room(stops_after=30))
    first = make(tmp_path, None, offline=True)
    assert line(first) == {"seen": 96, "kept": 30, "not_in_store": 66}
    assert (first.lock["not_in_store"], first.rollouts.collect().height) == (66, 30)
    assert [(bill["asked"], bill["reused"]) for bill in first.lock["rollouts"]] == [(0, 30)]
    assert "not_in_store" in (first.path / "README.md").read_text()
    assert make(tmp_path, None, offline=True).name == "small@v1"
    whole = make(tmp_path, room())
    assert (whole.name, line(whole), whole.lock["not_in_store"]) == ("small@v2", {"seen": 96, "kept": 96}, 0)
    assert make(tmp_path, None, offline=True).name == "small@v2"
    assert set(first.rollouts.select("id").collect()["id"]) <= set(whole.rollouts.select("id").collect()["id"])


def test_offline_with_nothing_of_it_in_the_store_makes_no_version_and_says_what_to_do(tmp_path: Path) -> None:
    problems(tmp_path)
    with pytest.raises(TeacherError, match="of the 96 rollouts of tutor not one is in the store"):
        make(tmp_path, None, offline=True)
    run = subprocess.run(
        [sys.executable, "-m", "curate", "build", "-m", "m.yaml", "--workers", "1", "--offline"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (run.returncode, "curate store merge OTHER" in run.stderr) == (4, True)
    assert not (tmp_path / "data" / "small" / "v1").exists()
    with pytest.raises(TeacherError):
        make(tmp_path, room(stops_after=1))
    assert make(tmp_path, None, offline=True).rollouts.collect().height == 1


def test_offline_rounds_of_a_goal_go_as_far_as_the_store(tmp_path: Path) -> None:
    problems(tmp_path)
    whole = make(tmp_path, room(), *GOAL, root="plain")
    for stop in (40, 110):
        with pytest.raises(TeacherError):
            make(tmp_path, room(stops_after=stop), *GOAL)
    version = make(tmp_path, None, *GOAL, offline=True)
    drawn = version.rollouts.select("id").collect()["id"]
    assert 96 < len(drawn) < whole.rollouts.collect().height
    assert set(drawn) < set(whole.rollouts.select("id").collect()["id"])
    assert line(version)["not_in_store"] == line(version)["seen"] - len(drawn) > 0


def test_offline_needs_no_server_and_no_key_and_a_spent_budget_exits_with_4(
    tmp_path: Path, slow: tuple[str, type[Slow]]
) -> None:
    problems(tmp_path)
    url, handler = slow
    handler.wait_s = 0.0
    spent = subprocess.run(
        command(tmp_path, url, "--set", "rollouts.budget={tokens: 240}"), cwd=tmp_path, capture_output=True, text=True
    )
    assert (spent.returncode, "budget spent" in spent.stderr) == (4, True)
    closed = command(tmp_path, "http://127.0.0.1:9/v1", "--set", "rollouts.teacher.api_key_env=NO_SUCH_KEY")
    refused = subprocess.run(closed, cwd=tmp_path, capture_output=True, text=True)
    assert refused.returncode == 4
    built = subprocess.run([*closed, "--offline"], cwd=tmp_path, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    missing = 96 - len(handler.asked)
    assert f"teacher.openai_server: asked 96, not in the store {missing}" in built.stderr
    assert os.environ.get("NO_SUCH_KEY") is None
