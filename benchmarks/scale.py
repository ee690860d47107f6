"""How a version grows: time and memory of views, pairs, card and lock over many rollouts, and of building again.

    python benchmarks/scale.py make FOLDER [--rollouts 1_000_000]     the input: 10 rollouts of 2 KB for each problem
    python benchmarks/scale.py build FOLDER                           a version, then one with another rule for pairs
    python benchmarks/scale.py read FOLDER                            show, diff, open

The input is made once: what a build holds when verdicts and tags have been given. The tutor answers 10,000 procedural
problems ten times each, rollouts filled to 2 KB with their own reasoning; a larger input holds them again under other
names. Verdicts are the tutor's truth: the verifier has a benchmark of its own. From there on a build runs as it does.

Every number stands as wall clock and as CPU time of all processes; memory is the largest sum of their resident sets,
looked at ten times a second. Memory that a file is mapped into counts, too.
"""

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import psutil
import pyarrow.parquet as pq

# This folder holds files named like modules of what they measure: look for the packages beside it, not in it.
sys.path[0] = str(Path(__file__).resolve().parent.parent)
from curate.build import resolved  # noqa: E402
from curate.cache import Cache  # noqa: E402
from curate.engine import Shard, worker_pool  # noqa: E402
from curate.fingerprint import file_digest  # noqa: E402
from curate.flow import Flow  # noqa: E402
from curate.manifest import read_manifest  # noqa: E402
from curate.marking import KEPT, NO_DROPS  # noqa: E402
from curate.progress import Steps  # noqa: E402
from curate.records import ROLLOUT, to_arrow  # noqa: E402
from curate.version import versions  # noqa: E402
from curate.versions.lock import lock_facts, recipe  # noqa: E402
from curate.versions.papers import papers  # noqa: E402
from curate.versions.publish import publish  # noqa: E402
from distill.families import pose_many  # noqa: E402
from distill.request import Message, Request, Sampling  # noqa: E402
from distill.teachers.tutor import EXPECTED, Tutor  # noqa: E402

POOL_PROBLEMS = 10_000
PER_PROBLEM = 10
ROLLOUT_CHARS = 2_000
MANIFEST = """
name: scale
sources: [{use: files, path: rollouts-000.parquet, license: apache-2.0, teacher: tutor, source: scale, columns: {
  problem: problem, answer: answer, source_id: source_id, domain: domain, level: level, rollouts: rollouts,
  labels: labels, finish_reasons: finish_reasons}}]
problems: [hygiene.answerable, dedup.exact]
tags: [difficulty]
views:
  midtrain: {keep: correct}
  sft: {per_problem: 1}
  dpo: {length_ratio: [0.5, 2.0], per_problem: 2}
  rl: {pass_rate: [0.05, 0.95]}
"""
OTHER_RULE = "views.dpo.rule=shortest_correct"


