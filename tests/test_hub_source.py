"""The Hub as a source: against a real server on 127.0.0.1 that holds a few repositories."""

import gzip
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curate.reading.intake import Columns
from curate.sources.hub import Hub
from tests.fakehub import FakeHub

ROWS = [{"question": 'What is 1 + 1,\n"exactly"?', "answer": "2"}, {"question": "¿Cuánto es $x$?", "answer": None}]


PLAIN = Columns(problem="question", answer="answer")


def lines(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


CARD = b"""---
license: mit
configs:
- {config_name: main, data_files: [{split: train, path: data/*.jsonl.gz}, {split: test, path: data/b.jsonl.gz}]}
- {config_name: table, data_files: [{split: test, path: data/test.parquet}]}
- {config_name: outside, data_files: [{split: train, path: /etc/secret.jsonl}]}
- {config_name: above, data_files: [{split: train, path: ../../me/gated/train.jsonl}]}
- {config_name: other, data_files: [{split: train, path: 'hf://datasets/me/gated/train.jsonl'}]}
- {config_name: web, data_files: [{split: train, path: 'https://example.com/x.jsonl'}]}
---
"""

# Every case in one process: huggingface_hub reads HF_ENDPOINT once, when it is imported.
CASES: dict[str, dict[str, Any]] = {
    "gz": {"path": "me/data", "config": "main"},
    "parquet": {"path": "me/data", "config": "table", "split": "test", "source": "mine", "license": "cc0-1.0"},
    "no card": {"path": "me/plain"},
    "old": {"path": "me/plain", "revision": "FIRST"},
    "limit": {"path": "me/plain", "limit": 1},
    "no config": {"path": "me/data"},
    "config": {"path": "me/data", "config": "mian"},
    "split": {"path": "me/data", "config": "main", "split": "tset"},
    "column": {"path": "me/plain", "columns": {"problem": "qestion"}},
    "revision": {"path": "me/plain", "revision": "v9"},
    "missing": {"path": "me/none"},
    "gated": {"path": "me/gated"},
    **{name: {"path": "me/data", "config": name} for name in ("outside", "above", "other", "web")},
}

RUN = """
import json, sys
from curate.reading.intake import Columns, SourceError
from curate.reading.intake import Columns
from curate.sources.hub import Hub
said = {}
for name, options in json.load(sys.stdin).items():
    try:
        hub = Hub(**{**options, "columns": Columns(**options.get("columns", {"problem": "question"}))})
        batches = list(hub())
        rows = [row for batch in batches for row in batch.problems.select("problem", "source", "license").rows()]
        said[name] = {"rows": rows, "torn": [id for b in batches for id in b.unreadable["id"]], **hub.state()}
    except SourceError as fault:
        said[name] = {"fault": str(fault)}
print(json.dumps(said))
"""


def run_hub(cases: dict[str, dict[str, Any]], endpoint: str, home: Path) -> dict[str, Any]:
    """What each case gives in a fresh process with this endpoint."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    environment = {**kept, "HF_ENDPOINT": endpoint, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, "-c", RUN]
    done = subprocess.run(
        command, input=json.dumps(cases), env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-3000:]
    said: dict[str, Any] = json.loads(done.stdout)
    return said


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    sink = io.BytesIO()
    pl.DataFrame(ROWS).write_parquet(sink)
    parquet = sink.getvalue()
    with FakeHub() as hub:
        files = {
            "data/a.jsonl.gz": gzip.compress(lines(ROWS)),
            "data/b.jsonl.gz": gzip.compress(b'{"question": "b?"}\n{'),
        }
        hub.put("me/data", {"README.md": CARD, "data/test.parquet": parquet, **files})
        first = hub.put("me/plain", {"train.jsonl": b'{"question": "old?"}\n'})
        head = hub.put("me/plain", {"train.jsonl": b'{"question": "1?"}\n{"question": 2}\n'})
        hub.put("me/gated", {"train.jsonl": b'{"question": "secret"}\n'}, gated=True)
        CASES["old"]["revision"] = first
        found = run_hub(CASES, hub.url, tmp_path_factory.mktemp("hub"))
        yield {**found, "head": head, "calls": hub.calls}


def test_a_split_of_the_hub_is_read_file_by_file(said: dict[str, Any]) -> None:
    questions = [*(row["question"] for row in ROWS), "b?"]
    assert said["gz"]["rows"] == [[question, "me/data", "mit"] for question in questions]
    assert said["gz"]["torn"] == ["data/b.jsonl.gz:2"]
    assert said["parquet"]["rows"] == [[row["question"], "mine", "cc0-1.0"] for row in ROWS]
    assert [row[0] for row in said["no card"]["rows"]] == ["1?", "2"]
    assert [row[0] for row in said["limit"]["rows"]] == ["1?"]


def test_the_head_is_resolved_to_a_commit_and_a_commit_is_kept(said: dict[str, Any]) -> None:
    assert said["no card"]["revision"] == said["head"]
    assert said["old"] == {"rows": [["old?", "me/plain", None]], "torn": [], "revision": CASES["old"]["revision"]}


@pytest.mark.parametrize(
    ("case", "text"),
    [
        ("no config", "me/data: has several configs. Set config to one of: main, table, outside, above, other, web"),
        ("config", "me/data: no config 'mian'. Did you mean 'main'?"),
        ("split", "me/data: no split 'tset'. Did you mean 'test'? There are: train, test"),
        ("column", "no column 'qestion' (did you mean 'question'?). There are: question"),
        ("revision", "me/plain: no revision 'v9'"),
        ("missing", "me/none: no such dataset"),
        ("gated", "me/gated: gated. Ask for access at"),
    ],
)
def test_what_the_hub_does_not_give_says_why(said: dict[str, Any], case: str, text: str) -> None:
    assert text in said[case]["fault"]


@pytest.mark.parametrize("case", ["outside", "above", "other", "web"])
def test_a_card_cannot_name_files_outside_its_dataset(said: dict[str, Any], case: str) -> None:
    assert set(said[case]) == {"fault"}
    assert not [call for call in said["calls"] if "me/gated/resolve" in call.path and call.path.endswith(".jsonl")]


def test_without_a_network_the_hub_says_so_at_once(tmp_path: Path) -> None:
    said = run_hub({"plain": {"path": "me/plain"}}, "http://127.0.0.1:9", tmp_path)
    assert "me/plain: cannot reach the Hub at http://127.0.0.1:9" in said["plain"]["fault"]


def test_a_pinned_revision_asks_no_one() -> None:
    assert Hub("me/x", PLAIN, revision="a" * 40).state() == {"revision": "a" * 40}


@pytest.mark.parametrize("path", ["x", "../x", "a/b/c", "me/x@v1", "https://example.com/x", "me/.."])
def test_a_name_that_is_no_dataset_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="organisation/name"):
        Hub(path, PLAIN)
