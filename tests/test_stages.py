"""The stages that need no model: answerable, exact duplicates, the rule's verdict, difficulty."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curate.dedup.exact import Exact
from curate.hygiene.answerable import Answerable
from curate.tag.difficulty import Difficulty
from curate.verdicts.rule import Rule
from verify import Policy

needs_real_data = pytest.mark.skipif(
    "COTILLION_REAL_DATA" not in os.environ, reason="real rollouts are named by COTILLION_REAL_DATA"
)


def real_rollouts(name: str, n: int) -> list[dict[str, Any]]:
    file = Path(os.environ["COTILLION_REAL_DATA"]) / "rollouts" / f"{name}.jsonl.gz"
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for _, line in zip(range(n), lines, strict=False)]


def drops(stage: Any, **columns: list[Any]) -> list[str | None]:
    n = max(len(values) for values in columns.values())
    rows = pl.DataFrame({"id": [str(i) for i in range(n)], **columns})
    reasons: list[str | None] = stage(rows)["drop"].to_list()
    return reasons


def test_a_problem_needs_a_text_and_an_answer() -> None:
    problem = ["1 + 1?", " \n", None, "Who?", "Who?", "Who?"]
    answer = ["2", "2", "2", None, "  ", "$$"]
    assert drops(Answerable(), problem=problem, answer=answer) == [None, "no_text", "no_text", *["no_answer"] * 3]


@pytest.mark.parametrize("sentinel", ["proof", "Proof.", "notfound", "$\\text{Not found}$", "\\boxed{proof}", "N/A"])
def test_an_answer_that_says_there_is_none_is_none(sentinel: str) -> None:
    rows = pl.DataFrame({"id": ["a"], "problem": ["Show it."], "answer": [sentinel]})
    assert Answerable()(rows).row(0) == ("a", "sentinel", "no_answer")
    assert Answerable(require_answer=False)(rows).row(0) == ("a", "sentinel", None)


@pytest.mark.parametrize(
    "answer", ["0", "\\varnothing", "no solution", "None", "n", "\\text{proofs}", "(1, 2)", "証明 3"]
)
def test_an_odd_answer_is_still_an_answer(answer: str) -> None:
    assert drops(Answerable(), problem=["Which?"], answer=[answer]) == [None]


def test_the_first_of_equal_problems_stays_and_is_named() -> None:
    texts = ["What is 2+2?", "what is  2+2?\n", "What is 2+3?", "WHAT IS 2+2?"]
    marks = Exact()(pl.DataFrame({"id": ["a", "b", "c", "d"], "problem": texts}))
    assert marks["drop"].to_list() == [None, "duplicate", None, "duplicate"]
    assert marks["duplicate_of"].to_list() == [None, "a", None, "a"]


def test_composed_and_decomposed_letters_are_the_same() -> None:
    assert drops(Exact(), problem=["Ange\u0301 has 3", "Angé has 3"]) == [None, "duplicate"]


@pytest.mark.parametrize(
    "pair", [("x² = 4", "x2 = 4"), ("½ of 4", "1⁄2 of 4"), ("1 2", "12"), ("Find $-x$", "Find $x$")]
)
def test_mathematics_that_only_looks_alike_is_no_duplicate(pair: tuple[str, str]) -> None:
    assert drops(Exact(), problem=list(pair)) == [None, None]


def test_case_counts_where_it_is_asked_to() -> None:
    assert drops(Exact(ignore_case=False), problem=["Find A", "find a"]) == [None, None]


def test_problems_without_a_text_are_no_duplicates_of_each_other() -> None:
    assert drops(Exact(), problem=[None, None, "x"]) == [None, None, None]


def verdicts(response: list[str | None], **columns: list[str | None]) -> list[tuple[str, str | None]]:
    n = len(response)
    base = {
        "id": [str(i) for i in range(n)],
        "answer": ["4"] * n,
        "problem": ["2+2?"] * n,
        "finish_reason": ["stop"] * n,
    }
    rows = pl.DataFrame({**base, "response": response, **columns}, schema_overrides={"answer": pl.String})
    marks = Rule()(rows)
    assert marks["verdict"].equals(marks["rule_verdict"])
    assert marks["judge_verdict"].null_count() == n
    return marks.select("verdict", "extracted_answer").rows()


def test_the_rule_judges_what_was_said() -> None:
    said = verdicts(["It is \\boxed{4}.", "It is \\boxed{5}.", " ", None])
    assert said == [("correct", "4"), ("wrong", "5"), ("no_answer", None), ("no_answer", None)]


def test_a_reply_that_was_cut_off_or_failed_is_never_wrong() -> None:
    said = verdicts(["\\boxed{5}"] * 3, finish_reason=["length", "error", None])
    assert [status for status, _ in said] == ["truncated", "error", "wrong"]


def test_a_problem_without_a_gold_answer_judges_nobody() -> None:
    assert verdicts(["\\boxed{5}"], answer=[None]) == [("unreadable_gold", None)]


def test_the_policy_is_an_option() -> None:
    row = {
        "id": ["a"],
        "response": ["\\boxed{0.333}"],
        "answer": ["0.3333"],
        "problem": ["?"],
        "finish_reason": ["stop"],
    }
    assert Rule()(pl.DataFrame(row))["verdict"].to_list() == ["wrong"]
    assert Rule(policy=Policy(tolerance=0.01))(pl.DataFrame(row))["verdict"].to_list() == ["correct"]


@needs_real_data
def test_the_rule_agrees_with_exact_labels() -> None:
    """GSM8K's example solutions have integer golds and exact labels."""
    rows = real_rollouts("gsm8k_example_solutions", 800)
    marks = Rule()(
        pl.DataFrame(
            {
                "id": [row["id"] for row in rows],
                "response": [row["rollout"] for row in rows],
                "answer": [row["answer"] for row in rows],
                "problem": [row["question"] for row in rows],
                "finish_reason": ["unknown"] * len(rows),
            }
        )
    )
    ours = [status == "correct" for status in marks["verdict"]]
    same = sum(mine == row["correct"] for mine, row in zip(ours, rows, strict=True))
    assert same / len(rows) >= 0.99


