"""Numbers that only look alike, and functions that are one formula here and another there. Verdicts by hand."""

import time

import pytest

from verify import Policy, grade
from verify.digits import same_digits
from verify.latex import read

SAME = [
    # equal in every digit, though reckoned differently
    (r"\sqrt2+\sqrt3", r"\sqrt{5+2\sqrt6}"), (r"\sin\pi", "0"), (r"(\sqrt2)^2-2", "0"), (r"e^{i\pi}", "-1"),
    (r"\frac{1}{\sqrt2}", r"\frac{\sqrt2}{2}"), (r"\sqrt[3]{2+\sqrt5}+\sqrt[3]{2-\sqrt5}", "1"),
    (r"\cos\frac{\pi}{7}\cos\frac{2\pi}{7}\cos\frac{3\pi}{7}", r"\frac18"), (r"4\arctan 1", r"\pi"),
    ("e^{1000}", r"e^{999}\cdot e"), (r"x>\sqrt2", r"x>\frac{2}{\sqrt2}"), (r"\lfloor\pi^2\rfloor", "9"),
    (r"y=\sqrt2 x", r"\sqrt2 y=2x"),
    (r"[10^{-20},2\cdot10^{-20}]", r"[10^{-20},\frac{2}{10^{20}}]"),
    (r"x\ln2+y=1", r"x\ln4+2y=2"), ("|x-100|+|y|=1", "2|100-x|+2|y|=2"),
    (r"\max(\sqrt2,1)", r"\sqrt2"), (r"f(\sqrt2)", r"f(\frac{2}{\sqrt2})"),
    # piecewise
    (r"\max(a,b)", r"\frac{a+b+|a-b|}{2}"), (r"\sqrt{x^2}", "|x|"), ("|x-100|", "|100-x|"), ("|z|^2", r"z\bar z"),
    (r"\operatorname{Re}(z)", r"\frac{z+\bar z}{2}"), (r"\operatorname{Re}(iz)", r"-\operatorname{Im}(z)"),
    (r"\lfloor x+1\rfloor", r"\lfloor x\rfloor+1"), (r"\lfloor n/2\rfloor", r"\frac{2n-1+(-1)^n}{4}"),
    (r"\lceil x\rceil", r"-\lfloor -x\rfloor"), (r"\min(x,y)+\max(x,y)", "x+y"), (r"\binom{n}{2}", r"\frac{n(n-1)}{2}"),
    (r"\sqrt{x^2+2xy+y^2}", "|x+y|"), (r"\bar x+1", r"1+\bar x"), ("n!", "n(n-1)!"),
    (r"\ln|2x|+C", r"\ln|x|+C"), (r"e^x+\sin x+C", r"\sin x+e^x+1+C"),
]  # fmt: skip

DIFFERENT = [
    ("e^{100}+1", "e^{100}"), ("e^{-1000}", "0"), ("1+e^{-1000}", "1"), (r"\pi", "3.14159265358979"),
    (r"\sqrt2", "1.41421356237309505"), (r"\pi", "3.14159265358979323846264338327950288"),
    (r"e^{\pi\sqrt{163}}", "262537412640768744"), (r"\ln(1+10^{-20})", "10^{-20}"), ("e^{1000}", "e^{1000}+1"),
    ("x+e^{-100}", "x"), (r"x\ln 2", "0.6931471805599453x"), (r"y=\pi x", "y=3.14159265358979x"),
    (r"(\pi,1)", "(3.14159265358979,1)"), (r"x>\pi", "x>3.14159265358979"), (r"[0,\pi]", "[0,3.14159265358979]"),
    (r"f(\sqrt2)", "f(1.414213562)"), ("x>1", "x>1.0000000000001"), (r"e^{-1000}e^{-1000}+1", "1"),
    (r"\lfloor x\rfloor", "x"), ("|x-100|", "100-x"), ("|x+100|", "x+100"), (r"\max(x,0)", "x"),
    (r"\max(x,-50)", "x"), (r"\operatorname{Re}(z)", "z"), (r"\bar z", "z"), (r"\arg(z)", "0"),
    (r"x \bmod 1000", "x"), (r"n \bmod 1000", "n"), (r"\sqrt{(x-100)^2}", "100-x"), (r"\operatorname{sgn}(x)", "1"),
    (r"\lceil x\rceil", r"\lfloor x\rfloor+1"), (r"\lfloor x/1000\rfloor", "0"), (r"\gcd(n,6)", "1"),
    (r"[10^{-20},2\cdot10^{-20}]", r"[10^{-20},3\cdot10^{-20}]"),
    (r"|\operatorname{Re}(z)|", "|z|"), (r"\max(x,y,1000)", "1000"), (r"1+2\cos\frac{2\pi n}{3}", "0"),
]  # fmt: skip


@pytest.mark.parametrize(("gold", "answer"), SAME)
def test_one_value_in_two_forms_is_correct(gold: str, answer: str) -> None:
    assert grade(rf"\boxed{{{answer}}}", gold).status == "correct"
    assert grade(rf"\boxed{{{gold}}}", answer).status == "correct"


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        (r"x\ln2+y=1", "0.6931471805599453x+y=1"),
        ("|x-100|+|y|=1", "100-x+|y|=1"),
        (r"e^x+C", r"e^x+e^{-100}x+C"),
        (r"e^{-100}x+y=1", "y=1+0x"),
    ],
)
def test_curves_that_only_look_alike_are_not_one(gold: str, answer: str) -> None:
    assert grade(rf"\boxed{{{answer}}}", gold).status != "correct"
    assert grade(rf"\boxed{{{gold}}}", answer).status != "correct"


@pytest.mark.parametrize(("gold", "answer"), DIFFERENT)
def test_what_only_looks_alike_is_wrong(gold: str, answer: str) -> None:
    assert grade(rf"\boxed{{{answer}}}", gold).status == "wrong"
    assert grade(rf"\boxed{{{gold}}}", answer).status == "wrong"


def test_a_printed_decimal_is_a_matter_of_the_policy() -> None:
    for policy in (Policy(rounding=True), Policy(tolerance=1e-6)):
        assert grade(r"\boxed{3.14159265}", r"\pi", policy=policy).status == "correct"
    assert grade(r"\boxed{3.14159265}", r"\pi").status == "wrong"


@pytest.mark.parametrize("tower", ["e^{e^{100}}", "10^{10^{10}}", "e^{e^{e^{e^9}}}", r"\pi^{9^{9^9}}", "(10^9)!+\\pi"])
def test_digits_are_not_reckoned_without_end(tower: str) -> None:
    node, one = read(tower), read("1")
    assert node is not None
    assert one is not None
    start = time.process_time()
    assert same_digits((node, {}), (one, {})) is not True
    assert time.process_time() - start < 0.2
