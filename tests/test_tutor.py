"""The tutor: right where it should be, wrong as planned, and honest about both."""

import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator

import pytest

from distill.families import LEVELS, PosedRow, pose_many, read_question
from distill.request import Message, Request, Sampling
from distill.teachers.tutor import EXPECTED, LEVEL_WEIGHTS, Tutor
from distill.tutor_text import count_tokens

PROMPT = "Solve the following problem. Put the final answer in \\boxed{{}}.\n\n{}\n\nThink step by step."


def request(tutor: Tutor, problem: str, index: int = 0, max_tokens: int = 4096) -> Request:
    messages = (Message("system", "You like 2 + 2."), Message("user", PROMPT.format(problem)))
    return Request(messages, tutor.model, tutor.revision, Sampling(max_tokens=max_tokens), index)


def content(tutor: Tutor, asked: Request) -> str:
    (reply,) = tutor.ask([asked])
    return reply.content


def boxed(text: str) -> str | None:
    """The last box of a text."""
    start = text.rfind("\\boxed{")
    return text[start + len("\\boxed{") : text.rfind("}$")] if start >= 0 else None


@pytest.fixture(scope="module")
def rows() -> list[PosedRow]:
    return pose_many(1_400, seed=3)


@pytest.fixture(scope="module")
def planted(rows: list[PosedRow]) -> dict[str, list[tuple[PosedRow, Request]]]:
    """Rollouts of a tutor that always errs, by truth."""
    tutor = Tutor(error_rate=1)
    found = defaultdict(list)
    for row in rows:
        asked = request(tutor, row.problem, max_tokens=1500)
        found[tutor.truth(asked)].append((row, asked))
    return found


def test_without_errors_ten_thousand_answers_are_the_gold_built_by_another_route() -> None:
    tutor = Tutor(error_rate=0)
    rows = pose_many(10_000, seed=12)
    replies = tutor.ask(request(tutor, row.problem) for row in rows)
    assert [boxed(reply.content) for reply in replies] == [row.answer for row in rows]


def test_the_verifier_grades_right_answers_as_correct(rows: list[PosedRow]) -> None:
    grading = pytest.importorskip("verify.grade", reason="verify is not importable")
    tutor = Tutor(error_rate=0)
    replies = [content(tutor, request(tutor, row.problem)) for row in rows[:500]]
    golds, problems = [row.answer for row in rows[:500]], [row.problem for row in rows[:500]]
    assert {verdict.status for verdict in grading.grade_many(replies, golds, problems)} == {"correct"}


@pytest.mark.parametrize("rate", [0.25, 0.8])
def test_the_error_rate_is_met(rate: float) -> None:
    tutor = Tutor(error_rate=rate)
    rows = pose_many(4_000, seed=9)
    errors = sum(tutor.truth(request(tutor, row.problem)) not in ("right", "noticed") for row in rows)
    assert errors / 4_000 == pytest.approx(rate, abs=4 * (rate * (1 - rate) / 4_000) ** 0.5)


def test_harder_levels_err_more() -> None:
    tutor = Tutor(error_rate=0.4)
    rows = pose_many(3_500, seed=9)
    errors = Counter(row.level for row in rows if tutor.truth(request(tutor, row.problem)) not in ("right", "noticed"))
    shares = [errors[level] / 700 for level in LEVELS]
    assert shares == sorted(shares)
    assert shares == pytest.approx([0.4 * LEVEL_WEIGHTS[level] for level in LEVELS], abs=0.075)


def test_pass_rates_lie_anywhere_from_none_to_all(rows: list[PosedRow]) -> None:
    tutor = Tutor(error_rate=0.4)
    passed = Counter(
        sum(EXPECTED[tutor.truth(request(tutor, row.problem, i))] == "correct" for i in range(8)) for row in rows[:500]
    )
    assert set(passed) == set(range(9))


def test_every_planted_error_occurs(planted: dict[str, list[tuple[PosedRow, Request]]]) -> None:
    assert set(planted) == set(EXPECTED) - {"right", "noticed", "unknown"}


def test_slips_and_wrong_methods_end_in_another_answer(planted: dict[str, list[tuple[PosedRow, Request]]]) -> None:
    for row, asked in planted["slip"] + planted["method"]:
        assert boxed(content(Tutor(1), asked)) not in (None, row.answer)


