"""Facts about `--frozen`: the rows that a lock names are made again, elsewhere too, or nothing is."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from curate.cli import app
from curate.version import open_version
from curate.versions.seal import sealed

MANIFEST = """
name: small
sources:
  - {use: procedural, n: 20, seed: 3}
  - {use: files, path: rows.jsonl, columns: {problem: question, answer: answer}, license: mit}
problems: [dedup.exact]
rollouts:
  teacher: {use: tutor, error_rate: 0.5}
  sampling: {n: 2, max_tokens: 2048}
verdicts: [rule]
views: {sft: {}, dpo: {}}
heldout: 0.2
"""


def curate(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a manifest, a source file, and small@v1."""
    folder = tmp_path_factory.mktemp("frozen")
    (folder / "m.yaml").write_text(MANIFEST)
    _write_rows(folder, "What is 2 + 3?")
    assert curate("build", "-m", folder / "m.yaml", "--root", folder / "data", "--workers", "1").exit_code == 0
    return folder


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "copy")
    return tmp_path / "copy"


def frozen(folder: Path, *words: str | Path) -> Result:
    return curate("build", "-m", folder / "m.yaml", "--root", folder / "data", "--workers", "1", "--frozen", *words)


def test_without_drift_nothing_is_done(copy: Path) -> None:
    before = sorted(copy.rglob("*"))
    ended = frozen(copy)
    assert (ended.exit_code, "nothing changed; it stands as small@v1" in ended.stdout) == (0, True)
    assert [path for path in sorted(copy.rglob("*")) if path not in before] == []


@pytest.mark.parametrize(
    ("set_", "said"),
    [
        ("rollouts.sampling.n=3", "rollouts.sampling.n: 2 -> 3"),
        ("rollouts.teacher.error_rate=0.1", 'rollouts.teacher.revision: "v1-e0.5" -> "v1-e0.1"'),
        ("prompt.system=Think.", 'prompt.system: null -> "Think."'),
        ("verdicts.0={use: rule, policy: {tolerance: 0.1}}", "verdicts.rule.policy.tolerance: 0.0 -> 0.1"),
        ("views.sft.per_problem=2", "views.sft.per_problem: 1 -> 2"),
        ("sources.0.n=21", "sources.procedural.options.n: 20 -> 21"),
        ("seed=5", "seed: 0 -> 5"),
    ],
)
def test_every_drift_of_the_recipe_is_told_and_ends_with_3(copy: Path, set_: str, said: str) -> None:
    ended = frozen(copy, "--set", set_)
    assert (ended.exit_code, f"\n  {said}\n" in ended.stderr) == (3, True), ended.stderr
    assert [path.name for path in (copy / "data" / "small").glob("v*")] == ["v1"]


def test_a_source_that_holds_something_else_is_drift(copy: Path) -> None:
    _write_rows(copy, "What is 2 + 4?")
    ended = frozen(copy)
    assert ended.exit_code == 3
    assert "sources.files.state." in ended.stderr


def test_another_library_or_rule_is_drift(copy: Path) -> None:
    lock = open_version("v1", copy / "data").lock
    now = lock["libraries"]["polars"]
    lock["libraries"]["polars"] = "0.0.1"
    lock["decisions"]["verdicts"][0]["REV"] = 0
    _write_lock(copy / "data" / "small" / "v1", lock)
    ended = frozen(copy)
    assert ended.exit_code == 3
    assert f'libraries.polars: "0.0.1" -> "{now}"' in ended.stderr
    assert "verdicts.rule.REV: 0 -> 1" in ended.stderr


def test_a_published_version_is_made_again_in_an_empty_root_with_its_store(copy: Path, tmp_path: Path) -> None:
    """Nothing but the version's folder, the source file and the rollout store go along."""
    first, other = open_version("v1", copy / "data"), tmp_path / "other"
    shutil.copytree(first.path, tmp_path / "there" / "v1")
    shutil.copytree(copy / "data" / ".rollouts", other / ".rollouts")
    manifest = tmp_path / "there" / "v1" / "manifest.yaml"
    words = ("--root", other, "--workers", "1", "--offline", "--frozen")
    ended = curate("build", "-m", manifest, *words, "--set", f"sources.1.path={copy / 'rows.jsonl'}")
    assert ended.exit_code == 0, ended.stderr
    again = open_version("v1", other)
    assert again.digest == first.digest
    assert {n: f for n, f in again.lock["files"].items() if n.endswith(".parquet")} == {
        n: f for n, f in first.lock["files"].items() if n.endswith(".parquet")
    }


def test_rows_that_come_out_otherwise_are_told_by_the_first_table_and_nothing_is_written(copy: Path) -> None:
    version = open_version("v1", copy / "data")
    lock = version.lock
    for table in ("rollouts", "sft"):
        lock["tables"][table]["train"]["digest"] = "0" * 64
    shutil.copytree(version.path, copy / "elsewhere" / "v1")
    _write_lock(copy / "elsewhere" / "v1", lock)
    ended = curate(
        *("build", "-m", copy / "m.yaml", "--root", copy / "new", "--workers", "1", "--frozen"),
        *("--lock", copy / "elsewhere" / "v1" / "lock.json"),
    )
    assert ended.exit_code == 3
    assert "--frozen: rollouts comes out otherwise than in small@v1" in ended.stderr
    assert list((copy / "new" / "small").glob("v*")) == []
    assert frozen(copy, "--lock", copy / "elsewhere" / "v1").exit_code == 3  # a version that stands is compared, too


def test_without_any_lock_frozen_says_so(copy: Path) -> None:
    ended = curate("build", "-m", copy / "m.yaml", "--root", copy / "empty", "--frozen")
    assert (ended.exit_code, "say which lock holds with --lock" in ended.stderr) == (2, True)


def _write_rows(folder: Path, question: str) -> None:
    (folder / "rows.jsonl").write_text(json.dumps({"question": question, "answer": "5"}) + "\n")


def _write_lock(path: Path, lock: dict[str, object]) -> None:
    (path / "lock.json").chmod(0o644)
    (path / "lock.json").write_text(sealed(json.dumps({**lock, "seal": ""})))
