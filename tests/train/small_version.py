"""Rows and versions to train on in seconds: sums, thought through digit by digit."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curate.fingerprint import file_digest
from curate.records import MESSAGES

Talk = list[dict[str, str]]
ROW_DIGESTS = {"train": "1" * 64, "heldout": "2" * 64}


def talk(problem: str, reasoning: str, response: str) -> Talk:
    """A question and its reply, as the view sft holds them."""
    reply = f"<think>\n{reasoning}\n</think>\n\n{response}"
    return [{"role": "user", "content": problem}, {"role": "assistant", "content": reply}]


def sums(count: int, seed: int) -> list[Talk]:
    """Sums of two numbers below a hundred."""
    rng = Random(seed)
    talks = []
    for _ in range(count):
        a, b = rng.randrange(100), rng.randrange(100)
        ones = a % 10 + b % 10
        work = f"Ones: {a % 10} + {b % 10} = {ones}.\nTens: {a // 10} + {b // 10} = {a // 10 + b // 10}."
        talks.append(talk(f"What is {a} + {b}?", work, f"The answer is \\boxed{{{a + b}}}."))
    return talks


def write_version(root: Path, splits: dict[str, list[Talk]], name: str = "sums") -> Path:
    """`{name}@v1` with one view, sft, in the layout of a built version."""
    path = root / name / "v1"
    files: dict[str, Any] = {}
    tables: dict[str, Any] = {"sft": {}}
    for split, talks in splits.items():
        file = path / "sft" / f"{split}-00000-of-00001.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        golds = [talk[-1]["content"].partition("\\boxed{")[2].partition("}")[0] for talk in talks]
        pq.write_table(pa.table({"messages": pa.array(talks, MESSAGES), "answer": pa.array(golds, pa.string())}), file)
        inside = str(file.relative_to(path))
        files[inside] = {"bytes": file.stat().st_size, "sha256": file_digest(file)}
        rows = {"path": inside, "rows": len(talks)}
        tables["sft"][split] = {"rows": len(talks), "digest": ROW_DIGESTS[split], "files": [rows]}
    lock = {"name": name, "version": 1, "digest": "3" * 64, "tables": tables, "files": files}
    (path / "lock.json").write_text(json.dumps(lock), encoding="utf-8")
    return path
