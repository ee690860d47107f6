"""Tags on rollouts: what is said again, which language is spoken, and how a reply begins and ends."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curate.share.flaws import flaws, flaws_section
from curate.tag.language import Language
from curate.tag.repetition import Repetition
from curate.tag.shape import Shape
from curate.texts.languages import languages
from curate.texts.repeats import cut, repeats
from distill.families import pose_many
from distill.request import Message, Request, Sampling
from distill.teachers.tutor import Tutor
from distill.thinking import split_columns

needs_real_data = pytest.mark.skipif(
    "COTILLION_REAL_DATA" not in os.environ, reason="real rollouts are named by COTILLION_REAL_DATA"
)


def marks(stage: Any, reasoning: str | None, response: str | None = "It is 4.", **columns: Any) -> dict[str, Any]:
    """The stage's marks on one rollout."""
    row = {"id": "a", "reasoning": reasoning, "response": response, **columns}
    texts = dict.fromkeys(row, pl.String)
    given = pl.DataFrame([row], schema_overrides=texts)
    return dict(stage(given).row(0, named=True))


def real_rollouts(*names: str) -> pl.DataFrame:
    """Rollouts of these files, told apart as a build does."""
    parts = []
    for name in names:
        file = Path(os.environ["COTILLION_REAL_DATA"]) / "rollouts" / f"{name}.jsonl.gz"
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        told = split_columns([row["rollout"] for row in rows])
        parts.append(
            told.with_columns(
                id=pl.Series([row["id"] for row in rows]),
                problem=pl.Series([row["question"] for row in rows]),
                finish_reason=pl.lit("unknown"),
                correct=pl.Series([row.get("correct") for row in rows], dtype=pl.Boolean, strict=False),
            )
        )
    return pl.concat(parts)


@pytest.fixture(scope="module")
def tutored() -> pl.DataFrame:
    """2,400 rollouts of the tutor, half of them with a planted fault, and the truth about each."""
    rows = []
    for seed, rate, max_tokens in ((5, 1.0, 1500), (6, 0.0, 4096)):
        tutor = Tutor(error_rate=rate)
        for posed in pose_many(1_200, seed=seed):
            asked = Request(
                (Message("user", posed.problem),), tutor.model, tutor.revision, Sampling(max_tokens=max_tokens), 0
            )
            (reply,) = tutor.ask([asked])
            rows.append((posed.problem, reply.content, reply.finish_reason, tutor.truth(asked)))
    problems, contents, finishes, truths = zip(*rows, strict=True)
    told = split_columns(contents, finished=[finish == "stop" for finish in finishes])
    return told.with_columns(
        id=pl.int_range(pl.len()).cast(pl.String),
        problem=pl.Series(problems),
        finish_reason=pl.Series(finishes),
        truth=pl.Series(truths),
    )


# Repetition


LOOPS = [
    "= \\frac{125 - 176.25}{125} ",
    "4,",
    "0",
    "ha",
    "Wait. ",
    "+ ",
    "3.14159, 2.71828, ",
    "求三的平方。",
    "שוב ושוב. ",
    "So the pairs are $(16, 16)$, but $a < b$, so we recheck.\n\n",
]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_is_seen_whatever_it_repeats_and_said_from_where(loop: str) -> None:
    start = "Let us see which pairs there are, and what they have in common: "
    for thinking, answer, part in ((start + loop * 400, "4", "reasoning"), (start, start + loop * 400, "response")):
        mark = marks(Repetition(), thinking, answer)
        assert mark["loops"]
        assert mark["repeated_in"] == part
        assert abs(mark["repeated_at"] - len(start)) <= len(loop)
        said = mark["repeated"].replace(" ", "")
        assert set(said) <= set(loop)
        assert len(said) <= 200


def test_a_loop_that_the_reply_got_out_of_is_a_loop() -> None:
    stuck = "However, the number must be even, so we need to look at the second case again. " * 8
    mark = marks(
        Repetition(), f"We count the cases. {stuck} But 7 is odd, and so the answer is 12." + " It is fine." * 2
    )
    assert (mark["loops"], mark["repeated_times"]) == (True, 8)
    assert mark["repeated_at"] in (18, 20), "with the full stop and the space before it, if those come round, too"


