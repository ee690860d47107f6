"""Facts about hygiene: what each mark finds, what it must leave alone, and that no text makes a row vanish."""

import importlib
import json
import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curate.build import build
from curate.hygiene.answer_in_question import AnswerInQuestion
from curate.hygiene.form import Form
from curate.hygiene.language import Language
from curate.hygiene.length import Length
from curate.hygiene.maths import Maths
from curate.hygiene.open_form import OpenForm
from curate.hygiene.self_contained import SelfContained
from curate.look.story import story
from curate.manifest import read_manifest
from curate.plug import names, plug_class
from curate.progress import Steps
from curate.versions.checks import check_version

STAGES = [AnswerInQuestion(), Form(), Language(), Length(), Maths(), OpenForm(), SelfContained()]


def marks(stage: Any, problem: str | None, answer: str | None = None) -> dict[str, Any]:
    schema = {"id": pl.String, "problem": pl.String, "answer": pl.String}
    rows = pl.DataFrame({"id": ["a"], "problem": [problem], "answer": [answer]}, schema=schema)
    return dict(stage(rows).row(0, named=True))


@pytest.mark.parametrize(
    ("problem", "answer", "form"),
    [
        ("Half of 8? (A) 2 (B) 4 (C) 6", "B", "multiple_choice"),
        ("Half of 8?\nA. 2\nB. 4\nC. 6", None, "multiple_choice"),
        ("Half of 8?\n$\\textbf{(A) }2\\qquad\\textbf{(B) }4\\qquad\\textbf{(C) }6$", "4", "multiple_choice"),
        ("8的一半是（ ）\nA．2\nB．4\nC．6", "B", "multiple_choice"),
        ("What is 1/4 of 8?\n(a) 2\n(b) 4", "a", "multiple_choice"),
        ("What is 5+6? A: 10 B: 11 C: 12 D: 13", "B", "multiple_choice"),
        ("Plan A: 10 dollars, plan B: 11 dollars, plan C: 12 dollars. What is their sum?", "33", "open"),
        ("Enter the letter of the graph of $y = f(x)$.", "C", "multiple_choice"),
        ("True or false: $0$ is even.", "True", "true_false"),
        ("True or false: $0$ is even.", None, "true_false"),
        ("Is it so that 9 is prime?", "false", "true_false"),
        ("How many true/false questions are in a test of 20, half of them such?", None, "open"),
        ("Let $n$ be odd. Prove that $n^2 - 1$ is divisible by 8.", None, "proof"),
        ("Show that $\\sqrt 2$ is irrational.", "proof", "proof"),
        ("设 $n$ 为奇数，证明：$n^2-1$ 能被 8 整除。", None, "proof"),
        ("Show that the limit exists, and find it.", "3", "open"),
        ("The data show that 5 of 8 agree. How many do not?", "3", "open"),
        ("(a) Find $x$ if $x + 1 = 2$. (b) Find $y$ if $2y = x$.", "1, 1/2", "multi_part"),
        ("1. What is 2 + 2?\n2. What is 3 + 3?", "4; 6", "multi_part"),
        ("A set is good if (1) it is finite, and (2) it holds 0. How many are good in 1..5?", "0", "open"),
        ("Is 91 a prime number?", "No", "yes_no"),
        ("Is 91 a prime number?", None, "yes_no"),
        ("Is there such an $n$, and if so, what is it?", None, "open"),
        ("Can you find $x$ with $2x = 6$?", "3", "open"),
        ("What is 2 + 2?", "4", "open"),
        ("[asy] label(\"(A)\",A); label(\"(B)\",B); label(\"(C)\",C); [/asy] Find the area of $ABC$.", "6", "open"),
        ("Given $P(A) = 1/2$, $P(B) = 1/3$, $P(C) = 1/4$ find $P(D)$.", "1/5", "open"),
    ],
)  # fmt: skip
def test_the_form_of_a_question(problem: str, answer: str | None, form: str) -> None:
    found = marks(Form(), problem, answer)
    assert found["question_form"] == form
    assert (found["form_evidence"] is None) == (form == "open"), "each decision carries its evidence"
    assert found["drop"] == (None if form == "open" else form)
    assert marks(Form(drop=()), problem, answer)["drop"] is None


