"""Facts about a build, from manifests to versions: whole, repeatable, reused, resumable."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from curate.build import Outcome, build
from curate.manifest import read_manifest
from curate.planning.plan import plan_build
from curate.progress import Steps
from curate.version import DigestError, Version, open_version

SMALL = """
name: small
sources: [{use: procedural, n: 60, seed: 3}]
problems: [hygiene.answerable, dedup.exact]
rollouts:
  teacher: {use: tutor, error_rate: 0.4}
  sampling: {n: 4, temperature: 1.0, max_tokens: 2048}
verdicts: [rule]
tags: [difficulty, repetition]
views: {midtrain: {}, sft: {}, dpo: {}, rl: {}}
heldout: 0.2
"""

TRACES = """
name: traces
sources:
  - use: files
    path: traces.jsonl
    columns: {problem: question, answer: answer, rollouts: text, labels: ok, teacher: model}
verdicts: [rule]
tags: [difficulty]
views: {sft: {reasoning: false}, dpo: {reasoning: false}}
heldout: 0.0
"""

VIEWS = ("midtrain", "sft", "dpo", "rl")


def run(folder: Path, text: str, *sets: str, root: str = "data") -> Outcome:
    folder.mkdir(exist_ok=True)
    (folder / "m.yaml").write_text(text)
    return build(read_manifest(folder / "m.yaml", sets), folder / root, Steps(quiet=True), workers=1)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Version]:
    folder = tmp_path_factory.mktemp("small")
    outcome = run(folder, SMALL)
    assert outcome.made
    return folder, outcome.version


def test_every_row_is_kept_or_dropped_for_a_reason(small: tuple[Path, Version]) -> None:
    version = small[1]
    drops = version.ledger.collect()
    for entry in version.funnel.collect().iter_rows(named=True):
        reasons = {drop["reason"]: drop["rows"] for drop in entry["dropped"]}
        assert entry["seen"] == entry["kept"] + sum(reasons.values())
        behind = drops.filter((pl.col("stage") == entry["stage"]) & (pl.col("unit") == entry["unit"]))
        assert dict(behind.group_by("reason").len().iter_rows()) == reasons
    assert version.problems.collect().height == 60
    assert version.rollouts.collect().height == 4 * 60


def test_the_views_hold_what_the_ledger_says_they_keep(small: tuple[Path, Version]) -> None:
    version = small[1]
    kept = {e["stage"]: e["kept"] for e in version.lock["funnel"]}
    for view in ("midtrain", "sft", "rl"):
        assert version.table(view).collect().height == kept[f"views.{view}"] > 0
    assert 2 * version.table("dpo").collect().height == kept["views.dpo"] > 0


def test_a_view_holds_only_what_its_stage_may_learn_from(small: tuple[Path, Version]) -> None:
    version = small[1]
    verdicts = dict(version.rollouts.select("id", "verdict").collect().iter_rows())
    owner = dict(version.rollouts.select("id", "problem_id").collect().iter_rows())
    assert {verdicts[row] for row in version.sft.collect()["id"]} == {"correct"}
    for chosen, rejected in version.dpo.select("chosen_id", "rejected_id").collect().iter_rows():
        assert (verdicts[chosen], verdicts[rejected]) == ("correct", "wrong")
        assert owner[chosen] == owner[rejected]


def test_no_problem_stands_on_both_sides_of_the_split(small: tuple[Path, Version]) -> None:
    version = small[1]
    sides = {"train": set(), "heldout": set()}  # type: dict[str, set[str]]
    for view in VIEWS:
        column = "id" if view == "rl" else "problem_id"
        for split in version.lock["tables"][view]:
            sides[split] |= set(version.table(view, split).collect()[column])
    assert sides["train"]
    assert sides["heldout"]
    assert not sides["train"] & sides["heldout"]


def test_load_dataset_reads_every_view_as_it_is(small: tuple[Path, Version]) -> None:
    import datasets

    version = small[1]
    for view in (*VIEWS, "problems", "rollouts", "ledger", "funnel"):
        loaded = datasets.load_dataset(str(version.path), view)
        assert {s: len(rows) for s, rows in loaded.items()} == {
            split: part["rows"] for split, part in version.lock["tables"][view].items()
        }
    first = datasets.load_dataset(str(version.path), "sft", split="train")[0]["messages"]
    assert [turn["role"] for turn in first] == ["user", "assistant"]
    assert first[1]["content"].startswith("<think>\n")
    assert "\n</think>\n\n" in first[1]["content"]


def test_building_again_does_nothing(small: tuple[Path, Version]) -> None:
    before = {p: p.stat().st_mtime_ns for p in small[1].path.rglob("*")}
    again = run(small[0], SMALL)
    assert (again.made, again.version.name) == (False, "small@v1")
    assert {p: p.stat().st_mtime_ns for p in small[1].path.rglob("*")} == before


def test_another_folder_gives_the_same_rows_and_bytes(small: tuple[Path, Version], tmp_path: Path) -> None:
    other = run(tmp_path, SMALL, root="elsewhere").version
    assert other.digest == small[1].digest
    tables = [n for n in other.lock["files"] if n.endswith(".parquet")]
    assert {n: other.lock["files"][n] for n in tables} == {n: small[1].lock["files"][n] for n in tables}


def test_how_problems_are_cut_into_shards_changes_no_row(
    small: tuple[Path, Version], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("curate.asking.draw", "curate.shards"):
        monkeypatch.setattr(f"{module}.SHARD_PROBLEMS", 7)
    assert run(tmp_path, SMALL).version.digest == small[1].digest


def test_a_changed_view_makes_a_new_version_and_asks_the_teacher_nothing(tmp_path: Path) -> None:
    first = run(tmp_path, SMALL).version
    stored = {p: p.stat().st_size for p in (tmp_path / "data" / ".rollouts").rglob("*") if p.is_file()}
    second = run(tmp_path, SMALL, "views.dpo.per_problem=1")
    assert (second.made, second.version.name) == (True, "small@v2")
    assert {p: p.stat().st_size for p in stored} == stored
    assert second.version.dpo.collect().height < first.dpo.collect().height
    same = [n for n in VIEWS if n != "dpo"]
    for view in same:
        assert second.version.lock["tables"][view]["train"]["digest"] == first.lock["tables"][view]["train"]["digest"]


def test_more_rollouts_are_added_to_those_there_are(tmp_path: Path) -> None:
    first = run(tmp_path, SMALL).version
    assert plan_build(_read(tmp_path, "rollouts.sampling.n=6"), tmp_path / "data", Steps(quiet=True)).stored == 4 * 60
    second = run(tmp_path, SMALL, "rollouts.sampling.n=6").version
    old, new = (set(v.rollouts.collect()["id"]) for v in (first, second))
    assert old < new
    assert len(new) == 6 * 60


def test_the_plan_counts_what_would_be_drawn_and_draws_nothing(tmp_path: Path) -> None:
    tmp_path.joinpath("m.yaml").write_text(SMALL)
    plan = plan_build(_read(tmp_path), tmp_path / "data", Steps(quiet=True))
    assert (plan.asked, plan.stored) == (4 * 60, 0)
    assert "240 to be drawn" in plan.text()


def test_rollouts_that_exist_are_judged_and_keep_their_label(tmp_path: Path) -> None:
    rows = [
        {"question": "What is 1 + 1?", "answer": "2", "text": r"So \boxed{2}.", "ok": True, "model": "a"},
        {"question": "What is 1 + 2?", "answer": "3", "text": r"So \boxed{4}.", "ok": False, "model": "a"},
        {"question": "What is 1 + 1?", "answer": "2", "text": r"So \boxed{3}.", "ok": True, "model": "b"},
        {"question": "What is 1 + 1?", "answer": "2", "text": r"So \boxed{2}.", "ok": True, "model": "a"},
    ]
    (tmp_path / "traces.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"question": "torn')
    version = run(tmp_path, TRACES).version
    assert version.problems.collect()["problem"].to_list() == ["What is 1 + 1?", "What is 1 + 2?"]
    judged = version.rollouts.select("index", "teacher", "source_verdict", "verdict").collect()
    assert judged.rows() == [
        (0, "a", "correct", "correct"),
        (1, "b", "correct", "wrong"),
        (2, "a", "correct", "correct"),
        (0, "a", "wrong", "wrong"),
    ]
    assert version.rollouts.collect()["id"].n_unique() == 4
    assert version.lock["funnel"][0] == {
        "stage": "sources.0.files", "unit": "rows", "seen": 5, "kept": 4, "dropped": [{"reason": "bad_json", "rows": 1}]
    }  # fmt: skip


def test_rows_of_one_problem_that_differ_in_gold_leave_the_conflict_in_sight(tmp_path: Path) -> None:
    golds = ("2", "2", "3", None)
    rows = [{"question": "1 + 1?", "answer": g, "text": r"\boxed{2}", "ok": True, "model": "a"} for g in golds]
    (tmp_path / "traces.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    version = run(tmp_path, TRACES).version
    problems = version.problems.select("answer", "other_answers").collect()
    assert problems.rows() == [("2", ["3"])]
    assert version.rollouts.collect().height == 4


def test_a_changed_source_file_makes_a_new_version(tmp_path: Path) -> None:
    row = json.dumps({"question": "1 + 1?", "answer": "2", "text": r"\boxed{2}", "ok": True, "model": "a"})
    (tmp_path / "traces.jsonl").write_text(row + "\n")
    assert run(tmp_path, TRACES).version.name == "traces@v1"
    (tmp_path / "traces.jsonl").write_text(row + "\n" + row.replace("1 + 1", "3 - 1") + "\n")
    assert run(tmp_path, TRACES).version.name == "traces@v2"


def test_a_flipped_bit_in_any_file_is_found(tmp_path: Path) -> None:
    version = run(tmp_path, SMALL).version
    version.check_files()
    for name in version.lock["files"]:
        file = version.path / name
        whole = file.read_bytes()
        file.chmod(0o644)
        file.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
        with pytest.raises(DigestError, match=f"{name}: not the bytes"):
            version.check_files()
        file.write_bytes(whole)
    lock = version.path / "lock.json"
    whole = lock.read_bytes()
    lock.chmod(0o644)
    lock.write_bytes(whole.replace(b'"no_reply": 0', b'"no_reply": 1'))
    with pytest.raises(DigestError, match=r"lock\.json: not the bytes that were written"):
        version.check_files()
    lock.write_bytes(whole)
    (version.path / "extra.parquet").write_bytes(b"")
    with pytest.raises(DigestError, match=r"extra.parquet: not named in the lock"):
        version.check_files()


def test_a_killed_build_goes_on_to_the_same_rows(small: tuple[Path, Version], tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(SMALL)
    command = [sys.executable, "-m", "curate", "build", "-m", "m.yaml", "--workers", "1"]
    kills = 0
    for written in range(2, 40, 5):  # killed as soon as so many files lie in the data folder
        process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL, start_new_session=True)
        while process.poll() is None and sum(len(files) for _, _, files in os.walk(tmp_path / "data")) < written:
            time.sleep(0.005)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            kills += 1
        process.wait()
        assert [p.name for p in tmp_path.glob("data/small/v*")] in ([], ["v1"])
    assert kills >= 4
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    version = open_version("small@v1", tmp_path / "data")
    version.check_files()
    assert version.digest == small[1].digest
    assert not list(tmp_path.glob("data/.stages/.*"))


def test_worker_processes_change_nothing(small: tuple[Path, Version], tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(SMALL.replace("n: 60", "n: 600"))
    command = [sys.executable, "-m", "curate", "build", "-m", "m.yaml", "--workers"]
    for workers in ("1", "2"):
        subprocess.run([*command, workers, "--root", workers], cwd=tmp_path, check=True, capture_output=True)
    one, two = (open_version("small@v1", tmp_path / workers) for workers in ("1", "2"))
    assert one.digest == two.digest


def test_ctrl_c_ends_in_130_with_the_command_that_goes_on(small: tuple[Path, Version], tmp_path: Path) -> None:
    (tmp_path / "my manifest.yaml").write_text(SMALL)
    command = ["-m", "curate", "build", "-m", "my manifest.yaml", "--workers", "1", "--root", "here"]
    process = subprocess.Popen([sys.executable, *command], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "here" / ".rollouts").is_dir() and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Go on with: curate build -m 'my manifest.yaml' --workers 1 --root here" in said
    subprocess.run([sys.executable, *command], cwd=tmp_path, check=True, capture_output=True)
    assert open_version("small@v1", tmp_path / "here").digest == small[1].digest


def test_a_version_that_somebody_wrote_into_spoils_no_later_one(tmp_path: Path) -> None:
    first = run(tmp_path, SMALL).version
    file = next(first.path.glob("sft/train-*"))
    file.chmod(0o644)
    with file.open("r+b") as damaged:  # in place, as the cache shares the file
        damaged.write(b"torn")
    second = run(tmp_path, SMALL, "views.dpo.per_problem=1").version
    second.check_files()
    assert second.sft.collect().height > 0


def test_a_finished_stage_that_is_torn_is_made_again(tmp_path: Path) -> None:
    run(tmp_path, SMALL)
    for frame in tmp_path.glob("data/.stages/*/frame.parquet"):
        frame.write_bytes(b"")
    assert run(tmp_path, SMALL, "heldout=0.1").made


def test_tables_without_rows_have_the_columns_of_their_own_manifest(tmp_path: Path) -> None:
    (tmp_path / "traces.jsonl").write_text(json.dumps({"question": "1 + 1?", "answer": "2"}) + "\n")
    bare = TRACES.split("    columns")[0] + "    columns: {problem: question, answer: answer}\n"
    assert "verdict" not in run(tmp_path, bare).version.rollouts.collect_schema()
    judged = run(tmp_path, bare, "verdicts=[rule]").version
    assert "verdict" in judged.rollouts.collect_schema()


def test_the_licence_is_part_of_the_recipe_and_paths_of_this_machine_are_not_told(tmp_path: Path) -> None:
    row = json.dumps({"question": "1 + 1?", "answer": "2", "text": r"\boxed{2}", "ok": True, "model": "a"})
    (tmp_path / "traces.jsonl").write_text(row + "\n")
    run(tmp_path, TRACES)
    version = run(tmp_path, TRACES, "license=mit", f"sources.0.path={tmp_path}/traces.jsonl").version
    assert version.name == "traces@v2"
    for name in ("README.md", "manifest.yaml", "lock.json", "LICENSES.md"):
        assert str(tmp_path) not in (version.path / name).read_text()
    (version.path / "manifest.yaml").read_text().index("license: mit")


def test_an_earlier_recipe_names_the_version_it_made(tmp_path: Path) -> None:
    run(tmp_path, SMALL)
    run(tmp_path, SMALL, "seed=5")
    assert run(tmp_path, SMALL).text() == "made before as small@v1 (the latest is small@v2)"


@pytest.mark.parametrize(("root", "said"), [("m.yaml", "Not a directory"), ("/proc/none", "No such file")])
def test_a_root_that_cannot_be_written_is_no_fault_of_ours(tmp_path: Path, root: str, said: str) -> None:
    (tmp_path / "m.yaml").write_text(SMALL)
    command = [sys.executable, "-m", "curate", "build", "-m", "m.yaml", "--root", root]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "fault of ours" not in ended.stderr


def test_a_second_builder_is_sent_away_with_the_name_of_the_first(tmp_path: Path) -> None:
    from curate.versions.publish import BusyError, builder_lock

    with builder_lock(tmp_path / "small"), pytest.raises(BusyError, match=f"process {os.getpid()} on "):
        run(tmp_path, SMALL, root=".")


def _read(folder: Path, *sets: str):  # type: ignore[no-untyped-def]  # a Manifest; the type is checked where it is used
    return read_manifest(folder / "m.yaml", sets)
