"""Verdicts on whole responses."""

import pytest

from verify import Policy, grade, grade_many


@pytest.mark.parametrize(
    ("gold", "response"),
    [
        (r"\frac{1}{2}", r"So it is $\boxed{0.5}$."),
        ("17", r"First \boxed{12}. Wait, that is wrong. Final: \boxed{17}"),
        ("10000", r"\boxed{10{,}000}"),
        (r"\{1,2,3\}", r"\boxed{3, 2, 1}"),
        ("B", "Let me see. I think the answer is (B)."),
    ],
)
def test_equal_answers_are_correct(gold: str, response: str) -> None:
    assert grade(response, gold).status == "correct"


def test_a_cut_off_reply_is_truncated_and_not_wrong() -> None:
    assert grade("So we get 5", "7", finish_reason="length").status == "truncated"
    assert grade(r"\boxed{7}", "7", finish_reason="length", policy=Policy(grade_truncated=True)).status == "correct"


@pytest.mark.parametrize("gold", [None, "", "nan", [], [""]])
def test_a_gold_answer_that_says_nothing_is_unreadable(gold: str | list[str] | None) -> None:
    assert grade(r"\boxed{7}", gold).status == "unreadable_gold"


def test_a_response_without_an_answer_has_no_answer() -> None:
    assert grade("", "7").status == "no_answer"


def test_any_of_several_golds_is_right() -> None:
    assert grade(r"\boxed{x=3}", ["5", "3"]).status == "correct"


def test_columns_give_what_single_pairs_give() -> None:
    responses, golds = [r"\boxed{1}", r"\boxed{2}", ""], ["1", "1", "1"]
    assert [v.status for v in grade_many(responses, golds)] == ["correct", "wrong", "no_answer"]
