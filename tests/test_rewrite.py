"""Facts about stages that give a problem another form: the child, the ledger, the story of both."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import polars as pl
import pytest

from curate.build import build
from curate.ledger import LedgerError
from curate.look.story import story
from curate.manifest import read_manifest
from curate.progress import Steps
from curate.recipes.manifest_plugs import Use
from curate.version import Version
from curate.versions.checks import check_version

MANIFEST = """
name: reworded
sources: [{use: files, path: rows.jsonl, columns: {problem: q, answer: a, rollouts: texts, source_id: n}, license: mit}]
problems: [hygiene.answerable, dedup.exact]
verdicts: [rule]
views: {sft: {}, rl: {}}
heldout: 0.0
"""

THOUGHT = "<think>\nLet me see.\n</think>\n\nIt is \\boxed{%s}."

ROWS = [
    {"n": "one", "q": "Which is 2 + 3? (A) 5 (B) 6", "a": "A", "texts": [THOUGHT % "A"]},
    {"n": "two", "q": "What is 4 + 4?", "a": "8", "texts": [THOUGHT % 8]},
    {"n": "three", "q": "Which is 1 + 1? (A) 2 (B) 3", "a": "A", "texts": []},
]


@dataclass(frozen=True)
class Cut:
    """Cuts the options off, in upper case; the text after (A) is the answer."""

    over = "problems"
    marks = "problems"
    scope = "table"
    reads = ("id", "problem", "answer")
    writes: ClassVar = {"options": pl.Int64}
    drops = ("rewritten",)
    REV = 1

    loses: bool = False

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        options = pl.col("problem").str.count_matches(r"\([AB]\)").cast(pl.Int64)
        return rows.select("id", options=options, drop=pl.when(options > 0).then(pl.lit("rewritten")))

    def children(self, rows: pl.DataFrame, marks: pl.DataFrame) -> pl.DataFrame:
        parents = rows.filter(marks["drop"].is_not_null()).head(1 if self.loses else 9)
        parts = pl.col("problem").str.split(" (A) ")
        return parents.select(
            "id",
            problem=parts.list.get(0).str.replace("Which", "What"),
            answer=parts.list.get(1).str.split(" ").list.get(0),
        )


def make(folder: Path, *, place: int = 1, loses: bool = False) -> Version:
    folder.mkdir(exist_ok=True)
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    (folder / "m.yaml").write_text(MANIFEST)
    manifest = read_manifest(folder / "m.yaml")
    stages = [*manifest.problems]
    stages.insert(place, Use("hygiene.cut", Cut(loses=loses)))
    return build(replace(manifest, problems=tuple(stages)), folder / "data", Steps(quiet=True), workers=1).version


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Version:
    return make(tmp_path_factory.mktemp("reworded"))


def told(version: Version, row: str) -> list[str]:
    return [" ".join(line.split()) for line in story([version], row).splitlines()]


def test_a_child_stands_behind_its_parent_and_names_it(version: Version) -> None:
    rows = version.problems.collect()
    assert rows["problem"].to_list() == [
        ROWS[0]["q"], "What is 2 + 3?", ROWS[1]["q"], ROWS[2]["q"], "What is 1 + 1?",
    ]  # fmt: skip
    ids = rows["id"].to_list()
    assert rows["rewritten_from"].to_list() == [None, ids[0], None, None, ids[3]]
    assert rows["rewritten_as"].to_list() == [ids[1], None, None, ids[4], None]
    assert rows["drop_reason"].to_list() == ["rewritten", None, None, "rewritten", None]
    assert rows["answer"].to_list() == ["A", "5", "8", "A", "2"]
    assert rows["options"].to_list() == [2, None, 0, 2, None], "what was found of the parent is no fact of the child"
    assert rows["license"].to_list() == ["mit"] * 5
    assert rows["cluster"].to_list() == [ids[0], ids[0], ids[2], ids[3], ids[3]], "one side of the split for both"
    assert rows["id"].n_unique() == rows["content_hash"].n_unique() == 5


def test_the_ledger_balances_with_the_children_as_rows_that_came_in(version: Version) -> None:
    funnel = [(e["stage"], e["seen"], e["kept"]) for e in version.lock["funnel"] if e["unit"] == "problems"]
    assert funnel[1:5] == [
        ("hygiene.answerable", 3, 3),
        ("hygiene.cut", 3, 1),
        ("rewrites.hygiene.cut", 2, 2),
        ("dedup.exact", 3, 3),
    ]
    check_version(version)


@pytest.mark.parametrize("place", [0, 2])
def test_a_rewrite_may_stand_first_or_last(tmp_path: Path, place: int) -> None:
    check_version(made := make(tmp_path, place=place))
    assert made.problems.filter(pl.col("drop_reason").is_null()).collect()["answer"].to_list() == ["5", "8", "2"]


def test_a_parents_rollouts_leave_with_it(version: Version) -> None:
    rollouts = version.rollouts.collect()
    assert rollouts["problem_id"].to_list() == version.problems.collect()["id"].gather([0, 2]).to_list()
    assert rollouts["drop_reason"].to_list() == ["problem_dropped", None]


def test_explain_tells_the_story_of_both(version: Version) -> None:
    parent, child = version.problems.collect()["id"][:2]
    said = told(version, parent)
    at = said.index("hygiene.cut dropped: rewritten")
    assert said[at + 1 : at + 3] == [f"rewritten_as = {child}", "What is 2 + 3?"]
    said = told(version, child)
    at = said.index("rewritten by hygiene.cut from")
    assert said[at + 1 : at + 3] == [f"rewritten_from = {parent}", ROWS[0]["q"]]
    assert "dedup.exact kept" in said
    assert not any(line.startswith(("hygiene.answerable", "hygiene.cut")) for line in said), "its parent's stages"


def test_the_id_in_the_source_names_the_parent(version: Version) -> None:
    assert told(version, "one")[0] == f"problem {version.problems.collect()['id'][0]} in reworded@v1"


def test_a_parent_without_a_child_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"hygiene\.cut: rewrote 2 problems, but gave 1 in their place"):
        make(tmp_path, loses=True)
    assert not (tmp_path / "data/reworded/v1").exists()