def test_the_share_is_that_of_runs_said_before() -> None:
    # 40 different words twice: of 80 - 16 + 1 runs of 16 tokens the last 40 - 16 + 1 stood there before.
    words = " ".join(f"{a}{b}" for a in "abcdefgh" for b in "vwxyz")
    mark = marks(Repetition(), f"{words} {words}", None)
    assert mark["repetition"] == pytest.approx(25 / 65)
    assert (mark["loops"], mark["repeated"]) == (False, None)
    assert marks(Repetition(n=8), f"{words} {words}", None)["repetition"] == pytest.approx(33 / 73)


def test_a_response_may_say_again_what_the_reasoning_found() -> None:
    steps = " ".join(
        f"Step {k}: {k} squared is {k * k}, which is {'even' if k % 2 == 0 else 'odd'}." for k in range(60)
    )
    assert marks(Repetition(), steps, steps)["repetition"] < 0.05


@pytest.mark.parametrize(
    "honest",
    [
        "".join(
            f"- For $k = {k}$ the sum of the digits of {2000 + k} is {sum(map(int, str(2000 + k)))}.\n"
            for k in range(90)
        ),
        ", ".join(map(str, range(1, 900))),
        "The side is \\text{Side length} + \\text{Side length} + \\text{Side length} + \\text{Side length}.",
        "$\\frac{1}{3} = 0.333333333333333333333333333333333333$ and $\\frac{1}{6} = 0.1666666666666666666666666666$",
        "| a | b |\n" + "|---|---|\n" * 2 + "".join(f"| {k} | {k**3} |\n" for k in range(40)),
        "\\begin{pmatrix}" + " \\\\ ".join(" & ".join("1" if i == j else "0" for j in range(7)) for i in range(7)),
    ],
)
def test_honest_work_is_no_loop(honest: str) -> None:
    assert not marks(Repetition(), honest)["loops"]


def test_saying_it_all_once_more_is_no_loop() -> None:
    work = " ".join(
        f"In case {k} we have {k} apples, {k * 7 % 13} pears and {k * k % 11} plums left over." for k in range(30)
    )
    mark = marks(Repetition(), f"{work}\n\nLet me check that. {work}")
    assert not mark["loops"]
    assert (mark["repeated_times"], mark["repeated_at"]) == (2, 0), "but it is shown"


def test_a_loop_in_which_a_counter_changes_is_a_loop() -> None:
    cases = "".join(
        f"For $b = {b}$ we have four such numbers, and those are 12, 13, 22, and 23. " for b in range(10, 99)
    )
    mark = marks(Repetition(), cases)
    assert mark["loops"]
    assert "we have four such numbers" in mark["repeated"]


def test_marks_of_the_end_that_were_not_cut_off_are_no_loop() -> None:
    assert not marks(Repetition(), None, "The answer is 4." + "</s>" * 500)["loops"]
    assert marks(Repetition(), None, "The answer is 4." + "4" * 500 + "<|im_end|>")["loops"]


def test_a_looping_rollout_is_dropped_only_where_that_is_asked_for() -> None:
    assert marks(Repetition(), "1, " * 2000)["drop"] is None
    assert marks(Repetition(drop=True), "1, " * 2000)["drop"] == "repetition"
    assert marks(Repetition(drop=True), "Two and two is four, so it is four.")["drop"] is None


def test_every_loop_of_the_tutor_is_seen_and_hardly_anything_else(tutored: pl.DataFrame) -> None:
    found = tutored.join(Repetition()(tutored), on="id").group_by("truth").agg(n=pl.len(), loops=pl.col("loops").sum())
    loops = {truth: (looping, n) for truth, n, looping in found.iter_rows()}
    planted = loops.pop("loop")
    assert planted[0] == planted[1] > 40
    assert sum(looping for looping, _ in loops.values()) <= 0.005 * sum(n for _, n in loops.values())


def test_a_text_of_a_megabyte_is_read_from_its_end() -> None:
    text = "".join(f"{k} is {k % 7}; " for k in range(120_000)) + "We try again, and it is still not even. " * 40
    mark = marks(Repetition(), text)
    assert len(text) > 1 << 20
    assert (mark["loops"], mark["repeated_times"]) == (True, 40)
    assert text[mark["repeated_at"] :].startswith((" We try", "We try", "; We try"))


