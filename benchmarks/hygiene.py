"""What the hygiene marks find in real questions, file by file, how many multiple-choice questions open, and how fast.

    COTILLION_REAL_DATA=FOLDER python benchmarks/hygiene.py [--read needs=figure --file aime_1983_2023]

With --read it prints the questions with one mark, evidence first, for reading.
"""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl

# This folder holds files named like modules of what they measure: look for the packages beside it, not in it.
sys.path[0] = str(Path(__file__).resolve().parent.parent)
from curate.hygiene.answer_in_question import AnswerInQuestion  # noqa: E402
from curate.hygiene.form import Form  # noqa: E402
from curate.hygiene.language import Language  # noqa: E402
from curate.hygiene.length import Length  # noqa: E402
from curate.hygiene.maths import Maths  # noqa: E402
from curate.hygiene.open_form import OpenForm  # noqa: E402
from curate.hygiene.self_contained import SelfContained  # noqa: E402

DATA = Path(os.environ.get("COTILLION_REAL_DATA", "."))
FILES = (
    *("aqua_test", "aqua_dev", "tal_scq_en", "sat_math", "gaokao2023en", "odyssey_math", "math_train", "math500"),
    *("aime_1983_2023", "amc23", "limo", "olympiadbench", "gsm8k_train", "svamp", "cmath_dev"),
)
STAGES: dict[str, Any] = {
    "question_form": Form(),
    "needs": SelfContained(),
    "answer_given": AnswerInQuestion(),
    "question_language": Language(),
    "maths": Maths(),
    "length": Length(),
    "opened_by": OpenForm(),
    "not_opened": OpenForm(),
}


def questions(name: str) -> pl.DataFrame:
    """`id`, `problem`, `answer` of a file of benchmarks/ or questions/."""
    (path,) = [*DATA.glob(f"benchmarks/{name}.jsonl*"), *DATA.glob(f"questions/{name}.jsonl*")]
    read = pl.read_ndjson(path, infer_schema_length=None)
    return read.select("id", problem="question", answer=pl.col("answer").cast(pl.String))


def marks(fact: str, rows: pl.DataFrame) -> pl.DataFrame:
    """The stage's marks, with its fact under the name it has here."""
    found: pl.DataFrame = STAGES[fact](rows)
    return found if fact in found.columns else found.with_columns(pl.col("drop").alias(fact))


def table() -> None:
    seconds = dict.fromkeys(STAGES, 0.0)
    total = 0
    for name in FILES:
        rows = questions(name)
        total += rows.height
        said = []
        for fact in STAGES:
            started = time.perf_counter()
            values = marks(fact, rows)[fact].drop_nulls().value_counts(sort=True).rows()
            seconds[fact] += time.perf_counter() - started
            usual = ("open", "zh" if name == "cmath_dev" else "en")
            said += [f"{value} {count:,}" for value, count in values if value not in usual]
        print(f"{name:<16}{rows.height:>6,}  {', '.join(said)}")
    print("\nquestions a second, one process:")
    print("  ".join(f"{fact} {total / took:,.0f}" for fact, took in seconds.items() if fact != "not_opened"))


def read(fact: str, value: str, name: str, most: int) -> None:
    rows = questions(name)
    found = rows.join(marks(fact, rows), on="id", maintain_order="left").filter(pl.col(fact) == value)
    print(f"{name}: {fact} = {value}: {found.height:,} of {rows.height:,}")
    evidence = next((column for column in found.columns if column.endswith("evidence")), fact)
    if fact == "opened_by":
        found = found.drop("problem", "answer").join(STAGES[fact].children(rows, marks(fact, rows)), on="id")
    for row in found.sample(min(most, found.height), seed=7).iter_rows(named=True):
        print(f"- [{row[evidence]}] {row['problem'][-400:]!r} => {row['answer']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--read", metavar="FACT=VALUE", help="such as question_form=proof, needs=figure, opened_by=rule"
    )
    parser.add_argument("--file", default="math_train")
    parser.add_argument("--most", type=int, default=50)
    args = parser.parse_args()
    if args.read:
        fact, _, value = args.read.partition("=")
        read(fact, value, args.file, args.most)
    else:
        table()


if __name__ == "__main__":
    main()
