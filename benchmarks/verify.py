"""Answer checking against labels: accuracy per source and speed, beside math-verify's best set-up in the same run.

    COTILLION_REAL_DATA=... python benchmarks/verify.py [--no-peer] [--errors] [--longcot]

Reads `verdicts/{labelled,format_probe,pathological}.jsonl` (`source gold response correct note`). A verdict counts as
right when "is `correct`" equals the label; a timeout or an undecided pair is thus a miss on a right answer, never on a
wrong one. Policies: the default everywhere, except that pairs rated by people on measured quantities (`human_*`) are
judged with 1 % tolerance and units, and graders' own self-tests with the option that their `note` names.
The peer is math-verify 0.9 as configured best: boxes first, letters as strings, sets against relations, 5 + 5 s.
"""

import argparse
import gzip
import json
import logging
import os
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

# This file is named like the package it measures: look for that beside the folder, not in it.
sys.path[0] = str(Path(__file__).resolve().parent.parent)
from verify import Policy, Verdict, grade, grade_many  # noqa: E402
from verify.choice import option  # noqa: E402
from verify.grade import forget  # noqa: E402
from verify.prose import bare  # noqa: E402

ROLLOUTS = ("processbench", "qwen_math_cot", "gsm8k_openai", "human_mr_math")
SELF_TESTS = ("mathverify_tests", "grader_unit_tests", "mathverify_issues")
MEASURED = Policy(tolerance=0.01, rounding=True, letter_units=True)
Row = dict[str, Any]


