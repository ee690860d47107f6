"""Pairs: which rules take which, who may stand on which side, and how lengths drift."""

import os
import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curate.build import build
from curate.choices.pairing import length_drift, without_drift
from curate.manifest import read_manifest
from curate.progress import Steps
from curate.records import text_hash
from curate.views.dpo import Dpo
from tests.test_views import fates, problems, rollouts

ONE = problems(level=[None])


def pairs(view: Dpo, answered: pl.DataFrame) -> list[tuple[str, str]]:
    return [(a, b) for a, b in view.choose(ONE, answered, 0)[1].select("chosen_id", "rejected_id").iter_rows()]


LENGTHS = rollouts(
    ("short", "p0", "correct", 60),
    ("middle", "p0", "correct", 100),
    ("long", "p0", "correct", 110),
    ("w70", "p0", "wrong", 70),
    ("w112", "p0", "wrong", 112),
    ("w180", "p0", "wrong", 180),
)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("closest_length", [("long", "w112"), ("short", "w70")]),
        ("shortest_correct", [("short", "w70"), ("middle", "w112")]),
        ("best_against_worst", [("middle", "w180"), ("long", "w112")]),
    ],
)
def test_each_rule_takes_the_pairs_that_it_says(rule: Any, expected: list[tuple[str, str]]) -> None:
    assert pairs(Dpo(rule=rule), LENGTHS) == expected


def test_no_answer_is_rejected_only_where_the_manifest_says_so() -> None:
    answered = rollouts(("a", "p0", "correct", 10), ("b", "p0", "no_answer", 10), ("c", "p0", "truncated", 10))
    assert pairs(Dpo(), answered) == []
    assert fates(Dpo(rejected=("wrong", "no_answer")), ONE, answered) == {"a": None, "b": None, "c": "truncated"}
    only = rollouts(("a", "p0", "correct", 10), ("b", "p0", "wrong", 10))
    assert fates(Dpo(rejected=("no_answer",)), ONE, only) == {"a": "all_correct", "b": "wrong"}


def test_either_side_may_come_from_named_teachers_only() -> None:
    answered = rollouts(
        ("a", "p0", "correct", 10), ("b", "p0", "correct", 10), ("c", "p0", "wrong", 10), ("d", "p0", "wrong", 10)
    ).with_columns(teacher=pl.Series(["r1@7", "student", "r1@7", "student@3"]))
    view = Dpo(chosen_from=("r1",), rejected_from=("student", "r1@8"))
    assert fates(view, ONE, answered) == {"a": None, "b": "other_teacher", "c": "other_teacher", "d": None}
    nobody = Dpo(chosen_from=("r2",))
    assert set(fates(nobody, ONE, answered).values()) == {"other_teacher", "all_wrong"}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (r"So $x = \boxed{4}$.", "so x=4", True),
        (r"\[ \left( a \right) \]", "(a)", True),
        ("It is **4**, then.\n\nDone", "it is 4 then. done", True),
        ("x = 4", "x = -4", False),
        ("1.5", "15", False),
        ("3, 4", "34", True),  # joined by dropping the comma: a pair too few, never one too many
        (r"a \leftarrow b", r"a \rightarrow b", False),
        ("", None, True),
    ],
)
def test_two_texts_that_differ_in_form_only_have_one_hash(one: str, other: str | None, same: bool) -> None:
    rows = pl.DataFrame({"reasoning": ["Thus", "thus"], "response": [one, other]})
    first, second = text_hash(rows)
    assert (first == second) is same


def test_sides_that_say_the_same_are_no_pair() -> None:
    answered = rollouts(
        ("a", "p0", "correct", 10), ("b", "p0", "wrong", 10), ("c", "p0", "wrong", 15), ("d", "p1", "correct", 10)
    ).with_columns(text_hash=pl.Series(["1", "1", "2", None]))
    assert fates(Dpo(), ONE, answered) == {"a": None, "b": "same_text", "c": None, "d": "all_correct"}
    assert set(fates(Dpo(), ONE, answered.head(2)).values()) == {"same_text"}


