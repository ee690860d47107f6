"""What decontamination finds and what it flags wrongly, beside the 8-gram rule of open-r1.

    COTILLION_REAL_DATA=FOLDER python benchmarks/decontamination.py
        [--peers datatrove-split datatrove --python datatrove=/venv/bin/python ...]

The rules were tuned on the rows of even number of the paraphrases and of GSM8K's training questions; every table here
is about the rows of odd number of each file. The peer is scripts/decontaminate.py of open-r1: a text is flagged if it
shares a run of eight words, small letters, split at spaces, with any question. `--peers` sets datatrove's filter of
n-grams beside them (question_peers.py says how it is run, and what must be installed); its time is in duplicates.py.
"""

import argparse
import sys
from pathlib import Path

import polars as pl

# This folder holds files named like modules of what they measure: look for the packages beside it, not in it.
sys.path[0] = str(Path(__file__).resolve().parent.parent)
from benchmarks.duplicates import DATA, texts  # noqa: E402
from benchmarks.question_peers import PEERS, made_by  # noqa: E402
from curate.alike.contamination import VARIANT_RULE, lookup  # noqa: E402
from curate.alike.wording import form, question  # noqa: E402

PARAPHRASE = 0.38
BACKGROUND = ("gsm8k_train", "math_train")
UNRELATED = {
    "gsm8k_train, known: competitions": (["gsm8k_train"], ["aime24", "aime25", "amc23", "olympiadbench"]),
    "aime_1983_2023 and odyssey_math, known: school": (["aime_1983_2023", "odyssey_math"], ["gsm8k_test", "svamp"]),
    "cmath_dev, known: gsm8k_test and svamp": (["cmath_dev"], ["gsm8k_test", "svamp"]),
}
LEAKS = (
    ("math500", "math_test", 500),
    ("gaokao2023en", "amc23", 5),
    ("gaokao2023en", "sat_math", 7),
    ("aime_1983_2023", "math500", 7),
    ("limo", "aime_1983_2023", 390),
    ("math_train", "aime_1983_2023", 316),
)
"""Those that the makers of the data counted, by exact text or by looking."""


def numbered(problems: pl.Series, name: str = "row") -> pl.DataFrame:
    return problems.alias("problem").to_frame().with_row_index(name).with_columns(pl.col(name).cast(pl.Int64))


def runs(problems: pl.Series) -> pl.DataFrame:
    """`row` and every run of eight words, as open-r1 makes them."""
    clean = numbered(problems).select(
        "row", word=pl.col("problem").str.to_lowercase().str.strip_chars().str.replace_all(r"\s+", " ").str.split(" ")
    )
    long = clean.explode("word").with_columns(
        run=pl.concat_str([pl.col("word").shift(-i).over("row") for i in range(8)], separator=" ")
    )
    return long.drop_nulls("run").select("row", "run").unique()


def flagged_by_peer(problems: pl.Series, known: pl.Series) -> set[int]:
    return set(runs(problems).join(runs(known).select("run").unique(), on="run", how="semi")["row"].to_list())


def found(problems: pl.Series, known: pl.Series) -> pl.DataFrame:
    """Columns of contamination.FOUND; rarity is counted over the training questions that a build would hold."""
    background = numbered(pl.concat([texts(name) for name in BACKGROUND]))
    index = lookup(numbered(known, "known"), background, n=8, paraphrase=PARAPHRASE)
    return index.find(numbered(problems))


def line(what: str, rows: int, ours: float, peer: float, variants: float) -> None:
    print(f"| {what} | {rows:,} | {ours:.2%} | {variants:.1%} | {peer:.1%} |", flush=True)


def header(what: str) -> None:
    print(f"\n| {what} | rows | flagged | marked as variants | open-r1's 8-grams |\n|---|---|---|---|---|")


def report(what: str, problems: pl.Series, known: pl.Series) -> None:
    odd = problems.gather_every(2, 1)
    marks = found(odd, known)
    hits = marks.filter(pl.col("rule") != VARIANT_RULE).height
    line(what, len(odd), hits / len(odd), len(flagged_by_peer(odd, known)) / len(odd), (marks.height - hits) / len(odd))


def pairs(name: str) -> pl.DataFrame:
    return pl.read_ndjson(DATA / f"dups/{name}.jsonl", infer_schema_length=None).select("a", "b", "label", "kind")


