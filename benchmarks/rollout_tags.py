"""Tags on rollouts: microseconds of CPU per rollout of 4 KB, beside one bare zlib pass over the same text.

    COTILLION_REAL_DATA=FOLDER python benchmarks/rollout_tags.py [--rollouts 100000]
    COTILLION_REAL_DATA=FOLDER python benchmarks/rollout_tags.py --read mip_gsm8k_longcot zeroeval_gsm

The texts are those of longcot_math500 and mip_gsm8k_longcot, joined and cut to pieces of 4,096 characters, three
quarters of each the reasoning. zlib (level 6) reads every byte once to find what is said again: about what tagging
must cost. `--read` prints every hit in real rollouts with its evidence, for reading.
"""

import argparse
import gzip
import json
import os
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

# This folder holds files named like modules of what they measure: look for the packages beside it, not in it.
sys.path[0] = str(Path(__file__).resolve().parent.parent)
from curate.tag.language import Language  # noqa: E402
from curate.tag.repetition import Repetition  # noqa: E402
from curate.tag.shape import Shape  # noqa: E402
from distill.thinking import split_columns  # noqa: E402

DATA = Path(os.environ.get("COTILLION_REAL_DATA", "."))
CHARS, REASONING_CHARS = 4096, 3072
SHARD = 2048
STAGES: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "repetition": Repetition(),
    "language": Language(),
    "shape": Shape(),
}
HIT = {"repetition": pl.col("loops"), "language": pl.col("mixes"), "shape": pl.col("cut_off_by").is_not_null()}
EVIDENCE = {
    "repetition": ("repetition", "repeated_times", "repeated_at", "repeated"),
    "language": ("foreign_at", "foreign_chars", "foreign"),
    "shape": ("cut_off_by", "ends_with"),
}


def read(name: str) -> list[dict[str, Any]]:
    with gzip.open(DATA / "rollouts" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def pieces(n: int) -> pl.DataFrame:
    """So many rollouts of 4,096 characters; after the last real one the first comes again, cut elsewhere."""
    rows = read("longcot_math500") + read("mip_gsm8k_longcot")
    whole = "\n\n".join(row["rollout"] for row in rows)
    last = len(whole) - CHARS
    texts = [whole[at % last : at % last + CHARS] for at in range(0, n * CHARS, CHARS)]
    return pl.DataFrame(
        {
            "id": [f"{i:016x}" for i in range(n)],
            "problem": [rows[i // 8 % len(rows)]["question"] for i in range(n)],
            "reasoning": [text[:REASONING_CHARS] for text in texts],
            "response": [text[REASONING_CHARS:] for text in texts],
            "format": "tags",
            "finish_reason": "unknown",
        }
    )


def measured(name: str, rollouts: pl.DataFrame, work: Callable[[pl.DataFrame], Any]) -> None:
    """A line: CPU microseconds per rollout, and rollouts per second of one core."""
    began = time.process_time()
    for shard in rollouts.iter_slices(SHARD):
        work(shard)
    each = (time.process_time() - began) / rollouts.height
    print(f"{name:<12} {each * 1e6:8.1f} us/rollout {1 / each:10,.0f} rollouts/s")


def compress(shard: pl.DataFrame) -> None:
    for reasoning, response in shard.select("reasoning", "response").iter_rows():
        zlib.compress((reasoning + response).encode())


def print_hits(name: str) -> None:
    rows = read(name)
    split = split_columns([row["rollout"] for row in rows])
    ids, problems = [row["id"] for row in rows], [row["question"] for row in rows]
    rollouts = split.with_columns(id=pl.Series(ids), problem=pl.Series(problems), finish_reason=pl.lit("unknown"))
    for kind, stage in STAGES.items():
        hits = stage(rollouts).filter(HIT[kind])
        print(f"\n{name}, {kind}: {hits.height:,} of {len(rows):,}")
        for hit in hits.iter_rows(named=True):
            print(f"  {hit['id']}  " + "  ".join(f"{fact}={hit[fact]!r}" for fact in EVIDENCE[kind]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rollouts", type=int, default=100_000)
    parser.add_argument("--read", nargs="+", metavar="FILE", help="print the hits in these files of rollouts/")
    options = parser.parse_args()
    for name in options.read or []:
        print_hits(name)
    if options.read:
        return
    rollouts = pieces(options.rollouts)
    for stage in STAGES.values():
        stage(rollouts.head(100))
    measured("zlib", rollouts, compress)
    for name, stage in STAGES.items():
        measured(name, rollouts, stage)


if __name__ == "__main__":
    main()
