"""What a response only supposes, takes back or writes as code; and notations that may mean two things."""

import pytest

from verify import grade

NO_ANSWER = "no_answer"

SAID = [
    ("The answer is 5.", "5", "correct"),
    ("If x = 2 then the answer is 5.", "5", "correct"),
    ("If the answer is 5, we have a contradiction.", "5", NO_ANSWER),
    ("If the answer is 5, we have a contradiction.", "7", NO_ANSWER),
    ("Suppose the answer is 12. Then 3 divides it.", "12", "wrong"),
    ("Let's verify whether the answer is 10.", "10", NO_ANSWER),
    ("The answer might be 5.", "5", NO_ANSWER),
    ("The answer might be 5.", "7", NO_ANSWER),
    ("The answer could be 5 or 7.", "5", NO_ANSWER),
    (r"\boxed{4}. Wait, that is wrong because we forgot 2. Let me redo it", "4", NO_ANSWER),
    (r"\boxed{4}. Wait, that is right.", "4", "correct"),
    ("So the derivative is 3*x**2", "3x^2", "correct"),
    ("So the derivative is 3*x**2.", "3x", "wrong"),
    ("The total is **12** apples", "12", "correct"),
]
BOXED = [
    ("{10}C_3", "120", "correct"),
    ("{10}C_3", "121", "wrong"),
    ("C_{10}^3", "120", "correct"),
    ("C^3_{10}", "120", "correct"),
    (r"\frac{C_5^2}{C_6^3}", "1/2", "correct"),
    ("C_{10}^3", "720", "wrong"),
    ("x C_1^2", "x C_2^1", "wrong"),
    ("i-2j", "(1,-2)", "correct"),
    ("i-2j", r"\begin{pmatrix}1\\-2\end{pmatrix}", "correct"),
    ("i-2j", r"\begin{pmatrix}1\\2\end{pmatrix}", "wrong"),
    ("2i-j+3k", "(2,-1,3)", "correct"),
    ("1+2i", "(1,2)", "undecided"),
    ("y/x=2", "y=2x", "undecided"),
    ("xy=1", "y=1/x", "correct"),
    (r"\min(\ln(e^{x}),1000)", "x", "wrong"),
    (r"\min(\ln(e^{x}),x+1)", "x", "correct"),
    ("Acetaldehyde and acetate", "Acetaldehyde, acetate,", "correct"),
    ("5,", "5", "undecided"),
]


@pytest.mark.parametrize(("response", "gold", "status"), SAID)
def test_only_what_a_response_settles_on_is_its_answer(response: str, gold: str, status: str) -> None:
    found = grade(response, gold).status
    # What is read out of prose may be undecided instead of wrong; it is never correct.
    assert found == status or (status in ("wrong", NO_ANSWER) and found in ("undecided", NO_ANSWER))


@pytest.mark.parametrize(("answer", "gold", "status"), BOXED)
def test_notations_go_by_what_they_prove_both_ways_round(answer: str, gold: str, status: str) -> None:
    assert grade(rf"So $\boxed{{{answer}}}$.", gold).status == status
    assert grade(rf"So $\boxed{{{gold}}}$.", answer).status == status
