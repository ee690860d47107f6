"""Procedural problems: the gold answer, the solution from the text, and a third party agree."""

import hashlib
import re
import subprocess
import sys
from fractions import Fraction
from random import Random

import pytest

from distill.families import FAMILIES, LEVELS, Fault, Level, PosedRow, UnknownQuestion, pose_many, read_question
from distill.families.reading import read
from distill.families.value import Mixed, Poly, Value, matrix, poly, root, show
from distill.families.variants import other_spellings, slipped

CELLS = [(family, level) for family in FAMILIES for level in LEVELS]

# Worked by hand, or well known from textbooks.
KNOWN = [
    ("What is $5 + 3 \\times 4$?", "17"),
    ("Compute $\\frac{1}{2} + \\frac{1}{3}$ and give the result in lowest terms.", "\\frac{5}{6}"),
    ("Simplify $\\sqrt{8} + \\sqrt{18}$.", "5\\sqrt{2}"),
    ("Divide the complex number $5 + 10i$ by $1 + 2i$.", "5"),
    ("Find the quotient of 1 by 3 in $\\mathbb{Z}/7\\mathbb{Z}$, as the least non-negative residue.", "5"),
    ("One pipe fills a pool in 3 hours, another in 6 hours. How many hours do both need together?", "2"),
    ("Find the set of all real solutions of the quadratic equation $x^2 - 5x + 6 = 0$.", "\\{2, 3\\}"),
    ("Let $r, s, t$ be the complex roots of $x^3 - 6x^2 + 11x - 6$. Compute $r^3 + s^3 + t^3$.", "36"),
    (
        "Which of these fractions is the largest: $\\frac{1}{2}, \\frac{3}{7}, \\frac{5}{9}, \\frac{2}{5}$?",
        "\\frac{5}{9}",
    ),
    ("For which real $x$ is $-2x + 1 > 7$? Use interval notation.", "(-\\infty, -3)"),
    (
        "Solve $\\frac{x - 1}{x + 2} \\ge 0$ over the real numbers. Use interval notation.",
        "(-\\infty, -2) \\cup [1, \\infty)",
    ),
    ("Find the interval of convergence of $\\sum_{n=1}^{\\infty} \\frac{(x - 3)^n}{n^{1} \\cdot 2^n}$.", "[1, 5)"),
    ("What is $\\gcd(1071, 462)$?", "21"),
    ("How many positive divisors does 360 have?", "24"),
    ("Compute $2^{10} \\bmod 1000$.", "24"),
    ("Count the solutions of $x^2 \\equiv 1 \\pmod{24}$ with $0 \\le x < 24$.", "8"),
    ("Convert 10 (base ten) to base 2. Mark the base with a subscript.", "1010_2"),
    ("Solve $x \\equiv 2 \\pmod{3}$, $x \\equiv 3 \\pmod{5}$ for the least $x \\ge 0$.", "8"),
    ("Compute $r_2(25)$, the number of representations as an ordered sum of two squares of integers.", "12"),
    ("At a party each two of the 10 guests shake hands 1 times. How many handshakes is that?", "45"),
    ("Count the compositions of 7 into 3 parts, none of them smaller than 1.", "15"),
    ("Using Burnside's lemma, count the colourings of the 6 sectors of a wheel with 2 colours up to rotation.", "14"),
    ("Let $X$ be binomially distributed with $n = 4$ and $p = \\frac{1}{2}$. Compute $P(X = 2)$.", "\\frac{3}{8}"),
    ("A right triangle has legs of length 3 and 4. How long is the hypotenuse, in simplest radical form?", "5"),
    ("Find the distance from the point $(1, 2, 3)$ to the plane $x + y + z = 0$.", "2\\sqrt{3}"),
    ("Which linear function has a graph through $(0, 1)$ and $(2, 5)$? Answer with $y = \\dots$", "y = 2x + 1"),
    ("Differentiate $f(x) = x^3 + 2x + 7$.", "3x^2 + 2"),
    ("Compute $\\int_{0}^{1} \\left(3x^2 + 1\\right) dx$.", "2"),
    ("Evaluate $\\int_0^\\infty 1 x^{3} e^{-2x} dx$.", "\\frac{3}{8}"),
    ("Compute $\\int_{-\\infty}^{\\infty} \\frac{1}{(x^2 + 1)(x^2 + 4)} dx$.", "\\frac{\\pi}{6}"),
    (
        "Find the inverse of the matrix $\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}$.",
        "\\begin{pmatrix} -2 & 1 \\\\ \\frac{3}{2} & -\\frac{1}{2} \\end{pmatrix}",
    ),
    ("What is the rank of the matrix $\\begin{pmatrix} 1 & 2 \\\\ 2 & 4 \\end{pmatrix}$?", "1"),
]