@pytest.mark.parametrize(
    ("problem", "needs"),
    [
        ("[asy] draw((0,0)--(1,1)); [/asy] How long is the line in the diagram?", "drawing"),
        ("In the diagram, $AB = 3$. Find $BC$.", "figure"),
        ("Find the shaded area ![img](a.png) of the square.", "figure"),
        ("如图，求三角形的面积。", "figure"),
        ("Square $ABCD$ is folded as shown. Find $x$.", "figure"),
        ("The series is as shown: $$1 + 2 + \\cdots + 9$$ Find its sum.", None),
        ("What is the area of the shaded region shown?", "figure"),
        ("The graph of $y = f(x)$ is shown. Find $f(2)$.", "figure"),
        ("The bar graph gives the sales of 5 days. What is their mean?", "figure"),
        ("See the attached image. What is $x$?", "figure"),
        ("How can 1729 be shown to be a sum of cubes in two ways?", None),
        ("According to the table, how many apples were sold on Monday?", "table"),
        ("Using the table, find $f(3)$.", "table"),
        ("Use the table of values $f(1) = 2$ and $f(2) = 3$ to guess $f(3)$.", None),
        ("In how many ways can 5 people use the table?", None),
        ("A waiter must complete the table in 3 minutes. How many seconds is that?", None),
        ("Look at the picture. How many cats are there?", "figure"),
        ("Study the graph of $y = x^2$ on $[0, 3]$. What is its greatest value?", None),
        ("Examine the graph $K_5$. How many edges has it?", None),
        ("Use your answer to the last question.", "elsewhere"),
        ("What is 2/3? Round your answer to the first decimal place.", None),
        ("What is 2/3? Write your answer to the question inside a box.", None),
        ("Ann solved the last question of 9 in 5 minutes. How long did the others take, at 4 minutes each?", None),
        ("See https://example.org/p/7 and solve it.", "link"),
        ("The table below gives prices. What is the mean?", "table"),
        ("The table below gives prices.\n| a | 3 |\n| b | 5 |\nWhat is the mean?", None),
        ("John puts 3 plates on the table and 4 more. How many?", None),
        ("Which of the following is closest to the probability?", "options"),
        ("Which of the following is prime? (A) 4 (B) 5 (C) 6", None),
        ("(Continue from the previous question) What percent is it?", "elsewhere"),
        ("Using the function in part (a), find its maximum.", "elsewhere"),
        ("Find the largest integer such that", "unfinished"),
        ("Calculate: 3 + 4 =", None),
    ],
)
def test_what_a_question_needs_beside_its_text(problem: str, needs: str | None) -> None:
    found = marks(SelfContained(), problem)
    assert found["needs"] == needs
    assert (found["needs_evidence"] is None) == (needs is None)
    assert found["drop"] == (None if needs == "drawing" else needs), "a drawing in code is all there"


@pytest.mark.parametrize(
    ("problem", "answer", "given"),
    [
        ("What is 6 times 7? Answer: 42", "42", "stated"),
        ("What is 6 times 7?\n#### 42", "42", "stated"),
        ("What is 6 times 7? $\\boxed{42}$", "42", "stated"),
        ("计算 6×7。答案：42", "42", "stated"),
        ("What is 6 times 7? Give your answer as a number.", "42", None),
        ("There are 42 eggs. The answer is 7 times 6. What is it?", "42", None),
        ("The answer is 42 apples for Ann. How many has Bob?", "4", None),
        ("The answer is 2.5 times what?", "2", None),
        ("The answer is between 6 and 8. Which is it?", "B", None),
        ("Which is it? The answer is B) 42.", "B", "stated"),
        ("What is half of 1? Answer: $\\frac{1}{2}$", "\\frac12", "stated"),
        ("If the answer is m/n in lowest terms, what is m + n?", None, None),
        ("What is 6 times 7? Answer: 42", None, "stated"),
        ("Compare $x^2+2x+12345$ with $x^3$ for $x = 20$.", "$x^2 + 2x + 12345$", "verbatim"),
    ],
)
def test_an_answer_that_stands_in_the_question(problem: str, answer: str | None, given: str | None) -> None:
    found = marks(AnswerInQuestion(), problem, answer)
    assert (found["answer_given"], found["drop"]) == (given, "answer_in_question" if given == "stated" else None)
    assert (found["answer_evidence"] is None) == (given is None)


@pytest.mark.parametrize(
    ("problem", "language"),
    [
        ("How many of the apples are red?", "en"),
        ("Wie viele Äpfel sind nicht rot?", "de"),
        ("Combien de pommes sont dans le panier ?", "fr"),
        ("¿Cuántas manzanas hay en la cesta?", "es"),
        ("篮子里有多少个苹果？", "zh"),
        ("かごにりんごは何個ありますか。", "ja"),
        ("Сколько яблок в корзине?", "ru"),
        ("كم عدد التفاحات في السلة؟", "ar"),
        ("$$\\int_0^1 x^2 \\, dx$$", None),
    ],
)
def test_the_language_of_a_question(problem: str, language: str | None) -> None:
    found = marks(Language(), problem)
    assert (found["question_language"], found["drop"]) == (
        language,
        "language" if language not in ("en", None) else None,
    )
    assert marks(Language(keep=("any",)), problem)["drop"] is None


