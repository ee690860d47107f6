"""Quarantine: a problem that no rollout solves is too hard or has a bad gold answer; what rollouts say instead."""

import json
from pathlib import Path

import polars as pl
import pytest

from curate.build import build
from curate.manifest import read_manifest
from curate.progress import Steps
from curate.tag.quarantine import REASON, Quarantine
from curate.version import Version
from curate.versions.checks import check_version
from distill.families import pose_many

MANIFEST = """
name: hard
sources: [{use: files, path: posed.jsonl, columns: {problem: q, answer: a, source_id: truth}}]
rollouts:
  teacher: {use: tutor, error_rate: 0.1}
  sampling: {n: 6, temperature: 1.0, max_tokens: 4096}
verdicts: [rule]
tags: [difficulty, quarantine]
views: {midtrain: {keep: all}, rl: {pass_rate: [0.0, 1.0]}}
heldout: 0.0
"""


def rollouts(*said: tuple[str, str | None], teacher: str = "m@1") -> pl.DataFrame:
    """Rollouts of one problem: verdict and answer."""
    return pl.DataFrame(
        {
            "problem_id": "p",
            "verdict": [verdict for verdict, _ in said],
            "extracted_answer": pl.Series([answer for _, answer in said], dtype=pl.String),
            "teacher": teacher,
        }
    )


def mark(rows: pl.DataFrame, **options: object) -> dict[str, object]:
    return Quarantine(**options)(rows).row(0, named=True)  # type: ignore[arg-type]  # tests name real options


def test_a_problem_that_nothing_solves_is_dropped_with_the_answer_most_rollouts_give() -> None:
    found = mark(rollouts(("wrong", "12"), ("wrong", "12.0"), ("wrong", "12"), ("wrong", "5"), ("no_answer", None)))
    assert found["drop"] == found["quarantined"] == REASON
    assert (found["suspected_answer"], found["suspected_share"], found["suspected_n"]) == ("12", 0.75, 4)


def test_one_correct_rollout_keeps_it_whoever_it_is_by() -> None:
    rows = pl.concat([rollouts(*[("wrong", "1")] * 6, teacher="weak"), rollouts(("correct", "2"), teacher="strong")])
    assert mark(rows)["drop"] is None
    assert mark(rows, teacher="weak")["drop"] is None


def test_too_few_judged_rollouts_say_nothing() -> None:
    undecided = [("timeout", "1"), ("undecided", "1"), ("truncated", None), ("error", None), ("unreadable_gold", None)]
    assert mark(rollouts(*[("wrong", "1")] * 3, *undecided))["drop"] is None
    assert mark(rollouts(*[("wrong", "1")] * 3), least=3)["drop"] == REASON
    assert mark(rollouts(*undecided * 3))["drop"] is None, "a timeout is never wrong"


def test_answers_that_scatter_or_tie_suspect_nothing() -> None:
    scattered = mark(rollouts(*[("wrong", str(n)) for n in range(6)]))
    assert (scattered["drop"], scattered["suspected_answer"], scattered["suspected_share"]) == (REASON, None, None)
    tied = mark(rollouts(("wrong", "1"), ("wrong", "1"), ("wrong", "2"), ("wrong", "2")))
    assert tied["suspected_answer"] is None


def test_thresholds_are_options() -> None:
    rows = rollouts(*[("wrong", "1")] * 3, *[("wrong", str(n)) for n in range(2, 7)])
    assert mark(rows)["suspected_answer"] is None
    assert mark(rows, share=0.3)["suspected_answer"] == "1"
    few = rollouts(("wrong", "1"), ("wrong", "1"), ("no_answer", None), ("no_answer", None))
    assert mark(few)["suspected_answer"] is None
    assert mark(few, least_answers=2)["suspected_answer"] == "1"


def test_marked_only_it_stays() -> None:
    found = mark(rollouts(*[("wrong", "1")] * 4), drop=False)
    assert (found["quarantined"], found["drop"], found["suspected_answer"]) == (REASON, None, "1")


def made(folder: Path, *sets: str, root: str = "data") -> Version:
    """Five of forty gold answers are wrong by one; which, stands in `source_id`."""
    posed = [p for p in pose_many(200, 5) if p.answer.isdigit()][:40]
    rows = [
        {"q": p.problem, "a": str(int(p.answer) + 1) if n < 5 else p.answer, "truth": f"{n} {p.answer}"}
        for n, p in enumerate(posed)
    ]
    (folder / "posed.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "m.yaml").write_text(MANIFEST)
    return build(read_manifest(folder / "m.yaml", sets), folder / root, Steps(quiet=True), workers=1).version


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hard")


@pytest.fixture(scope="module")
def version(folder: Path) -> Version:
    return made(folder)


def test_planted_bad_gold_is_found_and_the_right_answer_suspected(version: Version) -> None:
    problems = version.problems.with_columns(truth=pl.col("source_id").str.split(" ")).collect()
    planted = problems.filter(pl.col("truth").list.first().cast(pl.Int64) < 5)
    assert planted.height == 5
    assert planted["drop_reason"].to_list() == [REASON] * 5
    assert planted["suspected_answer"].to_list() == planted["truth"].list.get(1).to_list()
    assert problems.filter(pl.col("quarantined").is_null()).height >= 33


def test_its_rollouts_leave_with_it_and_the_ledger_balances(version: Version) -> None:
    gone = version.problems.filter(pl.col("drop_reason") == REASON).select(problem_id="id")
    orphans = version.rollouts.join(gone, on="problem_id", how="semi").collect()
    assert set(orphans["drop_reason"]) == {"problem_dropped"}
    assert version.table("midtrain").join(gone, on="problem_id", how="semi").collect().is_empty()
    assert check_version(version).entries == len(version.lock["funnel"])


def test_kept_by_option_they_stay_in_the_views(folder: Path) -> None:
    version = made(folder, "tags.1.drop=false")
    assert version.problems.filter(pl.col("drop_reason").is_not_null()).collect().is_empty()
    marked = version.problems.filter(pl.col("quarantined").is_not_null()).select("id")
    assert version.table("rl").join(marked, on="id", how="semi").collect().height >= 5
