"""What deduplication finds on labelled pairs and what it drops wrongly, beside its peers; its time and memory.

    COTILLION_REAL_DATA=FOLDER python benchmarks/duplicates.py [classes | speed --rows 100000]
        [--peers datatrove-split datatrove text-dedup] [--python datatrove=/venv/bin/python text-dedup=...]

`classes`: both sides of all pairs of a class make one table; a pair is found, or wrongly dropped, where one side is
dropped for the other (or both for a third). Pairs with the same text but for spacing are counted apart. Beside them
the rule of open-r1's scripts/decontaminate.py (a run of eight words in common), and the peers.
`speed`: real problems, their digits varied, through dedup.exact, dedup.minhash and decontaminate.ngrams (against every
file of benchmarks/); the peers do the same with --peer-rows of them. Times are of the clock, on all cores, and CPU.

Peers run as they come, in question_peers.py, under the Python that has them: `pip install 'datatrove[processing]'
orjson spacy 'xxhash<4'` and `pip install text-dedup`, each in an environment of its own.
"""

import argparse
import os
import resource
import sys
import time
from pathlib import Path

import polars as pl

# This folder holds files named like modules of what they measure: look for the packages beside it, not in it.
sys.path[0] = str(Path(__file__).resolve().parent.parent)
from benchmarks.question_peers import PEERS, made_by  # noqa: E402
from curate.decontaminate.ngrams import Ngrams  # noqa: E402
from curate.dedup.exact import Exact  # noqa: E402
from curate.dedup.minhash import Minhash  # noqa: E402
from curate.dedup.semantic import Semantic  # noqa: E402

DATA = Path(os.environ.get("COTILLION_REAL_DATA", "."))
SAME = ("format_variants", "natural_overlap")
OTHER = ("math_perturb", "gsm_hard", "hard_negatives", "backward_missing_premise")
REAL = ("math_train", "gsm8k_train", "aime_1983_2023", "tal_scq_en", "odyssey_math", "aqua_dev", "limo")
HALVES = (("gsm8k_train", "aime_1983_2023"), ("olympiadbench", "gsm8k_test"), ("svamp", "math500"))


def texts(name: str) -> pl.Series:
    """The questions of a file of benchmarks/ or questions/."""
    (path,) = [*DATA.glob(f"benchmarks/{name}.jsonl*"), *DATA.glob(f"questions/{name}.jsonl*")]
    return pl.read_ndjson(path, infer_schema_length=None)["question"].alias("problem")


def pairs(name: str) -> pl.DataFrame:
    rows = pl.read_ndjson(DATA / f"dups/{name}.jsonl", infer_schema_length=None).select("a", "b", "label", "kind")
    rows = rows.with_columns(kind=pl.format("{}: {}", pl.lit(name), pl.col("kind").str.replace(r"_\d$", "")))
    return rows.filter(~pl.col("kind").str.contains("zh_") & (pl.col("label") == int(name in SAME)))


def table(problems: pl.Series) -> pl.DataFrame:
    return problems.alias("problem").to_frame().select(id=pl.int_range(pl.len()).cast(pl.String), problem="problem")


def ours(problems: pl.Series, stages: list[object]) -> tuple[pl.Series, pl.Series]:
    """For every row the id of the one that stays for it; and the id of the one that it is marked as a variant of."""
    rows, kept, variant = table(problems), table(problems)["id"], table(problems)["id"]
    stays = {row: row for row in kept}
    for stage in stages:
        marks = stage(rows)  # type: ignore[operator]  # any stage
        link = "duplicate_of" if "duplicate_of" in marks.columns else "near_duplicate_of"
        stays |= dict(marks.filter(pl.col("drop").is_not_null()).select("id", link).iter_rows())
        if "variant_of" in marks.columns:
            other = dict(marks.drop_nulls("variant_of").select("id", "variant_of").iter_rows())
            variant = variant.replace(list(other), list(other.values())) if other else variant
        rows = rows.filter(marks["drop"].is_null())
    return pl.Series([_last(stays, row) for row in kept]), variant


def _last(stays: dict[str, str], row: str) -> str:
    while stays[row] != row:
        row = stays[row]
    return row


def eight_words(a: str, b: str) -> bool:
    """Whether two texts have a run of eight words in common, as open-r1 makes them."""
    runs = []
    for text in (a, b):
        said = text.lower().split()
        runs.append({tuple(said[at : at + 8]) for at in range(len(said) - 7)})
    return bool(runs[0] & runs[1])


