"""Facts about versions that stand: every flipped bit is found, the ledger balances, nothing leads out of the folder."""

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.build import build
from curate.fingerprint import file_digest, row_digest
from curate.manifest import read_manifest
from curate.progress import Steps
from curate.tables import File, Part
from curate.version import DigestError, Version, VersionError, open_version
from curate.versions.checks import check_version
from curate.versions.publish import Table, version_digest
from curate.versions.seal import sealed
from tests.hostile_names import HOSTILE_NAMES

MANIFEST = """
name: small
sources: [{use: procedural, n: 40, seed: 3}]
problems: [hygiene.answerable, dedup.exact]
rollouts:
  teacher: {use: tutor, error_rate: 0.5}
  sampling: {n: 4, max_tokens: 2048}
verdicts: [rule]
tags: [difficulty]
views: {midtrain: {}, sft: {}, dpo: {}, rl: {}}
heldout: 0.2
"""

Change = Callable[[pl.DataFrame], pl.DataFrame]


def first(**columns: str) -> Change:
    """Other values in the first row."""
    is_first = pl.int_range(pl.len()) == 0
    return lambda rows: rows.with_columns(
        pl.when(is_first).then(pl.lit(value)).otherwise(pl.col(name)).alias(name) for name, value in columns.items()
    )


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Version:
    folder = tmp_path_factory.mktemp("versions")
    (folder / "m.yaml").write_text(MANIFEST)
    return build(read_manifest(folder / "m.yaml"), folder / "data", Steps(quiet=True), workers=1).version


@pytest.fixture
def copy(small: Version, tmp_path: Path) -> Version:
    """The version in a folder that may be written into."""
    shutil.copytree(small.path, tmp_path / "small" / "v1")
    for file in tmp_path.rglob("*.*"):
        file.chmod(0o644)
    return open_version(tmp_path / "small" / "v1")


def test_a_version_as_built_passes(small: Version) -> None:
    checked = check_version(small)
    parts = [part["rows"] for splits in small.lock["tables"].values() for part in splits.values()]
    assert (checked.rows, checked.entries) == (sum(parts), len(small.lock["funnel"]))


def test_one_flipped_bit_in_any_file_is_found(copy: Version) -> None:
    """As many flips as COTILLION_FLIPS says (200 before a release), in every file, the lock too; fixed seed."""
    drawn = random.Random(4)
    files = sorted(path for path in copy.path.rglob("*") if path.is_file())
    for number in range(int(os.environ.get("COTILLION_FLIPS", "32"))):
        file = files[number % len(files)]
        whole = file.read_bytes()
        at, bit = drawn.randrange(len(whole)), drawn.randrange(8)
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :])
        with pytest.raises(DigestError):
            check_version(Version(copy.path))
        file.write_bytes(whole)
    check_version(Version(copy.path))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda path: (path / "README.md").unlink(), "README.md: missing"),
        (lambda path: (path / "sft" / "extra.parquet").write_text(""), "sft/extra.parquet: not named in the lock"),
        (
            lambda path: _pipe(path / "sft" / "more"),
            "sft/more/x: not named",
        ),
        (lambda path: (path / "inner").symlink_to("/tmp"), "inner: not named in the lock"),
        (lambda path: _relink(path / "README.md"), "README.md: a link"),
        (lambda path: _relink(path / "sft"), "sft/train-00000-of-00001.parquet: a link"),
    ],
)
def test_files_that_are_missing_added_or_linked_are_named(
    copy: Version, change: Callable[[Path], Any], said: str
) -> None:
    change(copy.path)
    with pytest.raises(DigestError, match=said):
        check_version(Version(copy.path))


@pytest.mark.parametrize(
    ("table", "change", "said"),
    [
        ("sft", first(id="0" * 16), r"sft \(train\): 1 ids are not among the kept rollouts"),
        ("sft", lambda rows: rows[1:], r"sft: holds \d+ rollouts, the ledger says"),
        ("dpo", first(rejected_id="x"), r"dpo \(train\): 1 ids are not among the kept"),
        ("rl", first(id="x"), r"rl \(train\): 1 ids are not among the kept problems"),
        ("ledger", lambda rows: rows[1:], "the funnel says"),
        ("ledger", first(reason="luck"), "rows for .* luck, the funnel says 0"),
        ("funnel", lambda rows: rows.with_columns(seen=pl.col("seen") + 1), "its rows are not those of"),
        ("problems", lambda rows: rows[1:], "problems: .* rows are kept, the ledger says"),
        ("problems", first(drop_reason="x", dropped_by="y"), "bear a fate"),
        ("rollouts", lambda rows: pl.concat([rows, rows[:2]]), "rollouts: 2 ids stand twice"),
        ("rollouts", lambda rows: rows.drop("reasoning"), r"rollouts \(train\): does not begin with the columns"),
    ],
)  # fmt: skip
def test_a_version_whose_rows_do_not_fit_together_is_found_though_every_hash_fits(
    copy: Version, table: str, change: Change, said: str
) -> None:
    with pytest.raises(DigestError, match=said):
        check_version(_forged(copy, table, change))


