"""The hits of decontamination: every problem that a benchmark asks, or nearly, beside the question, with the rule."""

from pathlib import Path

import polars as pl

from curate.look.prose import seen
from curate.look.show import text_table
from curate.reading.benchmarks import named
from curate.version import Version, VersionError

SHOWN_CHARS = 600
"""Characters of a text on a terminal; files hold the whole."""

_FACTS = (
    *("contaminated_by", "contamination_rule", "contamination_similarity", "variant_in_benchmark"),
    *("benchmark_question", "contaminated_run", "contamination_judged", "judged_against", "judged_question"),
)
COLUMNS = ("id", "benchmark", "question_id", "rule", "similarity", "run", "fate", "problem", "question")
KEPT = "kept"
KINDS = (".parquet", ".jsonl", ".csv")


def hits(problems: pl.LazyFrame) -> pl.DataFrame:
    """COLUMNS: first what is the same question, by benchmark and rule, then what a teacher was asked, then variants.

    `fate` is the reason for which the problem was dropped, or `kept`. A problem is listed once, with its nearest
    question; what a teacher called another question is listed, too (`judge: different`). `run` is the words in common
    by which `decontaminate.ngrams_blocks` found it.

    Args:
        problems: a version's table of all problems.
    """
    there = problems.collect_schema().names()
    missing = [pl.lit(None, pl.Float64 if f.endswith("similarity") else pl.String).alias(f) for f in _FACTS]
    rows = problems.with_columns(fact for fact in missing if fact.meta.output_name() not in there)
    judged = pl.col("contaminated_by").is_null() & pl.col("contamination_judged").is_not_null()
    by = pl.when(judged).then("judged_against").otherwise(pl.coalesce("contaminated_by", "variant_in_benchmark"))
    rule = pl.when(judged).then(pl.format("judge: {}", "contamination_judged")).otherwise("contamination_rule")
    listed = rows.select(
        "id",
        benchmark=by.str.extract(r"^(.*):[^:]*$"),
        question_id=by.str.extract(r"([^:]*)$"),
        rule=rule,
        similarity="contamination_similarity",
        run="contaminated_run",
        fate=pl.col("drop_reason").fill_null(KEPT),
        problem="problem",
        question=pl.when(judged).then("judged_question").otherwise("benchmark_question"),
        place=pl.when(pl.col("contaminated_by").is_not_null()).then(0).when(judged).then(1).otherwise(2),
    ).filter(pl.col("benchmark").is_not_null())
    order = ("place", "benchmark", "rule", "similarity", "id")
    return listed.sort(order, descending=[False, False, False, True, False]).select(COLUMNS).collect()


def counts(found: pl.DataFrame) -> list[tuple[str, str, str, int]]:
    """Benchmark, rule, fate and how many problems, most first."""
    counted = (
        found.group_by("benchmark", "rule", "fate")
        .len()
        .sort("len", "benchmark", "rule", descending=[True, False, False])
    )
    return [(str(b), str(rule), str(fate), int(n)) for b, rule, fate, n in counted.iter_rows()]


def report(version: Version, shown: int) -> str:
    """Counts by benchmark and rule, then the first hits with both texts.

    Raises:
        VersionError: no stage has compared the version's problems with a benchmark.
    """
    found = _hits_of(version)
    lines = [f"{version.name}: {found.height:,} problems are a benchmark's question, or like one"]
    if found.height:
        rows = [(seen(b), rule, fate, f"{n:,}") for b, rule, fate, n in counts(found)]
        lines.append(text_table(("benchmark", "rule", "fate", "problems"), rows))
    looked = {overlap["right"] for overlap in version.lock["leaks"].get("benchmarks") or []}
    stages = [stage for stage in version.lock["manifest"]["problems"] if isinstance(stage, dict)]
    looked |= {named(reference) for stage in stages for reference in stage.get("against", ())}
    if silent := sorted(looked - set(found["benchmark"])):
        lines.append(f"no problem is like a question of: {seen(', '.join(silent))}")
    for hit in found.head(shown).iter_rows(named=True):
        likeness = "" if hit["similarity"] is None else f", likeness {hit['similarity']:.2f}"
        lines += [
            "",
            f"{hit['id']}  {seen(hit['benchmark'])} {seen(hit['question_id'])}: {hit['rule']}{likeness}; {hit['fate']}",
            f"  problem   {_short(hit['problem'])}",
            f"  question  {_short(hit['question'])}",
            *([f"  in common {_short(hit['run'])}"] if hit["run"] else []),
        ]
    if found.height > shown:
        lines += ["", f"{found.height - shown:,} more: --out FILE writes them all"]
    return "\n".join(lines)


def write(version: Version, file: Path) -> int:
    """The number of hits that now stand in a .parquet, .jsonl or .csv file.

    Raises:
        VersionError: another kind of file, or no stage has compared the version's problems with a benchmark.
    """
    if file.suffix not in KINDS:
        raise VersionError(f"--out {file}: expected a name that ends in {', '.join(KINDS)}")
    found = _hits_of(version)
    if file.suffix == ".parquet":
        found.write_parquet(file)
    elif file.suffix == ".jsonl":
        found.write_ndjson(file)
    else:
        found.write_csv(file)
    return found.height


def _hits_of(version: Version) -> pl.DataFrame:
    if not any(entry["stage"].startswith("decontaminate.") for entry in version.lock["funnel"]):
        raise VersionError(
            f"{version.name}: no stage has compared its problems with a benchmark (decontaminate.ngrams)"
        )
    return hits(version.table("problems"))


def _short(text: str | None) -> str:
    line = " ".join(seen(text or "").split())
    return line if len(line) <= SHOWN_CHARS else f"{line[:SHOWN_CHARS]} ... ({len(line):,} characters)"