def test_a_slip_is_carried_to_the_end(planted: dict[str, list[tuple[PosedRow, Request]]]) -> None:
    """The wrong answer is the last thing found, not a right solution with another number under it."""
    carried = 0
    for _, asked in planted["slip"]:
        text = content(Tutor(1), asked)
        answer = boxed(text)
        assert answer is not None
        carried += answer in text.split("</think>")[1].rsplit("\n", 2)[0]
    assert carried > 0.85 * len(planted["slip"])


def test_loops_repeat_themselves_until_they_are_cut(planted: dict[str, list[tuple[PosedRow, Request]]]) -> None:
    for _, asked in planted["loop"]:
        (reply,) = Tutor(1).ask([asked])
        paragraphs = Counter(reply.content.split("\n\n"))
        assert reply.finish_reason == "length"
        assert reply.completion_tokens == count_tokens(reply.content) == 1500
        assert max(paragraphs.values()) > 10


def test_cut_replies_stop_in_the_midst_of_thinking(planted: dict[str, list[tuple[PosedRow, Request]]]) -> None:
    for _, asked in planted["cut"]:
        (reply,) = Tutor(1).ask([asked])
        assert (reply.finish_reason, reply.completion_tokens) == ("length", 1500)
        assert "</think>" not in reply.content
        assert max(Counter(reply.content.split("\n\n")).values()) < 10


def test_no_box_means_the_answer_in_plain_prose(planted: dict[str, list[tuple[PosedRow, Request]]]) -> None:
    for row, asked in planted["no_box"]:
        text = content(Tutor(1), asked)
        assert boxed(text) is None
        assert text.endswith(f" {row.answer}.")


def test_no_answer_and_refusal_name_no_number(planted: dict[str, list[tuple[PosedRow, Request]]]) -> None:
    for _, asked in planted["no_answer"] + planted["refusal"]:
        response = content(Tutor(1), asked).split("</think>")[1]
        assert not re.search(r"\d|\\", response)


def test_odd_forms_and_sentences_hold_the_right_value(planted: dict[str, list[tuple[PosedRow, Request]]]) -> None:
    for row, asked in planted["sentence"]:
        assert str(boxed(content(Tutor(1), asked))).endswith(f"}}{row.answer}")
    for row, asked in planted["odd_form"]:
        assert boxed(content(Tutor(1), asked)) != row.answer
    numbers = [(row, asked) for row, asked in planted["odd_form"] if row.answer_type == "integer"]
    grading = pytest.importorskip("verify.grade", reason="verify is not importable")
    texts = [content(Tutor(1), asked) for _, asked in numbers]
    assert {v.status for v in grading.grade_many(texts, [row.answer for row, _ in numbers])} == {"correct"}


def test_a_noticed_slip_is_mended(rows: list[PosedRow]) -> None:
    tutor = Tutor(error_rate=0)
    noticed = [(row, asked) for row in rows[:100] if tutor.truth(asked := request(tutor, row.problem)) == "noticed"]
    assert 15 < len(noticed) < 60
    for row, asked in noticed:
        text = content(tutor, asked)
        assert re.search(r"Wait|Hold on|Hmm, no", text)
        assert boxed(text) == row.answer


def test_the_order_of_requests_changes_nothing(rows: list[PosedRow]) -> None:
    tutor = Tutor()
    asked = [request(tutor, row.problem, i) for row in rows[:100] for i in range(3)]
    forwards = {reply.key: reply for reply in tutor.ask(asked)}
    backwards = {reply.key: reply for reply in tutor.ask(asked[::-1])}
    alone = {one.key: reply for one in asked for reply in tutor.ask([one])}
    assert forwards == backwards == alone


