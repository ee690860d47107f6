"""Rows and versions to train on in seconds: sums, thought through digit by digit."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curate.fingerprint import file_digest
from curate.records import MESSAGES
from curate.version import LOCK
from curate.versions.seal import SEAL, sealed

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


def write_version(root: Path, splits: dict[str, list[Talk]], name: str = "sums", view: str = "sft") -> Path:
    """`{name}@v1` with one view of conversations, in the layout of a built version."""
    return write_views(root, {view: {split: sums_table(talks) for split, talks in splits.items()}}, name)


def sums_table(talks: list[Talk]) -> pa.Table:
    """Conversations and their golds, as the views midtrain and sft hold them."""
    golds = [talk[-1]["content"].partition("\\boxed{")[2].partition("}")[0] for talk in talks]
    return pa.table({"messages": pa.array(talks, MESSAGES), "answer": pa.array(golds, pa.string())})


def write_views(root: Path, views: dict[str, dict[str, pa.Table]], name: str) -> Path:
    """`{name}@v1` with these views, each a table per split."""
    path = root / name / "v1"
    files: dict[str, Any] = {}
    tables: dict[str, Any] = {view: {} for view in views}
    for view, split, rows in ((view, split, rows) for view, splits in views.items() for split, rows in splits.items()):
        file = path / view / f"{split}-00000-of-00001.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(rows, file)
        inside = str(file.relative_to(path))
        files[inside] = {"bytes": file.stat().st_size, "sha256": file_digest(file)}
        part = {"path": inside, "rows": rows.num_rows}
        tables[view][split] = {"rows": rows.num_rows, "digest": ROW_DIGESTS[split], "files": [part]}
    write_lock(path, {"name": name, "version": 1, "digest": "3" * 64, "tables": tables, "files": files})
    return path


def write_lock(path: Path, lock: dict[str, Any]) -> None:
    """The version's lock, sealed as a build seals it."""
    unsealed = {name: value for name, value in lock.items() if name != SEAL} | {SEAL: ""}
    (path / LOCK).write_text(sealed(json.dumps(unsealed)), encoding="utf-8")


def sum_pairs(count: int, seed: int) -> pa.Table:
    """A right sum against one that is off by one, as the view dpo holds them."""
    rows: dict[str, list[Talk]] = {"prompt": [], "chosen": [], "rejected": []}
    for asked, said in sums(count, seed):
        gold = said["content"].partition("\\boxed{")[2].partition("}")[0]
        wrong = said["content"].replace(f"\\boxed{{{gold}}}", f"\\boxed{{{int(gold) + 1}}}")
        rows["prompt"].append([asked])
        rows["chosen"].append([said])
        rows["rejected"].append([{"role": "assistant", "content": wrong}])
    return pa.table({side: pa.array(talks, MESSAGES) for side, talks in rows.items()})


def sum_prompts(count: int, seed: int, high: int = 100) -> pa.Table:
    """Sums to be answered, with their golds and a pass rate of one half, as the view rl holds them."""
    rng = Random(seed)
    asked = [(rng.randrange(high), rng.randrange(high)) for _ in range(count)]
    prompts = [[{"role": "user", "content": f"What is {a} + {b}?"}] for a, b in asked]
    golds = [str(a + b) for a, b in asked]
    ids = [f"{seed}-{row}" for row in range(count)]
    columns = {"id": ids, "prompt": pa.array(prompts, MESSAGES), "solution": golds, "pass_rate": [0.5] * count}
    return pa.table(columns)
