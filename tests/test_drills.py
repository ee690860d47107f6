"""Drills: short chains for tiny students, solved from the text alone, told briefly, and posed only where named."""

from collections import Counter
from pathlib import Path
from random import Random

import polars as pl
import pytest

from curate.manifest import read_manifest
from curate.sources.procedural import Procedural
from distill.families import DRILLS, FAMILIES, LEVELS, NAMED, PosedRow, pose_many, read_question
from distill.request import Message, Reply, Request, Sampling
from distill.teachers.tutor import EXPECTED, Tutor
from distill.thinking import split_thinking
from distill.tutor_text import count_tokens
from tests.small_files import whole
from verify import grade_many

LADDER = Path(__file__).parents[1] / "manifests" / "ladder"
LADDERS = ("cpu", "ci", "gpu")

KNOWN = [
    ("Left to right, modulo 7: 3+5*4-6.", "5", ["3+5=1", "1*4=4", "4-6=5"]),
    ("Last digits: a=3, b=a-4, c=b*2, d=c-9. Find d.", "9", ["b=3-4=9", "c=9*2=8", "d=8-9=9"]),
    ("Add up: 7+5+8+9.", "29", ["7+5=12", "12+8=20", "20+9=29"]),
    ("Gap after gap: 4~9~2~2~7.", "6", ["4~9=5", "5~2=3", "3~2=1", "1~7=6"]),
]
"""Worked by hand."""


@pytest.fixture(scope="module")
def rows() -> list[PosedRow]:
    return pose_many(800, seed=5, families=list(DRILLS))


def asked(tutor: Tutor, problem: str, index: int = 0) -> Request:
    sampling = Sampling(8, 1.0, 1.0, 4096 if tutor.style == "long" else 120)
    return Request((Message("user", problem),), tutor.model, tutor.revision, sampling, index)


def answered(tutor: Tutor, problem: str, index: int = 0) -> Reply:
    (reply,) = tutor.ask([asked(tutor, problem, index)])
    return reply


@pytest.mark.parametrize(("problem", "answer", "chain"), KNOWN)
def test_a_drill_is_worked_in_one_line_a_step(problem: str, answer: str, chain: list[str]) -> None:
    reply = answered(Tutor(error_rate=0, style="brief"), problem)
    assert reply.content == "<think>\n" + "\n".join(chain) + f"\n</think>\n\n\\boxed{{{answer}}}"


def test_the_answer_style_says_the_answer_alone() -> None:
    reply = answered(Tutor(error_rate=0, style="answer"), "Add up: 7+5+8+9.")
    assert reply.content == "<think>\n\n</think>\n\n\\boxed{29}"


@pytest.mark.parametrize("style", ["long", "brief", "answer"])
def test_the_tutor_solves_every_drill_and_the_gold_came_by_counting(rows: list[PosedRow], style: str) -> None:
    tutor = Tutor(error_rate=0, style=style)  # type: ignore[arg-type]  # parametrize knows no Literal
    texts = [answered(tutor, row.problem).content for row in rows[:400]]
    responses = [split_thinking(text, finished=True).response for text in texts]
    verdicts = grade_many(responses, [row.answer for row in rows[:400]])
    assert {verdict.status for verdict in verdicts} == {"correct"}


def test_every_drill_is_read_as_what_it_was_posed_as(rows: list[PosedRow]) -> None:
    for row in rows:
        question = read_question(f"You like 2 + 2.\n\n{row.problem} Think.")
        assert question is not None
        assert (question.family.name, question.kind.level, question.text) == (row.family, row.level, row.problem)


def test_levels_differ_by_steps_and_each_has_room_for_texts(rows: list[PosedRow]) -> None:
    steps: dict[tuple[str, str], set[int]] = {}
    for row in rows:
        steps.setdefault((row.family, row.level), set()).add(row.solution.count("\n"))
    for name, family in DRILLS.items():
        counts = [steps[name, level] for level in LEVELS]
        assert [len(count) for count in counts] == [1] * 5
        assert [min(count) for count in counts] == [3, 4, 5, 6, 8]
        for level in LEVELS:
            assert len({family.pose(level, Random(f"{level}/{i}")).problem for i in range(1000)}) > 900


