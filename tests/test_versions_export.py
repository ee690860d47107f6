"""Facts about exports: the forms that others read, files that appear whole, versions that stay as they are."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from curate.build import build
from curate.cli import app
from curate.manifest import read_manifest
from curate.progress import Steps
from curate.version import DigestError, Version, VersionError
from curate.versions import exports
from curate.versions.exports import ExportError, export
from tests.hostile_names import HOSTILE_NAMES

MANIFEST = """
name: small
sources: [{use: procedural, n: 25, seed: 3}]
prompt: {system: Think.}
rollouts:
  teacher: {use: tutor, error_rate: 0.3}
  sampling: {n: 4, max_tokens: 2048}
verdicts: [rule]
tags: [difficulty]
views: {sft: {per_problem: 3}, dpo: {}, rl: {}}
heldout: 0.2
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """small@v1 in TRL's columns, and small@v2, v3 with the view sft built in those of others."""
    folder = tmp_path_factory.mktemp("export")
    (folder / "m.yaml").write_text(MANIFEST)
    for set_ in ([], ["views.sft.format=openr1"], ["views.sft.format=openthoughts"]):
        build(read_manifest(folder / "m.yaml", set_), folder / "data", Steps(quiet=True), workers=1)
    return folder / "data" / "small"


@pytest.fixture
def first(root: Path) -> Version:
    return Version(root / "v1")


@pytest.mark.parametrize(("form", "version"), [("openr1", "v2"), ("openthoughts", "v3"), ("trl", "v1")])
@pytest.mark.parametrize("at_once", [1, 4, 1000])
def test_what_is_exported_is_what_a_build_in_that_form_makes(
    root: Path, first: Version, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, version: str, at_once: int
) -> None:
    """However many rows are read at once: the rollouts of a problem stay together."""
    monkeypatch.setattr(exports, "GROUP_ROWS", at_once)
    for split in ("train", "heldout"):
        done = export(first, "sft", tmp_path / f"{split}.parquet", form, split)  # type: ignore[arg-type]  # a form
        expected = Version(root / version).table("sft", split).collect()
        assert pl.read_parquet(tmp_path / f"{split}.parquet").equals(expected)
        assert done.rows == {split: expected.height}


def test_sharegpt_and_alpaca_are_read_by_those_who_know_them(first: Version, tmp_path: Path) -> None:
    row = first.sft.collect().row(0, named=True)
    system, user, assistant = (turn["content"] for turn in row["messages"])
    export(first, "sft", tmp_path / "s.jsonl", "sharegpt")
    export(first, "sft", tmp_path / "a.jsonl", "alpaca")
    turns = [{"from": who, "value": text} for who, text in (("system", system), ("human", user), ("gpt", assistant))]
    shared, alpaca = (json.loads((tmp_path / name).open().readline()) for name in ("s.jsonl", "a.jsonl"))
    assert shared == {"id": row["id"], "conversations": turns}
    assert alpaca == {"instruction": user, "input": "", "output": assistant, "system": "Think.", "id": row["id"]}


@pytest.mark.parametrize("table", ["sft", "dpo", "rl", "problems", "rollouts", "ledger"])
def test_without_a_format_the_rows_are_those_of_the_version(first: Version, tmp_path: Path, table: str) -> None:
    import datasets

    export(first, table, tmp_path / "out")
    loaded = datasets.load_dataset(str(tmp_path / "out"))
    assert {split: len(rows) for split, rows in loaded.items()} == {
        split: part["rows"] for split, part in first.lock["tables"][table].items()
    }
    export(first, table, tmp_path / "rows.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert len(lines) == first.table(table, "train").collect().height


def test_pairs_and_prompts_have_no_conversations_of_others(first: Version, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="dpo of small@v1 has no messages to write as alpaca"):
        export(first, "dpo", tmp_path / "x.jsonl", "alpaca")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("version", "written"), [("v2", "openr1"), ("v3", "openthoughts")])
def test_a_view_in_another_form_says_in_which_it_is_written(
    root: Path, tmp_path: Path, version: str, written: str
) -> None:
    with pytest.raises(ExportError, match=f"is written as {written} and does not become sharegpt.*sft.format=trl"):
        export(Version(root / version), "sft", tmp_path / "x.jsonl", "sharegpt")


def test_what_stands_is_replaced_only_when_told(first: Version, tmp_path: Path) -> None:
    for target in (tmp_path / "x.jsonl", tmp_path / "x"):
        target.mkdir() if target.suffix == "" else target.write_text("mine")
        with pytest.raises(ExportError, match="stands already; --force replaces it"):
            export(first, "rl", target)
        export(first, "rl", target, force=True)
    assert (tmp_path / "x.jsonl").read_text().startswith("{")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x", "x.jsonl"]


def test_an_export_that_fails_leaves_nothing_behind(first: Version, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text("mine")
    file = next(first.path.glob("sft/train-*"))
    whole = file.read_bytes()
    try:
        file.chmod(0o644)
        file.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
        with pytest.raises(DigestError, match="not the bytes that the lock names"):
            export(first, "sft", tmp_path / "x.jsonl", force=True)
    finally:
        file.write_bytes(whole)
        file.chmod(0o444)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("x.jsonl", "mine")]


@pytest.mark.parametrize("inside", ["out.jsonl", "sft/out.jsonl", "sft", "new"])
def test_nothing_is_written_into_a_version(first: Version, inside: str) -> None:
    before = sorted(first.path.rglob("*"))
    with pytest.raises(ExportError, match="versions never change"):
        export(first, "sft", first.path / inside, force=True)
    assert sorted(first.path.rglob("*")) == before


def test_a_link_is_not_followed(first: Version, tmp_path: Path) -> None:
    (tmp_path / "theirs.jsonl").write_text("theirs")
    (tmp_path / "x.jsonl").symlink_to(tmp_path / "theirs.jsonl")
    with pytest.raises(ExportError, match="a link"):
        export(first, "sft", tmp_path / "x.jsonl", force=True)
    assert (tmp_path / "theirs.jsonl").read_text() == "theirs"


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=ascii)
def test_a_hostile_name_is_no_table_and_no_format_and_nothing_appears_elsewhere(
    first: Version, name: str, tmp_path: Path
) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    with pytest.raises((VersionError, ExportError)):
        export(first, name, inner / "x.jsonl")
    with pytest.raises(ExportError):
        export(first, "sft", inner / "x.jsonl", name)  # type: ignore[arg-type]  # as a command line may have it
    with pytest.raises(VersionError):
        export(first, "sft", inner / "x.jsonl", split=name or "?")
    assert [path.name for path in tmp_path.rglob("*")] == ["inner"]


def test_the_command_says_what_it_wrote(root: Path, tmp_path: Path) -> None:
    words = ["export", "v1", "sft", "--root", str(root.parent), "--to", str(tmp_path / "x.jsonl"), "--format"]
    ended = CliRunner().invoke(app, [*words, "alpaca"])
    rows = Version(root / "v1").sft.collect().height
    assert (ended.exit_code, ended.stdout) == (0, f"train {rows:,} rows: {tmp_path / 'x.jsonl'}\n")
    wrong = CliRunner().invoke(app, [*words, "csv", "--force"])
    assert (wrong.exit_code, wrong.stderr.strip().splitlines()[-1]) == (
        2,
        "no format 'csv'. There are: trl, openr1, openthoughts, sharegpt, alpaca",
    )
