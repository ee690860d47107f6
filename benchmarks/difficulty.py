"""How far a pass rate from few rollouts is to be trusted: does its interval cover the rate of all of them?

    COTILLION_REAL_DATA=FOLDER python benchmarks/difficulty.py [--few 4 8 16] [--seeds 20]

Every rollout of `FOLDER/rollouts/rg_llama3b_step400_n50.jsonl.gz` (50 each of 70 problems of AMC and AIME) is judged by
`verify`. Then, again and again, some of the 50 are drawn, and the tag `difficulty` tells pass rate and interval from
them alone: it covers if the rate of all 50 lies in it. Problems that are neither always nor never solved are counted by
themselves too: of one that was never solved any interval covers the rate. For comparison the interval of textbooks,
rate +- 1.96 standard errors. Exit code 1 below 90 % at 8 rollouts.
"""

import argparse
import os
import sys
from pathlib import Path

import polars as pl

# The packages are beside this folder.
sys.path[0] = str(Path(__file__).resolve().parent.parent)
from curate.interval import Z  # noqa: E402
from curate.records import draws  # noqa: E402
from curate.tag.difficulty import Difficulty  # noqa: E402
from verify import grade_many  # noqa: E402

FILE = "rollouts/rg_llama3b_step400_n50.jsonl.gz"
ASKED, AT_LEAST = 8, 0.9


def main() -> None:
    """Prints the table; exit code 1 if the interval from 8 rollouts covers too rarely."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--few", nargs="*", type=int, default=[4, ASKED, 16])
    parser.add_argument("--seeds", type=int, default=20)
    given = parser.parse_args()
    data = os.environ.get("COTILLION_REAL_DATA")
    if data is None:
        sys.exit("COTILLION_REAL_DATA names no folder with real rollouts")
    rollouts = judged(Path(data) / FILE)
    whole = Difficulty()(rollouts).select("id", rate="pass_rate", n="pass_rate_n")
    mixed = whole.filter(pl.col("rate").is_between(0, 1, closed="none")).height
    print(f"{whole.height} problems, {mixed} of them solved sometimes; {rollouts.height:,} rollouts")
    print("\n| rollouts | covered | of those solved sometimes | mean width | rate +- 1.96 SE covers | of these |")
    print("|---|---|---|---|---|---|")
    shares = {few: told(rollouts, whole, few, given.seeds) for few in given.few}
    missed = shares.get(ASKED, 1.0) < AT_LEAST
    sys.exit(f"missed: {shares[ASKED]:.1%} at {ASKED} rollouts" if missed else 0)


def judged(path: Path) -> pl.DataFrame:
    """`id`, `problem_id`, `teacher`, `verdict` of every rollout."""
    rows = pl.read_ndjson(path.read_bytes()) if path.suffix != ".gz" else pl.read_ndjson(_unpacked(path))
    graded = grade_many(*(rows[name].to_list() for name in ("rollout", "answer", "question")))
    verdicts = pl.Series([verdict.status for verdict in graded], dtype=pl.String)
    return rows.select("id", problem_id="question_id", teacher="model", verdict=verdicts)


def told(rollouts: pl.DataFrame, whole: pl.DataFrame, few: int, seeds: int) -> float:
    """Prints the row of the table; the share of (problem, seed) whose interval covers."""
    drawn = pl.concat([_few(rollouts, few, seed) for seed in range(seeds)]).join(whole, on="id").filter("judged")
    rate, half = (
        pl.col("pass_rate"),
        Z * (pl.col("pass_rate") * (1 - pl.col("pass_rate")) / pl.col("pass_rate_n")).sqrt(),
    )
    held = drawn.select(
        wilson=pl.col("rate").is_between("pass_rate_low", "pass_rate_high"),
        plain=pl.col("rate").is_between(rate - half, rate + half),
        width=pl.col("pass_rate_high") - pl.col("pass_rate_low"),
        mixed=pl.col("rate").is_between(0, 1, closed="none"),
    )
    mixed = held.filter("mixed")
    means = [
        held["wilson"].mean(),
        mixed["wilson"].mean(),
        held["width"].mean(),
        held["plain"].mean(),
        mixed["plain"].mean(),
    ]
    covered, some, width, plain, plain_some = (float(mean or 0) for mean in means)  # type: ignore[arg-type]  # of numbers
    print(f"| {few} | {covered:.1%} | {some:.1%} | {width:.2f} | {plain:.1%} | {plain_some:.1%} |")
    return covered


def _few(rollouts: pl.DataFrame, few: int, seed: int) -> pl.DataFrame:
    """What the tag says of so many judged rollouts of each problem, drawn by the seed."""
    counted = rollouts.filter(pl.col("verdict").is_in(["correct", "wrong", "no_answer"]))
    order = counted.with_columns(draws(counted["id"], seed)).sort("draw")
    marks = Difficulty()(order.group_by("problem_id", maintain_order=True).head(few))
    return marks.with_columns(judged=pl.col("pass_rate_n") == few)


def _unpacked(path: Path) -> bytes:
    import gzip

    return gzip.decompress(path.read_bytes())


if __name__ == "__main__":
    main()
