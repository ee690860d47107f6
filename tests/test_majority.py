"""Majority gold: what rollouts agree on becomes the gold answer where there is none, before verdicts are given."""

import json
import time
from pathlib import Path

import polars as pl
import pytest

from curate.build import build
from curate.manifest import read_manifest
from curate.progress import Steps
from curate.recipes.order import OrderError, check_order, goal_stage
from curate.verdicts.majority import Majority
from curate.version import Version
from curate.versions.checks import check_version
from curate.votes import MOST_FORMS, most_frequent
from distill.families import pose_many
from verify import same_answer

MANIFEST = """
name: agreed
sources: [{use: files, path: posed.jsonl, columns: {problem: q, answer: a, source_id: truth}}]
problems: [{use: hygiene.answerable, require_answer: false}]
rollouts:
  teacher: {use: tutor, error_rate: 0.35}
  sampling: {n: 8, temperature: 1.0, max_tokens: 4096}
verdicts: [majority, rule]
tags: [difficulty, quarantine]
views: {sft: {}, rl: {}}
heldout: 0.0
"""


def voted(*answers: str | None) -> tuple[str | None, int, int] | None:
    rows = pl.DataFrame(
        {"problem_id": "p", "extracted_answer": answers}, schema_overrides={"extracted_answer": pl.String}
    )
    found = most_frequent(rows).rows()
    return found[0][1:] if found else None


def elected(gold: str | None, *answers: str | None, **options: object) -> tuple[object, ...]:
    rows = pl.DataFrame(
        {"problem_id": "p", "answer": gold, "teacher": "m@1", "extracted_answer": answers},
        schema_overrides={"answer": pl.String, "extracted_answer": pl.String},
    )
    return Majority(**options)(rows).select("answer", "answer_by", "answer_share", "answer_n").row(0)  # type: ignore[arg-type]  # tests name real options


def test_answers_that_are_the_same_as_mathematics_are_one() -> None:
    assert voted("3", "0.5", r"\frac{1}{2}", "1/2", "0.50") == ("0.5", 4, 5)
    assert voted("x+1", "1+x", "x") == ("x+1", 2, 3)


def test_the_most_frequent_form_names_the_answer() -> None:
    assert voted("1/2", "0.5", "0.5") == ("0.5", 3, 3)


def test_a_tie_elects_nobody() -> None:
    assert voted("1", "2", "1.0", "2.0") == (None, 2, 4)
    assert elected(None, "1", "2", "1", "2")[0] is None


def test_blank_and_missing_answers_are_no_votes() -> None:
    assert voted(None, "", "  ", "4") == ("4", 1, 1)
    assert voted(None, "") is None


def test_gold_needs_enough_answers_and_enough_agreement() -> None:
    assert elected(None, "7", "7", "7", None) == (None, None, None, None), "three readable answers are too few"
    assert elected(None, "7", "7", "7.0", "1") == ("7", "majority", 0.75, 4)
    assert elected(None, "7", "7", "1", "2", "3")[0] is None, "two of five are no half"
    assert elected(None, "7", "7", "1", "2", "3", share=0.4)[:3] == ("7", "majority", 0.4)
    assert elected(None, "7", "7", least=2)[3] == 2


def test_a_gold_answer_of_the_source_stays_and_a_sentinel_is_none() -> None:
    assert elected("5", "7", "7", "7", "7") == (None, None, None, None)
    assert elected("notfound", "7", "7", "7", "7")[0] == "7"
    assert elected(" ", "7", "7", "7", "7")[0] == "7"
    assert elected("proof", *[r"\text{Q.E.D.}"] * 4)[0] is None, "a proof has no final answer to agree on"


def test_only_the_named_teacher_votes() -> None:
    rows = pl.DataFrame(
        {
            "problem_id": "p",
            "answer": pl.Series([None] * 6, dtype=pl.String),
            "teacher": ["weak@1"] * 4 + ["strong@1", "strong@2"],
            "extracted_answer": ["1", "1", "1", "1", "2", "2"],
        }
    )
    assert Majority()(rows)["answer"].item() == "1"
    assert Majority(teacher="strong", least=2)(rows)["answer"].item() == "2"


def test_cut_off_and_failed_replies_have_no_vote() -> None:
    rows = pl.DataFrame(
        {
            "id": ["a", "b", "c", "d"],
            "response": [r"So \boxed{4}.", r"So \boxed{4}, but", r"\boxed{4}", None],
            "finish_reason": ["stop", "length", "error", "stop"],
        }
    )
    assert Majority.per_rollout(rows)["extracted_answer"].to_list() == ["4", None, None, None]


