"""Facts about `curate gc`: what a version or a broken-off build needs stays, and nothing else but time is lost."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from curate.build import Outcome, build
from curate.cli import app
from curate.manifest import read_manifest
from curate.progress import Steps
from curate.versions.gc import collect, stages_in_use
from curate.versions.publish import BusyError

MANIFEST = """
name: small
sources: [{use: procedural, n: 15, seed: 3}]
rollouts:
  teacher: {use: tutor, error_rate: 0.3}
  sampling: {n: 2, max_tokens: 2048}
verdicts: [rule]
views: {sft: {}, dpo: {}}
"""


def made(folder: Path, *sets: str) -> Outcome:
    (folder / "m.yaml").write_text(MANIFEST)
    return build(read_manifest(folder / "m.yaml", sets), folder / "data", Steps(quiet=True), workers=1)


def stages(folder: Path) -> set[str]:
    return {path.name for path in (folder / "data" / ".stages").iterdir()}


def test_stages_of_standing_versions_stay_and_those_of_removed_ones_go(tmp_path: Path) -> None:
    made(tmp_path)
    first = stages(tmp_path)
    assert (collect(tmp_path / "data").stages, stages(tmp_path)) == (0, first)
    second = made(tmp_path, "verdicts=[{use: rule, policy: {tolerance: 0.1}}]").version
    both = stages(tmp_path)
    assert (collect(tmp_path / "data").stages, stages(tmp_path)) == (0, both)
    shutil.rmtree(second.path)
    would = collect(tmp_path / "data", dry_run=True)
    assert (would.stages, stages(tmp_path)) == (len(both - first), both)
    assert would.bytes > 0
    collect(tmp_path / "data")
    assert stages(tmp_path) == first


def test_what_was_removed_is_made_again_without_asking_anybody(tmp_path: Path) -> None:
    digest = made(tmp_path).version.digest
    for note in (tmp_path / "data" / "small").glob(".stages-*"):
        note.unlink()
    store = {path: path.stat().st_size for path in (tmp_path / "data" / ".rollouts").rglob("*") if path.is_file()}
    before = made(tmp_path).version.path.stat()
    assert collect(tmp_path / "data").kept == 0
    assert stages(tmp_path) == set()
    assert made(tmp_path).version.path.stat() == before  # the version stands as it stood
    assert {path: path.stat().st_size for path in store} == store
    shutil.rmtree(tmp_path / "data" / "small")
    manifest = read_manifest(tmp_path / "m.yaml")
    again = build(manifest, tmp_path / "data", Steps(quiet=True), workers=1, offline=True).version
    assert again.digest == digest


def test_a_build_that_was_broken_off_finds_its_stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("curate.build.publish", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            made(tmp_path)
    assert len(there := stages(tmp_path)) > 3
    collect(tmp_path / "data")
    assert stages(tmp_path) == there


def test_nothing_is_removed_beside_a_build(tmp_path: Path) -> None:
    made(tmp_path)
    with stages_in_use(tmp_path / "data"), pytest.raises(BusyError, match="a build is running under"):
        collect(tmp_path / "data")


def test_only_stages_are_removed(tmp_path: Path) -> None:
    made(tmp_path)
    shutil.rmtree(tmp_path / "data" / "small")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("mine")
    (tmp_path / "data" / ".stages" / ("a" * 24)).symlink_to(tmp_path / "mine")
    (tmp_path / "data" / ".stages" / "notes.txt").write_text("mine")
    collect(tmp_path / "data")
    assert stages(tmp_path) == {"a" * 24, "notes.txt"}
    assert (tmp_path / "mine" / "file").read_text() == "mine"


def test_the_command_says_what_it_freed(tmp_path: Path) -> None:
    made(tmp_path)
    shutil.rmtree(tmp_path / "data" / "small")
    said = CliRunner().invoke(app, ["gc", "--root", str(tmp_path / "data"), "--dry-run"]).stdout
    assert said.startswith("would free ")
    assert CliRunner().invoke(app, ["gc", "--root", str(tmp_path / "data")]).stdout.startswith("freed ")
    assert CliRunner().invoke(app, ["gc", "--root", str(tmp_path / "none")]).exit_code == 0


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt
