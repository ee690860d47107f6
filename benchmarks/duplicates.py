"""What deduplication finds on labelled pairs and what it drops wrongly, beside its peers; its time and memory.

    COTILLION_REAL_DATA=FOLDER python benchmarks/duplicates.py [classes | speed --rows 100000] [--no-peers]

`classes`: both sides of all pairs of a class make one table; a pair is found, or wrongly dropped, where one side is
dropped for the other (or both for a third). Pairs with the same text but for spacing are counted apart. Peers in the
same run: the MinHash blocks of datatrove (its defaults: 5-grams of words, 14 buckets of 8; split at spaces), the rule
of open-r1's scripts/decontaminate.py (a run of eight words in common). text-dedup is no peer here: the package is
not in the environment, nor is datasketch, which its MinHash rests on.
`speed`: real problems, their digits varied, through dedup.exact, dedup.minhash and decontaminate.ngrams (against every
file of benchmarks/); 20,000 of them through datatrove's MinHash blocks.
"""

import argparse
import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

# This folder holds files named like modules of what they measure: look for the packages beside it, not in it.
sys.path[0] = str(Path(__file__).resolve().parent.parent)
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


def datatrove(problems: pl.Series) -> pl.Series:
    """For every row its cluster by datatrove's four MinHash blocks, at their defaults."""
    from datatrove.data import Document
    from datatrove.executor.local import LocalPipelineExecutor
    from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupSignature
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupFilter
    from datatrove.utils.logging import logger
    from datatrove.utils.word_tokenizers import WordTokenizer

    class Spaces(WordTokenizer):  # type: ignore[misc]  # datatrove's own asks for spacy
        def word_tokenize(self, text: str) -> list[str]:
            return text.split()

        def sent_tokenize(self, text: str) -> list[str]:
            return [text]

        def span_tokenize(self, text: str) -> list[tuple[int, int]]:
            return [(0, len(text))]

    logger.remove()
    folder = tempfile.mkdtemp()
    documents = [Document(text=text, id=str(at)) for at, text in enumerate(problems)]

    config, steps = MinhashConfig(), ("signatures", "buckets", "removed")
    signatures, buckets, removed = (f"{folder}/{step}" for step in steps)
    pipelines = [
        [documents, MinhashDedupSignature(signatures, config=config, language=Spaces())],
        [MinhashDedupBuckets(signatures, buckets, config=config)],
        [MinhashDedupCluster(buckets, removed, config=config, save_cluster_id=True, save_cluster_size=True)],
    ]
    for number, pipeline in enumerate(pipelines):
        LocalPipelineExecutor(
            pipeline, tasks=config.num_buckets if number == 1 else 1, workers=1, logging_dir=f"{folder}/log{number}"
        ).run()
    for _ in MinhashDedupFilter(removed, load_cluster_ids=True).run(iter(documents)):
        pass
    clusters = [document.metadata.get("minhash_cluster_id", -1) for document in documents]
    shutil.rmtree(folder)
    return pl.Series([str(at) if cluster == -1 else f"c{cluster}" for at, cluster in enumerate(clusters)])


def eight_words(a: str, b: str) -> bool:
    """Whether two texts have a run of eight words in common, as open-r1 makes them."""
    runs = []
    for text in (a, b):
        said = text.lower().split()
        runs.append({tuple(said[at : at + 8]) for at in range(len(said) - 7)})
    return bool(runs[0] & runs[1])


def classes(peers: bool) -> None:
    print("| pairs | rows | exact | + minhash | or a variant | + semantic | datatrove | 8 words |\n" + "|---" * 8 + "|")
    for name in (*SAME, *OTHER):
        rows = pairs(name)
        both = pl.concat([rows["a"], rows["b"]])
        with_minhash, variant = ours(both, [Exact(), Minhash()])
        found = {
            "exact": ours(both, [Exact()])[0],
            "minhash": with_minhash,
            "semantic": ours(both, [Exact(), Minhash(), Semantic()])[0],
        }
        if peers:
            found["datatrove"] = datatrove(both)
        half = rows.height
        rows = rows.with_columns(**{peer: ids[:half] == ids[half:] for peer, ids in found.items()})
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
            print(
                "".join(f"| ({kind}: {count} pairs have the same text) |" + " |" * 7 + "\n" for kind, count in equal),
                end="",
            )
        columns = ["exact", "minhash", "linked", "semantic", "datatrove", "runs"]
        for part in sorted(rows.partition_by("kind"), key=lambda part: part["kind"][0]):
            shares = [f"{part[c].mean():.2%}" if c in part.columns else "" for c in columns]
            print(f"| {part['kind'][0]} | {part.height:,} | {' | '.join(shares)} |", flush=True)
        if name in SAME and name == SAME[-1]:
            print(flush=True)
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


def speed(rows: int, peers: bool) -> None:
    problems = varied(rows)
    kept = table(problems)
    against = tuple(str(path) for path in sorted(DATA.glob("benchmarks/*.jsonl*")))
    whole = 0.0
    for name, stage in {"exact": Exact(), "minhash": Minhash(), "decontaminate": Ngrams(against=against)}.items():
        before, wall, cpu = kept.height, time.perf_counter(), time.process_time()
        kept = kept.filter(stage(kept)["drop"].is_null())
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        whole += wall
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(
            f"{name:14} {before:9,} problems {wall:7.1f} s of clock {cpu:7.1f} s of CPU {memory:6.2f} GB at most "
            f"{before - kept.height:9,} dropped",
            flush=True,
        )
    print(f"{'all':14} {rows:9,} problems {whole:7.1f} s of clock")
    if peers:
        few = problems[: min(rows, 20_000)]
        wall, cpu = time.perf_counter(), time.process_time()
        datatrove(few)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(f"datatrove's MinHash: {len(few):,} problems, {wall:.1f} s of clock, {cpu:.1f} s of CPU")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("section", choices=["classes", "speed"], nargs="?", default="classes")
    options.add_argument("--rows", type=int, default=100_000, help="how many problems `speed` takes")
    options.add_argument("--no-peers", action="store_true", help="only ours")
    said = options.parse_args()
    if said.section == "speed":
        speed(said.rows, not said.no_peers)
    else:
        classes(not said.no_peers)
