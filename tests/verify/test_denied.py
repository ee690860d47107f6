"""What a response says is not the answer is not taken for it."""

import time

import pytest

from verify import grade
from verify.negation import affirmed

# response, then what is extracted from it: None where nothing is affirmed
DENIED = [
    (r"The answer is not \boxed{5}.", None),
    (r"\boxed{5} is not the answer.", None),
    (r"\boxed{5} is wrong.", None),
    (r"It is wrong to say \boxed{5}.", None),
    (r"So \boxed{7}, and the answer is not \boxed{5}.", "7"),
    (r"\boxed{5} is incorrect. The right one is \boxed{6}.", "6"),
    (r"The answer is not \boxed{5}. It is 7.", "7"),
    ("The answer is not 5.", None),
    ("The answer is never 5.", None),
    ("The answer isn't 5, it is 7.", "7"),
    ("The answer is not 5 but 7.", "7"),
    ("The answer is 7, not 5.", "7"),
    ("x is not 5.", None),
    ("Not 5", None),
    ("It can't be 7.", None),
    ("It cannot be 7.", None),
    ("Is the answer 5? No.", None),
    ("Is the answer 5? No. It is 7.", "7"),
    ("I do not think the answer is 5.", None),
    ("I don't believe it is 5.", None),
    ("There is no way that the answer is 5.", None),
    ("La respuesta no es 5.", None),
    ("La réponse n'est pas 5.", None),
    ("Die Antwort ist nicht 5.", None),
    ("Die Antwort ist nicht 5, sondern 7.", "7"),
    ("A resposta não é 5.", None),
    ("La risposta non è 5.", None),
    ("Ответ не 5.", None),
    ("答案不是5。", None),
    ("答案不是5，而是7。", "7"),
]
# Words of denial that deny another thing than the value.
AFFIRMED = [
    ("x cannot be negative so the answer is 7", "7"),
    ("4 is not prime, so the answer is 7", "7"),
    ("Since n is not 0, the answer is 7.", "7"),
    ("The largest number that does not exceed 7.5 is 7.", "7"),
    ("12 is not divisible by 5, therefore we get 7.", "7"),
    ("What is left? Not much: the answer is 7.", "7"),
    (r"If it is not even, then it is \boxed{7}", "7"),
    (r"The map is not \boxed{\text{injective}}.", r"\text{injective}"),
]


@pytest.mark.parametrize(("response", "answer"), DENIED)
def test_what_is_denied_is_no_answer(response: str, answer: str | None) -> None:
    assert grade(response, "5").status in (("no_answer", "undecided") if answer is None else ("wrong", "undecided"))
    assert grade(response, answer or "123").status == ("correct" if answer else "no_answer")


@pytest.mark.parametrize(("response", "answer"), AFFIRMED)
def test_what_is_not_denied_is_an_answer(response: str, answer: str) -> None:
    assert grade(response, answer).status == "correct"


@pytest.mark.parametrize(
    ("response", "letter"),
    [
        ("I would not choose A", None),
        ("Option A is incorrect", None),
        ("A is not correct", None),
        ("It's not A.", None),
        ("Not A", None),
        ("We can rule out A.", None),
        ("We eliminate A and C.", None),
        ("The correct option is not (A).", None),
        ("It's not A, so the answer is B.", "B"),
        ("A is wrong, B is right.", "B"),
        ("The answer is B, not A.", "B"),
        ("Neither A nor C is correct. B is.", "B"),
        ("B不是 A", "B"),
    ],
)
def test_a_denied_letter_is_not_chosen(response: str, letter: str | None) -> None:
    assert grade(response, "A").status == ("wrong" if letter else "no_answer")
    assert grade(response, "B").status == ("correct" if letter else "no_answer")


@pytest.mark.parametrize(
    "response", ["The answer is A. The answer is B.", "Both A and B are correct.", "The answer is either A or B."]
)
def test_two_affirmed_letters_are_undecided(response: str) -> None:
    assert [grade(response, letter).status for letter in "ABC"] == ["undecided"] * 3


def test_a_corrected_letter_is_the_last_one() -> None:
    assert grade("The answer is A. Wait, no, I forgot a sign. The answer is B.", "B").status == "correct"


@pytest.mark.parametrize(
    "piece", ["not ", "1 and ", "A, ", "x? No ", "doubt the answer is ", r"not \boxed{", "n't the "]
)
def test_denials_are_found_in_linear_time(piece: str) -> None:
    started = time.process_time()
    affirmed(piece * (1_000_000 // len(piece)))
    assert time.process_time() - started < 0.2