@dataclass
class Tally:
    """Counts of one source."""

    rows: int = 0
    right: int = 0
    said_correct: int = 0
    false_positives: int = 0
    false_negatives: int = 0
    seconds: list[float] = field(default_factory=list)
    symbolic: int = 0

    def add(self, row: Row, correct: bool, seconds: float) -> None:
        self.rows += 1
        self.right += correct == row["correct"]
        self.said_correct += correct
        self.false_positives += correct and not row["correct"]
        self.false_negatives += row["correct"] and not correct
        self.seconds.append(seconds)

    def line(self) -> str:
        precision = 100 * (1 - self.false_positives / self.said_correct) if self.said_correct else 100.0
        ordered = sorted(self.seconds)
        accuracy, speed = 100 * self.right / self.rows, self.rows / max(sum(ordered), 1e-9)
        p50 = 1000 * ordered[len(ordered) // 2]
        errors = f"{self.false_positives}/{self.false_negatives}"
        return f"{accuracy:6.2f} {precision:6.2f} {errors:>7} {speed:8.0f} {p50:7.3f} {ordered[-1]:6.2f}"


def main() -> int:
    """Prints the tables; 0 always, since a benchmark judges nothing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-peer", action="store_true", help="leave math-verify out")
    parser.add_argument(
        "--errors", action="store_true", help="print every pair on which the verdict and the label differ"
    )
    parser.add_argument("--longcot", action="store_true", help="agreement with 6,000 long rollouts on MATH-500 too")
    options = parser.parse_args()
    folder = Path(os.environ["COTILLION_REAL_DATA"])
    rows = [
        row for name in ("labelled", "format_probe", "pathological") for row in _rows(folder / f"verdicts/{name}.jsonl")
    ]
    grade(r"\boxed{\sum_{k=1}^\infty 2^{-k}}", "1")  # the workers are up before the clock runs
    ours = _run(rows, _ours, options.errors)
    peer = _run(rows, _peer(), False) if not options.no_peer else {}
    _table(ours, peer)
    _speed([row for row in rows if row["source"].startswith(ROLLOUTS)])
    if options.longcot:
        _longcot(folder / "rollouts/longcot_math500.jsonl.gz")
    return 0


def policy_of(row: Row) -> Policy:
    """The policy under which a row was labelled."""
    note, source = row.get("note") or "", row["source"]
    if source.startswith("human") and source != "human_mr_math":
        return MEASURED
    if source not in SELF_TESTS:
        return Policy()
    policy = replace(Policy(), rounding="policy=tolerance" in note, decimal_comma="decimal-comma" in note)
    return replace(policy, units="require") if "unit-required" in note else policy


def _run(rows: list[Row], judge: Callable[[Row], tuple[bool, bool]], show: bool) -> dict[str, Tally]:
    tallies: dict[str, Tally] = defaultdict(Tally)
    for row in rows:
        started = time.perf_counter()
        correct, symbolic = judge(row)
        seconds = time.perf_counter() - started
        for name in _groups(row):
            tallies[name].add(row, correct, seconds)
            tallies[name].symbolic += symbolic
        if show and correct != row["correct"]:
            print(f"{row['id']}: label {row['correct']}, gold {row['gold'][:80]!r}, end {row['response'][-120:]!r}")
    return tallies


def _groups(row: Row) -> Iterator[str]:
    source = row["source"]
    if source.startswith("human") and source != "human_mr_math":
        kind = "math" if "kind=math" in (row.get("note") or "") else "text"
        yield f"{source}:{kind}"
        return
    yield source
    if source.startswith(ROLLOUTS):
        yield "ALL ROLLOUTS"
    if source not in ("format_probe", "pathological"):
        yield "ALL BUT HUMAN"


def _ours(row: Row) -> tuple[bool, bool]:
    forget()
    verdict: Verdict = grade(row["response"], row["gold"], policy=policy_of(row))
    return verdict.status == "correct", verdict.method == "symbolic"


def _peer() -> Callable[[Row], tuple[bool, bool]]:
    from math_verify import (
        ExprExtractionConfig,
        LatexExtractionConfig,
        StringExtractionConfig,
        parse,
        verify,
    )

    logging.disable(logging.CRITICAL)
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, resource.getrlimit(resource.RLIMIT_AS)[1]))
    letters = StringExtractionConfig(strings=tuple("ABCDEFGHIJ"))

    def judge(row: Row) -> tuple[bool, bool]:
        gold, response = row["gold"], row["response"]
        response = response.replace("<answer>", r"\boxed{").replace("</answer>", "}")
        if inner := bare(response):  # a lone formula without delimiters is no answer to math-verify: help it
            response = rf"\boxed{{{inner}}}"
        configs: list[Any] = [LatexExtractionConfig(boxed_match_priority=0), ExprExtractionConfig()]
        if option(gold):
            configs.append(letters)
        wrapped = gold if "$" in gold or "boxed" in gold else f"${gold}$"
        try:
            said = verify(parse(wrapped, configs), parse(response, configs), allow_set_relation_comp=True)
        except (ValueError, RecursionError, MemoryError):
            said = False
        return bool(said), True

    return judge


def _table(ours: dict[str, Tally], peer: dict[str, Tally]) -> None:
    columns = f"{'acc %':>6} {'P %':>6} {'fp/fn':>7} {'pairs/s':>8} {'p50 ms':>7} {'max s':>6}"
    print(f"{'':28}{'':>5}  {'cotillion':^46} {'sympy':>6}" + (f"  {'math-verify':^46}" if peer else ""))
    print(f"{'source':28}{'rows':>5}  {columns} {'%':>6}" + (f"  {columns}" if peer else ""))
    for name in sorted(ours, key=lambda n: (n.startswith("ALL"), n)):
        tally = ours[name]
        share = 100 * tally.symbolic / tally.rows
        print(f"{name:28}{tally.rows:5}  {tally.line()} {share:6.2f}" + (f"  {peer[name].line()}" if peer else ""))


def _speed(rows: list[Row]) -> None:
    """Pairs per second with every cache emptied before each, and over the columns at once."""
    seconds = []
    for row in rows:
        forget()
        started = time.perf_counter()
        grade(row["response"], row["gold"])
        seconds.append(time.perf_counter() - started)
    started = time.perf_counter()
    grade_many([row["response"] for row in rows], [row["gold"] for row in rows])
    columns = len(rows) / (time.perf_counter() - started)
    seconds.sort()
    p50, p99 = (1000 * seconds[int(share * len(seconds))] for share in (0.5, 0.99))
    print(f"\nrollouts, caches off: {len(rows) / sum(seconds):.0f} pairs/s, p50 {p50:.3f} ms, p99 {p99:.1f} ms")
    print(f"rollouts as columns, caches on: {columns:.0f} pairs/s")


def _longcot(path: Path) -> None:
    rows = list(_rows(path))
    verdicts = grade_many([row["rollout"] for row in rows], [row["answer"] for row in rows])
    agree = sum((verdict.status == "correct") == row["correct"] for verdict, row in zip(verdicts, rows, strict=True))
    print(f"long CoT on MATH-500: {100 * agree / len(rows):.2f} % of {len(rows)} labels agree")


def _rows(path: Path) -> Iterator[Row]:
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    for line in text.splitlines():
        yield json.loads(line)


if __name__ == "__main__":
    sys.exit(main())
