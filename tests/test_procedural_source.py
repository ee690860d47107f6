"""Posed problems as a source: they come with gold, in one order, and say that they are posed."""

from dataclasses import replace

import pytest

from curate.records import LEVELS
from curate.sources import procedural
from curate.sources.procedural import Procedural
from distill.families import pose_many
from tests.small_files import whole


def test_posed_problems_have_gold_and_are_marked_as_posed() -> None:
    taken = whole(Procedural(n=50, seed=1)())
    assert taken.problems.height == 50
    assert taken.problems["synthetic"].all()
    assert not any(taken.problems[name].has_nulls() for name in ("answer", "solution", "level", "domain", "license"))
    assert taken.problems["source_id"].is_unique().all()
    assert set(taken.problems["level"]) == set(LEVELS)


def test_fewer_posed_problems_are_the_first_of_more() -> None:
    few, many = whole(Procedural(n=20)()), whole(Procedural(n=40)())
    assert few.problems.equals(many.problems.head(20))
    assert not few.problems.equals(whole(Procedural(n=20, seed=1)()).problems)
    assert Procedural(n=200).state() == Procedural(n=300).state() != Procedural(n=200, seed=1).state()


def test_posed_rows_are_counted_from_one_through_all_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(procedural, "BATCH_ROWS", 2)
    blank = [replace(row, problem=" ") for row in pose_many(3, 0)]
    monkeypatch.setattr(procedural, "pose_many", lambda *_: blank)
    places = whole(Procedural(n=3)()).unreadable["id"]
    assert places.to_list() == ["procedural:1", "procedural:2", "procedural:3"]


def test_an_unknown_family_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ValueError, match=r"unknown sums\. There are: calculation"):
        Procedural(families=("sums",))
