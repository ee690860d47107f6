"""How often the tag `domain` says what MATH's makers say: by words, and by a classifier learnt from labelled rows.

    COTILLION_REAL_DATA=FOLDER python benchmarks/domains.py [--model FOLDER]

The table of words was made with `questions/math_train.jsonl.gz` in view, and tuned on every other row of
`benchmarks/math_test.jsonl.gz`; what is printed is the half in between, which decided nothing. The classifier learns
from math_train, as rows of one table whose source tells a domain, and fills in the same half. MATH's `Intermediate
Algebra` counts as `Algebra`. `Prealgebra` is a level more than a domain, so the share without its rows is told too. A
row without a domain counts as wrong. odyssey-math and OlympiadBench were written by others.
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
from curate.tag.domain import Domain  # noqa: E402

THEIRS = {
    "Intermediate Algebra": "Algebra",
    "Combinatorics": "Counting & Probability",
    "Probability": "Counting & Probability",
    "NumberTheory": "Number Theory",
    "PreCalculus": "Precalculus",
    "Trigonometry": "Precalculus",
    "Calculus and Analysis": "Calculus",
    "Differential Equations": "Calculus",
    "Series": "Calculus",
    "Linear Algebra and Abstract Algebra": "Linear Algebra",
}
NOTHING = pl.lit(None, pl.String)


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a sentence-transformers model for the classifier; words if not given")
    given = parser.parse_args()
    data = os.environ.get("COTILLION_REAL_DATA")
    if data is None:
        sys.exit("COTILLION_REAL_DATA names no folder with real questions")
    folder = Path(data)
    learnt = asked(folder / "questions/math_train.jsonl.gz")
    held_out = asked(folder / "benchmarks/math_test.jsonl.gz")[1::2]
    print(
        "| rows | by | rows | right | without Prealgebra | no domain | rows a second |\n|---|---|---|---|---|---|---|"
    )
    words = told("MATH test, held-out half", "words", held_out, Domain())
    told("MATH test, held-out half", "classifier", held_out, Domain(by="classifier", model=given.model), learnt)
    told("odyssey-math", "words", asked(folder / "questions/odyssey_math.jsonl"), Domain())
    told("OlympiadBench", "words", asked(folder / "benchmarks/olympiadbench.jsonl"), Domain())
    print("\n| MATH's subject | rows | right by words | most often else |\n|---|---|---|---|")
    for truth in words["truth"].unique().sort().to_list():
        rows = words.filter(pl.col("truth") == truth)
        wrong = rows.filter(~pl.col("right")).group_by("domain").len().sort("len", "domain", descending=[True, False])
        other = ", ".join(f"{name or 'none'} {count}" for name, count in wrong.head(2).iter_rows())
        print(f"| {truth} | {rows.height:,} | {share(rows['right'])} | {other} |")


def asked(path: Path) -> pl.DataFrame:
    """`id`, `problem`, `truth`."""
    packed = path.read_bytes()
    text = gzip.decompress(packed) if path.suffix == ".gz" else packed
    rows = pl.read_ndjson(text, infer_schema_length=None)
    return rows.select("id", problem="question", truth=pl.col("subject").replace(THEIRS)).drop_nulls()


def told(name: str, by: str, rows: pl.DataFrame, tag: Domain, labelled: pl.DataFrame | None = None) -> pl.DataFrame:
    """Prints one row of the table; the rows with `domain` and `right`."""
    table = rows.with_columns(domain=NOTHING)
    if labelled is not None:
        table = pl.concat([labelled.with_columns(domain="truth"), table], how="diagonal")
    started = time.perf_counter()
    marks = tag(table.select("id", "problem", "domain"))
    pace = table.height / (time.perf_counter() - started)
    judged = rows.join(marks.select("id", "domain"), on="id").with_columns(
        right=(pl.col("domain") == pl.col("truth")).fill_null(False)
    )
    others = judged.filter(pl.col("truth") != "Prealgebra")
    shares = f"{share(judged['right'])} | {share(others['right'])} | {share(judged['domain'].is_null())}"
    print(f"| {name} | {by} | {rows.height:,} | {shares} | {pace:,.0f} |")
    return judged


def share(of: pl.Series) -> str:
    """How many are true, in percent."""
    return f"{sum(of) / len(of):.1%}"


if __name__ == "__main__":
    main()
