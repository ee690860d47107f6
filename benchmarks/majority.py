"""How often the majority's answer is the gold answer, and what it costs to find.

    COTILLION_REAL_DATA=FOLDER python benchmarks/majority.py [--files qwen25math_n8 ...] [--least 4] [--share 0.5 0.75]

The gold answers of files of real rollouts (`FOLDER/rollouts`) are withheld, `verdicts: [majority]` elects some, and
`verify` holds each against the one withheld. Problems whose rollouts agree too little keep none.
"""

import argparse
import gzip
import os
import sys
import time
from pathlib import Path

import polars as pl

# The packages are beside this folder.
sys.path[0] = str(Path(__file__).resolve().parent.parent)
from curate.verdicts.majority import Majority  # noqa: E402
from distill.thinking import split_columns  # noqa: E402
from verify import same_answer  # noqa: E402

FILES = ("qwen25math_n8", "longcot_math500", "rg_llama3b_step400_n50")


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", nargs="*", default=FILES)
    parser.add_argument("--least", type=int, default=4)
    parser.add_argument("--share", nargs="*", type=float, default=[0.5, 0.75])
    given = parser.parse_args()
    data = os.environ.get("COTILLION_REAL_DATA")
    if data is None:
        sys.exit("COTILLION_REAL_DATA names no folder with real rollouts")
    print("| file | problems | rollouts | share | elected | of them right | seconds |\n|---|---|---|---|---|---|---|")
    for name in given.files:
        rows = answered(next((Path(data) / "rollouts").glob(f"{name}.jsonl*")))
        gold = dict(rows.select("problem_id", "gold").iter_rows())
        for share in given.share:
            started = time.perf_counter()
            marks = Majority(least=given.least, share=share)(rows).drop_nulls("answer")
            took = time.perf_counter() - started
            right = sum(
                bool(same_answer(gold[owner], answer).agreed) for owner, answer in marks["id", "answer"].iter_rows()
            )
            told = f"{marks.height} | {right / max(marks.height, 1):.1%} | {took:.1f}"
            print(f"| {name} | {len(gold)} | {rows.height:,} | {share:g} | {told} |")


def answered(path: Path) -> pl.DataFrame:
    """What `majority` is given, gold withheld, and `gold` beside it."""
    packed = path.read_bytes()
    rows = pl.read_ndjson(gzip.decompress(packed) if path.suffix == ".gz" else packed, infer_schema_length=None)
    replies = rows.select("id", response=split_columns(rows["rollout"])["response"], finish_reason=pl.lit("stop"))
    answers = Majority.per_rollout(replies)
    return rows.select(
        answers["extracted_answer"],
        problem_id="question_id",
        gold="answer",
        teacher="model",
        answer=pl.lit(None, pl.String),
    )


if __name__ == "__main__":
    main()