@pytest.fixture(scope="module")
def rows() -> list[PosedRow]:
    return pose_many(700, seed=7)


@pytest.mark.parametrize(("problem", "answer"), KNOWN)
def test_a_question_with_a_known_answer_gets_it(problem: str, answer: str) -> None:
    question = read_question(problem)
    assert question is not None
    assert question.solve().answer == answer


def test_a_slip_is_carried_on() -> None:
    question = read_question("Work out the value of 5 + 3 × 4.")
    assert question is not None
    wrong = question.solve(Fault("slip", at=0, seed=1))
    assert isinstance(wrong.steps[0].value, int)
    assert wrong.steps[0].value != 12
    assert wrong.answer == str(5 + wrong.steps[0].value)


@pytest.mark.parametrize(
    ("problem", "at", "trapped"),
    [
        ("Work out the value of 5 + 3 × 4.", 1, "32"),
        ("What is the sum of $\\frac{1}{2}$ and $\\frac{1}{3}$, as a reduced fraction?", 4, "\\frac{2}{5}"),
        ("For which real $x$ is $-2x + 1 > 7$? Use interval notation.", 2, "(-3, \\infty)"),
    ],
)
def test_a_wrong_method_gives_the_well_known_wrong_answer(problem: str, at: int, trapped: str) -> None:
    question = read_question(problem)
    assert question is not None
    assert question.solve(Fault("trap", at)).answer == trapped


def test_there_are_many_families_over_many_domains(rows: list[PosedRow]) -> None:
    assert len(FAMILIES) >= 10
    assert len({family.domain for family in FAMILIES.values()}) >= 6
    assert {(row.family, row.level) for row in rows} == set(CELLS)
    kinds = {"integer", "fraction", "radical", "expression", "equation", "interval", "set", "tuple", "matrix", "option"}
    assert {row.answer_type for row in rows} == kinds


def test_levels_have_the_names_of_the_rows() -> None:
    records = pytest.importorskip("curate.records")
    assert records.LEVELS == LEVELS


@pytest.mark.parametrize(("name", "level"), CELLS)
def test_the_answer_comes_from_the_numbers_in_the_text(name: str, level: Level) -> None:
    posed = FAMILIES[name].pose(level, Random(f"{name}/{level}"))
    answers = set()
    for number in re.finditer(r"\d+", posed.problem):
        changed = posed.problem[: number.start()] + str(int(number[0]) + 1) + posed.problem[number.end() :]
        question = read_question(changed)
        if question is not None:
            try:
                answers.add(question.solve().answer)
            except (ArithmeticError, ValueError, LookupError):
                answers.add("none")  # changed into a question that has no such answer
    assert answers - {posed.answer}


@pytest.mark.parametrize(("name", "level"), CELLS)
def test_every_wording_is_read_as_what_it_is(name: str, level: Level) -> None:
    for seed in range(12):
        posed = FAMILIES[name].pose(level, Random(f"{name}/{level}/{seed}"))
        question = read_question(posed.problem)
        assert question is not None
        assert (question.family.name, question.kind.level, question.text) == (name, level, posed.problem)


def test_a_question_is_found_inside_a_prompt(rows: list[PosedRow]) -> None:
    for row in rows[:140]:
        prompt = (
            f"You are Gauss, born in 1777.\n\n# Problem 3\n{row.problem}\n\nUse at most 500 words and a \\boxed{{}}."
        )
        assert FAMILIES[row.family].solve(prompt).answer == row.answer


def test_a_question_survives_line_breaks() -> None:
    problem = "How many positive\ndivisors does\n  360 have?"
    assert FAMILIES["divisibility"].solve(problem).answer == "24"


def test_a_family_does_not_answer_what_it_cannot_read() -> None:
    assert read_question("Prove that there are infinitely many primes.") is None
    with pytest.raises(UnknownQuestion, match="divisibility"):
        FAMILIES["divisibility"].solve("Prove that there are infinitely many primes.")


@pytest.mark.parametrize(
    "problem",
    [
        "Work out the value of 3 + 4 × 2.5.",
        "How many positive divisors does 1234567890123456789 have?",
        "12345678901234 players meet for chess. Each pair plays 2 games. How many games are played in all?",
        "Count the compositions of 900000 into 70000 parts, none of them smaller than 1.",
        "Using Burnside's lemma, count the colourings of the 99999 sectors of a wheel with 9 colours up to rotation.",
        "9" * 100_000 + " players meet",
    ],
)
def test_numbers_that_no_family_poses_are_not_read(problem: str) -> None:
    assert read_question(problem) is None