def test_other_rows_under_the_same_digest_are_found(copy: Version) -> None:
    forged = _forged(copy, "sft", first(verdict="wrong"), digest=False)
    with pytest.raises(DigestError, match=r"sft \(train\): .* another digest"):
        check_version(forged)


def test_rows_on_the_wrong_side_of_the_split_are_found(copy: Version) -> None:
    held = copy.table("sft", "heldout").collect()
    with pytest.raises(DigestError, match="are of problems on the other side of the split"):
        check_version(_forged(copy, "sft", lambda rows: pl.concat([rows, held])))


def test_the_command_ends_with_3_and_names_the_file(copy: Version) -> None:
    from typer.testing import CliRunner

    from curate.cli import app

    fine = CliRunner().invoke(app, ["check", str(copy.path)])
    assert (fine.exit_code, "small@v1: fine." in fine.stdout) == (0, True)
    (copy.path / "LICENSES.md").unlink()
    ended = CliRunner().invoke(app, ["check", str(copy.path)])
    assert (ended.exit_code, "LICENSES.md: missing" in ended.stderr) == (3, True)


def test_there_are_60_hostile_names() -> None:
    assert len(set(HOSTILE_NAMES)) == 60


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=ascii)
def test_a_lock_with_a_hostile_file_name_is_read_nowhere(copy: Version, name: str, tmp_path: Path) -> None:
    (copy.path.parent / "x").write_text("outside")
    copy.lock["tables"]["sft"]["train"]["files"][0]["path"] = name
    copy.lock["files"][name] = {"bytes": 7, "sha256": file_digest(copy.path.parent / "x")}
    with pytest.raises(DigestError, match="no file of a version"):
        copy.table("sft")
    with pytest.raises(DigestError, match="no file of a version"):
        copy.seems_whole()
    with pytest.raises(DigestError):
        copy.check_files()
    (copy.path / "lock.json").write_text(sealed(json.dumps({**copy.lock, "seal": ""})))
    with pytest.raises(DigestError):
        check_version(Version(copy.path))


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=ascii)
def test_a_hostile_name_is_no_dataset_and_no_version(small: Version, name: str, tmp_path: Path) -> None:
    from curate.manifest import ManifestError

    root = small.path.parent.parent
    before = sorted(root.rglob("*"))
    for reference in (f"{name}@v1", f"small@{name}", f"{name}@latest"):
        with pytest.raises((VersionError, ValueError)):
            open_version(reference, root)
    (tmp_path / "m.yaml").write_text(
        MANIFEST.replace("name: small", f"name: {json.dumps(name)}"), errors="surrogatepass"
    )
    with pytest.raises(ManifestError):
        read_manifest(tmp_path / "m.yaml")
    assert sorted(root.rglob("*")) == before


def _pipe(folder: Path) -> None:
    folder.mkdir()
    os.mkfifo(folder / "x")


def _relink(path: Path) -> None:
    """The file or folder goes elsewhere, and a link to it stands in its place."""
    aside = path.parent.parent / f"aside-{path.name}"
    path.rename(aside)
    path.symlink_to(aside)


def _forged(version: Version, table: str, change: Change, digest: bool = True) -> Version:
    """The version with other rows in the train split of a table, and a lock in which every hash fits them."""
    lock = version.lock
    part = lock["tables"][table]["train"]
    name = part["files"][0]["path"]
    file = version.path / name
    schema = pq.read_schema(file)
    arrow = change(_frame(file)).to_arrow()
    pq.write_table(arrow.cast(pa.schema([schema.field(column) for column in arrow.column_names])), file)
    rows = _frame(file)
    part["rows"] = part["files"][0]["rows"] = rows.height
    if digest:
        part["digest"] = row_digest([rows])
    lock["files"][name] = {"bytes": file.stat().st_size, "sha256": file_digest(file)}
    parts = {
        t: {
            s: Part(p["rows"], p["digest"], p["bytes"], tuple(File(f["path"], f["rows"], 0, "") for f in p["files"]))
            for s, p in splits.items()
        }
        for t, splits in lock["tables"].items()
    }
    lock["digest"] = version_digest({t: Table(Path(), p) for t, p in parts.items()})
    (version.path / "lock.json").write_text(sealed(json.dumps({**lock, "seal": ""})))
    return Version(version.path)


def _frame(file: Path) -> pl.DataFrame:
    frame = pl.from_arrow(pq.read_table(file))
    assert isinstance(frame, pl.DataFrame)
    return frame