@pytest.mark.parametrize(("name", "says"), [("EN", "Did you mean 'en'"), ("english", "Those that are"), ("", "any")])
def test_a_language_that_nobody_can_tell_would_drop_every_row_and_is_a_fault(name: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Language(keep=(name,))


def test_a_length_that_nothing_has_is_a_fault() -> None:
    with pytest.raises(ValueError, match="nothing would stay"):
        Length(at_least=50, at_most=10)


def test_what_is_no_maths_and_what_is_no_question_by_length() -> None:
    assert marks(Maths(), "Write a poem about the sea.")["drop"] == "not_maths"
    assert marks(Maths(), "How many legs have nine spiders?") == {"id": "a", "maths_evidence": "How many", "drop": None}
    assert marks(Length(), "?") == {"id": "a", "problem_chars": 1, "drop": "too_short"}
    assert marks(Length(at_most=99), "x" * 100) == {"id": "a", "problem_chars": 100, "drop": "too_long"}


HOSTILE = {
    "null": None,
    "one megabyte": "(A) 1 (B) 2 (C) 3 \\text{ $ [asy] | 如图 " * 25_000,
    "a replaced surrogate": "What is \ufffd + 1? (A) 1 (B) 2 (C) 3",
    "right to left": "ما هو مجموع \u202e(A) ٣ (B) ٤ (C) ٥\u202c؟",
    "only LaTeX": "\\[\\frac{1}{2} + \\frac{1}{3} = \\]",
}


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: type(stage).__name__)
def test_no_text_makes_a_row_vanish(stage: Any) -> None:
    rows = pl.DataFrame({"id": list(HOSTILE), "problem": list(HOSTILE.values()), "answer": ["B"] * len(HOSTILE)})
    assert stage(rows)["id"].to_list() == list(HOSTILE)


def test_every_hygiene_plug_is_among_those_tested_here() -> None:
    own = [name for name in names("problems") if name.startswith("hygiene.") and name != "hygiene.answerable"]
    assert {plug_class(importlib.import_module(f"curate.{name}")) for name in own} == {type(stage) for stage in STAGES}


def test_a_build_with_all_of_them_balances_and_explains_each_drop(tmp_path: Path) -> None:
    asked = [
        ("What is half of 8? (A) 2 (B) 4 (C) 6", "B", None),
        ("Which is even? (A) 3 (B) 4 (C) 5", "B", "question_form = multiple_choice"),
        ("Find $x$ in the diagram.", "2", "needs_evidence = in the diagram"),
        ("What is 6 times 7? Answer: 42", "42", "answer_evidence = Answer: 42"),
        ("Wie viele Äpfel sind nicht rot?", "3", "question_language = de"),
        ("What a day.", "3", None),
        ("1?", "1", "problem_chars = 2"),
        ("\ud83d What is 1 + 1?", "2", None),
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps({"q": q, "a": a}) + "\n" for q, a, _ in asked))
    stages = "length, language, maths, self_contained, answer_in_question, open_form, form"
    listed = ", ".join(f"hygiene.{stage}" for stage in stages.split(", "))
    (tmp_path / "m.yaml").write_text(
        f"name: clean\nsources: [{{use: files, path: rows.jsonl, columns: {{problem: q, answer: a}}}}]\n"
        f"problems: [{listed}]\nviews: {{rl: {{}}}}\n"
    )
    version = build(read_manifest(tmp_path / "m.yaml"), tmp_path / "data", Steps(quiet=True), workers=1).version
    check_version(version)
    kept = version.problems.filter(pl.col("drop_reason").is_null()).collect()
    assert kept["problem"].to_list() == ["What is half of 8?", "\ufffd What is 1 + 1?"]
    rows = version.problems.filter(pl.col("rewritten_from").is_null()).collect()
    for row, (_, _, evidence) in zip(rows["id"], asked, strict=True):
        assert evidence is None or evidence in " ".join(story([version], row).split())


REAL = os.environ.get("COTILLION_REAL_DATA")


@pytest.mark.skipif(not REAL, reason="COTILLION_REAL_DATA is not set")
@pytest.mark.parametrize(
    ("file", "form", "least", "most"),
    [
        ("aqua_test", "multiple_choice", 1.0, 1.0),
        ("sat_math", "multiple_choice", 1.0, 1.0),
        ("svamp", "open", 1.0, 1.0),
    ],
)
def test_real_files_are_of_the_form_that_their_makers_say(file: str, form: str, least: float, most: float) -> None:
    read = pl.read_ndjson(Path(REAL or "") / "benchmarks" / f"{file}.jsonl", infer_schema_length=None)
    rows = read.select("id", problem="question", answer=pl.col("answer").cast(pl.String))
    share = (Form()(rows)["question_form"] == form).mean()
    assert isinstance(share, float)
    assert least <= share <= most
