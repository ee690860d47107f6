"""What tests of sampling builds share: a small manifest, and teachers that keep a list of what they were asked."""

import json
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from curate.build import build
from curate.manifest import read_manifest
from curate.progress import Steps
from curate.version import Version
from distill.request import Reply, Request, TeacherError
from distill.teachers.tutor import Tutor

PROBLEMS = 24

SMALL = """
name: small
sources: [{use: files, path: problems.jsonl, columns: {problem: problem, answer: answer}}]
rollouts:
  teacher: {use: tutor, error_rate: 0.5}
  sampling: {n: 4, temperature: 1.0, max_tokens: 2048}
verdicts: [rule]
views: {sft: {}}
heldout: 0.0
"""

GOAL = ("rollouts.goal={correct: 2, wrong: 1, at_most: 12}",)


@dataclass(frozen=True)
class Classroom(Tutor):
    """The tutor, several requests at a time, answered late and in any order; it keeps a list of what it was asked."""

    in_flight: int = 1
    shuffle: int = 0
    stops_after: int = 10**9
    asked: list[Request] = field(default_factory=list, init=False)

    def ask(self, requests: Iterable[Request]) -> Iterator[Reply]:
        luck, source, pending = random.Random(self.shuffle), iter(requests), list[Request]()
        while True:
            pending += islice(source, self.in_flight - len(pending))
            if not pending:
                return
            request = pending.pop(luck.randrange(len(pending)))
            self.asked.append(request)
            if len(self.asked) > self.stops_after:
                raise TeacherError("the line went dead")
            time.sleep(luck.random() * 1e-4)
            yield self.reply(request)

    def reply(self, request: Request) -> Reply:
        return next(super().ask([request]))


@dataclass(frozen=True)
class Terse(Classroom):
    """Gives its response without the reasoning."""

    def reply(self, request: Request) -> Reply:
        reply = super().reply(request)
        return replace(reply, content=reply.content.rpartition("</think>")[2])


def problems(folder: Path, n: int = PROBLEMS) -> list[dict[str, Any]]:
    """The rows of the file that the manifest names."""
    rows = posed(n, seed=3)
    write(folder, rows)
    return rows


def posed(n: int, seed: int) -> list[dict[str, Any]]:
    """Problems that the tutor can read."""
    from curate.sources.procedural import Procedural

    frame = pl.concat([intake.problems for intake in Procedural(n=n, seed=seed)()])
    return frame.select("problem", "answer").to_dicts()


def write(folder: Path, rows: list[dict[str, Any]]) -> None:
    (folder / "problems.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def make(folder: Path, teacher: Tutor | None, *sets: str, root: str = "data", offline: bool = False) -> Version:
    (folder / "m.yaml").write_text(SMALL)
    manifest = read_manifest(folder / "m.yaml", sets)
    assert manifest.rollouts
    if teacher:
        use = replace(manifest.rollouts.teacher, plug=teacher)
        manifest = replace(manifest, rollouts=replace(manifest.rollouts, teacher=use))
    return build(manifest, folder / root, Steps(quiet=True), workers=1, offline=offline).version


def room(cls: type[Classroom] = Classroom, **options: Any) -> Classroom:
    return cls(error_rate=0.5, **options)


def by_problem(asked: list[Request]) -> Counter[str]:
    return Counter(request.messages[-1].content for request in asked)


def line(version: Version, stage: str = "teacher.tutor") -> dict[str, Any]:
    (entry,) = [entry for entry in version.lock["funnel"] if entry["stage"] == stage]
    return {"seen": entry["seen"], "kept": entry["kept"], **{d["reason"]: d["rows"] for d in entry["dropped"]}}