def test_the_passages_of_a_text_are_its_own() -> None:
    """A batch of equal texts: each repeats the others and not itself."""
    text = "These words stand in this text only once, and so there is nothing that it says again, is there, or is it?"
    shares, passages = repeats(pl.Series([text] * 50 + ["", "é", "a b c"]), 16)
    assert shares.tolist() == [0.0] * 53
    assert passages.height == 0


def test_places_are_those_of_characters() -> None:
    assert cut("é → x = 4", 3, 6) == (2, "→")


@needs_real_data
def test_real_rollouts_that_loop_are_hardly_ever_right() -> None:
    rows = real_rollouts("rg_llama3b_step400_n50")
    looping = rows.filter(Repetition()(rows)["loops"])
    assert 100 < looping.height < 200
    assert looping["correct"].sum() <= 1


# Language

ENGLISH = "How many of the apples are left in the basket?"


@pytest.mark.parametrize(
    ("drifts", "at", "foreign"),
    [
        ("So he is分配 slices to them.", 8, "分配"),
        ("Then the sum is 随后，他看到2只 more.", 16, "随后，他看到2只"),
        ("We see that два раза больше is meant.", 12, "два раза больше"),
        ("We see the total. なので答えは4です。", 18, "なので答えは4です"),
        ("The sum is 4. 그러므로 답은 4", 14, "그러므로 답은"),
        ("The sum is 12. Por lo tanto, la respuesta es que los niños tienen 12. So it is 12.", 15, "Por lo tanto"),
        ("The sum is 12. Donc la réponse est 12 pour nous. It is 12.", 15, "Donc la réponse est 12 pour nous"),
        ("The sum is 12. Also ist die Antwort 12, und das ist nicht viel. It is 12.", 15, "Also ist die Antwort"),
    ],
)
def test_a_drift_into_another_language_is_found_with_its_place(drifts: str, at: int, foreign: str) -> None:
    mark = marks(Language(), drifts, problem=ENGLISH)
    assert mark["mixes"]
    assert abs(mark["foreign_at"] - at) <= 1
    assert mark["foreign"].startswith(foreign)
    assert mark["foreign_in"] == "reasoning"
    assert mark["foreign_chars"] >= len(foreign)


@pytest.mark.parametrize(
    "plain",
    [
        "We have α + β ≤ γ, so ∠ABC = 60° and the sum ∑ aᵢ → ∞; thus x ∈ ℝ, √2 ≈ 1.41, and Ω(n) ⊂ ℵ₀.",
        "Let Ш be the group and Д its dual, and let the others be as they are.",
        "José, Zoë and Łukasz meet in São Paulo, at the café of Les Deschamps in Des Moines, and the bill is 4 euros.",
        "\\text{lcm}(a, b) de la Vega, $\\sin \\theta$, DE = 4, LA = 5, ET = 6, UN = 7 and so on for the rest of them.",
        "The die is cast: if the die is 4, then the die wins. Also we have a die that is the best of them.",
        "",
    ],
)
def test_signs_greek_letters_and_names_are_no_drift(plain: str) -> None:
    assert not marks(Language(), plain, problem=ENGLISH)["mixes"]


def test_a_script_of_the_question_is_no_drift() -> None:
    problem = "The sign 山 means mountain. How many strokes has it, and how many have 山 and 川 together?"
    assert not marks(Language(), "The sign 山 has 3 strokes and 川 has 3, so that is 6.", problem=problem)["mixes"]


def test_a_chinese_question_may_be_answered_in_chinese_and_not_in_english() -> None:
    problem = "小明有3个苹果，又买了4个，一共有多少个苹果？"
    own = marks(Language(), "我们先算 3 + 4 = 7，所以 x = 7 个苹果。", "答案是 7。", problem=problem)
    assert (own["problem_language"], own["reasoning_language"], own["mixes"]) == ("zh", "zh", False)
    other = marks(Language(drop=("other_language",)), "So we have 3 and 4, and the sum of them is 7.", problem=problem)
    assert (other["reasoning_language"], other["mixes"], other["drop"]) == ("en", True, "other_language")


def test_what_is_dropped_for_its_language_is_said() -> None:
    thinking = "我们先算这个。" * 9
    assert marks(Language(), thinking, problem=ENGLISH)["drop"] is None
    assert marks(Language(drop=("mixed_language",)), thinking, problem=ENGLISH)["drop"] == "mixed_language"
    assert marks(Language(drop=("other_language", "mixed_language")), None, "4", problem=ENGLISH)["drop"] is None