def test_drift_is_the_ratio_of_medians_and_can_be_bounded() -> None:
    asked = problems(level=[None] * 21)
    answered = rollouts(
        *((f"c{i}", f"p{i}", "correct", 100 + 5 * i) for i in range(21)),
        *((f"w{i}", f"p{i}", "wrong", 100) for i in range(21)),
    )
    free, bound = Dpo(), Dpo(drift_at_most=0.2)
    _, picks = free.choose(asked, answered, 0)
    assert free.facts(picks) == {
        "pairs": 21,
        "problems": 21,
        "chosen_length": 150.0,
        "rejected_length": 100.0,
        "length_drift": 0.5,
    }
    told, some = bound.choose(asked, answered, 0)
    assert bound.facts(some)["length_drift"] == pytest.approx(0.2)
    assert set(some["problem_id"]) == {f"p{i}" for i in range(9)}, (
        "the twelve that pull hardest went: median 100 + 5 * 4"
    )
    assert dict(told["drop"].value_counts().iter_rows()) == {None: 18, "length_drift": 24}
    assert length_drift(picks.clear()) is None


@pytest.mark.parametrize("seed", range(12))
def test_of_few_pairs_too_none_are_left_that_drift_further(seed: int) -> None:
    draw = random.Random(seed)
    lengths = [(draw.randint(100, 4000), draw.randint(100, 4000)) for _ in range(14)]
    pairs = pl.DataFrame(lengths, schema=["chosen_length", "rejected_length"], orient="row")
    left = pairs.filter(without_drift(pairs, 0.05))
    drift = length_drift(left)
    assert drift is None or abs(drift) <= 0.05


def test_of_a_problem_with_very_many_rollouts_some_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curate.choices.pairing.MOST_A_SIDE", 5)
    verdicts = [(f"r{i}", "p0", ("correct", "wrong")[i % 2], 100 + i) for i in range(40)]
    told = fates(Dpo(per_problem=9), ONE, rollouts(*verdicts))
    assert len(told) == 40
    assert sorted(why or "taken" for why in told.values()) == ["over_cap"] * 30 + ["taken"] * 10


def test_shorter_chosen_ones_drift_too() -> None:
    asked = problems(level=[None] * 3)
    answered = rollouts(
        *((f"c{i}", f"p{i}", "correct", (60, 70, 100)[i]) for i in range(3)),
        *((f"w{i}", f"p{i}", "wrong", 100) for i in range(3)),
    )
    _, picks = Dpo(drift_at_most=0.2).choose(asked, answered, 0)
    assert picks["chosen_id"].to_list() == ["c1", "c2"], "median 85 over 100"


def test_a_cap_on_pairs_lets_no_problem_crowd_out_the_others() -> None:
    asked = problems(level=[None] * 4)
    many = [(f"{v}{i}", "p0", v, 100) for i in range(9) for v in ("correct", "wrong")]
    few = [(f"{v}.{p}", f"p{p}", v, 100) for p in (1, 2, 3) for v in ("correct", "wrong")]
    told, picks = Dpo(per_problem=9, at_most=4).choose(asked, rollouts(*many, *few), 0)
    assert picks["problem_id"].to_list() == ["p0", "p1", "p2", "p3"]
    assert dict(told["drop"].value_counts().iter_rows()) == {None: 8, "at_most": 16}


@pytest.mark.skipif("COTILLION_REAL_DATA" not in os.environ, reason="real rollouts are named by COTILLION_REAL_DATA")
def test_pairs_of_real_rollouts_are_sound_and_do_not_drift(tmp_path: Path) -> None:
    """780 rollouts of 15 models to 52 problems; benchmarks/pairs.py does the same with two larger files."""
    file = Path(os.environ["COTILLION_REAL_DATA"]) / "rollouts" / "mip_math_longcot.jsonl.gz"
    manifest = tmp_path / "m.yaml"
    manifest.write_text(
        f"name: mip\nsources: [{{use: files, path: {file}, columns: {{problem: question, answer: answer, "
        "source_id: question_id, rollouts: rollout, teacher: model}}]\nproblems: [hygiene.answerable]\n"
        "verdicts: [rule]\nviews: {dpo: {reasoning: false}}\n"
    )
    version = build(read_manifest(manifest), tmp_path / "data", Steps(quiet=True), workers=1).version
    told = version.rollouts.select("id", "problem_id", "verdict").collect()
    sides = {row: (problem, verdict) for row, problem, verdict in told.iter_rows()}
    rows = version.table("dpo").select("problem_id", "chosen_id", "rejected_id").collect()
    assert rows.height > 40
    for problem, chosen, rejected in rows.iter_rows():
        assert (sides[chosen], sides[rejected]) == ((problem, "correct"), (problem, "wrong"))
    assert abs(version.lock["views"]["dpo"]["length_drift"]) < 0.05
