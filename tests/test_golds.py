"""Golds of duplicates: who stays, which golds make two problems of one text, and what is said of those that differ."""

import json
from pathlib import Path

import polars as pl
import pytest

from curate.build import build
from curate.dedup.exact import Exact
from curate.dedup.minhash import Minhash
from curate.look.show import summary
from curate.look.story import story
from curate.manifest import read_manifest
from curate.progress import Steps

FENCE = "A rectangular garden is 12 meters long and 5 meters wide. How many meters of fence go around it?"
SPACED = FENCE.replace(" ", "  ")
WRAPPED = f"Question: {FENCE}\nPlease reason step by step."
REWORDED = FENCE.replace("go around it", "will go all the way around it")


def table(*rows: tuple[str, str | None], with_rollouts: tuple[bool, ...] | None = None) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "id": [str(at) for at in range(len(rows))],
            "problem": [problem for problem, _ in rows],
            "answer": [answer for _, answer in rows],
            "with_rollouts": with_rollouts or [False] * len(rows),
        },
        schema_overrides={"answer": pl.String},
    )


def test_of_equal_texts_the_one_with_a_gold_stays_then_the_one_with_rollouts() -> None:
    rows = table((FENCE, None), (SPACED, " "), (FENCE, "34"), (SPACED, "34"))
    assert Exact()(rows)["duplicate_of"].to_list() == ["2", "2", None, "2"]
    assert Exact(keep=("order",))(rows)["duplicate_of"].to_list() == [None, "0", "0", "0"]
    rows = table((FENCE, "34"), (SPACED, "34"), with_rollouts=(False, True))
    assert Exact()(rows)["duplicate_of"].to_list() == ["1", None]


@pytest.mark.parametrize(
    ("one", "other", "differs"),
    [
        ("34", "60", True),
        ("34", "$34.0$", False),
        ("1,200", "1200", False),
        ("-34", "34", True),
        ("34", "34 m", False),
        ("1/2", "0.6", False),
        ("x", "y", False),
        ("34", None, False),
    ],
)
def test_golds_that_are_other_numbers_are_said_and_others_may_be_one_in_two_forms(
    one: str, other: str | None, differs: bool
) -> None:
    assert Exact()(table((FENCE, one), (SPACED, other)))["gold_differs"].to_list() == [None, differs]
    assert Minhash()(table((FENCE, one), (WRAPPED, other)))["gold_differs"].to_list() == [None, differs]


def test_what_only_reads_alike_is_another_problem_where_its_gold_is_another_number() -> None:
    stage = Minhash()
    same = stage(table((FENCE, "34"), (REWORDED, "34.0")))
    assert same["near_duplicate_of"].to_list() == [None, "0"]
    other = stage(table((FENCE, "34"), (REWORDED, "60")))
    assert other["near_duplicate_of"].to_list() == [None, None]
    assert other["variant_of"].to_list() == [None, "0"]
    untold = stage(table((FENCE, "34"), (REWORDED, "about 60")))
    assert untold["near_duplicate_of"].to_list() == [None, "0"]


def test_whoever_looks_at_a_version_hears_of_golds_that_differ(tmp_path: Path) -> None:
    told = [{"q": FENCE, "a": "34"}, {"q": SPACED, "a": "60"}, {"q": WRAPPED, "a": "34"}]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in told))
    (tmp_path / "m.yaml").write_text(
        "name: told\nsources: [{use: files, path: rows.jsonl, columns: {problem: q, answer: a}}]\n"
        "problems: [dedup.exact, dedup.minhash]\nviews: {rl: {}}\n"
    )
    version = build(read_manifest(tmp_path / "m.yaml"), tmp_path / "data", Steps(quiet=True), workers=1).version
    problems = version.table("problems").collect()
    (wrong,) = problems.filter(pl.col("gold_differs"))["id"]
    assert "1 problem was dropped for one of the same text whose gold is another number (column gold_differs), so " in (
        summary(version)
    )
    assert f"curate explain {wrong}" in summary(version)
    of_wrong = story([version], wrong)
    assert "duplicate_of" in of_wrong
    assert "answer: 34" in of_wrong
    assert "gold_differs = True" in of_wrong