@needs_real_data
def test_all_known_drifts_of_real_rollouts_are_found() -> None:
    """22 of 4,074 have Chinese in English reasoning, by the makers of the data; one more quotes a Russian phrase."""
    found = real_rollouts("mip_gsm8k_longcot").pipe(Language()).filter("mixes")
    assert found.height == 23
    assert found["foreign"].str.contains(r"\p{Han}").sum() == 22


@needs_real_data
def test_the_language_of_a_question_is_told() -> None:
    file = Path(os.environ["COTILLION_REAL_DATA"]) / "dups/mgsm_translation.jsonl"
    rows = pl.read_ndjson(file)
    told = (languages(rows["b"])["language"] == rows["kind"].str.tail(2)).fill_null(False)
    assert (told.sum(), len(told)) == (2498, 2500)
    assert (languages(rows["a"])["language"] == "en").all()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Let u = 4*x - 7. Then du = 4*dx, so dx = du/4.\n= -3 * u**(1/2) du + 2 * u du", "en"),
        ("Cho hiked 8 * 14 = 112 km\nCho hiked 67 kilometers farther.\nCho: 67", None),
        ("1000 m per second = ? km per hour", "en"),
        ("αβγ = δε + ζη and that is it", "en"),
        ("Qual é a média dos números 3, 5 e 7?", "pt"),
        (None, None),
    ],
)
def test_differentials_names_and_greek_signs_make_no_language(text: str | None, language: str | None) -> None:
    assert languages(pl.Series([text], dtype=pl.String))["language"].to_list() == [language]


def test_the_tutor_speaks_english(tutored: pl.DataFrame) -> None:
    found = Language()(tutored)
    assert found["mixes"].sum() == 0
    assert set(found["reasoning_language"].drop_nulls()) == {"en"}


# Shape


def shape(
    reasoning: str | None, response: str | None, finish: str = "unknown", form: str = "tags", **options: Any
) -> Any:
    return marks(Shape(**options), reasoning, response, finish_reason=finish, format=form)


@pytest.mark.parametrize(
    ("reasoning", "response", "finish", "form", "expected"),
    [
        ("2 + 2, that is 4.", "It is 4.", "stop", "tags", "whole"),
        (
            None,
            "First we add 2 and 2, and then we take a look at what that makes; then we say what we found. It is 4.",
            "stop",
            "none",
            "no_thinking",
        ),
        (None, "\\boxed{4}", "stop", "none", "answer_only"),
        ("", " \n", "stop", "none", "no_text"),
        ("2 + 2, that is 4.", None, "stop", "tags", "no_response"),
        ("It is $\\boxed{4}$.", "I hope that this helps.", "stop", "tags", "answer_in_thinking"),
        ("It is 4.", "So we are done. The answer is 4.", "stop", "open", "unclosed"),
        ("It is 4.\n\nNo, it is 4.", "It is 4.\n\nIt is 4.", "stop", "blocks", "doubled"),
        ("2 + 2, that", None, "length", "open", "cut_off"),
        ("2 + 2, that is 4.", None, "unknown", "open", "cut_off"),
        ("2 + 2, that is 4.", "It is 4.", "length", "tags", "cut_off"),
        (None, None, "error", "none", "no_text"),
    ],
)
def test_the_shape_is_the_first_that_is_so(
    reasoning: str | None, response: str | None, finish: str, form: str, expected: str
) -> None:
    assert shape(reasoning, response, finish, form)["shape"] == expected


@pytest.mark.parametrize(
    "end",
    [
        "Next, we need to find the total number of squares on the comforter by",
        "Substituting the known ages of Akbar and Alessandro, we get:",
        "Thus, we have:\n\\[\na_{15}",
        "need to check \\(",
        "9 + 25 + 2 +",
        "and so $x",
        "\\begin{align*} 4 &= 4",
        "We subtract the number of pots she bought from the number of roses",
    ],
)
def test_an_imported_rollout_that_stops_midway_was_cut_off(end: str) -> None:
    mark = shape("We count.", end)
    assert (mark["shape"], mark["cut_off_by"]) == ("cut_off", "text")
    assert mark["ends_with"] == end[-80:]
    assert shape("We count.", end, "stop")["shape"] != "cut_off", "a server that says it ended knows better"


