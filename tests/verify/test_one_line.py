"""Replies of one line without a box, and answers that are none."""

import pytest

from verify import grade

FIVE = [
    "5", "5.", "**5**", "$5$", "`5`", "# 5", "x is 5.", "x = 5", "So x equals 5.", "**Answer:** 5", "**Answer: 5**",
    "My answer: 5", "Answer 5", "ans 5", "Answer: $5$ apples", "5 apples", "It's 5.", "It is five.", "five",
    "Answer: five", "The final result equals 5", "Total: 5", "Result = 5", "So 5", "Therefore 5", "I get 5",
    "We get x=5", "La respuesta es 5.", "La réponse est 5.", "Die Lösung ist 5.", "Ответ: 5", "答案：5",
    "答えは5です。", "정답은 5입니다.", "There are 5 apples in 3 boxes.", "The total cost is $5.",
]  # fmt: skip
# What may mean five, and may mean another thing.
DOUBTFUL = ["- 5", "> 5", "5!", "5?", "Five apples.", "(5", "not sure, 4 or 5"]


@pytest.mark.parametrize("response", FIVE)
def test_a_reply_of_one_line_is_read(response: str) -> None:
    assert grade(response, "5").status == "correct"
    assert grade(response, "7").status != "correct"


@pytest.mark.parametrize("response", DOUBTFUL)
def test_a_doubtful_reply_is_no_firm_wrong(response: str) -> None:
    assert grade(response, "5").status in ("undecided", "no_answer", "correct")


BROKEN = [
    "1e+", "5-", "5+", "5,", ",5", "5;", "5&", "5^", "5_", "5=", "=", "+", "-", "/", "^", "%", "(", ")", "()", "(,)",
    "(5", "5)", "[5", "5|", "5\\", r"\frac{5}", r"\frac{5}{}", r"\frac{}{5}", r"\sqrt{}", r"\sqrt", r"5\sqrt{}",
    r"\text{some words}", r"\text{fünf}",
]  # fmt: skip
EMPTY = ["", " ", "?", "...", r"\dots", r"\ldots", r"\text{}", "TBD", "N/A", "answer", "your answer here", "{}"]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_answer_is_undecided_on_either_side(broken: str) -> None:
    for other in ("5", "7", "1"):
        assert grade(rf"So \boxed{{{broken}}}", other).status in ("undecided", "no_answer")
        assert grade(rf"So \boxed{{{other}}}", broken).status == "undecided"


@pytest.mark.parametrize("empty", EMPTY)
def test_a_box_that_holds_a_place_is_no_answer(empty: str) -> None:
    assert grade(rf"So x is \boxed{{{empty}}}.", "5").status == "no_answer"
    assert grade(f"So <answer>{empty}</answer>", "5").status == "no_answer"
    assert grade(rf"So it is \boxed{{5}}. Finally: \boxed{{{empty}}}", "5").status == "correct"


@pytest.mark.parametrize(
    ("answer", "gold"),
    [
        (r"1+1/2+1/3+\dots", r"\infty"),
        (r"1+1/2+1/3+\dots", "5"),
        (r"1+\frac12+\frac14+\cdots", "2"),
        (r"1,2,3,\dots", "1,2,3"),
        (r"\sum_{n=1}^\infty 1/n", "5"),
    ],
)
def test_an_endless_run_is_undecided(answer: str, gold: str) -> None:
    assert grade(rf"\boxed{{{answer}}}", gold).status in ("undecided", "timeout")
    assert grade(rf"\boxed{{{gold}}}", answer).status in ("undecided", "timeout")


@pytest.mark.parametrize(
    "text", [r"\text{no solution}", r"\text{cannot be determined}", r"\text{not enough information}"]
)
def test_a_text_that_says_there_is_no_number_is_wrong(text: str) -> None:
    assert grade(rf"\boxed{{{text}}}", "5").status == "wrong"


def test_nested_and_unclosed_boxes_are_read_inside_out() -> None:
    assert grade(r"\boxed{\boxed{5}}", "5").status == "correct"
    assert grade(r"\boxed{\boxed{5}", "5").status == "correct"
    assert grade(r"\boxed{\boxed{", "5").status in ("no_answer", "undecided")


@pytest.mark.parametrize(
    "response",
    [
        r"We substitute and get \[ \frac{144}{x} = 18",
        r"For j = 3: \( f(14, 3) = f(13",
        "We try 29 = 15 + 6 + 8 (but",
        "We have set it up. The steps above lead to the solution for $k$.",
    ],
)
def test_a_text_that_breaks_off_or_only_names_its_unknown_gives_no_answer(response: str) -> None:
    assert grade(response, "5").status == "no_answer"
