"""Letters that are no numbers: matrices, derivatives, vectors written across or down. Verdicts by hand."""

import pytest

from verify import grade

COLUMN, ROW = r"\begin{pmatrix}1\\2\\3\end{pmatrix}", r"\begin{pmatrix}1&2&3\end{pmatrix}"


def statuses(gold: str, answer: str) -> set[str]:
    return {grade(rf"\boxed{{{answer}}}", gold).status, grade(rf"\boxed{{{gold}}}", answer).status}


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("AB-BA", "0"), ("AB-BA", "BA-AB"), ("ABA^{-1}", "B"), ("A^{-1}B", "BA^{-1}"), ("(AB)^{-1}", "A^{-1}B^{-1}"),
        ("A^2+AB+BA+B^2", "(A+B)^2"),
    ],
)  # fmt: skip
def test_capitals_that_may_be_matrices_change_no_places(gold: str, answer: str) -> None:
    assert statuses(gold, answer) == {"undecided"}


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("PRT", "RTP"), (r"\frac{1}{2}BLv", r"\frac{vLB}{2}"), ("A^2-B^2", "(A-B)(A+B)"), (r"\frac{V}{R}", "VR^{-1}"),
        ("MLT^{-2}", "LMT^{-2}"), ("AB-BA", "AB-BA"), ("A^{-1}BA", "A^{-1} B A"), (r"\frac{dy}{dx}", "dy/dx"),
        (r"2\frac{dy}{dx}", r"\frac{dy}{dx}+\frac{dy}{dx}"), (r"\frac{dy}{dx}=2x", "2x"), (r"\frac{d}{d+1}", "d/(d+1)"),
        (r"\frac{ad}{bd}", r"\frac ab"), (COLUMN, "(1,2,3)"), (ROW, "(1,2,3)"), (COLUMN, COLUMN), ("d/4", "0.25d"),
    ],
)  # fmt: skip
def test_numbers_keep_the_rules_of_numbers(gold: str, answer: str) -> None:
    assert statuses(gold, answer) == {"correct"}


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        (r"\frac{dy}{dx}", r"\frac{y}{x}"), ("dy/dx", "y/x"), (r"\frac{\partial f}{\partial x}", r"\frac{f}{x}"),
        (r"\frac{d^2y}{dx^2}", r"\frac{dy}{dx}"), (r"\frac{dy}{dx}", r"\frac{dx}{dy}"), (COLUMN, ROW),
        (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\begin{pmatrix}1&3\\2&4\end{pmatrix}"), ("AB-BA", "1"),
    ],
)  # fmt: skip
def test_what_only_looks_alike_is_not_correct(gold: str, answer: str) -> None:
    assert statuses(gold, answer) <= {"wrong", "undecided"}
