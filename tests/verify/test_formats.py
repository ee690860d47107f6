"""One table of answers that are, or are not, the same; the labels are mathematics, not this program's opinion."""

import pytest

from verify import Policy, grade

SAME = {
    "numbers": [
        ("0.5", r"\frac{1}{2}"), (r"\frac{3}{4}", "3/4"), (r"3\frac{1}{2}", "3.5"), ("2 3/4", r"\frac{11}{4}"),
        (r"-1\frac12", r"-\frac{3}{2}"), ("1,234,567", "1234567"), ("1 000 000", "1000000"), ("10{,}000", "10000"),
        (r"10,\!236", "10236"), (r"7.8\times 10^2", "780"), (r"0.1\overline{6}", r"\frac16"), ("007", "7"),
        (r"\text{seventeen}", "17"), (r"\sqrt{12}", r"2\sqrt3"), (r"\sqrt{5+2\sqrt6}", r"\sqrt2+\sqrt3"),
        (r"\sqrt[3]{-8}", "-2"), (r"\log_2 8", "3"), (r"\ln 8", r"3\ln 2"), (r"\binom{10}{3}", "120"), ("720", "(3!)!"),
        (r"\cos 60^\circ", r"\frac12"), (r"30^\circ", r"\frac{\pi}{6}"), (r"1.5\pi", r"\frac{3\pi}{2}"),
        (r"\frac{1+i}{2}", r"\frac12+\frac12 i"), ("-i", r"\frac{1}{i}"), ("2i", r"2\mathrm{i}"), ("5", "|3+4i|"),
        (r"2021\cdot505\cdot 1346", r"\frac{2021\cdot 2020\cdot 2692}{8}"),
    ],
    "Unicode and layout": [
        ("-5", "−5"), (r"\sqrt{3}", "√3"), (r"2\pi", "2π"), ("17", "１７"), (r"\frac12", "½"), ("1\u200b7", "17"),
        (r"3\frac12", "3½"), (r"x^2", "x²"), (r"x \le 3", "x ≤ 3"), ("17", "{{17}}"), ("3, 5, 7", r"3,\ 5,\ 7"),
        (r"\left(3,\frac{\pi}{2}\right)", r"(3, \pi/2)"), (r"\dfrac{9}{7}", r"\tfrac97"),
    ],
    "percent, units, money": [
        (r"50\%", "50"), ("0.5", r"50\%"), (r"12.5\%", "12.5 percent"), (r"5\text{ cm}", "5"), ("90^\\circ", "90"),
        (r"16\text{ square inches}", r"16\text{ in}^2"), (r"5 \text{ m/s}", r"5\,\mathrm{m\,s^{-1}}"),
        (r"1\text{ m}", r"100\text{ cm}"), ("12.5", r"\$12.50"), (r"2\text{ hours}", r"120\text{ minutes}"),
    ],
    "bases, ratios, words": [
        ("4210_7", "4210_{7}"), ("4210_7", "4210"), ("1234_5", r"1234_{\text{five}}"), ("BAD_{16}", "bad_{16}"),
        ("3:2", r"\frac32"), ("1:2:3", "2:4:6"), (r"\text{DNE}", r"\text{does not exist}"),
        (r"\emptyset", r"\text{no solution}"),
        (r"\text{east}", "East"), (r"\mathbb{R}", r"(-\infty,\infty)"),
    ],
    "lists, sets, tuples, intervals": [
        (r"\{1,2,3\}", "3, 2, 1"), ("1, 2", r"1 \text{ or } 2"), (r"\pm 3", "3, -3"),
        (r"2\pm\sqrt3", r"2-\sqrt3, 2+\sqrt3"),
        ("1,-1,7,-7", "±1, ±7"), ("(1,2),(3,4)", "(3,4),(1,2)"), ("19, 46, and 82", r"19, 46, \text{ and } 82"),
        ("x=1,x=2", r"1\text{ or }2"), ("p=5,q=2;p=7,q=2", "(5,2),(7,2)"), ("k=45, n=2", "n=2, k=45"),
        ("(0;0;0)", "(0,0,0)"), (r"x\in[-2,7]", r"-2\le x\le 7"), ("(0,12.5)", "0<x<12.5"), ("x>3", "3<x"),
        (r"(2,\infty)\cup(-\infty,-1)", r"(-\infty,-1)\cup(2,\infty)"), (r"x\ne 5", r"(-\infty,5)\cup(5,\infty)"),
        (r"\mathbb{R}\setminus\{5\}", r"x\neq5"), (r"\{x \mid x>3\}", r"(3,\infty)"), (r"\text{A,D}", "A and D"),
        (r"x=\frac{\pi}{6}+k\pi", r"-\frac{5\pi}{6}+k\pi"),
    ],
    "matrices and vectors": [
        (r"\begin{pmatrix}1/2&0\\0&1\end{pmatrix}", r"\begin{bmatrix}\frac12 & 0 \\ 0 & 1\end{bmatrix}"),
        (r"\begin{pmatrix}1\\-2\end{pmatrix}", r"\begin{pmatrix} 1 \\ -2 \end{pmatrix}"),
        (r"\langle 1,2\rangle", "(1,2)"),
        (r"\begin{pmatrix}16\\48\end{pmatrix}", r"8 \begin{pmatrix} 2 \\ 6 \end{pmatrix}"),
        (r"3\mathbf{i}+4\mathbf{j}", r"\langle 3,4\rangle"),
    ],
    "expressions and equations": [
        ("x^2+2x+1", "(x+1)^2"), ("a^2-b^2", "(a-b)(a+b)"), (r"\cos 2x", r"2\cos^2 x-1"), (r"\tan^2 y+1", r"\sec^2 y"),
        (r"\frac{n!}{(n-2)!}", "n(n-1)"), ("x^{2/3}", r"\sqrt[3]{x^2}"), (r"\sqrt{\frac1n}", r"\frac{1}{\sqrt n}"),
        (r"\cos(n\pi)", "(-1)^n"), ("v_0^2", "v^2_0"), ("x=5", "5"), ("y=2x+1", "2x+1"), ("f(x)=x+1", "f(t)=t+1"),
        (r"z = 1+1 = 2", "2"), (r"\frac13", r"x=\frac13\approx 0.33"), ("3x+2y=6", "6x+4y=12"),
        (r"\frac{x^2}{4}+\frac{y^2}{9}=1", "9x^2+4y^2=36"), ("2x+4y-3=0", r"y=-\frac12x+\frac34"), ("m+n=17", "17"),
    ],
}  # fmt: skip
DIFFERENT = {
    "numbers": [
        ("0.333333", r"\frac13"), (r"\frac{\pi}{4}", "0.785"), ("5", "5.001"),
        (r"\frac{1}{2^{99}}", r"\frac{1}{2^{98}}"),
        ("10^{-40}", "10^{-41}"), (r"1-\frac1e", r"1+\frac1e"), (r"3\frac12", r"3\cdot\frac12"), ("(1,234)", "1234"),
        ("1,234", "1,243"), ("32349", "32, 349"), ("3+4i", "3-4i"), ("2", r"\frac{1+\sqrt5}{2}"),
    ],
    "percent, units, money": [
        ("50", "0.5"), (r"5\text{ cm}", r"5\text{ m}"), (r"7\text{ cm}", r"7\text{ cm}^2"), ("12:00", "1:00"),
    ],
    "bases, ratios, words": [
        ("4210_7", "4210_8"), ("11_2", "11_{10}"), (r"\text{even}", "odd"), ("2", "AZYUK2A"),
        ("3", r"\text{no solutions}"),
    ],
    "lists, sets, tuples, intervals": [
        (r"\pm 3", "3"), ("1,2,3", "1,2"), ("(1,2)", "(2,1)"), ("(1,2),(3,4)", "(2,1),(3,4)"), ("(1,2)", r"\{1,2\}"),
        ("(3,1)", "{1,3}"), (r"\emptyset", r"\{0\}"), ("[0,1)", "(0,1)"), ("(0,1)", "(0,1.5)"), ("x>5", "x<5"),
        (r"[\frac12,8]", r"\frac12, 8"), (r"\frac{\pi}{6}+k\pi", r"\frac{\pi}{6}+2k\pi"),
    ],
    "matrices and vectors": [
        (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\begin{pmatrix}1&3\\2&4\end{pmatrix}"),
    ],
    "expressions and equations": [
        ("x=5", "y=5"), ("f(x)", "f(y)"), ("y=2x+1", "y=2x-1"), ("3x+2y=6", "3x+2y=7"), ("2x+z=1", "1"),
        ("7=11a+c", "11a+c"), ("x^2+y^2=1", "x^2-y^2=1"), ("x^2+2x+1", "(x-1)^2"), ("(a+5)(b+2)", "(+5)(b+2)"),
        (r"|x|", "x"),
    ],
}  # fmt: skip


def pairs(table: dict[str, list[tuple[str, str]]]) -> list[tuple[str, str, str]]:
    """Every pair of a table behind its class."""
    return [(name, *pair) for name, rows in table.items() for pair in rows]


def boxed(answer: str) -> str:
    return rf"... Therefore the answer is $\boxed{{{answer}}}$."


@pytest.mark.parametrize(("kind", "gold", "answer"), pairs(SAME))
def test_the_same_answer_in_another_form_is_correct(kind: str, gold: str, answer: str) -> None:
    assert grade(boxed(answer), gold).status == "correct"


@pytest.mark.parametrize(("kind", "gold", "answer"), pairs(DIFFERENT))
def test_another_answer_is_wrong(kind: str, gold: str, answer: str) -> None:
    assert grade(boxed(answer), gold).status == "wrong"


@pytest.mark.parametrize(("kind", "gold", "answer"), pairs(SAME) + pairs(DIFFERENT))
def test_swapping_gold_and_answer_changes_no_verdict(kind: str, gold: str, answer: str) -> None:
    assert grade(boxed(answer), gold).status == grade(boxed(gold), answer).status


@pytest.mark.parametrize(
    ("policy", "gold", "answer"),
    [
        (Policy(tolerance=0.01), "93305", "93300"),
        (Policy(rounding=True), r"\frac{8}{3}", "2.6667"),
        (Policy(rounding=True), "33.3", r"\frac{100}{3}"),
        (Policy(decimal_comma=True), "1000.99", "1000,99"),
        (Policy(letter_units=True), "4 s", "4"),
        (Policy(letter_units=True), "4300 N m/mol", r"4300 J mol^{-1}"),
        (Policy(names="ignore"), "x=5", "y=5"),
    ],
)
def test_an_option_accepts_what_the_default_refuses(policy: Policy, gold: str, answer: str) -> None:
    assert grade(boxed(answer), gold).status != "correct"
    assert grade(boxed(answer), gold, policy=policy).status == "correct"


@pytest.mark.parametrize(
    ("policy", "gold", "answer"),
    [
        (Policy(units="require"), r"5\text{ cm}", "5"),
        (Policy(percent="value"), r"50\%", "50"),
        (Policy(order="keep"), "1, 2", "2, 1"),
        (Policy(bare_digits=False), "4210_7", "4210"),
    ],
)
def test_an_option_refuses_what_the_default_accepts(policy: Policy, gold: str, answer: str) -> None:
    assert grade(boxed(answer), gold).status == "correct"
    assert grade(boxed(answer), gold, policy=policy).status == "wrong"