def test_replies_are_the_same_in_every_process() -> None:
    code = """
import hashlib
from distill.families import pose_many
from distill.request import Message, Request, Sampling
from distill.teachers.tutor import Tutor
tutor, sampling = Tutor(0.5), Sampling(max_tokens=800)
asked = [Request((Message("user", row.problem),), tutor.model, tutor.revision, sampling, 0) for row in pose_many(70, 1)]
print(hashlib.sha256(repr(list(tutor.ask(asked))).encode()).hexdigest())
"""
    found = [
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert found[0] == found[1]


def test_rollouts_of_one_question_differ(rows: list[PosedRow]) -> None:
    tutor = Tutor()
    assert len({content(tutor, request(tutor, rows[0].problem, i)) for i in range(16)}) == 16


def test_requests_are_pulled_one_by_one(rows: list[PosedRow]) -> None:
    tutor = Tutor()
    pulled = 0

    def asking() -> Iterator[Request]:
        nonlocal pulled
        for row in rows:
            pulled += 1
            yield request(tutor, row.problem)

    next(tutor.ask(asking()))
    assert pulled == 1


@pytest.mark.parametrize("max_tokens", [1, 20, 150])
def test_max_tokens_is_honoured_and_told(rows: list[PosedRow], max_tokens: int) -> None:
    tutor = Tutor()
    for row in rows[:100]:
        asked = request(tutor, row.problem, max_tokens=max_tokens)
        (reply,) = tutor.ask([asked])
        assert reply.completion_tokens == count_tokens(reply.content) <= max_tokens
        cut = EXPECTED[tutor.truth(asked)] == "truncated"
        assert reply.finish_reason == ("length" if cut else "stop")


def test_the_reply_is_thinking_then_a_short_response(rows: list[PosedRow]) -> None:
    tutor = Tutor(error_rate=0)
    for row in rows[:100]:
        asked = request(tutor, row.problem)
        (reply,) = tutor.ask([asked])
        matched = re.fullmatch(r"<think>\n(.+)\n</think>\n\n(.+)", reply.content, re.DOTALL)
        assert matched is not None
        assert len(matched[1]) > len(matched[2])
        assert reply.reasoning is None
        assert reply.prompt_tokens == sum(count_tokens(message.content) for message in asked.messages)


def test_an_unknown_question_is_not_guessed() -> None:
    tutor = Tutor(error_rate=0)
    asked = request(tutor, "Is every even number above two the sum of two primes?")
    assert tutor.truth(asked) == "unknown"
    text = content(tutor, asked)
    assert "I don't know" in text
    assert boxed(text) is None


@pytest.mark.parametrize(
    "problem",
    [
        "Find the set of all real solutions of the quadratic equation $x^2 + x + 1 = 0$.",
        "Find the set of all real solutions of the quadratic equation $2x^2 - 3x + 1 = 0$.",
        "The numbers 1, 2, 4, 8, 16 follow a simple rule. Which number comes next?",
        "In an M/M/1 queue customers arrive at rate $5$ and are served at rate $3$ per hour. "
        "What is the mean number of customers in the system in the steady state?",
        "Solve the congruence $2 x \\equiv 3$ modulo $4$; answer with the least non-negative residue.",
    ],
)
def test_numbers_outside_a_family_are_not_guessed(problem: str) -> None:
    tutor = Tutor(error_rate=0)
    assert tutor.truth(request(tutor, problem)) == "unknown"


def test_only_the_last_user_message_is_answered() -> None:
    tutor = Tutor(error_rate=0)
    turns = (
        Message("user", "What is $5 + 3 \\times 4$?"),
        Message("assistant", "17"),
        Message("user", "What is $1 + 2 \\times 2$?"),
    )
    asked = Request(turns, tutor.model, tutor.revision, Sampling(), 0)
    assert boxed(content(tutor, asked)) == "5"


def test_the_revision_tells_the_error_rate() -> None:
    assert Tutor().model == "tutor"
    assert Tutor(0.25).revision != Tutor(0.3).revision
    assert "0.25" in Tutor(0.25).revision


@pytest.mark.parametrize("rate", [-0.1, 1.5, float("nan")])
def test_an_impossible_error_rate_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="share from 0 to 1"):
        Tutor(error_rate=rate)


def test_the_error_probability_is_the_questions_own(rows: list[PosedRow]) -> None:
    """Over its rollouts a question errs as often as it says."""
    tutor = Tutor(error_rate=0.5)
    for row in rows[:6]:
        question = read_question(row.problem)
        assert question is not None
        expected = tutor.error_probability(question)
        truths = [tutor.truth(request(tutor, row.problem, i)) for i in range(400)]
        observed = sum(truth not in ("right", "noticed") for truth in truths) / 400
        assert observed == pytest.approx(expected, abs=4 * 0.025)
