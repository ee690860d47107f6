"""Facts about what differs between two versions: rows, verdicts, counts, and what made the difference."""

from pathlib import Path

import polars as pl
import pytest

from curate.build import build
from curate.changes.compare import compare
from curate.changes.drift import changes
from curate.manifest import read_manifest
from curate.progress import Steps
from curate.version import Version, VersionError, open_version
from tests.hostile_texts import HOSTILE

MANIFEST = """
name: small
sources: [{use: procedural, n: 30, seed: 3}]
rollouts:
  teacher: {use: tutor, error_rate: 0.5}
  sampling: {n: 2, max_tokens: 2048}
verdicts: [rule]
tags: [difficulty]
views: {sft: {}, dpo: {}, rl: {}}
heldout: 0.2
"""


def made(folder: Path, *sets: str) -> Version:
    (folder / "m.yaml").write_text(MANIFEST)
    return build(read_manifest(folder / "m.yaml", sets), folder / "data", Steps(quiet=True), workers=1).version


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> tuple[Version, Version, Version]:
    """Two rollouts a problem; four of them; and four with a rule that takes no fraction for its decimal."""
    folder = tmp_path_factory.mktemp("diff")
    more = ("rollouts.sampling.n=4",)
    return made(folder), made(folder, *more), made(folder, *more, "views.sft.per_problem=3", "heldout=0.3")


def test_rows_that_came_and_went_are_counted_by_their_ids(three: tuple[Version, ...]) -> None:
    first, second, _ = three
    found = second.diff("v1").tables
    ids = {v.name: set(v.rollouts.collect()["id"]) for v in (first, second)}
    assert (found["rollouts"].before, found["rollouts"].after) == (60, 120)
    assert (found["rollouts"].added, found["rollouts"].removed) == (60, 0)
    assert set(second.diff("v1").added("rollouts").collect()["id"]) == ids[second.name] - ids[first.name]
    for view in ("sft", "rl"):
        old, new = (set(v.table(view).collect()["id"]) for v in (first, second))
        assert (found[view].added, found[view].removed) == (len(new - old), len(old - new))
    pairs = [set(v.table("dpo").select("chosen_id", "rejected_id").collect().iter_rows()) for v in (first, second)]
    assert (found["dpo"].added, found["dpo"].removed) == (len(pairs[1] - pairs[0]), len(pairs[0] - pairs[1]))


def test_the_other_way_round_what_came_is_what_goes(three: tuple[Version, ...]) -> None:
    there, back = three[1].diff(three[0]), three[0].diff(three[1])
    for name, table in there.tables.items():
        assert (table.added, table.removed) == (back.tables[name].removed, back.tables[name].added)


def test_what_the_manifests_say_differently_is_named_with_dotted_keys(three: tuple[Version, ...]) -> None:
    assert [str(change) for change in three[1].diff("v1").recipe] == ["rollouts.sampling.n: 2 -> 4"]
    said = [str(change) for change in three[2].diff("v2").recipe]
    assert said == ["views.sft.per_problem: 1 -> 3", "heldout: 0.2 -> 0.3"]


def test_a_version_does_not_differ_from_itself(three: tuple[Version, ...]) -> None:
    same = three[0].diff(three[0])
    assert (same.same, same.recipe, same.world, same.shifts) == (True, [], [], [])
    assert same.changes.collect().is_empty()
    assert same.text() == "small@v1 -> small@v1: the same rows"


def test_a_view_says_why_it_lost_rows(three: tuple[Version, ...]) -> None:
    table = three[1].diff("v1").tables["sft"]
    assert sum(table.why.values()) == table.removed > 0
    assert set(table.why) == {"over_cap"}  # a rollout nearer to the median of four has taken the place


def test_a_view_in_another_format_has_lost_no_level_and_no_row_for_a_reason(tmp_path: Path) -> None:
    made(tmp_path, "views.sft.format=openthoughts")
    diff = made(tmp_path, "views.sft.format=openr1").diff("v1")
    assert not [shift for shift in diff.shifts if shift.table == "sft"]
    assert diff.tables["sft"].why == {}


def test_flipped_verdicts_are_listed_by_id(three: tuple[Version, ...], tmp_path: Path) -> None:
    changed = _with_verdicts(three[1], tmp_path, {"correct": "wrong"}, 3)
    diff = compare(three[1], changed)
    rows = three[1].rollouts.filter(pl.col("verdict") == "correct").head(3).collect()
    assert diff.flips["id"].to_list() == rows["id"].to_list()
    assert diff.flip_counts == {("correct", "wrong"): 3}
    assert all(row in diff.text() for row in rows["id"])
    assert diff.changes.filter(change="verdict").collect()["after"].to_list() == ["wrong"] * 3
    assert (diff.tables["rollouts"].added, diff.tables["rollouts"].changed) == (0, {"verdict": 3})