def test_rows_are_the_same_in_every_process() -> None:
    digest = "import hashlib; from distill.families import pose_many; "
    digest += "print(hashlib.sha256(repr(pose_many(140, 5)).encode()).hexdigest())"
    found = [
        subprocess.run(
            [sys.executable, "-c", digest], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout.strip()
        for seed in ("1", "2")
    ]
    assert found == [hashlib.sha256(repr(pose_many(140, 5)).encode()).hexdigest()] * 2


def test_fewer_rows_are_the_first_of_more(rows: list[PosedRow]) -> None:
    assert pose_many(100, seed=7) == rows[:100]


def test_another_seed_poses_other_questions(rows: list[PosedRow]) -> None:
    assert not {row.problem for row in rows} & {row.problem for row in pose_many(70, seed=8)}


def test_rows_are_spread_evenly() -> None:
    counts = dict.fromkeys(CELLS, 0)
    for row in pose_many(705, seed=1):
        counts[row.family, row.level] += 1
    assert set(counts.values()) == {10, 11}


def test_families_and_levels_can_be_chosen() -> None:
    chosen = pose_many(12, seed=0, families=["shapes", "change"], levels=["high", "graduate"])
    assert {(row.family, row.level) for row in chosen} == {
        (f, v) for f in ("shapes", "change") for v in ("high", "graduate")
    }


def test_texts_do_not_repeat() -> None:
    assert len({row.problem for row in pose_many(5_000, seed=2)}) == 5_000


@pytest.mark.parametrize(("name", "level"), CELLS)
def test_every_level_has_room_for_texts(name: str, level: Level) -> None:
    assert len({FAMILIES[name].pose(level, Random(f"{name}/{i}")).problem for i in range(120)}) > 100


def test_the_options_hold_the_answer_once(rows: list[PosedRow]) -> None:
    posed = [row for row in rows if row.answer_type == "option"]
    assert {row.answer for row in posed} == set("ABCDE")
    for row in posed:
        texts = re.findall(r"^\(?[A-E][).] (.*)$", row.problem, re.MULTILINE)
        assert len(set(texts)) == 5


def test_importing_the_families_imports_no_sympy() -> None:
    code = "import sys, distill.families, distill.teachers.tutor; print('sympy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# A third route: sympy, from the text, through readers of this file's own.


def _terms(text: str) -> "object":
    sympy = pytest.importorskip("sympy")
    x = sympy.Symbol("x")
    total = sympy.Integer(0)
    for sign, factor, letter, power in re.findall(
        r"(-?)\s*(\d*)(x?)(?:\^(\d+))?", text.replace("- ", "-").replace("+", " ")
    ):
        if factor or letter:
            total += (-1 if sign else 1) * int(factor or 1) * (x ** int(power or 1) if letter else 1)
    return total


def _math(text: str) -> list[str]:
    return re.findall(r"\$([^$]*)\$", text)


def _cells(text: str) -> list[list[int]]:
    body = re.search(r"pmatrix\}(.*?)\\end", text)
    assert body is not None
    return [[int(cell) for cell in row.split("&")] for row in body[1].split("\\\\")]


def _fractions(text: str) -> list[Fraction]:
    found = re.findall(r"(-?)(?:\\frac\{(\d+)\}\{(\d+)\}|(\d+))", text)
    return [
        (-1 if sign else 1) * (Fraction(int(top), int(bottom)) if top else Fraction(int(n)))
        for sign, top, bottom, n in found
    ]


@pytest.mark.parametrize(("name", "level"), [("equations", "high"), ("equations", "college")])
def test_sympy_finds_the_same_roots(name: str, level: Level) -> None:
    import sympy

    for row in pose_many(30, seed=4, families=[name], levels=[level]):
        polynomial = max(re.findall(r"x\^[-+0-9x^ ]+", row.problem), key=len)
        assert set(sympy.roots(_terms(polynomial), sympy.Symbol("x"))) == {*map(int, _fractions(row.answer))}


def test_sympy_finds_the_same_derivatives() -> None:
    import sympy

    for row in pose_many(30, seed=4, families=["change"], levels=["high"]):
        if row.answer_type != "option":
            polynomial = max(re.findall(r"-?\d*x[-+0-9x^ ]*", row.problem), key=len)
            assert sympy.expand(sympy.diff(_terms(polynomial), sympy.Symbol("x")) - _terms(row.answer)) == 0


def test_sympy_finds_the_same_integrals() -> None:
    import sympy

    x = sympy.Symbol("x")
    rows = [row for row in pose_many(60, seed=4, families=["accumulation"], levels=["high"]) if "int_" in row.problem]
    for row in [row for row in rows if row.answer_type != "option"]:
        low, high, f = re.search(r"int_\{(.*?)\}\^\{(.*?)\} .left\((.*?).right", row.problem).groups()  # type: ignore[union-attr]  # posed so
        assert sympy.integrate(_terms(f), (x, int(low), int(high))) == sympy.Rational(_fractions(row.answer)[0])


def test_sympy_finds_the_same_eigenvalues_and_invariant_factors() -> None:
    import sympy
    from sympy.matrices.normalforms import smith_normal_form

    for row in pose_many(20, seed=4, families=["matrices"], levels=["graduate"]):
        assert set(sympy.Matrix(_cells(row.problem)).eigenvals()) == {*map(int, _fractions(row.answer))}
    for row in pose_many(20, seed=4, families=["systems"], levels=["graduate"]):
        normal = smith_normal_form(sympy.Matrix(_cells(row.problem)), domain=sympy.ZZ)
        assert sorted(abs(n) for n in normal.diagonal()) == [int(n) for n in _fractions(row.answer)]


def test_sympy_finds_the_same_inverses_and_ranks() -> None:
    import sympy

    for row in pose_many(20, seed=4, families=["matrices"], levels=["college"]):
        assert list(sympy.Matrix(_cells(row.problem)).inv()) == _fractions(row.answer)
    for row in pose_many(20, seed=4, families=["systems"], levels=["college"]):
        assert sympy.Matrix(_cells(row.problem)).rank() == int(row.answer)


def test_sympy_counts_the_same_divisors_and_powers() -> None:
    import sympy

    for row in pose_many(20, seed=4, families=["divisibility"], levels=["high", "college"]):
        numbers = [int(n) for n in re.findall(r"\d+", row.problem.split("\n")[0])]
        if row.answer_type != "option":
            expected = sympy.divisor_count(numbers[0]) if row.level == "high" else None
            assert int(row.answer) == (expected if expected is not None else _power(row.problem))


def _power(problem: str) -> int:
    base, exponent = re.search(r"(\d+)\^\{(\d+)\}", problem).groups()  # type: ignore[union-attr]  # posed so
    modulus = re.search(r"(?:divided by \$|bmod |modulo \$)(\d+)", problem)
    assert modulus is not None
    return pow(int(base), int(exponent), int(modulus[1]))


# Values.


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("poly", "-x^3 + 2x - 1"),
        ("poly", "2z^2 - z + 4"),
        ("frac", "-\\frac{3}{4}"),
        ("frac", "7"),
        ("gauss", "3 - i"),
        ("matrix", "\\begin{pmatrix} 1 & -2 \\\\ 0 & 4 \\end{pmatrix}"),
    ],
)
def test_what_a_question_shows_is_read_back(kind: str, text: str) -> None:
    assert show(read(kind, text)) == text


