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


def test_a_value_guessed_from_prose_is_not_wrong_where_the_prose_may_mean_the_gold_answer() -> None:
    sentence = "Among friends it comes down to 8 good meals on each of the next 12 long days"
    assert grade(sentence, "8").status == "undecided"
    assert grade(sentence, "15").status == "wrong"
    assert grade("So she faces \\boxed{E}.", "east").status == "undecided"
    assert grade("After 2250 degrees to her right, the figure skater is facing east.", "east").status != "wrong"


def test_words_before_a_boxed_value_do_not_count() -> None:
    assert grade(r"\boxed{\text{The answer is }100}", "100").status == "correct"
    assert grade(r"\boxed{\text{We find }\frac{3\pi}{24}}", r"\frac{\pi}{8}").status == "correct"
    assert grade(r"\boxed{\text{It is 5100}}", "5100").status == "correct"


def test_a_time_of_day_is_its_hour() -> None:
    assert grade(r"\boxed{2:00 \text{ pm}}", "2").status == "correct"
    assert grade(r"\boxed{2:00\text{ p.m.}}", "2 pm").status == "correct"
    assert grade(r"\boxed{2:30\text{ pm}}", "2 pm").status != "correct"


def test_antiderivatives_are_one_family() -> None:
    assert (
        grade(r"\boxed{(1/2)*exp(x)*(sin(x) - cos(x)) + C}", "exp(x)*sin(x)/2 - exp(x)*cos(x)/2 + C").status
        == "correct"
    )
    assert grade(r"\boxed{-3*E**(10*x - 6) + C}", "-3*exp(10*x - 6) + C").status == "correct"
    assert grade(r"\boxed{2*acos(x) + C}", "-2*x*asin(x) - 2*sqrt(1 - x**2) + C").status != "correct"


def test_the_word_i_is_no_option() -> None:
    assert grade("The steps settle the question. I leave the last line to the reader.", "B").status == "no_answer"
    assert grade("I am not able to assist with this question.", "C").status == "no_answer"