def difficulty(stage: Difficulty, *judged: tuple[str, str | None, str]) -> list[dict[str, Any]]:
    rows = pl.DataFrame(judged, schema=["problem_id", "verdict", "teacher"], orient="row")
    return stage(rows).to_dicts()


def test_only_judged_rollouts_count_toward_the_pass_rate() -> None:
    statuses = [
        "correct",
        "wrong",
        "no_answer",
        "correct",
        "truncated",
        "timeout",
        "undecided",
        "unreadable_gold",
        None,
    ]
    rows = [("p", status, "m@1") for status in statuses]
    (mark,) = difficulty(Difficulty(), *rows)
    assert (mark["pass_rate"], mark["pass_rate_n"], mark["pass_rate_teacher"]) == (0.5, 4, "m@1")
    (strict,) = difficulty(Difficulty(truncated=True), *rows)
    assert (strict["pass_rate"], strict["pass_rate_n"]) == (0.4, 5)


def test_a_problem_that_nobody_judged_has_no_pass_rate() -> None:
    (mark,) = difficulty(Difficulty(), ("p", "timeout", "m"), ("p", None, "m"))
    assert mark == {
        "id": "p",
        "pass_rate": None,
        "pass_rate_low": None,
        "pass_rate_high": None,
        "pass_rate_n": 0,
        "pass_rate_teacher": None,
        "pass_rate_level": None,
        "drop": None,
    }


def test_a_named_teacher_counts_alone_whatever_its_revision() -> None:
    rows = [("p", "correct", "strong@1"), ("p", "wrong", "weak@1"), ("p", "wrong", "weak@2"), ("p", "wrong", "weaker")]
    (mark,) = difficulty(Difficulty(teacher="weak"), *rows)
    assert (mark["pass_rate"], mark["pass_rate_n"], mark["pass_rate_teacher"]) == (0.0, 2, "weak@1, weak@2")


@pytest.mark.parametrize(
    ("right", "level"),
    [(10, "elementary"), (9, "elementary"), (8, "middle"), (4, "high"), (1, "college"), (0, "graduate")],
)
def test_levels_follow_the_stated_thresholds(right: int, level: str) -> None:
    rows = [("p", "correct" if i < right else "wrong", "m") for i in range(10)]
    assert difficulty(Difficulty(), *rows)[0]["pass_rate_level"] == level


def test_too_few_rollouts_give_no_level() -> None:
    rows = [("p", "correct", "m")] * 3
    assert difficulty(Difficulty(), *rows)[0]["pass_rate_level"] is None
    assert difficulty(Difficulty(least=3), *rows)[0]["pass_rate_level"] == "elementary"


def test_thresholds_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="from the highest to the lowest"):
        Difficulty(thresholds=(0.1, 0.4, 0.7, 0.9))