@pytest.mark.parametrize(
    ("square", "text"),
    [
        (72, "6\\sqrt{2}"),
        (49, "7"),
        (0, "0"),
        (Fraction(1, 3), "\\frac{\\sqrt{3}}{3}"),
        (Fraction(9, 4), "\\frac{3}{2}"),
    ],
)
def test_roots_are_in_lowest_terms(square: Fraction, text: str) -> None:
    assert show(root(square)) == text


VALUES: list[Value] = [
    *(7, -12, 1200, Fraction(-3, 4), Fraction(5, 7), "C", "1011_2", (3, Fraction(1, 2)), frozenset({2, -3})),
    *(Mixed(Fraction(0), Fraction(2, 3), "\\pi"), Mixed(Fraction(3), Fraction(-1), "i")),
    *(
        poly(1, 0, Fraction(3, 2)),
        poly(5, left="y = "),
        Poly((Fraction(1), Fraction(2)), left="y = "),
        matrix([[1, 2], [3, 4]]),
    ),
]


@pytest.mark.parametrize("value", VALUES, ids=show)
def test_other_spellings_are_other(value: Value) -> None:
    assert other_spellings(value)
    assert show(value) not in other_spellings(value)


@pytest.mark.parametrize("value", [value for value in VALUES if not isinstance(value, str)], ids=show)
def test_a_slip_changes_the_value_but_not_its_kind(value: Value) -> None:
    for seed in range(50):
        wrong = slipped(value, Random(seed))
        assert show(wrong) != show(value)
        assert isinstance(wrong, (type(value), int, Fraction))