def by_kind(name: str, rows: pl.DataFrame, own: bool) -> None:
    """One line per kind. `own`: only what is flagged for the question of its own pair counts."""
    known = rows["a"].unique(maintain_order=True)
    odd = rows.gather_every(2, 1)
    asked = numbered(odd["b"]).with_columns(kind=odd["kind"], a=odd["a"])
    marks = asked.join(found(odd["b"], known), on="row", how="left", maintain_order="left")
    marks = marks.with_columns(theirs=known.gather(marks["known"]))
    if own:
        same = form(question(marks["a"])) == form(question(marks["theirs"]))
        marks = marks.with_columns(rule=pl.when(same).then("rule"))
    shared = [bool(flagged_by_peer(pl.Series([b]), pl.Series([a]))) for a, b in odd.select("a", "b").iter_rows()]
    flagged = set() if own else flagged_by_peer(odd["b"], known)
    marks = marks.with_columns(peer=pl.Series(shared) if own else pl.Series([i in flagged for i in range(odd.height)]))
    variant = pl.col("rule") == VARIANT_RULE
    kinds = marks.group_by("kind", maintain_order=True).agg(
        pl.len(), (~variant).fill_null(False).mean().alias("ours"), variant.fill_null(False).mean().alias("v"), "peer"
    )
    for kind, count, ours, variants, peer in kinds.sort("kind").iter_rows():
        line(f"{name}: {kind}", count, ours, sum(peer) / count, variants)


def finds() -> None:
    header("the same question")
    everything = pl.concat([texts(path.name.split(".")[0]) for path in sorted(DATA.glob("benchmarks/*"))])
    paraphrased = pairs("gsm8k_rephrase_llmdecontam")["b"]
    report("paraphrases (gsm8k_rephrase), known: all 13 benchmarks", paraphrased, everything)
    report("paraphrases, known: gsm8k_test alone", paraphrased, texts("gsm8k_test"))
    formats = pairs("format_variants")
    by_kind("format_variants", formats.with_columns(pl.col("kind").str.replace(r"_\d$", "")), own=False)
    overlap = pairs("natural_overlap")
    by_kind("natural_overlap", overlap.filter(pl.col("label") == 1), own=False)
    by_kind("mgsm", pairs("mgsm_translation"), own=True)
    print("\n| known leak | counted | flagged |\n|---|---|---|")
    for asked, known, count in LEAKS:
        marks = found(texts(asked), texts(known))
        print(f"| {asked} in {known} | {count} | {marks.filter(pl.col('rule') != VARIANT_RULE).height} |", flush=True)


def flags() -> None:
    header("another question")
    everything = pl.concat([texts(path.name.split(".")[0]) for path in sorted(DATA.glob("benchmarks/*"))])
    report("gsm8k_train, known: all 13 benchmarks", texts("gsm8k_train"), everything)
    report("gsm8k_train, known: gsm8k_test alone", texts("gsm8k_train"), texts("gsm8k_test"))
    report("math_train, known: math_test (siblings and copies among them)", texts("math_train"), texts("math_test"))
    for what, (asked, known) in UNRELATED.items():
        report(what, pl.concat([texts(name) for name in asked]), pl.concat([texts(name) for name in known]))
    tested, hard = texts("gsm8k_test"), texts("gsm_hard")
    changed = ~hard.to_frame().select(pl.col("problem").is_in(tested.implode()))["problem"]
    report("gsm_hard, those that are unchanged aside", hard.filter(changed), tested)
    for name in ("math_perturb", "hard_negatives", "backward_missing_premise"):
        by_kind(name, pairs(name), own=True)


def peers(pythons: dict[str, str]) -> None:
    """Prints what the peers' n-grams find, and flag wrongly, beside ours."""
    everything = pl.concat([texts(path.name.split(".")[0]) for path in sorted(DATA.glob("benchmarks/*"))])
    asked = {"paraphrases": pairs("gsm8k_rephrase_llmdecontam")["b"], "gsm8k_train": texts("gsm8k_train")}
    both = pl.concat([series.alias("problem") for series in asked.values()])
    flagged = {"open-r1's rule": flagged_by_peer(both, everything)}
    hits = found(both, everything).filter(pl.col("rule") != VARIANT_RULE)["row"]
    flagged |= {"decontaminate.ngrams": set(hits.to_list())}
    for name, python in pythons.items():
        made = made_by(name, python, both.to_list(), everything.to_list())
        flagged[name] = {at for at, hit in enumerate(made["flagged"]) if hit}
    first = len(asked["paraphrases"])
    print("| all rows, known: all 13 benchmarks | paraphrases found | gsm8k_train flagged |\n|---|---|---|")
    for name, rows in flagged.items():
        right = sum(at < first for at in rows)
        print(f"| {name} | {right / first:.1%} | {(len(rows) - right) / (len(both) - first):.2%} |")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--peers", nargs="*", choices=list(PEERS), help="only this: paraphrases, beside these")
    options.add_argument("--python", nargs="*", default=[], metavar="PEER=PATH", help="a peer's interpreter")
    said = options.parse_args()
    if said.peers is not None:
        given = dict(pair.split("=", 1) for pair in said.python)
        peers({name: given.get(name, sys.executable) for name in said.peers})
    else:
        finds()
        flags()
