"""Facts about `curate explain`: one row's story, stage by stage, with the evidence."""

import json

import polars as pl
import pytest

from curate.build import build
from curate.look.story import story
from curate.manifest import read_manifest
from curate.progress import Steps
from curate.version import Version, VersionError

MANIFEST = """
name: told
sources:
  - use: files
    path: rows.jsonl
    columns: {problem: question, answer: answer, rollouts: texts, teacher: model}
problems: [hygiene.answerable, dedup.exact]
verdicts: [rule]
tags: [difficulty]
views: {sft: {}, dpo: {}}
heldout: 0.0
"""

THOUGHT = "<think>\nLet me add them.\n</think>\n\nIt is \\boxed{%s}."

ROWS = [
    {"question": "What is 2 + 3?", "answer": "5", "texts": [THOUGHT % 5, THOUGHT % 6], "model": "a"},
    {"question": "WHAT is  2 + 3?", "answer": "5", "texts": [THOUGHT % 5], "model": "b"},
    {"question": "What is \x1b[31m 1 + 1?", "answer": "n/a", "texts": [], "model": "a"},
]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Version:
    folder = tmp_path_factory.mktemp("told")
    (folder / "m.yaml").write_text(MANIFEST)
    (folder / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in ROWS))
    return build(read_manifest(folder / "m.yaml"), folder / "data", Steps(quiet=True), workers=1).version


def lines(version: Version, row: str) -> list[str]:
    return [" ".join(line.split()) for line in story([version], row).splitlines()]


def problem(version: Version, place: int) -> str:
    return str(version.problems.collect()["id"][place])


def test_a_duplicate_is_shown_beside_what_it_is_a_duplicate_of(told: Version) -> None:
    said = lines(told, problem(told, 1))
    at = said.index("dedup.exact dropped: duplicate")
    assert said[at - 1] == "hygiene.answerable kept"
    assert said[at + 1 : at + 3] == [f"duplicate_of = {problem(told, 0)}", "What is 2 + 3?"]
    assert not any(line.startswith("tags.difficulty") for line in said)
    assert "view sft not seen: dropped before" in said


def test_the_fact_behind_a_drop_stands_below_it(told: Version) -> None:
    said = lines(told, problem(told, 2))
    assert said[said.index("hygiene.answerable dropped: no_answer") + 1].startswith("answer_fault = ")


def test_a_rollout_tells_its_verdict_how_it_came_about_and_the_views_it_is_in(told: Version) -> None:
    right, wrong = told.rollouts.collect().filter(pl.col("problem_id") == problem(told, 0)).iter_rows(named=True)
    said = lines(told, right["id"])
    assert f"problem_id {problem(told, 0)}" in said
    assert "problem What is 2 + 3?" in said
    assert "teacher a" in said
    assert {"extracted_answer = 5", "verdict = correct", f"verdict_by = {right['verdict_by']}"} <= set(said)
    assert said[-2:] == ["view sft 1 row(s) of train", "view dpo 1 row(s) of train"]
    assert lines(told, wrong["id"])[-2:] == ["view sft left out: wrong", "view dpo 1 row(s) of train"]


def test_a_rollout_that_left_with_its_problem_says_so(told: Version) -> None:
    orphan = told.rollouts.filter(pl.col("drop_reason").is_not_null()).collect().row(0, named=True)
    said = lines(told, orphan["id"])
    assert "its problem was dropped by dedup.exact: duplicate" in said
    assert "problems dropped: problem_dropped" in said


def test_every_rollout_of_a_problem_has_its_line(told: Version) -> None:
    said = lines(told, problem(told, 0))
    assert sum(line.endswith("sft: taken; dpo: taken") for line in said) == 1
    assert sum(line.endswith("sft: wrong; dpo: taken") for line in said) == 1


def test_a_row_cannot_speak_to_the_terminal(told: Version) -> None:
    assert "\x1b" not in story([told], problem(told, 2))


def test_a_name_of_nothing_or_of_several_is_said(told: Version) -> None:
    with pytest.raises(VersionError, match=r"no problem or rollout 'zz' \(looked in told@v1\)"):
        story([told], "zz")
    with pytest.raises(VersionError, match="give the whole id"):
        story([told], "")