def test_drills_are_posed_only_where_they_are_named() -> None:
    assert not {row.family for row in pose_many(140, seed=0)} & set(DRILLS)
    assert not set(FAMILIES) & set(DRILLS)
    posed = whole(Procedural(n=20, families=("drill_sums", "rates"))()).problems
    assert posed["source_id"].str.split("-").list.first().unique().sort().to_list() == ["drill_sums", "rates"]
    assert set(NAMED) == set(FAMILIES) | set(DRILLS)


def test_other_questions_are_read_as_before() -> None:
    for row in pose_many(700, seed=3):
        question = read_question(row.problem)
        assert question is not None
        assert question.family.name == row.family


def test_the_style_is_part_of_the_revision_but_for_the_first_one() -> None:
    assert Tutor(0.4).revision == "v1-e0.4"
    assert Tutor(0.4, "brief").revision == "v1-e0.4-brief"


def test_brief_rollouts_err_at_the_set_rate_and_the_verifier_finds_what_was_planted(rows: list[PosedRow]) -> None:
    tutor = Tutor(error_rate=0.4, style="brief")
    truths = [tutor.truth(asked(tutor, row.problem, i)) for row in rows for i in range(4)]
    assert sum(truth != "right" for truth in truths) / len(truths) == pytest.approx(0.4, abs=0.05)
    assert set(truths) == {"right", "slip", "loop", "cut", "no_answer"}
    replies = [answered(tutor, row.problem, i) for row in rows for i in range(4)]
    parts = [split_thinking(reply.content, finished=reply.finish_reason == "stop").response for reply in replies]
    golds = [row.answer for row in rows for _ in range(4)]
    verdicts = grade_many(parts, golds, finish_reasons=[reply.finish_reason for reply in replies])
    assert [verdict.status for verdict in verdicts] == [EXPECTED[truth] for truth in truths]


def test_brief_replies_are_short_and_cut_ones_are_cut_at_the_limit(rows: list[PosedRow]) -> None:
    tutor = Tutor(error_rate=1, style="brief")
    for row in rows:
        truth, reply = tutor.truth(asked(tutor, row.problem)), answered(tutor, row.problem)
        lines = Counter(reply.content.split("\n"))
        if truth in ("loop", "cut"):
            assert (reply.finish_reason, count_tokens(reply.content)) == ("length", 120)
            assert (max(lines.values()) > 8) == (truth == "loop")
        else:
            assert reply.completion_tokens <= 80


def test_a_brief_slip_is_carried_to_the_box(rows: list[PosedRow]) -> None:
    tutor = Tutor(error_rate=1, style="brief")
    slips = [row for row in rows if tutor.truth(asked(tutor, row.problem)) == "slip"]
    ends = pl.DataFrame({"text": [answered(tutor, row.problem).content for row in slips]}).select(
        last=pl.col("text").str.extract(r"[=>](-?\d+)\n</think>"), box=pl.col("text").str.extract(r"boxed\{(-?\d+)\}")
    )
    assert (ends["last"] == ends["box"]).mean() > 0.9  # type: ignore[operator]  # polars types a mean as any value


def test_what_one_manifest_of_the_ladder_holds_out_no_other_trains_on() -> None:
    """The side of a problem is drawn from its text, the seed and the share: all of them have these in common."""
    found = [read_manifest(path) for path in sorted(LADDER.glob("*.yaml")) if path.stem not in LADDERS]
    assert len(found) == 7
    assert {(each.seed, each.heldout, each.prompt.user) for each in found} == {(0, 0.2, "{problem}")}
    posing = [use.plug for each in found if each.rollouts for use in each.sources if use.name == "procedural"]
    levels = {level for source in posing for level in source.levels}
    assert levels == set(LEVELS) - {"graduate"}
