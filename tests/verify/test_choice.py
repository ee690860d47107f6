"""Option letters and their texts: gold answer and answer may be exchanged."""

import pytest

from verify import grade

LETTERS = [
    "B", "b", "(B)", "B)", "B.", "(b)", r"\text{(B)}", r"\text{B}", r"\textbf{(B)}", r"\mathrm{(B)}", "Option B",
    "option B", "choice B", "**B**", "[B]", "{B}",
]  # fmt: skip
BOTH = ["(B) 5", "B. 5", "B) 5", "B: 5", "B 5", r"\text{(B) }5", r"\text{B. 5}", r"\textbf{(B)}\ 5"]
TEXTS = ["5", "5.0", "five"]
PROBLEM = "What is 2+3?\n(A) 4\n(B) 5\n(C) 6\n(D) 7"


@pytest.mark.parametrize("one", LETTERS + BOTH)
@pytest.mark.parametrize("problem", [None, PROBLEM])
def test_every_spelling_of_an_option_is_every_other(one: str, problem: str | None) -> None:
    for other in LETTERS + BOTH:
        assert grade(rf"\boxed{{{one}}}", other, problem).status == "correct"


@pytest.mark.parametrize("one", LETTERS)
@pytest.mark.parametrize("other", TEXTS)
def test_a_letter_against_a_text_needs_the_problem(one: str, other: str) -> None:
    assert grade(rf"\boxed{{{one}}}", other, PROBLEM).status == "correct"
    assert grade(rf"\boxed{{{other}}}", one, PROBLEM).status == "correct"
    if one != "b":  # a lone small letter is a name
        assert grade(rf"\boxed{{{one}}}", other).status == "undecided"
        assert grade(rf"\boxed{{{other}}}", one).status == "undecided"


@pytest.mark.parametrize("one", BOTH)
@pytest.mark.parametrize("other", TEXTS)
def test_an_option_with_its_text_is_the_text(one: str, other: str) -> None:
    for problem in (None, PROBLEM):
        assert grade(rf"\boxed{{{one}}}", other, problem).status == "correct"
        assert grade(rf"\boxed{{{other}}}", one, problem).status == "correct"


@pytest.mark.parametrize(
    ("one", "other", "status"),
    [
        ("B", "C", "wrong"),
        ("(B)", "C. 6", "wrong"),
        ("(B) 5", "(C) 6", "wrong"),
        ("B", "6", "wrong"),
        ("(B) 5", "6", "wrong"),
        ("(B) 5", "(C) 5", "undecided"),
        ("(B) 5", "(B) 6", "undecided"),
        ("B", "9", "wrong"),
    ],
)
def test_other_options_are_not_the_same(one: str, other: str, status: str) -> None:
    assert grade(rf"\boxed{{{one}}}", other, PROBLEM).status == status
    assert grade(rf"\boxed{{{other}}}", one, PROBLEM).status == status


@pytest.mark.parametrize(
    ("one", "other"),
    [(r"C\sqrt{2}", "C"), ("x + C", "C"), ("A B", "A"), ("A, D", "A"), ("(A, B)", "A"), ("e", "a"), ("C(10,3)", "C")],
)
def test_an_expression_with_a_letter_is_no_option(one: str, other: str) -> None:
    assert grade(rf"\boxed{{{one}}}", other).status != "correct"
    assert grade(rf"\boxed{{{other}}}", one).status != "correct"


def test_small_letters_that_are_numbers_are_numbers() -> None:
    assert grade(r"\boxed{\exp(1)}", "e").status == "correct"
    assert grade(r"\boxed{e}", r"\exp(1)").status == "correct"


def test_prose_names_an_option_or_its_text() -> None:
    assert grade("So the sum is 5.", "B", PROBLEM).status == "correct"
    assert grade("The answer is B.", "5", PROBLEM).status == "correct"
    assert grade("The answer is C.", "5", PROBLEM).status == "wrong"
