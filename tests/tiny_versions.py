"""Two small versions of one dataset, made from a file of rollouts: no teacher, half a second."""

import json
from pathlib import Path

from curate.build import build
from curate.manifest import read_manifest
from curate.progress import Steps
from curate.version import Version

MANIFEST = """name: tiny
description: Sums.
license: cc0-1.0
sources:
  - {use: files, path: sums.jsonl, columns: {problem: q, answer: a, rollouts: r, teacher: m}, license: cc0-1.0}
problems: [dedup.exact]
verdicts: [rule]
views: {sft: {}}
"""


def row(n: int, said: str = "") -> dict[str, object]:
    """A sum with one right and one wrong rollout."""
    right = f"<think>\n{n} and one{said}\n</think>\n\nSo \\boxed{{{n + 1}}}."
    wrong = f"<think>\nhm {n}\n</think>\n\nSo \\boxed{{{n}}}."
    return {"q": f"What is {n} + 1?", "a": str(n + 1), "r": [right, wrong], "m": "some-model"}


def tiny_version(folder: Path, rows: list[dict[str, object]], root: str = "data") -> Version:
    """The version that these rows make under `folder/root`: another one each time they change."""
    (folder / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "tiny.yaml").write_text(MANIFEST, encoding="utf-8")
    return build(read_manifest(folder / "tiny.yaml"), folder / root, Steps(quiet=True), workers=1).version


def two_versions(folder: Path) -> tuple[Version, Version]:
    """tiny@v1 of twelve problems, tiny@v2 of sixteen."""
    return tiny_version(folder, [row(n) for n in range(12)]), tiny_version(folder, [row(n) for n in range(16)])