def test_counts_that_shift_are_those_of_the_tables(three: tuple[Version, ...]) -> None:
    diff = three[1].diff("v1")
    counts = {(s.table, s.column): {value: (old, new) for value, old, new in s.counts} for s in diff.shifts}
    for version, side in ((three[0], 0), (three[1], 1)):
        by_level = dict(version.table("sft").collect().group_by("level").len().iter_rows())
        assert {level: both[side] for level, both in counts["sft", "level"].items() if both[side]} == by_level
        by_verdict = dict(version.rollouts.collect().group_by("verdict").len().iter_rows())
        assert {v: both[side] for v, both in counts["rollouts", "verdict"].items() if both[side]} == by_verdict


def test_equal_tables_are_not_read(three: tuple[Version, ...], tmp_path: Path) -> None:
    """v3 has the rollouts of v2: their files may be gone, and nothing is said of them."""
    files = [f["path"] for part in three[2].lock["tables"]["rollouts"].values() for f in part["files"]]
    hidden = [(three[2].path / name, tmp_path / Path(name).name) for name in files]
    for file, aside in hidden:
        file.rename(aside)
    try:
        tables = three[2].diff("v2").tables
    finally:
        for file, aside in hidden:
            aside.rename(file)
    assert (tables["rollouts"].added, tables["rollouts"].removed, tables["rollouts"].changed) == (0, 0, {})
    assert tables["sft"].added > 0


def test_a_report_is_written_whole_as_markdown_or_as_rows(three: tuple[Version, ...], tmp_path: Path) -> None:
    diff = three[1].diff("v1")
    diff.write(tmp_path / "d.md")
    diff.write(tmp_path / "d.parquet")
    assert "| rollouts.sampling.n | 2 | 4 |" in (tmp_path / "d.md").read_text()
    rows = pl.read_parquet(tmp_path / "d.parquet")
    assert rows.filter(table="rollouts", change="added").height == 60
    with pytest.raises(VersionError, match=r"written as .md .* or .parquet"):
        diff.write(tmp_path / "d.csv")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["d.md", "d.parquet"]


def test_foreign_text_stays_text_in_every_form(three: tuple[Version, ...], tmp_path: Path) -> None:
    verdicts = three[1].rollouts.collect()["verdict"].unique().to_list()
    for number, text in enumerate([*HOSTILE[:3], "<script>alert(1)</script>", "a | b\n# c"]):
        diff = compare(three[1], _with_verdicts(three[1], tmp_path / str(number), dict.fromkeys(verdicts, text), 3))
        html = diff._repr_html_()
        assert "<script" not in html
        assert "\n# c" not in diff.text()
        diff.write(tmp_path / "d.md")
        assert "<script" not in (tmp_path / "d.md").read_text()


def test_plugs_of_a_list_are_told_apart_by_name() -> None:
    before = [{"use": "dedup.exact"}, {"use": "dedup.minhash", "threshold": 0.7}]
    after = [{"use": "hygiene.answerable"}, {"use": "dedup.exact"}, {"use": "dedup.minhash", "threshold": 0.8}]
    said = [str(change) for change in changes(before, after, "problems")]
    assert said == ["problems.hygiene.answerable: (not there) -> {}", "problems.dedup.minhash.threshold: 0.7 -> 0.8"]


def test_an_upgraded_library_shows_as_drift(three: tuple[Version, ...], tmp_path: Path) -> None:
    other = _with_verdicts(three[1], tmp_path, {}, 0)
    other.lock["libraries"]["polars"] = "0.0.1"
    now = three[1].lock["libraries"]["polars"]
    assert [str(change) for change in compare(other, three[1]).world] == [f'libraries.polars: "0.0.1" -> "{now}"']


def test_the_command_compares_with_the_latest(three: tuple[Version, ...]) -> None:
    from typer.testing import CliRunner

    from curate.cli import app

    root = str(three[0].path.parent.parent)
    ended = CliRunner().invoke(app, ["diff", "v2", "--root", root])
    assert (ended.exit_code, ended.stdout.splitlines()[0]) == (0, "small@v2 -> small@v3: what differs")
    missing = CliRunner().invoke(app, ["diff", "v9", "--root", root])
    assert (missing.exit_code, missing.stderr) == (2, "small has no v9. There are: v1, v2, v3\n")


def _with_verdicts(version: Version, folder: Path, verdicts: dict[str, str], most: int) -> Version:
    """A copy of the version in which the first few rollouts have another verdict."""
    import json
    import shutil

    path = folder / "other" / "v1"
    shutil.copytree(version.path, path)
    rows = version.rollouts.collect().with_row_index("at")
    first = rows.filter(pl.col("verdict").is_in(list(verdicts))).head(most)["at"]
    flipped = pl.col("verdict").replace(verdicts)
    rows = rows.with_columns(verdict=pl.when(pl.col("at").is_in(first.implode())).then(flipped).otherwise("verdict"))
    file = next(path.glob("rollouts/*.parquet"))
    file.unlink()
    rows.drop("at").write_parquet(file)
    lock = json.loads((path / "lock.json").read_text())
    if most:
        lock["tables"]["rollouts"]["train"]["digest"] = lock["digest"] = "other"
    (path / "lock.json").chmod(0o644)
    (path / "lock.json").write_text(json.dumps(lock))
    return open_version(path)
