"""The classical rule of decontamination, a run of words in common, by datatrove's block and on an engine's workers."""

import json
from pathlib import Path

import polars as pl
import pytest

import curate.workers.blocks
from curate.alike.hits import hits
from curate.decontaminate.ngrams_blocks import NgramsBlocks
from curate.machines.local import Local
from curate.progress import Steps
from curate.reading.intake import SourceError
from curate.workers.crew import Crew
from curate.workers.standing import standing
from tests.hostile_texts import HOSTILE

pytest.importorskip("datatrove", reason="the blocks are datatrove's: pip install 'cotillion[ray]'")

ASKED = [
    "A ferry carries 36 lorries on each of its 14 crossings. How many lorries does it carry in all?",
    "Compute 17 squared.",
    "+ = +",
]
TEXTS = [
    ASKED[0],
    "On a lake a ferry carries 36 lorries on each of its 14 crossings, and rests. How long does it rest?",
    "A ferry carries 40 lorries on each of its 11 crossings. How many lorries does it carry in all?",
    "A boat brings 36 trucks over, 14 times. How many are that?",
    "Compute 17 squared.",
    "Compute 17 squared and 18 squared.",
    "+ = -",
    "",
    None,
]
RUN = "a ferry carries 36 lorries on each of"


@pytest.fixture
def mine(tmp_path: Path) -> str:
    path = tmp_path / "mine.jsonl"
    path.write_text("".join(json.dumps({"id": f"q{at}", "question": q}) + "\n" for at, q in enumerate(ASKED)))
    return str(path)


def table(texts: list[str | None]) -> pl.DataFrame:
    return pl.DataFrame({"id": [str(at) for at in range(len(texts))], "problem": texts}, {"id": str, "problem": str})


def test_a_run_of_words_in_common_is_told_with_the_question_and_short_questions_are_compared_whole(mine: str) -> None:
    marks = NgramsBlocks(against=(mine,))(table(TEXTS))
    assert marks["contaminated_by"].to_list() == ["mine:q0"] * 3 + [None, "mine:q1", None, None, None, None]
    assert marks["contaminated_run"].to_list()[:3] == [RUN, RUN, "crossings how many lorries does it carry in"]
    assert marks["benchmark_question"].to_list()[4] == ASKED[1]
    longer = NgramsBlocks(against=(mine,), n=13)(table(TEXTS))
    assert longer["drop"].to_list() == ["contaminated", *[None] * 3, "contaminated", *[None] * 4]


def test_workers_of_an_engine_give_the_same_marks(mine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = NgramsBlocks(against=(mine,))(table(TEXTS))
    monkeypatch.setattr(curate.workers.blocks, "HERE_TEXTS", 0)
    crew = Crew("local", Local(), tmp_path / ".engine", Steps(quiet=True))
    with standing(crew):
        assert NgramsBlocks(against=(mine,))(table(TEXTS)).equals(here)
    crew.close()
    assert (tmp_path / ".engine/launch.log").stat().st_size, "it was the engine that worked"


def test_hostile_texts_get_a_mark_each(mine: str) -> None:
    marks = NgramsBlocks(against=(mine,))(table([*HOSTILE, "x" * 1_000_000, ASKED[0]]))
    assert marks.height == len(HOSTILE) + 2
    assert marks["drop"].to_list()[-1] == "contaminated"


def test_the_words_in_common_are_listed(mine: str) -> None:
    rows = table(TEXTS)
    problems = rows.join(NgramsBlocks(against=(mine,))(rows).rename({"drop": "drop_reason"}), on="id")
    listed = hits(problems.lazy())
    assert listed.select("benchmark", "question_id", "rule", "run", "fate").row(0) == (
        "mine", "q0", "run", RUN, "contaminated",
    )  # fmt: skip


def test_a_benchmark_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no file"):
        NgramsBlocks(against=(str(tmp_path / "none.jsonl"),))(table(TEXTS))
