"""Answer checking under load: speed, memory, bombs, symmetry, and that nothing but the pair decides a verdict.

    COTILLION_REAL_DATA=... python benchmarks/verify_load.py [SECTION ...] [--pairs 1000000]

Sections: speed, repeats, cores, memory, bombs, pathological, swap, order, reward; all of them unless named.
Every section prints a few lines; a line that ends in `!` states what should not be.
"""

import argparse
import gzip
import json
import multiprocessing
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parent.parent)
from verify import Verdict, grade, grade_many  # noqa: E402
from verify.choice import option  # noqa: E402
from verify.extract import extract  # noqa: E402
from verify.grade import forget  # noqa: E402
from verify.reward import accuracy  # noqa: E402

ROLLOUTS = ("processbench", "qwen_math_cot", "gsm8k_openai", "human_mr_math")
CONSTRUCTED = [
    r"2^{10^{10}}", r"10^{10^{10^{10}}}", r"\binom{10^7}{5\cdot10^6}", r"\Gamma(10^{12})", r"(10^6)!",
    r"\sum_{k=1}^{10^9}\frac{1}{k^{k}}",
    r"\int_0^\infty \frac{\sin^{40} x}{x^{39}+\ln(x+2)}\,dx", r"3^{10^9+7} \bmod 5",
    r"\cos^{40}(x)\sin^{40}(x)", "(" * 2_000 + "1" + ")" * 2_000, r"\ln(" * 200 + "x" + ")" * 200,
    r"(x+y+z+w)^{200}", r"\prod_{k=1}^{100000}(1+\frac{x}{k})", r"\lim_{n\to\infty}\sum_{k=1}^{n}\frac{n}{n^2+k^2}",
    r"\sqrt{" * 300 + "2" + "}" * 300, "9" * 100_000,
]  # fmt: skip
Row = dict[str, Any]
Pair = tuple[str, str]


def main() -> int:
    """Prints the tables; 0 always, since a benchmark judges nothing."""
    sections = {
        "speed": speed, "repeats": repeats, "cores": cores, "memory": memory, "bombs": bombs,
        "pathological": pathological, "swap": swap, "order": order, "reward": reward,
    }  # fmt: skip
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=" ".join(sections))
    parser.add_argument("--pairs", type=int, default=1_000_000, help="pairs of the section `memory`")
    options = parser.parse_args()
    if unknown := set(options.sections) - set(sections):
        parser.error(f"no section {' '.join(sorted(unknown))}; there are {' '.join(sections)}")
    grade(r"\boxed{\sum_{k=1}^\infty 2^{-k}}", "1")  # the workers are up before the clock runs
    for name in options.sections or sections:
        print(f"-- {name}", flush=True)
        memory(options.pairs) if name == "memory" else sections[name]()
    return 0


def speed() -> None:
    """One pair at a time on labelled rollouts, every cache emptied before each."""
    seconds, symbolic = [], 0
    rows = _labelled()
    for response, gold in rows:
        forget()
        started = time.perf_counter()
        symbolic += grade(response, gold).method == "symbolic"
        seconds.append(time.perf_counter() - started)
    seconds.sort()
    p50, p99 = (1000 * seconds[int(share * len(seconds))] for share in (0.5, 0.99))
    print(f"{len(rows) / sum(seconds):.0f} pairs/s, p50 {p50:.3f} ms, p99 {p99:.2f} ms, max {seconds[-1]:.2f} s")
    print(f"{symbolic} of {len(rows)} pairs reach sympy ({symbolic / len(rows):.2%})")


def repeats() -> None:
    """Eight rollouts per question in one call, as a build has them."""
    path = _folder() / "rollouts/qwen25math_n8.jsonl"
    eight = [(row["rollout"], row["answer"]) for row in _rows(path)]
    for name, pairs in (("8 real rollouts each", eight), ("labelled rollouts, each 8 times", _labelled() * 8)):
        forget()
        verdicts, seconds = _timed(pairs)
        print(f"{name}: {len(verdicts) / seconds:.0f} pairs/s over {len(pairs)}")


