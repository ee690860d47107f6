"""Facts about what a build lacks here, teachers above all: told before anything is read or paid."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from curate.build import build
from curate.manifest import Manifest, read_manifest
from curate.planning.plan import plan_build
from curate.progress import Steps
from curate.reading.absent import absent
from curate.reading.intake import SourceError
from distill.request import TeacherError
from tests.classroom import Classroom, make, problems, room

KEYED = """
name: keyed
sources: [{use: files, path: problems.jsonl, columns: {problem: problem, answer: answer}}]
rollouts:
  teacher: {use: tutor}
  sampling: {n: 1}
verdicts: [rule, {use: judge, teacher: JUDGE}]
views: {sft: {}}
"""
CLOSED = '{use: openai_server, model: m, base_url: "http://127.0.0.1:9/v1", api_key_env: NO_SUCH_KEY}'
GONE = "{use: transformers_local, path: gone}"


def keyed(folder: Path, judge: str, *sets: str) -> Manifest:
    (folder / "problems.jsonl").write_text(json.dumps({"problem": "1 + 1?", "answer": "2"}) + "\n")
    (folder / "m.yaml").write_text(KEYED.replace("JUDGE", judge))
    return read_manifest(folder / "m.yaml", sets)


@pytest.mark.parametrize(
    ("judge", "says"),
    [
        (CLOSED, r"verdicts\.judge: the environment variable NO_SUCH_KEY \(api_key_env\) is not set"),
        (GONE, r"gone: no model there"),
    ],
)
def test_a_teacher_that_cannot_answer_is_told_before_sources_are_read(tmp_path: Path, judge: str, says: str) -> None:
    manifest = keyed(tmp_path, judge)
    with pytest.raises(TeacherError, match=says):
        build(manifest, tmp_path / "data", Steps(quiet=True), workers=1)
    with pytest.raises(TeacherError, match=says):
        plan_build(manifest, tmp_path / "data", Steps(quiet=True), pilot=1)
    assert not (tmp_path / "data" / ".stages").exists(), "no source was read"
    assert not (tmp_path / "data" / ".rollouts").exists(), "nobody was asked"


def test_all_that_are_not_ready_are_told_at_once_and_check_tells_them_too(tmp_path: Path) -> None:
    manifest = keyed(tmp_path, CLOSED, f"rollouts.teacher={CLOSED}")
    with pytest.raises(TeacherError) as told:
        build(manifest, tmp_path / "data", Steps(quiet=True), workers=1)
    assert [line.partition(":")[0] for line in str(told.value).splitlines()[:2]] == [
        "teacher.openai_server",
        "verdicts.judge",
    ]
    assert "--offline" in str(told.value)
    check = [sys.executable, "-m", "curate", "check", "m.yaml"]
    run = subprocess.run(check, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 4, "as a build would end"
    assert "cannot be built here:\n" in run.stdout
    assert "- verdicts.judge: the environment variable NO_SUCH_KEY" in run.stdout


def test_a_set_key_is_ready_and_a_plan_without_a_pilot_needs_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = keyed(tmp_path, CLOSED)
    plan_build(manifest, tmp_path / "data", Steps(quiet=True))
    monkeypatch.setenv("NO_SUCH_KEY", "k" * 20)
    plan_build(manifest, tmp_path / "data", Steps(quiet=True), pilot=1)


def test_an_error_of_a_teacher_names_the_stage_and_what_is_kept_if_anything_is(tmp_path: Path) -> None:
    problems(tmp_path)
    with pytest.raises(TeacherError) as told:
        make(tmp_path, room(stops_after=0))
    assert str(told.value) == "teacher.tutor: the line went dead"
    with pytest.raises(TeacherError) as told:
        make(tmp_path, room(stops_after=30))
    assert str(told.value) == "teacher.tutor: the line went dead. What this run was answered (30) is kept"


def test_what_was_paid_for_is_built_from_without_the_key(tmp_path: Path) -> None:
    problems(tmp_path)
    make(tmp_path, room())
    locked_out = room(LockedOut)
    again = make(tmp_path, locked_out, "views.midtrain={}")
    assert again.name == "small@v2"
    assert not locked_out.asked


@dataclass(frozen=True)
class LockedOut(Classroom):
    """The tutor without its key."""

    def ready(self) -> None:
        raise TeacherError("the key is not set")


def test_check_tells_the_files_and_versions_that_are_not_there_and_asks_no_hub(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(
        "name: gone\n"
        "sources:\n"
        "  - {use: files, path: rows.jsonl, columns: {problem: q}}\n"
        "  - {use: version, of: other@v3}\n"
        "  - {use: hub, path: nobody/nothing, columns: {problem: q}}\n"
        "problems: [{use: decontaminate.ngrams, against: [math500, mine.jsonl, 'other@v7:heldout']}]\n"
        "views: {rl: {}}\n"
    )
    check = [sys.executable, "-m", "curate", "check", "m.yaml"]
    no_hub = {"HF_ENDPOINT": "http://127.0.0.1:9"}
    run = subprocess.run(check, cwd=tmp_path, env={**os.environ, **no_hub}, capture_output=True, text=True)
    assert run.returncode == 2, "as a build would end"
    told = [line.removeprefix("- ") for line in run.stdout.splitlines() if line.startswith("- ")]
    assert [line.partition(":")[0] for line in told] == [
        "sources.0 (files)",
        "sources.1 (version)",
        "problems.0 (decontaminate.ngrams)",
    ]
    assert "no file matches" in told[0]
    assert f"no file {tmp_path / 'mine.jsonl'}" in told[2]
    assert "other@v7:heldout" in told[2]


def test_a_build_says_all_that_it_lacks_before_it_reads_and_check_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rows.jsonl").write_text('{"question": "What is 2 + 2?"}\n')
    (tmp_path / "m.yaml").write_text(
        "name: lacks\n"
        "sources: [{use: files, path: rows.jsonl, columns: {problem: q}}]\n"
        "problems: [dedup.semantic, {use: dedup.minhash_blocks}]\n"
        "tags: [{use: domain, by: classifier}]\n"
        "views: {rl: {}}\n"
    )
    monkeypatch.setattr("curate.reading.extras.find_spec", lambda name: None)
    manifest = read_manifest(tmp_path / "m.yaml")
    with pytest.raises(SourceError) as told:
        build(manifest, tmp_path / "data", Steps(quiet=True))
    faults = str(told.value).splitlines()
    assert [fault.partition(":")[0] for fault in faults] == [
        "sources.0 (files)",
        "problems.0 (dedup.semantic)",
        "problems.1 (dedup.minhash_blocks)",
        "tags.0 (domain)",
    ]
    assert "'q'" in faults[0]
    assert "question" in faults[0]
    assert "pip install 'cotillion[semantic]'" in faults[1]
    assert "pip install 'cotillion[ray]'" in faults[2]
    assert not list((tmp_path / "data").rglob("*.parquet"))
    assert absent(manifest) == faults


def test_a_benchmark_that_is_empty_is_told_by_check(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"q": "What is 2 + 2?"}\n')
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "m.yaml").write_text(
        "name: lacks\n"
        "sources: [{use: files, path: rows.jsonl, columns: {problem: q}}]\n"
        "problems: [{use: decontaminate.ngrams, against: [empty.jsonl]}]\n"
        "views: {rl: {}}\n"
    )
    (fault,) = absent(read_manifest(tmp_path / "m.yaml"))
    assert fault.startswith(f"problems.0 (decontaminate.ngrams): against: {tmp_path / 'empty.jsonl'}")
