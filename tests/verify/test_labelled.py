"""Agreement with labels that others gave. Needs the real data; the floors are a little below what was measured."""

import json
import os
from pathlib import Path

import pytest

from verify import Policy, grade_many
from verify.extract import extract
from verify.grade import CACHES

DATA = os.environ.get("COTILLION_REAL_DATA")
pytestmark = pytest.mark.skipif(not DATA, reason="COTILLION_REAL_DATA is not set")
ROLLOUTS = ("processbench", "qwen_math_cot", "gsm8k_openai")
MEASURED = Policy(tolerance=0.01, rounding=True, letter_units=True)


def rows(name: str) -> list[dict[str, str | bool]]:
    path = Path(str(DATA)) / "verdicts" / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def agreement(chosen: list[dict[str, str | bool]], policy: Policy) -> tuple[float, float]:
    """Accuracy and precision of `correct`."""
    verdicts = grade_many([str(r["response"]) for r in chosen], [str(r["gold"]) for r in chosen], policy=policy)
    said = [verdict.status == "correct" for verdict in verdicts]
    right = sum(s == r["correct"] for s, r in zip(said, chosen, strict=True)) / len(chosen)
    return right, sum(bool(r["correct"]) for s, r in zip(said, chosen, strict=True) if s) / sum(said)


def test_rollouts_are_judged_as_labelled() -> None:
    chosen = [r for r in rows("labelled") if str(r["source"]).startswith(ROLLOUTS)]
    accuracy, precision = agreement(chosen, Policy())
    assert accuracy >= 0.995
    assert precision >= 0.998


def test_measured_quantities_are_judged_as_people_do() -> None:
    chosen = [r for r in rows("labelled") if str(r["source"]).startswith("human") and "kind=math" in str(r["note"])]
    accuracy, precision = agreement(chosen, MEASURED)
    assert accuracy >= 0.86
    assert precision >= 0.95


def test_formats_are_judged_as_constructed() -> None:
    accuracy, _ = agreement(rows("format_probe"), Policy())
    assert accuracy >= 78 / 80


def test_pathological_pairs_are_judged_as_constructed() -> None:
    accuracy, precision = agreement(rows("pathological"), Policy())
    assert accuracy >= 0.9
    assert precision == 1.0


def test_gold_and_answer_may_be_exchanged() -> None:
    pairs = [(str(r["gold"]), found.answer) for r in rows("labelled") if (found := extract(str(r["response"])))]
    pairs = pairs[::3]
    there = grade_many([f"<answer>{a}</answer>" for _, a in pairs], [g for g, _ in pairs])
    back = grade_many([f"<answer>{g}</answer>" for g, _ in pairs], [a for _, a in pairs])
    assert [v.status == "correct" for v in there] == [v.status == "correct" for v in back]


def test_order_batches_and_bombs_change_no_verdict() -> None:
    chosen = rows("labelled")[::4]
    pairs = [(str(r["response"]), str(r["gold"])) for r in chosen]
    expected = grade_many([r for r, _ in pairs], [g for _, g in pairs])
    assert grade_many([r for r, _ in pairs[::-1]], [g for _, g in pairs[::-1]])[::-1] == expected
    among = [(r"\boxed{\Gamma(10^{12})}", "1"), *pairs, (r"\boxed{2^{10^{10}}}", "1")]
    assert grade_many([r for r, _ in among], [g for _, g in among], workers=2)[1:-1] == expected


def test_every_cache_is_bounded() -> None:
    assert all(cache.cache_info().maxsize is not None for cache in CACHES)
