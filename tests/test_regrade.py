"""`curate verify FILE`: rollouts in any file, under any column names, judged and held against its own labels."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from curate.cli import app

ROWS = [
    {"q": "1 + 1?", "gt": "2", "model_output": r"So \boxed{2}.", "ok": True},
    {"q": "1 + 2?", "gt": "3", "model_output": r"So \boxed{4}.", "ok": False},
    {"q": "1 + 3?", "gt": "4", "model_output": r"So \boxed{4}.", "ok": False},
]
NAMES = ["--rollouts", "model_output", "--answer", "gt", "--labels", "ok"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rollouts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


def test_verdicts_are_counted_and_disagreements_listed(file: Path) -> None:
    run = CliRunner().invoke(app, ["verify", str(file), *NAMES])
    assert run.exit_code == 0
    assert "label 'ok': 2 of 3 agree (66.67%)" in run.stdout
    assert "wrong | correct | exact | 4 | 4" in run.stdout


def test_rows_are_written_with_their_verdict(file: Path, tmp_path: Path) -> None:
    CliRunner().invoke(app, ["verify", str(file), *NAMES, "--out", str(tmp_path / "judged.parquet")])
    judged = pl.read_parquet(tmp_path / "judged.parquet")
    assert judged.select("answer", "extracted_answer", "verdict", "source_verdict").rows() == [
        ("2", "2", "correct", "correct"),
        ("3", "4", "wrong", "wrong"),
        ("4", "4", "correct", "wrong"),
    ]


def test_a_column_that_cannot_be_guessed_is_asked_for(file: Path) -> None:
    run = CliRunner().invoke(app, ["verify", str(file)])
    assert run.exit_code == 2
    assert "which column holds the rollouts? Say --rollouts NAME. There are: gt, model_output, ok, q" in run.stderr


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    run = CliRunner().invoke(app, ["verify", str(tmp_path / "none.jsonl")])
    assert run.exit_code == 2
    assert "no file" in run.stderr


def test_each_row_is_judged_by_its_own_gold(tmp_path: Path) -> None:
    rows = [{"question": "Pick one.", "answer": gold, "response": rf"\boxed{{{gold}}}"} for gold in ("2", "3", "2")]
    (tmp_path / "r.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    CliRunner().invoke(app, ["verify", str(tmp_path / "r.jsonl"), "--out", str(tmp_path / "j.parquet")])
    assert pl.read_parquet(tmp_path / "j.parquet")["verdict"].to_list() == ["correct"] * 3