def cores() -> None:
    """The same work in one process and shared by two, as the stages of a build share it."""
    spawn = multiprocessing.get_context("spawn")
    work = 60
    seconds = {}
    for processes in (1, 2):
        with spawn.Pool(processes) as pool:
            pool.map(_share, [1] * processes, chunksize=1)
            started = time.perf_counter()
            pool.map(_share, [work // processes] * processes, chunksize=1)
            seconds[processes] = time.perf_counter() - started
    print(f"two processes: {seconds[1] / seconds[2]:.2f} x one; load of the machine {os.getloadavg()[0]:.1f}")
    hard = [(rf"\boxed{{\sum_{{k=1}}^\infty \frac{{{n}}}{{{n + 1}^k}}}}", "1") for n in range(2, 26)]
    one, two = (_timed(hard, workers=workers)[1] for workers in (1, 2))
    print(f"grade_many(workers=2) on pairs that all reach sympy: {one / two:.2f} x")


def memory(pairs: int = 1_000_000) -> None:
    """Resident memory of this process while distinct pairs of eight forms pass through."""
    forms = (
        (r"So it is $\boxed{{{n}}}$.", "{n}"), (r"\boxed{{\frac{{{n}}}{{7}}}}", "{n}/7"),
        ("The answer is {n}.5.", "{n}.5"),
        (r"\boxed{{x = {n}}}", "{n}"), (r"\boxed{{({n}, \infty)}}", "x > {n}"), (r"\boxed{{{n}x + 2}}", "2 + {n}x"),
        (r"\boxed{{{n}\sqrt{{2}}}}", r"\frac{{{n}}}{{\sqrt{{2}}}}"), ("#### {n} apples", "{n}"),
    )  # fmt: skip
    batch, samples, started = 10_000, [], time.perf_counter()
    for first in range(0, pairs, batch):
        chosen = [
            (said.format(n=n), gold.format(n=n)) for n in range(first, first + batch) for said, gold in [forms[n % 8]]
        ]
        _timed(chosen)
        if (first + batch) % 100_000 == 0:
            samples.append(_resident_mb())
    print(f"MB every 100,000 pairs: {' '.join(f'{mb:.0f}' for mb in samples)}")
    print(
        f"{pairs} distinct pairs in {time.perf_counter() - started:.0f} s, "
        f"{samples[-1] - samples[0]:+.1f} MB since the first sample"
    )


def bombs() -> None:
    """Forty hostile pairs among 10,000 ordinary ones: the ordinary verdicts, and the time that the bombs cost."""
    ordinary = (_labelled() * 10)[:10_000]
    hostile = [(row["response"], row["gold"]) for row in _rows(_folder() / "verdicts/pathological.jsonl")]
    hostile = [*((rf"\boxed{{{text}}}", "1") for text in CONSTRUCTED), *hostile][:40]
    places = sorted(random.Random(0).sample(range(len(ordinary)), len(hostile)), reverse=True)
    mixed: list[tuple[Pair, bool]] = [(pair, False) for pair in ordinary]
    for place, pair in zip(places, hostile, strict=True):
        mixed.insert(place, (pair, True))
    forget()
    calm, calm_s = _timed(ordinary)
    forget()
    among, among_s = _timed([pair for pair, _ in mixed])
    kept = [verdict for verdict, (_, bomb) in zip(among, mixed, strict=True) if not bomb]
    changed = sum(a != b for a, b in zip(calm, kept, strict=True))
    print(f"{len(ordinary)} ordinary pairs: {calm_s:.1f} s; with {len(hostile)} bombs {among_s:.1f} s")
    print(f"verdicts changed by the bombs: {changed}{' !' if changed else ''}")


def pathological() -> None:
    """Wall time of every hostile pair; the limit is 2 s and half a second to clear up."""
    times = []
    for row in _rows(_folder() / "verdicts/pathological.jsonl"):
        times.append((_timed([(row["response"], row["gold"])])[1], row["id"]))
    for text in CONSTRUCTED:
        times.append((_timed([(rf"\boxed{{{text}}}", "1")])[1], text[:40]))
    late = [f"{name} {seconds:.2f} s" for seconds, name in times if seconds > 2.5]
    slowest = sorted(times, reverse=True)[:3]
    print(f"{len(times)} pairs, slowest: {', '.join(f'{name} {seconds:.2f} s' for seconds, name in slowest)}")
    print(f"over 2.5 s: {len(late)}{' ! ' + '; '.join(late) if late else ''}")


def swap() -> None:
    """Gold and answer exchanged over all labelled pairs."""
    forward, backward = [], []
    for row in _rows(_folder() / "verdicts/labelled.jsonl"):
        found = extract(row["response"])
        if found and not option(row["gold"]) and not option(found.answer):
            forward.append((f"<answer>{found.answer}</answer>", row["gold"]))
            backward.append((f"<answer>{row['gold']}</answer>", found.answer))
    there, back = _timed(forward)[0], _timed(backward)[0]
    flips = [
        f for f, a, b in zip(forward, there, back, strict=True) if (a.status == "correct") != (b.status == "correct")
    ]
    print(f"{len(flips)} of {len(forward)} pairs flip{' !' if flips else ''}")
    for answer, gold in flips[:20]:
        print(f"  gold {gold[:80]!r} {answer[:100]!r}")


def order() -> None:
    """The same verdicts in any order, batch and number of workers."""
    pairs = [(row["response"], row["gold"]) for row in _rows(_folder() / "verdicts/labelled.jsonl")]
    expected = _timed(pairs)[0]
    at = list(range(len(pairs)))
    random.Random(1).shuffle(at)
    shuffled = _timed([pairs[i] for i in at])[0]
    runs = {
        "shuffled": [verdict for _, verdict in sorted(zip(at, shuffled, strict=True), key=lambda p: p[0])],
        "in batches of 7": [v for i in range(0, len(pairs), 7) for v in _timed(pairs[i : i + 7])[0]],
        "with 2 workers": _timed(pairs, workers=2)[0],
    }
    for name, verdicts in runs.items():
        changed = sum(a != b for a, b in zip(expected, verdicts, strict=True))
        print(f"{name}: {changed} of {len(pairs)} verdicts differ{' !' if changed else ''}")


def reward() -> None:
    """256 completions through the reward function, with and without bombs among them."""
    pairs = random.Random(2).sample(_labelled(), 256)
    for count in (0, 1, 4, 16):
        chosen = pairs[count:] + [(rf"\boxed{{{text}}}", "1") for text in CONSTRUCTED[:count]]
        forget()
        started = time.perf_counter()
        accuracy([response for response, _ in chosen], [gold for _, gold in chosen])
        print(f"256 completions, {count:2} of them bombs: {time.perf_counter() - started:.2f} s")


def _timed(pairs: list[Pair], workers: int = 1) -> tuple[list[Verdict], float]:
    started = time.perf_counter()
    verdicts = grade_many([response for response, _ in pairs], [gold for _, gold in pairs], workers=workers)
    return verdicts, time.perf_counter() - started


def _share(times: int) -> None:
    pairs = _labelled()
    for _ in range(times):
        forget()
        _timed(pairs)


def _labelled() -> list[Pair]:
    rows = _rows(_folder() / "verdicts/labelled.jsonl")
    return [(row["response"], row["gold"]) for row in rows if row["source"].startswith(ROLLOUTS)]


def _folder() -> Path:
    return Path(os.environ["COTILLION_REAL_DATA"])


def _rows(path: Path) -> Iterator[Row]:
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    for line in text.splitlines():
        yield json.loads(line)


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    sys.exit(main())
