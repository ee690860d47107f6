"""Another version as a source: the same problems under the same ids, on the same side, with their rollouts."""

import json
from pathlib import Path

import polars as pl
import pytest

from curate.build import build
from curate.manifest import read_manifest
from curate.progress import Steps
from curate.reading.intake import SourceError
from curate.sources.version import Version
from curate.version import Version as Built
from tests.classroom import SMALL, posed, write
from tests.hostile_texts import HOSTILE
from tests.small_files import whole

ROWS = 40

BESIDE = """
name: beside
sources: [{use: version, of: small@v1, root: data}]
rollouts:
  teacher: {use: tutor, error_rate: 0.1}
  sampling: {n: 2, temperature: 1.0, max_tokens: 2048, seed: 7}
verdicts: [rule]
views: {dpo: {}}
heldout: 0.4
"""


def built(folder: Path, text: str, name: str) -> Built:
    (folder / name).write_text(text, encoding="utf-8")
    return build(read_manifest(folder / name), folder / "data", Steps(quiet=True), workers=1).version


@pytest.fixture
def small(tmp_path: Path) -> Built:
    """Forty problems, four in ten held out, one dropped as a duplicate, four rollouts each."""
    rows = posed(ROWS, seed=3)
    write(tmp_path, [*rows, rows[0]])
    text = SMALL.replace("heldout: 0.0", "heldout: 0.4").replace("rollouts:", "problems: [dedup.exact]\nrollouts:", 1)
    return built(tmp_path, text, "small.yaml")


def test_it_brings_what_was_kept_under_the_ids_it_has_there(small: Built) -> None:
    taken = whole(Version(of=str(small.path))())
    kept = small.problems.filter(pl.col("dropped_by").is_null()).collect()
    assert taken.problems["id"].to_list() == kept["id"].to_list()
    assert taken.rows == taken.problems.height == ROWS
    there = small.rollouts.collect()
    assert taken.rollouts.select("id", "problem_id", "teacher", "reasoning", "response").equals(
        there.select("id", "problem_id", "teacher", "reasoning", "response")
    )
    assert taken.rollouts.height == 4 * ROWS


def test_the_rollouts_of_two_teachers_meet_and_what_was_held_out_stays_held_out(small: Built, tmp_path: Path) -> None:
    beside = built(tmp_path, BESIDE, "beside.yaml")
    theirs = small.problems.filter(pl.col("dropped_by").is_null()).select("id", "split").collect()
    assert beside.problems.select("id", "split").collect().equals(theirs)
    assert set(theirs["split"]) == {"train", "heldout"}
    by_teacher = beside.rollouts.group_by("problem_id", "teacher").len("n").collect()
    assert dict(by_teacher.select("teacher", "n").unique().iter_rows()) == {"tutor@v1-e0.5": 4, "tutor@v1-e0.1": 2}
    pairs = beside.table("dpo").select("chosen_teacher", "rejected_teacher").unique().collect()
    assert ("tutor@v1-e0.1", "tutor@v1-e0.5") in set(pairs.iter_rows())
    # Nothing was asked for them again: only this teacher's own two a problem.
    assert [bill["rollouts"] for bill in beside.lock["rollouts"]] == [2 * ROWS]


def test_a_split_or_a_view_brings_only_its_problems(small: Built) -> None:
    heldout = whole(Version(of=str(small.path), split="heldout")())
    train = whole(Version(of=str(small.path), split="train")())
    assert heldout.problems.height + train.problems.height == ROWS
    assert not set(heldout.problems["id"]) & set(train.problems["id"])
    assert set(heldout.rollouts["problem_id"]) == set(heldout.problems["id"])
    taken = whole(Version(of=str(small.path), view="sft")())
    assert set(taken.problems["id"]) == set(small.table("sft").collect()["problem_id"])
    assert not whole(Version(of=str(small.path), rollouts="none")()).rollouts.height


def test_another_version_is_another_state_and_where_it_lies_is_none(small: Built, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere/small"
    moved.mkdir(parents=True)
    small.path.rename(moved / "v1")
    state = Version(of="small@v1", root=str(tmp_path / "elsewhere")).state()
    assert state == Version(of=str(moved / "v1")).state() == {"version": small.digest}


def test_what_is_not_there_is_told_with_what_is(small: Built, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"of: small has no v7\. There are: v1"):
        Version(of="small@v7", root=str(tmp_path / "data")).state()
    with pytest.raises(SourceError, match=r"no view .rl.\. It has: sft"):
        list(Version(of=str(small.path), view="rl")())
    (file,) = (small.path / "rollouts").glob("*.parquet")
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(SourceError, match="not the bytes that the lock names"):
        Version(of=str(small.path)).state()


def test_a_path_is_taken_from_the_manifest_and_a_name_is_left_alone(small: Built, tmp_path: Path) -> None:
    for written, meant in (("data/small/v1", str(tmp_path / "data/small/v1")), ("small.v2@v1", "small.v2@v1")):
        (tmp_path / "m.yaml").write_text(f"name: m\nsources: [{{use: version, of: {written}}}]\n", encoding="utf-8")
        assert read_manifest(tmp_path / "m.yaml").sources[0].plug.of == meant


def test_no_text_is_changed_or_lost_on_the_way(tmp_path: Path) -> None:
    texts = [*HOSTILE, "x" * 1_000_000, "\u05e9\u05dc\u05d5\u05dd \u202e abc", "$$\\frac{1}{2}$$"]
    rows = [{"problem": f"{n}. {text}", "answer": "1", "reply": text} for n, text in enumerate(texts)]
    lines = "".join(json.dumps(row, ensure_ascii=True) + "\n" for row in rows)
    (tmp_path / "odd.jsonl").write_text(lines, encoding="utf-8")
    columns = "{problem: problem, answer: answer, rollouts: reply}"
    odd = built(tmp_path, f"name: odd\nsources: [{{use: files, path: odd.jsonl, columns: {columns}}}]\n", "odd.yaml")
    again = built(tmp_path, "name: again\nsources: [{use: version, of: odd@v1, root: data}]\n", "again.yaml")
    for table, columns_ in (("problems", ("id", "problem")), ("rollouts", ("id", "reasoning", "response"))):
        assert again.table(table).select(columns_).collect().equals(odd.table(table).select(columns_).collect())
