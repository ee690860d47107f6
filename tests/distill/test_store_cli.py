"""Facts about `curate store`: what it counts, exports and takes over."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from curate.cli import app
from distill.request import Message, Reply, Request, Sampling
from distill.store import Store


def request(question: str, index: int, model: str = "r1") -> Request:
    return Request((Message("user", question),), model, "may", Sampling(), index)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    asked = [request("2 + 2?", 0), request("2 + 2?", 1), request("3 + 3?", 0), request("2 + 2?", 0, "qwq")]
    ends = ["stop", "length", "error", "stop"]
    replies = [Reply(r.key, "4", None, end, 10, 1_000, 900.0) for r, end in zip(asked, ends, strict=True)]
    with Store(tmp_path / "data" / ".rollouts") as store:
        store.append(replies, asked)
    return tmp_path / "data"


def run(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, result.output


def test_show_counts_what_each_model_was_asked(root: Path) -> None:
    code, said = run("store", "show", "--root", root)
    assert code == 0
    header, r1, qwq, _, size = said.splitlines()
    assert header.split("  ")[0] == "model"
    assert r1.split() == ["r1@may", "2", "2", "3", "1", "1", "30", "3,000", "0.75"]
    assert qwq.split() == ["qwq@may", "1", "1", "1", "0", "0", "10", "1,000", "0.25"]
    assert size.startswith("0.6 kB in 1 file")
    assert size.endswith(f"1 file(s): {root / '.rollouts'}")


def test_an_empty_store_says_so(tmp_path: Path) -> None:
    assert run("store", "show", "--root", tmp_path) == (0, f"{tmp_path / '.rollouts'}: no rollouts were paid for yet\n")


def test_export_writes_every_attempt(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "all.parquet"
    assert run("store", "export", out, "--root", root) == (0, f"4 attempts: {out}\n")
    rows = pq.read_table(out).to_pylist()
    assert [(row["model"], row["index"], row["finish_reason"]) for row in rows] == [
        ("r1", 0, "stop"),
        ("r1", 1, "length"),
        ("r1", 0, "error"),
        ("qwq", 0, "stop"),
    ]


@pytest.mark.parametrize("name", ["m.yaml", "folder.parquet", "nowhere/all.parquet"])
def test_an_export_replaces_nothing_but_a_parquet_file(root: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "m.yaml").write_text("name: math")
    (tmp_path / "folder.parquet").mkdir()
    code, said = run("store", "export", tmp_path / name, "--root", root)
    assert code == 2
    assert "OUT.parquet" in said
    assert "fault of ours" not in said
    assert (tmp_path / "m.yaml").read_text() == "name: math"


def test_merge_takes_over_data_folders_and_stores_once(root: Path, tmp_path: Path) -> None:
    ours = tmp_path / "ours"
    for other, taken in ((root, 4), (root / ".rollouts", 0)):
        assert run("store", "merge", other, "--root", ours) == (
            0,
            f"{taken} new attempts taken over into {ours / '.rollouts'}\n",
        )
    assert Store(ours / ".rollouts").keys() == Store(root / ".rollouts").keys()


def test_a_store_that_is_not_there_is_named_and_nothing_is_made(tmp_path: Path) -> None:
    code, said = run("store", "merge", tmp_path / "nowhere", "--root", tmp_path / "ours")
    assert code == 2
    assert f"{tmp_path / 'nowhere'}: no rollout store is here" in said
    assert not (tmp_path / "ours").exists()
