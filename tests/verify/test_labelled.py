"""Agreement with labels that others gave. Needs the real data; the floors are a little below what was measured."""

import json
import os
from pathlib import Path

import pytest

from verify import Policy, grade_many

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