def test_hostile_answers_cost_a_problem_seconds_at_most() -> None:
    payloads = (Path(__file__).parent / "verify/payloads.txt").read_text(encoding="utf-8").splitlines()
    towers = [f"9^{{9^{{9^{{{n}}}}}}} + \\int_0^x e^{{t^{{{n}}}}} dt" for n in range(40)]
    long = ["(" * 200_000 + str(n) for n in range(3)]
    odd = ["\u202e12\u202c", "٣", "求", "\\frac{{{{", "$$", "\x00"]
    started = time.process_time()
    answer, votes, readable = voted(*payloads, *towers, *long, *odd, *["7"] * 50) or (None, 0, 0)
    assert (answer, votes) == ("7", 50)
    assert readable == sum(bool(text.strip()) for text in [*payloads, *towers, *long, *odd]) + 50
    assert time.process_time() - started < 20


def test_many_different_answers_are_counted_and_few_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[str, str]] = []

    def counting(one: str, other: str, policy: object) -> object:
        compared.append((one, other))
        return same_answer(one, other)

    monkeypatch.setattr("curate.votes.same_answer", counting)
    assert voted(*map(str, range(500)), "7") == ("7", 2, 501)
    assert len(compared) <= MOST_FORMS**2


def made(folder: Path, root: str = "data", *sets: str) -> Version:
    """Every other problem has no gold; the truth stands in `source_id`, which no stage reads."""
    rows = [
        {"q": p.problem, "a": None if i % 2 else p.answer, "truth": f"{i} {p.answer}"}
        for i, p in enumerate(pose_many(60, 3))
    ]
    (folder / "posed.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "m.yaml").write_text(MANIFEST)
    return build(read_manifest(folder / "m.yaml", sets), folder / root, Steps(quiet=True), workers=1).version


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("agreed")


@pytest.fixture(scope="module")
def version(folder: Path) -> Version:
    return made(folder)


def test_a_build_judges_by_the_majority_and_says_so(version: Version) -> None:
    problems = version.problems.with_columns(truth=pl.col("source_id").str.replace(r"^\d+ ", "")).collect()
    posed = [int(source_id.split()[0]) for source_id in problems["source_id"]]
    bare = problems.filter(pl.Series(posed) % 2 == 1)
    found = bare.filter(pl.col("answer_by") == "majority")
    right = [bool(same_answer(*row).agreed) for row in found.select("answer", "truth").iter_rows()]
    assert found.height >= 0.8 * bare.height, "with one rollout of three wrong, most problems have a majority"
    assert sum(right) >= 0.9 * found.height
    assert found["answer_share"].min() >= 0.5  # type: ignore[operator]  # of numbers
    assert problems.filter(pl.Series(posed) % 2 == 0)["answer_by"].is_null().all()
    judged = version.rollouts.join(found.lazy().select(problem_id="id"), on="problem_id", how="semi").collect()
    assert set(judged["verdict"]) <= {"correct", "wrong", "no_answer", "truncated", "undecided"}
    left = bare.filter(pl.col("answer_by").is_null())
    unjudged = version.rollouts.join(left.lazy().select(problem_id="id"), on="problem_id", how="semi").collect()
    assert set(unjudged["verdict"]) <= {"unreadable_gold", "truncated"}
    assert version.rl.collect()["solution"].is_not_null().all()


def test_the_ledger_balances(version: Version) -> None:
    assert check_version(version).entries == len(version.lock["funnel"])


def test_a_build_that_goes_on_from_half_the_work_makes_the_same_rows(folder: Path, version: Version) -> None:
    half = made(folder, "resumed", "verdicts=[rule]", "tags=[]", "rollouts.sampling.n=4")
    again = made(folder, "resumed")
    assert half.digest != again.digest == version.digest


def test_the_rule_says_when_a_goal_is_reached_though_gold_is_elected_later(folder: Path) -> None:
    manifest = read_manifest(folder / "m.yaml", ["rollouts.goal={correct: 1, at_most: 8}"])
    check_order(manifest)
    assert (goal_stage(manifest) or manifest.verdicts[0]).name == "rule"


def test_a_majority_that_comes_after_the_verdicts_is_refused(folder: Path) -> None:
    with pytest.raises(OrderError, match=r"verdicts.1 \(majority\): writes 'answer', which rule has read by then"):
        check_order(read_manifest(folder / "m.yaml", ["verdicts=[rule, majority]"]))


def test_quarantine_without_verdicts_is_refused_before_anything_is_spent(folder: Path) -> None:
    with pytest.raises(OrderError, match=r"tags.1 \(quarantine\): reads 'verdict'"):
        check_order(read_manifest(folder / "m.yaml", ["verdicts=[majority]"]))
