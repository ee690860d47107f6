"""A version that was built, and one that nobody built: every text in it is an attempt to become something else."""

import json
from pathlib import Path

import polars as pl
import pytest

from curate.build import build
from curate.look.viewer import write_site
from curate.manifest import read_manifest
from curate.progress import Steps
from curate.version import Version
from tests.hostile_texts import HOSTILE

MANIFEST = """
name: seen
sources: [{use: procedural, n: 24}]
rollouts:
  teacher: {use: tutor, error_rate: 0.4}
  sampling: {n: 4, temperature: 1.0, max_tokens: 2048}
verdicts: [rule]
tags: [difficulty, repetition]
views:
  sft: {per_problem: 1}
  rl: {pass_rate: [0.0, 1.0]}
"""


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with `seen@v1`: 24 problems, 96 rollouts of a program that errs on purpose."""
    folder = tmp_path_factory.mktemp("seen")
    (folder / "seen.yaml").write_text(MANIFEST)
    build(read_manifest(folder / "seen.yaml", []), folder / "data", Steps(quiet=True), workers=1)
    return folder / "data"


@pytest.fixture
def version(root: Path) -> Version:
    """`seen@v1`."""
    return Version(root / "seen" / "v1")


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Version:
    """A version with a payload in every text of every row, the names of stages, reasons and teachers included.

    Nothing that builds makes such ids or stages; a folder that somebody sends may hold them.
    """
    path = tmp_path_factory.mktemp("hostile") / "v1"
    texts = pl.Series(HOSTILE)
    said = pl.Series([("correct", "wrong", HOSTILE[i])[i % 3] for i in range(len(HOSTILE))])
    everywhere = ["problem", "answer", "solution", "source", "source_id", "license", "domain", "level", "cluster"]
    problems = pl.DataFrame({"id": texts, **dict.fromkeys(everywhere, texts)}).with_columns(
        other_answers=pl.concat_list(texts, texts), note=texts, pass_rate=pl.lit(0.5), pass_rate_n=pl.lit(2),
        drop_reason=pl.when(pl.int_range(pl.len()) % 5 == 0).then(texts), dropped_by=texts,
        rewritten_from=pl.lit(None, pl.String),
    )  # fmt: skip
    names = [
        "teacher",
        "reasoning",
        "response",
        "extracted_answer",
        "rule_verdict",
        "verdict_by",
        "verdict_detail",
        "finish_reason",
        "note",
    ]
    rollouts = pl.DataFrame({"id": texts + "r", "problem_id": texts, **dict.fromkeys(names, texts)}).with_columns(
        index=pl.int_range(pl.len()), verdict=said, source_verdict=said.reverse(), judge_verdict=said,
        drop_reason=pl.lit(None, pl.String), dropped_by=pl.lit(None, pl.String),
        completion_tokens=pl.int_range(pl.len()), reasoning_chars=pl.lit(5), response_chars=pl.lit(5),
    )  # fmt: skip
    ledger = pl.DataFrame({"unit": "problems", "id": texts, "stage": texts.reverse(), "reason": texts})
    tables = {"problems": problems, "rollouts": rollouts, "ledger": ledger, HOSTILE[0]: rollouts.select("id")}
    parts = {}
    for number, (name, rows) in enumerate(tables.items()):
        (path / str(number)).mkdir(parents=True)
        rows.write_parquet(path / str(number) / "rows.parquet")
        parts[name] = {"train": {"rows": rows.height, "files": [{"path": f"{number}/rows.parquet"}]}}
    funnel = [
        {"stage": text, "unit": text, "seen": 3, "kept": 2, "dropped": [{"reason": other, "rows": 1}]}
        for text, other in zip(reversed(HOSTILE), HOSTILE, strict=True)
    ]
    lock = {"name": HOSTILE[3], "version": 1, "digest": HOSTILE[4], "funnel": funnel, "tables": parts, "files": {}}
    (path / "lock.json").write_text(json.dumps({**lock, "libraries": {"cotillion": HOSTILE[5]}}))
    return Version(path)


@pytest.fixture(scope="session")
def hostile_site(hostile: Version, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hostile version as pages, all of it."""
    return write_site(hostile, tmp_path_factory.mktemp("site") / "pages", Steps(quiet=True)).index.parent