def main() -> None:
    """Prints what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("make", "build", "read"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rollouts", type=lambda text: int(text.replace("_", "")), default=1_000_000)
    given = parser.parse_args()
    if given.what == "make":
        make(given.folder, given.rollouts)
    elif given.what == "build":
        build(given.folder, [])
        build(given.folder, [OTHER_RULE])
    else:
        read(given.folder)


def make(folder: Path, rollouts: int) -> None:
    """Writes the marked input: `problems.parquet`, `rollouts.parquet` and `shards/`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scale.yaml").write_text(MANIFEST)
    problems = min(rollouts // PER_PROBLEM, POOL_PROBLEMS)
    if not (folder / "rollouts-000.parquet").exists():
        pl.DataFrame(list(_answered(problems))).write_parquet(folder / "rollouts-000.parquet", row_group_size=500)
    manifest = read_manifest(folder / "scale.yaml")
    with worker_pool() as pool:
        manifest, states = resolved(manifest, [])
        flow = Flow(manifest, folder, Cache(folder / ".stages"), pool, Steps())
        flow.read(states)
        flow.mark_problems()
        flow.draw()
        flow.rollouts = flow.rollouts.with_columns(verdict=_verdict())
        flow.mark_rollouts()
    copies = range(rollouts // PER_PROBLEM // problems)
    pl.concat([_problems(flow.problems, copy) for copy in copies]).write_parquet(folder / "problems.parquet")
    pl.concat([_rollouts(flow, copy) for copy in copies]).write_parquet(folder / "rollouts.parquet")
    (folder / "shards").mkdir(exist_ok=True)
    for copy in copies:
        for place, shard in enumerate(flow.shards):
            rows = _named(pl.read_parquet(shard.path), copy, "id", "problem_id")
            rows = rows.with_columns(reasoning=pl.format("Copy {}.\n{}", pl.lit(copy), "reasoning"))
            path = folder / "shards" / f"{copy * len(flow.shards) + place:05d}.parquet"
            pq.write_table(to_arrow(rows, ROLLOUT), path, compression="zstd", row_group_size=512)


def _problems(rows: pl.DataFrame, copy: int) -> pl.DataFrame:
    return _named(rows, copy, "id", "cluster", "content_hash").with_columns(
        problem=pl.format("Exercise {}. {}", pl.lit(copy), "problem"), ordinal=pl.col("ordinal") + copy * rows.height
    )


def _rollouts(flow: Flow, copy: int) -> pl.DataFrame:
    rows = _named(flow.rollouts, copy, "id", "problem_id", "text_hash")
    return rows.with_columns(pl.col("shard") + copy * len(flow.shards))


def _named(rows: pl.DataFrame, copy: int, *ids: str) -> pl.DataFrame:
    """Ids of their own for every copy: the first two hex digits of 16 tell it."""
    return rows.with_columns(
        pl.concat_str(pl.lit(f"{copy:02x}"), pl.col(name).str.slice(2)).alias(name) for name in ids
    )


def _answered(problems: int) -> Iterator[dict[str, object]]:
    tutor = Tutor(error_rate=0.4)
    for row in pose_many(problems, seed=1):
        asked = (Message("user", row.problem),)
        requests = [Request(asked, "tutor", "", Sampling(max_tokens=4096), i) for i in range(PER_PROBLEM)]
        truths = [EXPECTED[tutor.truth(request)] for request in requests]
        replies = list(tutor.ask(requests))
        yield {
            "problem": row.problem,
            "answer": row.answer,
            "domain": row.domain,
            "level": row.level,
            "rollouts": [_filled(reply.content) for reply in replies],
            "labels": [{"correct": "correct", "wrong": "wrong"}.get(truth) for truth in truths],
            "finish_reasons": [reply.finish_reason for reply in replies],
        }


def _filled(content: str) -> str:
    """About ROLLOUT_CHARS in all: the reasoning is gone over again as often as it takes."""
    text = content.removeprefix("<think>").lstrip("\n")
    missing = ROLLOUT_CHARS - len(content)
    if missing < 40:
        return text
    again = text.partition("</think>")[0] + "\nOnce more.\n"
    return (again * (missing // len(again) + 1))[:missing] + "\n" + text


def build(folder: Path, overrides: list[str]) -> None:
    """The next version, from the marked input on, as a build makes it."""
    root = folder / "data"
    (root / "scale").mkdir(parents=True, exist_ok=True)
    manifest = read_manifest(folder / "scale.yaml", overrides)
    print(f"\nbuild {' '.join(overrides)}".rstrip())
    with _measured("views, pairs, card, lock"), worker_pool() as pool:
        manifest, states = resolved(manifest, versions(root, manifest.name))
        flow = Flow(manifest, root, Cache(root / ".stages"), pool, Steps())
        with _measured("  marked input"):
            flow.problems = pl.read_parquet(folder / "problems.parquet", memory_map=False)
            flow.rollouts = pl.read_parquet(folder / "rollouts.parquet", memory_map=False)
            flow.shards = [Shard(path, file_digest(path)) for path in sorted((folder / "shards").glob("*.parquet"))]
            flow.ledger.open("sources.marked", "problems", flow.problems.filter(KEPT).height, NO_DROPS)
            flow.ledger.open("sources.marked", "rollouts", flow.rollouts.filter(KEPT).height, NO_DROPS)
        with _measured("  tables"):
            tables = flow.tables()
        with _measured("  card, lock, publish"):
            facts = lock_facts(flow, states, recipe(manifest, states))
            version = publish(root / "scale", tables, lambda number: papers(flow, tables, facts, number), facts)
    print(version.name, {name: table.parts["train"].rows for name, table in tables.items()})


def _verdict() -> pl.Expr:
    cut = pl.when(pl.col("finish_reason") == "length").then(pl.lit("truncated"))
    return pl.coalesce(cut, "source_verdict", pl.lit("no_answer"))


def read(folder: Path) -> None:
    """What people do with versions of this size."""
    environment = {**os.environ, "COTILLION_DATA": str(folder / "data")}
    opened = "import curate, time; t = time.perf_counter(); curate.open('scale@v1').sft; print(time.perf_counter() - t)"
    commands = {
        "curate.open, in a fresh process": [sys.executable, "-c", opened],
        "curate show": [sys.executable, "-m", "curate", "show", "scale@v1"],
        "curate diff": [sys.executable, "-m", "curate", "diff", "scale@v1", "scale@v2"],
    }
    for name, command in commands.items():
        with _measured(name):
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        print(f"    exit {done.returncode}, {len(done.stdout):,} characters: {json.dumps(done.stdout[-60:])}")


@contextmanager
def _measured(name: str) -> Iterator[None]:
    """Prints wall clock, CPU time and the most memory of the block."""
    ended, most = threading.Event(), [0]

    def look() -> None:
        while not ended.wait(0.1):
            most[0] = max(most[0], _resident())

    watch = threading.Thread(target=look, daemon=True)
    started, cpu = time.perf_counter(), _cpu_s()
    watch.start()
    yield
    wall, used = time.perf_counter() - started, _cpu_s() - cpu
    ended.set()
    watch.join()
    print(f"{name:<34} {wall:8.1f} s   {used:8.1f} s CPU   {most[0] / 2**30:5.2f} GiB", flush=True)


def _resident() -> int:
    me = psutil.Process()
    total = 0
    for process in (me, *me.children(recursive=True)):
        try:
            total += process.memory_info().rss
        except psutil.Error:  # it has ended meanwhile
            continue
    return total


def _cpu_s() -> float:
    """Of this process, of those it waited for, and of those that live."""
    times = os.times()
    living = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            living += sum(process.cpu_times()[:2])
        except psutil.Error:
            continue
    return times.user + times.system + times.children_user + times.children_system + living


if __name__ == "__main__":
    main()
