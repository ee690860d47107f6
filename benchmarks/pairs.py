"""Views and pairs from real rollouts: sizes, faults of pairs, and how lengths drift between their sides.

    COTILLION_REAL_DATA=FOLDER python benchmarks/pairs.py [--root FOLDER] [--files longcot_math500 ...]

Each file of `FOLDER/rollouts` (one reply per line: `question_id question answer model rollout`) is built by a manifest
with the default views. The pairs are then read back and held against the rollouts they name: a fault is a pair whose
sides share a verdict, come from different problems, or say the same but for boxes, spacing and stops (counted here by a
rule of its own). Drift is the median length of the chosen over that of the rejected rollouts, less one; the other rules
choose from the same rollouts.
"""

import argparse
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import polars as pl

# The packages are beside this folder.
sys.path[0] = str(Path(__file__).resolve().parent.parent)
from curate.build import build  # noqa: E402
from curate.manifest import read_manifest  # noqa: E402
from curate.progress import Steps  # noqa: E402
from curate.version import Version  # noqa: E402
from curate.views.dpo import Dpo  # noqa: E402

FILES = ("longcot_math500", "rg_llama3b_step400_n50", "mip_math_longcot")
RULES: dict[str, dict[str, Any]] = {
    "closest_length": {},
    "closest_length, one a problem": {"per_problem": 1},
    "random": {"rule": "random"},
    "random, drift_at_most 0.05": {"rule": "random", "drift_at_most": 0.05},
    "shortest_correct": {"rule": "shortest_correct"},
    "best_against_worst": {"rule": "best_against_worst"},
    "any length, random": {"rule": "random", "length_ratio": (0.01, 100.0)},
}
MANIFEST = """\
name: {name}
sources:
  - use: files
    path: {path}
    columns: {{problem: question, answer: answer, source_id: question_id, rollouts: rollout, teacher: model}}
problems: [hygiene.answerable, dedup.exact]
verdicts: [rule]
tags: [difficulty]
views:
  midtrain: {{reasoning: false}}
  sft: {{reasoning: false}}
  dpo: {{reasoning: false}}
  rl: {{}}
"""
DRIFT = 0.05


def main() -> None:
    """Prints the tables; exit code 1 if a pair is faulty, a ledger does not balance, or the default rule drifts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, help="the data folder; a temporary one if not given")
    parser.add_argument("--files", nargs="*", default=FILES)
    given = parser.parse_args()
    data = os.environ.get("COTILLION_REAL_DATA")
    if data is None:
        sys.exit("COTILLION_REAL_DATA names no folder with real rollouts")
    with tempfile.TemporaryDirectory() as aside:
        root = given.root or Path(aside)
        versions = {name: built(name, Path(data) / "rollouts" / f"{name}.jsonl.gz", root) for name in given.files}
        print("\n| file | problems | rollouts | midtrain | sft | rl | pairs | of problems | faulty | ledger |")
        print("|---|---|---|---|---|---|---|---|---|---|")
        missed = [name for name, version in versions.items() if not told(name, version)]
        print("\n| file | rule | pairs | median chosen | median rejected | drift | seconds |")
        print("|---|---|---|---|---|---|---|")
        missed += [name for name, version in versions.items() if abs(drifts(name, version)) > DRIFT]
    sys.exit(f"missed: {', '.join(missed)}" if missed else 0)


def built(name: str, path: Path, root: Path) -> Version:
    """The version of one file."""
    root.mkdir(parents=True, exist_ok=True)
    manifest = root / f"{name}.yaml"
    manifest.write_text(MANIFEST.format(name=name, path=path), encoding="utf-8")
    started = time.perf_counter()
    version = build(read_manifest(manifest), root, Steps(quiet=True)).version
    print(f"{version.name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
    return version


def told(name: str, version: Version) -> bool:
    """Prints the sizes; whether all pairs are sound and all rows accounted for."""
    tables = version.lock["tables"]
    rows = {view: sum(part["rows"] for part in tables[view].values()) for view in tables}
    pairs = version.table("dpo").collect()
    bad = faulty(pairs, version.rollouts.select("id", "problem_id", "verdict").collect())
    balanced = all(e["seen"] == e["kept"] + sum(d["rows"] for d in e["dropped"]) for e in version.lock["funnel"])
    counts = [rows[name] for name in ("problems", "rollouts", "midtrain", "sft", "rl", "dpo")]
    shown = " | ".join(f"{n:,}" for n in (*counts, pairs["problem_id"].n_unique(), bad))
    print(f"| {name} | {shown} | {'balances' if balanced else 'DOES NOT BALANCE'} |")
    return balanced and not bad


def faulty(pairs: pl.DataFrame, rollouts: pl.DataFrame) -> int:
    """Pairs whose sides share a verdict, come from different problems, or differ in form only."""
    facts = {row["id"]: row for row in rollouts.iter_rows(named=True)}
    count = 0
    for pair in pairs.iter_rows(named=True):
        sides = [facts[pair["chosen_id"]], facts[pair["rejected_id"]]]
        texts = [bare(pair[side][0]["content"]) for side in ("chosen", "rejected")]
        sound = [side["verdict"] for side in sides] == ["correct", "wrong"] and texts[0] != texts[1]
        count += not (sound and {side["problem_id"] for side in sides} == {pair["problem_id"]})
    return count


def bare(text: str) -> str:
    """The text without boxes, spacing, braces and stops."""
    return re.sub(r"\\boxed|[\s{}$*]|\.(?!\d)", "", text).lower()


def drifts(name: str, version: Version) -> float:
    """Prints every rule's pairs and drift; the drift of the default rule."""
    problems = version.problems.filter(pl.col("drop_reason").is_null()).collect()
    rollouts = version.rollouts.filter(pl.col("drop_reason").is_null()).drop("reasoning", "response").collect()
    found = {}
    for rule, options in RULES.items():
        view = Dpo(reasoning=False, **options)
        started = time.perf_counter()
        facts = view.facts(view.choose(problems, rollouts, 0)[1])
        seconds = time.perf_counter() - started
        found[rule] = facts["length_drift"] or 0.0
        lengths = f"{facts['chosen_length'] or 0:,.0f} | {facts['rejected_length'] or 0:,.0f}"
        print(f"| {name} | {rule} | {facts['pairs']:,} | {lengths} | {found[rule]:+.1%} | {seconds:.2f} |")
    return float(found["closest_length"])


if __name__ == "__main__":
    main()
