"""Notations by class: what is the same answer, what is another, and what only a reader can tell. Labels by hand."""

import pytest

from verify import grade
from verify.verdict import Verdict

WORDS = [
    ("5 ft 3 in", "63 in", "correct"), ("5 ft 3 in", "5 ft 4 in", "wrong"), ("2 h 30 min", "2.5 h", "correct"),
    ("5'3\"", "63 in", "correct"), ("5 lb 8 oz", "5.5 lb", "correct"), ("5 lb 8 oz", "5.8 lb", "wrong"),
    (r"\text{one half}", "1/2", "correct"), ("two thirds", "2/3", "correct"), ("two thirds", "3/2", "wrong"),
    ("5 remainder 3", "5 R 3", "correct"), ("5 remainder 3", "3 remainder 5", "wrong"),
    ("5 boys and 3 girls", "3 girls and 5 boys", "correct"), ("5 boys and 3 girls", "3 boys and 5 girls", "wrong"),
    ("3 to 2", "3:2", "correct"), ("3 to 2", "2:3", "wrong"), ("3 to 5", "3-5", "undecided"),
    ("odd function", "odd", "undecided"), ("2", "AZYUK2A", "wrong"),
]  # fmt: skip
MOMENTS = [
    ("March 5", "5 March", "correct"), ("March 5", "March 6", "wrong"), ("March 5", "5 May", "wrong"),
    ("5th of March 2020", "March 5, 2020", "correct"), ("March 5, 2020", "March 5, 2021", "wrong"),
    ("14:30", "2:30 PM", "correct"), ("14:30", "2:30 AM", "wrong"), ("14:30", "2:31 PM", "wrong"),
]  # fmt: skip
COMBINATORICS = [
    ("_{10}C_3", "120", "correct"), ("{}_{10}C_{3}", "120", "correct"), ("^{10}C_3", "120", "correct"),
    ("10C3", "120", "correct"), ("10C3", "121", "wrong"), ("10P3", "720", "correct"), ("C(10,3)", "120", "correct"),
    ("5!!", "15", "correct"), ("5!!", "120", "wrong"), ("6!!", "48", "correct"),
]  # fmt: skip
BASES = [
    ("1A_{16}", "1A", "correct"), ("1A_{16}", "1a_{16}", "correct"), ("1A_{16}", "1B", "wrong"),
    ("0xFF", "FF_{16}", "correct"), ("0b10", "10_2", "correct"), ("0x10", "0x11", "wrong"),
    ("0x10", "16", "undecided"), ("0b10", "2", "undecided"), ("0x10", "10", "undecided"),
    ("١٢", "12", "correct"), ("٣٫٥", "3.5", "correct"), ("१२", "13", "wrong"),
]  # fmt: skip
FAMILIES = [
    (r"\frac{\pi}{4}+k\pi, k\in\mathbb{Z}", r"\frac{\pi}{4}+n\pi, n \in \mathbb Z", "correct"),
    (r"x=\frac{\pi}{4}+k\pi", r"x=\frac{\pi}{4}+n\pi", "correct"),
    (r"x=\frac{\pi}{4}+k\pi", r"x=\frac{\pi}{3}+n\pi", "wrong"),
    (r"2k+1, k\in\mathbb{Z}", r"2n+1, n\in\mathbb{Z}", "correct"),
    (r"2k+1, k\in\mathbb{Z}", r"2n-1, n\in\mathbb{Z}", "correct"),
    (r"2k+1, k\in\mathbb{Z}", r"2n, n\in\mathbb{Z}", "wrong"), ("2k+1", "2n+1", "wrong"),
    (r"60^\circ + 360^\circ k", r"60^\circ+360^\circ n", "correct"),
    (r"(n-2)\cdot 180^\circ", r"(n-1)\cdot 180^\circ", "wrong"),
    (r"(-1)^k\frac{\pi}{6}+k\pi", r"\frac{\pi}{6}+2k\pi, \frac{5\pi}{6}+2k\pi", "correct"),
]  # fmt: skip
GENERAL_SOLUTIONS = [
    ("C_1e^x+C_2e^{-x}", "Ae^x+Be^{-x}", "correct"), ("y=C_1e^x+C_2e^{-x}", "y(x)=Ae^x+Be^{-x}", "correct"),
    ("C_1e^x+C_2e^{-x}", r"C_1\cosh x+C_2\sinh x", "correct"), ("C_1e^{2x}+C_2xe^{2x}", "(A+Bx)e^{2x}", "correct"),
    ("C_1e^x+C_2e^{-x}", "Ae^x+Be^{-2x}", "wrong"), ("C_1e^{2x}+C_2xe^{2x}+x", "(A+Bx)e^{2x}", "wrong"),
    ("C_1V_1+C_2V_2", "C_1V_2+C_2V_1", "wrong"), ("V(C_1+C_2)", "V(C_1-C_2)", "wrong"),
    ("c_1x+c_2", "c_1x-c_2", "wrong"), ("a_1+a_2", "a_1+2a_2", "wrong"),
]  # fmt: skip
RUNS = [
    ("1, 2, ..., 10", "1,2,3,4,5,6,7,8,9,10", "correct"), ("1, 2, ..., 10", "1,2,3,4,5,6,7,8,9", "wrong"),
    (r"2,4,6,\dots,20", "2,4,6,8,10,12,14,16,18,20", "correct"),
    (r"\{2,4,6,\ldots,12\}", r"\{2,4,6,8,10,12\}", "correct"), (r"\{1,2,4,\dots,32\}", r"\{1,2,4,8,16,32\}", "correct"),
    (r"\{2,4,\dots,16\}", r"\{2,4,8,16\}", "undecided"),
]  # fmt: skip
BOUNDS = [
    ("2<x<3", "x>2 and x<3", "correct"), ("2<x<3", "x>2 or x<3", "wrong"), ("x<-1 or x>2", "x<-1, x>2", "correct"),
    (r"x\neq 1,2", r"x\neq 1", "wrong"), (r"x\neq 1,2", r"x\neq 1, x\neq 2", "correct"),
    (r"x\neq 1,2", r"(-\infty,1)\cup(1,2)\cup(2,\infty)", "correct"),
    ("at least 5", r"\ge 5", "correct"), ("at least 5", r"x\ge 5", "correct"),
    ("5 or more", "no less than 5", "correct"), ("at least 5", "at most 5", "wrong"), ("more than 5", "5", "wrong"),
    ("more than 5", "at least 6", "undecided"),
    ("at least 5", "5", "undecided"), ("at least 5", "more than 5", "wrong"), ("x>2", "y>2", "wrong"),
    (r"\{x : x>1\}", r"\{y : y>1\}", "correct"), (r"\{x : x>1\}", r"\{y : x>1\}", "wrong"),
    (r"\{x\in\mathbb{R} \mid x>1\}", r"(1,\infty)", "correct"),
    (r"\{x\in\mathbb{Z} \mid x>1\}", r"\{n\in\mathbb{Z} \mid n>1\}", "correct"),
    (r"\{x\in\mathbb{Z} \mid x>1\}", r"(1,\infty)", "undecided"),
]  # fmt: skip
UNITS = [
    ("1.32 g/liter", "1.36", "wrong"), ("1.32 g/liter", "1.32", "correct"), ("1.32 g/liter", "1.32 kg/m^3", "correct"),
    ("5 km/h", "5 km per hour", "correct"), ("5 km/h", "5 m per hour", "wrong"), ("1 km", "1000 m", "correct"),
    (r"5\,m\,s^{-2}", r"5\text{ m/s}^2", "correct"), (r"5\,m\,s^{-1}", r"5\text{ m/s}^2", "wrong"),
]  # fmt: skip
NAMES = [
    ("f^{-1}(x)=x+1", "x+1", "correct"), ("f^{-1}(x)=x+1", "x-1", "wrong"), ("A(1,2)", "(1,2)", "correct"),
    ("A(1,2)", "(2,1)", "wrong"), (r"\{(1,2)\}", "x=1,y=2", "correct"), (r"\{(1,2)\}", "x=2,y=1", "wrong"),
    ("f(x)=x^2", "f(y)=x^2", "wrong"), ("f(2)=5", "f(3)=5", "wrong"), ("f(2)=5", "5", "correct"),
    ("y(x)=x^2", "y(t)=t^2", "correct"), ("r:s", "s:r", "wrong"), ("2:3", "3:2", "wrong"),
]  # fmt: skip
CURVES = [
    ("xy=1", "y=1/x", "correct"), ("y=1/x", "x=1/y", "correct"), ("xy=1", "y=2/x", "wrong"),
    (r"y=\frac{x+1}{x}", "xy=x+1", "correct"), ("y=x^2", "x=y^2", "wrong"),
    ("x^2+y^2=1", r"y=\pm\sqrt{1-x^2}", "undecided"),
]  # fmt: skip
NUMBER_WORDS = [
    ("twenty-one", "21", "correct"), ("one hundred and five", "105", "correct"),
    ("one hundred and five", "150", "wrong"),
    ("five million", "5000000", "correct"), ("one and a half", "1.5", "correct"), ("twenty twelve", "32", "undecided"),
]  # fmt: skip
CHEMISTRY = [
    ("H_2O", "H2O", "correct"), (r"\text{CO}_2", "CO2", "correct"), ("H_2O", "H_3O", "wrong"), ("CO", "Co", "wrong"),
    ("1s^2 2s^2", "1s^22s^2", "correct"), (r"5\Omega", "5 ohms", "correct"), ("0.5 M", "0.5 mol/L", "correct"),
]  # fmt: skip
FUNCTIONS = [
    (r"\log 100", "2", "correct"), (r"\log 8", r"3\log 2", "correct"), (r"\log 8", "3", "wrong"),
    (r"2\operatorname{cis}\frac{\pi}{2}", "2i", "correct"), (r"2\operatorname{cis}\frac{\pi}{2}", "-2i", "wrong"),
    ("f(x)=2x", "g(x)=2x", "wrong"), ("f'(x)=2x", "f(x)=2x", "wrong"), ("f^{-1}(x)=x", "f(x)=x", "wrong"),
]  # fmt: skip
DISTANCES = [
    ("|x|<2", "-2<x<2", "correct"), ("|x-1|<2", "(-1,3)", "correct"), ("|x|<2", "x<2", "wrong"),
    (r"|x+1|\ge 2", r"(-\infty,-3]\cup[1,\infty)", "correct"), ("|x|>2", "-2<x<2", "wrong"),
]  # fmt: skip
MATRICES = [
    ("[[1,2],[3,4]]", r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", "correct"),
    ("[[1,2],[3,4]]", r"\begin{pmatrix}1&3\\2&4\end{pmatrix}", "wrong"),
]  # fmt: skip
CLASSES = {
    "words": WORDS,
    "moments": MOMENTS,
    "combinatorics": COMBINATORICS,
    "bases": BASES,
    "families": FAMILIES,
    "general solutions": GENERAL_SOLUTIONS,
    "runs": RUNS,
    "bounds": BOUNDS,
    "units": UNITS,
    "names": NAMES,
    "curves": CURVES,
    "number words": NUMBER_WORDS,
    "chemistry": CHEMISTRY,
    "functions": FUNCTIONS,
    "distances": DISTANCES,
    "matrices": MATRICES,
}
ALL = [(kind, *row) for kind, rows in CLASSES.items() for row in rows]


def judged(answer: str, gold: str) -> Verdict:
    return grade(rf"... Therefore the answer is $\boxed{{{answer}}}$.", gold)


@pytest.mark.parametrize(("kind", "gold", "answer", "status"), ALL)
def test_a_notation_is_read_both_ways_round(kind: str, gold: str, answer: str, status: str) -> None:
    assert (judged(answer, gold).status, judged(gold, answer).status) == (status, status)


@pytest.mark.parametrize(
    ("gold", "answer"), [("3 apples 4", "12"), ("2 pens 3 pencils", "5"), ("quick 5 fox 2", "10 cats 1")]
)
def test_what_cannot_be_read_is_not_firmly_wrong(gold: str, answer: str) -> None:
    assert judged(answer, gold).status == judged(gold, answer).status == "undecided"
