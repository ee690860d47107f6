"""Facts about decontamination by vectors: other words with the same numbers, and what must not pass for them."""

import json
from pathlib import Path

import polars as pl
import pytest

from curate.alike.embedding import ModelError
from curate.decontaminate.semantic import Semantic
from tests.hostile_texts import HOSTILE

pytest.importorskip("sentence_transformers", reason="the extra `semantic` is not installed")

GOODS = ("plums", "pears", "nails", "books", "coins", "bricks", "bulbs", "eggs", "maps", "pens")
ASKED = [
    f"Marta picked {120 + n} {thing}, gave {40 + n} to her neighbour Hugo and split the rest among {n + 3} jars. "
    f"How many {thing} are in each jar?"
    for n, thing in enumerate(GOODS)
]
LOOSE = "How many {0} are in each of 3 jars, if Marta split the rest of 120 {0}, after her neighbour Hugo was given 40?"
FILLER = [
    f"A train of {n} cars runs {n * 7} km from town to town. How long does it take at {n + 30} km/h?" for n in range(20)
]


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("semantic") / "mine.jsonl"
    path.write_text("".join(json.dumps({"question": text}) + "\n" for text in ASKED))
    return str(path)


def marked(mine: str, *texts: str | None) -> pl.DataFrame:
    rows = {"id": [str(i) for i in range(len(texts))], "problem": list(texts)}
    return Semantic(against=(mine,))(pl.DataFrame(rows, schema={"id": pl.String, "problem": pl.String}))


def test_close_with_all_numbers_is_contaminated_and_with_another_number_is_not(mine: str) -> None:
    told = marked(mine, LOOSE.format("plums"), LOOSE.format("plums").replace("40", "50"), *FILLER)
    assert told["drop"].to_list() == ["contaminated", *[None] * 21]
    assert told["contamination_rule"][0] == "semantic"
    assert told["benchmark_question"][0] == ASKED[0]
    assert 0.6 <= told["contamination_similarity"][0] <= 1.0


def test_texts_of_every_kind_get_one_mark_each_and_nothing_is_lost(mine: str) -> None:
    texts = [None, "", "$$$$", "x" * 1_000_000, "سؤال: ما هو مجموع ٤٨ و ٧؟", "\\frac{1}{2}", *HOSTILE, ASKED[1]]
    told = marked(mine, *texts)
    assert told["id"].to_list() == [str(i) for i in range(len(texts))]
    assert told["drop"].to_list() == [*[None] * (len(texts) - 1), "contaminated"]


def test_a_model_that_is_not_there_or_may_change_is_an_error(mine: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no folder"):
        Semantic(against=(mine,), model=str(tmp_path / "gone"))
    with pytest.raises(ValueError, match="may change; write org/name@COMMIT"):
        Semantic(against=(mine,), model="org/name")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match="cannot be loaded"):
        Semantic(against=(mine,), model=str(tmp_path / "empty"))(pl.DataFrame({"id": ["a"], "problem": ["2?"]}))


def test_a_models_folder_is_known_by_what_it_holds_and_not_by_where_it_lies(mine: str, tmp_path: Path) -> None:
    for place in ("a/m", "b/m"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "w").write_text("1")
    told = [Semantic(against=(mine,), model=str(tmp_path / place)).inputs() for place in ("a/m", "b/m")]
    assert told[0] == told[1]
    (tmp_path / "b/m/w").write_text("2")
    assert Semantic(against=(mine,), model=str(tmp_path / "b/m")).inputs() != told[0]