@pytest.mark.parametrize(
    "end",
    [
        "In the end the total cost of the order with the tip is $20.00 + $4.00 + $5.00 = $29.00",
        'and the reasoning is told.",\n    "answer": "120"\n}\n```',
        "So the final answer is:\n\\[\n\\boxed{\\cot x}\n\\]\n\n#### \\cot x",
        "**Answer:** 29",
        "that $\\angle B$ measures $\\boxed{76^\\circ}$.#### 76^\\circ",
        "The pie costs $7 and the cake $8.",
        "<answer>0 or $\\frac{2\\sqrt{2}+2}{3}$</answer>",
        "答案是 7。",
        "The answer is 4!</s></s></s>",
        "הסכום הוא 4",
    ],
)
def test_an_imported_rollout_that_came_to_its_end_was_not(end: str) -> None:
    mark = shape("We count.", end)
    assert (mark["shape"], mark["cut_off_by"], mark["ends_with"]) == ("whole", None, None)
    assert mark["padded"] == end.endswith("</s>")


def test_every_cut_off_of_the_tutor_is_seen_and_nothing_else(tutored: pl.DataFrame) -> None:
    found = tutored.join(Shape()(tutored), on="id").with_columns(planted=pl.col("truth").is_in(["cut", "loop"]))
    assert found["planted"].sum() > 80
    assert (found["planted"] == (found["shape"] == "cut_off")).all()


def test_cut_offs_are_told_from_the_text_where_nobody_says_how_a_rollout_ended(tutored: pl.DataFrame) -> None:
    unknown = tutored.with_columns(finish_reason=pl.lit("unknown"))
    found = tutored.join(Shape()(unknown), on="id").with_columns(cut=pl.col("shape") == "cut_off")
    planted = pl.col("truth").is_in(["cut", "loop"])
    assert found.filter(planted)["cut"].mean() == pytest.approx(1.0, abs=0.01)
    assert found.filter(~planted)["cut"].sum() <= 0.005 * found.filter(~planted).height


def test_shapes_are_dropped_by_name_and_lengths_by_characters() -> None:
    assert shape("2 + 2, that is 4.", None, "stop")["drop"] is None
    assert shape("2 + 2, that is 4.", None, "stop", drop=("no_response",))["drop"] == "no_response"
    assert shape("2 + 2, that", "", "length", "open", drop=("cut_off", "length"), chars=(20, 90))["drop"] == "cut_off"
    assert shape("2 + 2.", "It is 4.", "stop", drop=("length",), chars=(20, 90))["drop"] == "length"
    assert shape("2 + 2, that is 4.", "It is 4.", "stop", drop=("length",), chars=(20, 90))["drop"] is None
    with pytest.raises(ValueError, match="from the fewest to the most"):
        Shape(chars=(9, 8))


# Bad input


@pytest.mark.parametrize("stage", [Repetition(), Language(), Shape()], ids=["repetition", "language", "shape"])
@pytest.mark.parametrize(
    "text", [None, "", "שלום " * 30, "\\frac{1}{2} + \\sqrt{\\alpha}", "x" * 1_000_000, "�\x00\u202e", "\n" * 100]
)
def test_any_text_gets_its_marks(stage: Any, text: str | None) -> None:
    mark = marks(stage, text, text, problem=text, finish_reason=None, format=None)
    assert mark["id"] == "a"
    assert mark["drop"] is None


def test_flaws_are_counted_by_teacher() -> None:
    rows = pl.DataFrame(
        {
            "teacher": ["a", "a", "b", None],
            "loops": [True, False, False, False],
            "mixes": [False, False, False, True],
            "shape": ["cut_off", "whole", "no_thinking", "whole"],
        }
    )
    nothing = {"loops": 0, "mixes": 0, "cut_off": 0}
    assert flaws(rows) == {
        "a": {"rollouts": 2, **nothing, "loops": 1, "cut_off": 1},
        "b": {"rollouts": 1, **nothing},
        "unknown": {"rollouts": 1, **nothing, "mixes": 1},
    }
    assert flaws(rows.select("teacher")) == {}
    assert flaws_section({}) == ""
