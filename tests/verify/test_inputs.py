"""What is handed in: any gold a data set may hold, any message a trainer may pass, no policy that makes no sense."""

import math

import pytest

from verify import Policy, grade
from verify.reward import accuracy


@pytest.mark.parametrize(
    ("gold", "status"),
    [
        (5, "correct"),
        (5.0, "correct"),
        ([5, "five"], "correct"),
        (math.nan, "unreadable_gold"),
        (True, "unreadable_gold"),
    ],
)
def test_a_gold_that_is_a_number_is_read_and_nan_is_none(gold: object, status: str) -> None:
    assert grade(r"So \boxed{5}.", gold).status == status  # type: ignore[arg-type]  # what data sets really hold


def test_messages_without_text_or_in_parts_are_graded() -> None:
    tool = [{"role": "assistant", "tool_calls": []}]
    parts = [
        {"role": "assistant", "content": [{"type": "text", "text": r"So \boxed"}, {"type": "text", "text": "{5}"}]}
    ]
    assert accuracy([tool, parts], ["5", "5"]) == [-1.0, 1.0]


@pytest.mark.parametrize(
    "wrong",
    [{"tolerance": math.nan}, {"tolerance": -1}, {"tolerance": math.inf}, {"timeout_s": 0}, {"percent": "bogus"}],
)
def test_a_policy_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Policy(**wrong)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    ("gold", "answer"), [("x=1", "x^2=1"), ("x=1", "|x|=1"), ("x=0", "xy=0"), ("x=0", r"\sin x=0"), ("x=1", "x^3=1")]
)
def test_an_equation_with_more_solutions_is_not_its_solution(gold: str, answer: str) -> None:
    assert grade(rf"\boxed{{{answer}}}", gold).status != "correct"
    assert grade(rf"\boxed{{{gold}}}", answer).status != "correct"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"5\% increase", r"5\% decrease"),
        ("3:45 am", "3:45 pm"),
        ("5 km north", "5 km south"),
        (r"p \land q", r"p \lor q"),
        (r"\$5", "€5"),
        ("5 more", "5 less"),
    ],
)
def test_opposite_words_beside_one_number_are_two_answers(one: str, other: str) -> None:
    assert grade(rf"\boxed{{{one}}}", other).status == "wrong"
    assert grade(rf"\boxed{{{other}}}", one).status == "wrong"
    assert grade(rf"\boxed{{{one}}}", one).status == "correct"