def classes(peers: dict[str, str]) -> None:
    header = ["pairs", "rows", "exact", "+ minhash", "or a variant", "+ semantic", "8 words", *peers]
    print(f"| {' | '.join(header)} |\n" + "|---" * len(header) + "|")
    for name in (*SAME, *OTHER):
        rows = pairs(name)
        both = pl.concat([rows["a"], rows["b"]])
        with_minhash, variant = ours(both, [Exact(), Minhash()])
        found = {
            "exact": ours(both, [Exact()])[0],
            "minhash": with_minhash,
            "semantic": ours(both, [Exact(), Minhash(), Semantic()])[0],
        }
        found |= {each: pl.Series(made_by(each, python, both.to_list())["clusters"]) for each, python in peers.items()}
        half = rows.height
        rows = rows.with_columns(**{each: ids[:half] == ids[half:] for each, ids in found.items()})
        root = with_minhash.cast(pl.Int64)
        linked = variant.cast(pl.Int64)
        near = [
            {root[at], linked[root[at]]} & {root[half + at], linked[root[half + at]]} != set() for at in range(half)
        ]
        runs = pl.Series([eight_words(a, b) for a, b in rows.select("a", "b").iter_rows()])
        plain = (pl.col(side).str.replace_all(r"\s+", " ").str.strip_chars() for side in "ab")
        rows = rows.with_columns(linked=pl.Series(near), runs=runs, equal=pl.Expr.eq(*plain))
        if name in OTHER:
            equal = rows.filter("equal").group_by("kind").len().sort("kind").rows()
            rows = rows.filter(~pl.col("equal"))
            for kind, count in equal:
                print(f"| ({kind}: {count} pairs have the same text) |" + " |" * (len(header) - 1))
        columns = ["exact", "minhash", "linked", "semantic", "runs", *peers]
        parts = sorted(rows.partition_by("kind"), key=lambda part: part["kind"][0])
        for part in [*parts, rows.with_columns(kind=pl.lit(f"{name}: all"))] if len(parts) > 1 else parts:
            shares = [f"{part[column].mean():.2%}" for column in columns]
            print(f"| {part['kind'][0]} | {part.height:,} | {' | '.join(shares)} |", flush=True)
    print("\n| unrelated halves | rows | dropped | pairs across |\n|---|---|---|---|")
    for left, right in HALVES:
        one, other = texts(left), texts(right)
        stays, _ = ours(pl.concat([one, other]), [Exact(), Minhash()])
        place = pl.Series(range(len(stays)))
        across = (place >= len(one)) & (stays.cast(pl.Int64) < len(one))
        gone = stays.cast(pl.Int64) != place
        print(f"| {left} and {right} | {len(stays):,} | {gone.mean():.2%} | {across.sum()} |", flush=True)


def varied(rows: int) -> pl.Series:
    """Real problems; each further copy has other digits in the place of its own, and a number of its own."""
    real = pl.concat([texts(name) for name in REAL])
    digits = [str(digit) for digit in range(10)]
    copies = [
        real.str.replace_many(digits, [str((digit * 3 + at) % 10) for digit in range(10)]) + f" ({at})" if at else real
        for at in range(-(-rows // len(real)))
    ]
    return pl.concat(copies)[:rows]


def speed(rows: int, peer_rows: int, peers: dict[str, str]) -> None:
    print(f"load when it began {os.getloadavg()[0]:.1f}, {len(os.sched_getaffinity(0))} cores; us per problem\n")
    print("| tool | stage | problems | clock s | clock us | CPU us | dropped |\n" + "|---" * 7 + "|")
    against = tuple(str(path) for path in sorted(DATA.glob("benchmarks/*.jsonl*")))
    problems = varied(max(rows, peer_rows))
    rates: dict[tuple[str, int], tuple[float, float]] = {}
    for size in sorted({rows, peer_rows} if peers else {rows}):
        kept, clock, cpu = table(problems[:size]), 0.0, 0.0
        for stage in (Exact(), Minhash(), Ngrams(against=against)):
            before, began = kept.height, (time.perf_counter(), time.process_time())
            kept = kept.filter(stage(kept)["drop"].is_null())
            took = time.perf_counter() - began[0], time.process_time() - began[1]
            clock, cpu = clock + took[0], cpu + took[1]
            row("cotillion", type(stage).__name__.lower(), before, *took, before - kept.height)
        row("cotillion", "all three", size, clock, cpu, size - kept.height)
        rates["cotillion", size] = clock / size, cpu / size
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    known = pl.concat([texts(path.name.split(".")[0]) for path in sorted(DATA.glob("benchmarks/*"))])
    for name, python in peers.items():
        made = made_by(name, python, problems[:peer_rows].to_list(), known.to_list())
        took = [(stage["clock"], stage["cpu"]) for stage in made["stages"].values()]
        gone = (peer_rows - len(set(made["clusters"])), sum(made.get("flagged", [])))
        for stage, each, dropped in zip(made["stages"], took, gone, strict=False):
            row(name, stage, peer_rows, *each, dropped)
        rates[name, peer_rows] = sum(each[0] for each in took) / peer_rows, sum(each[1] for each in took) / peer_rows
    print(f"\nat most {memory:.2f} GB. The peers over ours, per problem:")
    for name in peers:
        for size in sorted({rows, peer_rows}):
            pairs_of_times = zip(rates[name, peer_rows], rates["cotillion", size], strict=True)
            by_clock, by_cpu = (theirs / our for theirs, our in pairs_of_times)
            print(f"  {name} over {size:,} of ours: {by_clock:.1f} by the clock, {by_cpu:.1f} by CPU")


def row(tool: str, stage: str, problems: int, clock: float, cpu: float, dropped: int) -> None:
    each = f"{clock / problems * 1e6:.0f} | {cpu / problems * 1e6:.0f}"
    print(f"| {tool} | {stage} | {problems:,} | {clock:.1f} | {each} | {dropped:,} |", flush=True)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("section", choices=["classes", "speed"], nargs="?", default="classes")
    options.add_argument("--rows", type=int, default=100_000, help="how many problems `speed` takes")
    options.add_argument("--peer-rows", type=int, default=20_000, help="how many of them the peers take")
    options.add_argument("--peers", nargs="*", default=[], choices=list(PEERS))
    options.add_argument("--python", nargs="*", default=[], metavar="PEER=PATH", help="a peer's interpreter")
    said = options.parse_args()
    pythons = dict(pair.split("=", 1) for pair in said.python)
    chosen = {name: pythons.get(name, sys.executable) for name in said.peers}
    if said.section == "speed":
        speed(said.rows, said.peer_rows, chosen)
    else:
        classes(chosen)
