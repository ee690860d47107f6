"""Golds of duplicates: who stays, which golds make two problems of one text, and what is said of those that differ."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curate.build import build
from curate.dedup.exact import Exact
from curate.dedup.minhash import Minhash
from curate.look.show import summary
from curate.look.story import story
from curate.manifest import read_manifest
from curate.progress import Steps
from curate.version import Version

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


def built(folder: Path, *rows: dict[str, str]) -> Version:
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "m.yaml").write_text(
        "name: told\nsources: [{use: files, path: rows.jsonl, columns: {problem: q, answer: a}}]\n"
        "problems: [dedup.exact, dedup.minhash]\nviews: {rl: {}}\n"
    )
    return build(read_manifest(folder / "m.yaml"), folder / "data", Steps(quiet=True), workers=1).version


def test_whoever_looks_at_a_version_hears_of_golds_that_differ(tmp_path: Path) -> None:
    version = built(tmp_path, {"q": FENCE, "a": "34"}, {"q": SPACED, "a": "60"}, {"q": WRAPPED, "a": "34"})
    (wrong,) = version.table("problems").collect().filter(pl.col("gold_differs"))["id"]
    assert "1 problem was dropped for one that asks the same and has another number as gold" in summary(version)
    assert f"curate explain {wrong}" in summary(version)
    told = story([version], wrong)
    assert "answer: 34" in told
    assert told.count("gold_differs = True") == 1


def test_a_duplicate_in_another_form_is_told_by_the_stage_that_found_it(tmp_path: Path) -> None:
    version = built(tmp_path, {"q": FENCE, "a": "34"}, {"q": WRAPPED, "a": "60"})
    (wrong,) = version.table("problems").collect().filter(pl.col("gold_differs"))["id"]
    told = story([version], wrong)
    assert told.index("dedup.exact") < told.index("dedup.minhash") < told.index("gold_differs = True")
    assert told.count("gold_differs") == 1


@pytest.mark.parametrize("keep", [("answer", "order"), ("order",)])
@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (1, 2, 0), (2, 1, 0)])
def test_a_third_one_without_a_gold_does_not_join_two_with_other_golds(
    order: tuple[int, ...], keep: tuple[Any, ...]
) -> None:
    asked = [(FENCE, None), (REWORDED, "34"), (FENCE.replace("go around it", "go all around it"), "60")]
    found = Minhash(keep=keep)(table(*(asked[at] for at in order)))
    golds = {str(place): asked[at][1] for place, at in enumerate(order)}
    for row, other in found.select("id", "near_duplicate_of").drop_nulls().iter_rows():
        assert None in (golds[row], golds[other])
    stays = found.filter(pl.col("drop").is_null())
    assert stays.height == 2
    assert stays["variant_of"].null_count() == 1, "they stand in one cluster"


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (1, 0, 2)])
def test_a_third_one_without_a_drawing_does_not_join_two_with_other_drawings(order: tuple[int, ...]) -> None:
    text = "What is the area of the shaded triangle in the drawing?"
    asked = [text, *(f'{text}\n[asy]\nlabel("{side}", (0,0));\n[/asy]' for side in (8, 9))]
    found = Minhash()(table(*((asked[at], None) for at in order)))
    kept = dict(found.select("id", pl.coalesce("near_duplicate_of", "id")).iter_rows())
    drawn = [kept[str(place)] for place, at in enumerate(order) if at]
    assert drawn[0] != drawn[1]


def test_the_same_numbers_in_another_order_are_another_drawing() -> None:
    text = "What is the slope of the line in the drawing?"
    lines = ("(1,2)--(3,4)", "(2,1)--(3,4)", "(1,-2)--(3,4)")
    drawn = [f"{text}\n[asy]\ndraw({line});\n[/asy]" for line in lines]
    assert Minhash()(table(*((each, None) for each in drawn)))["drop"].to_list() == [None] * 3
