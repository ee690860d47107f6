"""Difficulty: a pass rate says how sure it is; a source's own level and a judge's come onto the same five."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curate.build import build
from curate.interval import wilson
from curate.look.balance import LEVEL_ORDER, MOST_ROWS, balance_counts, balance_rows, balance_text
from curate.look.notebook import problem_view
from curate.look.show import summary
from curate.manifest import read_manifest
from curate.progress import Steps
from curate.records import LEVELS
from curate.tag.difficulty import Difficulty
from curate.tag.rubric import Rubric
from curate.tag.source_level import SourceLevel
from curate.version import Version

HOUSE = Path(__file__).parent.parent
DATA = os.environ.get("COTILLION_REAL_DATA")


def rated(right: int, wrong: int) -> dict[str, Any]:
    verdicts = ["correct"] * right + ["wrong"] * wrong
    return Difficulty()(pl.DataFrame({"problem_id": "p", "verdict": verdicts, "teacher": "m"})).row(0, named=True)


# From R: binom::binom.wilson(x, n).
@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [(0, 4, 0.0, 0.4899), (0, 64, 0.0, 0.0566), (4, 8, 0.2152, 0.7848), (8, 8, 0.6756, 1.0), (1, 10, 0.0179, 0.4042)],
)
def test_the_interval_is_wilsons(right: int, n: int, low: float, high: float) -> None:
    mark = rated(right, n - right)
    assert (mark["pass_rate_low"], mark["pass_rate_high"]) == pytest.approx((low, high), abs=1e-4)


def test_the_ends_are_exact() -> None:
    assert rated(0, 7)["pass_rate_low"] == 0.0
    assert rated(7, 0)["pass_rate_high"] == 1.0


def test_none_of_four_and_none_of_sixty_four_look_unlike() -> None:
    few, many = rated(0, 4), rated(0, 64)
    assert few["pass_rate"] == many["pass_rate"] == 0
    assert few["pass_rate_high"] > 8 * many["pass_rate_high"]


def test_nothing_judged_has_no_interval() -> None:
    low, high = wilson(pl.col("right"), pl.col("n"))
    rows = pl.DataFrame({"right": [0, None], "n": [0, None]}, schema={"right": pl.Int64, "n": pl.Int64})
    assert rows.select(low=low, high=high).rows() == [(None, None)] * 2


MANIFEST = """
name: rated
sources:
  - {use: procedural, n: 12, seed: 2}
  - {use: procedural, n: 12, seed: 3, families: [equations]}
rollouts: {teacher: {use: tutor, error_rate: 0.4}, sampling: {n: 4, temperature: 1.0, max_tokens: 2048}}
verdicts: [rule]
tags: [difficulty, domain]
views: {sft: {}, rl: {pass_rate: [0.0, 1.0]}}
"""


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Version:
    folder = tmp_path_factory.mktemp("rated")
    (folder / "m.yaml").write_text(MANIFEST)
    return build(read_manifest(folder / "m.yaml"), folder / "data", Steps(quiet=True), workers=1).version


def test_a_problem_shows_its_pass_rate_with_the_interval(version: Version) -> None:
    row = version.problems.filter(pl.col("pass_rate_n") == 4).collect().row(0, named=True)
    shown = problem_view(version, row["id"])
    sure = f"at 95 % {row['pass_rate_low']:.2f} to {row['pass_rate_high']:.2f}"
    assert f"pass rate {row['pass_rate']:.2f} (n = 4, {sure})" in shown._repr_html_()
    assert "pass_rate_high = " in repr(shown), "and in curate explain"


def test_the_card_says_on_how_many_rollouts_rates_rest(version: Version) -> None:
    card = (version.path / "README.md").read_text()
    assert "At 95 % none right means a rate of" in card
    assert "of 4 up to 0.49" in card


def test_the_balance_counts_every_kept_problem_once(version: Version) -> None:
    text = balance_text(version)
    kept = version.problems.filter(pl.col("drop_reason").is_null()).collect()
    assert text.splitlines()[0].split() == ["source", "domain", *LEVEL_ORDER, "problems"]
    assert int(text.splitlines()[-1].split()[-1]) == kept.height
    counts = balance_counts(kept)
    assert counts["problems"].sum() == kept.height
    algebra = kept.filter((pl.col("domain") == "algebra") & (pl.col("level") == "high")).height
    assert counts.filter((pl.col("domain") == "algebra") & (pl.col("level") == "high"))["problems"].sum() == algebra


def test_a_balance_of_very_many_domains_stays_a_page() -> None:
    problems = pl.DataFrame(
        {
            "source": "s",
            "domain": [f"d{n:03}" for n in range(100)] + [None],
            "level": "a level of its own",
            "drop_reason": pl.Series([None] * 101, dtype=pl.String),
        }
    )
    rows = balance_rows(balance_counts(problems))
    assert len(rows) == MOST_ROWS + 1
    assert rows[-1] == ("61 others", "", (0, 0, 0, 0, 0, 61))


def test_the_command_shows_the_balance(version: Version) -> None:
    command = [sys.executable, "-m", "curate", "show", str(version.path), "--balance"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, cwd=HOUSE).stdout
    assert shown.strip() == balance_text(version).strip()


def levels(*said: str | None, source: str = "s", **options: Any) -> list[str | None]:
    rows = pl.DataFrame(
        {"id": [f"{n}" for n in range(len(said))], "source": source, "level": None, "source_level": said},
        schema_overrides={"level": pl.String, "source_level": pl.String},
    )
    return SourceLevel(**options)(rows)["level"].to_list()


def test_a_level_that_names_its_scale_is_on_that_one() -> None:
    assert levels("5/10", "4 / 10", "1/10") == ["college", "high", "elementary"]
    assert levels("4/5", "8") == ["college", "graduate"]


def test_a_scale_to_five_is_the_five_levels() -> None:
    assert levels(*[f"Level {n}" for n in range(1, 6)]) == list(LEVELS)
    assert levels("1", "2.0", "5.0", "0.0", "Level ?") == ["elementary", "middle", "graduate", None, None]


def test_one_number_above_five_makes_a_sources_scale_one_to_ten() -> None:
    assert levels("1.5", "2.5", "4.25", "6", "9.5") == list(LEVELS)
    assert levels("1.5", "4.25", "5") == ["middle", "college", "graduate"], "none is above five"
    assert levels("1.5", "4.25", "5", scales={"s": "ten"}) == ["elementary", "high", "college"]
    assert levels("3", "11", "200") == ["high", None, None], "a number above ten is on no scale"
    assert levels("3", scales={"s": "words"}) == [None]


@pytest.mark.parametrize(
    ("said", "level"),
    [
        ("Hard", "college"), ("very hard", "graduate"), ("EASY", "middle"), ("medium", "high"),
        ("high school competition", "high"), ("college math", "college"), ("undergraduate", "college"),
        ("Graduate", "graduate"), ("grade 3", "elementary"), ("Grade 11", "high"), ("middle school", "middle"),
        ("", None), (None, None), ("求", None), ("hardly", None), ("nan", None), ("-3", None), ("1e9", None),
    ],
)  # fmt: skip
def test_words_are_read_as_they_say(said: str | None, level: str | None) -> None:
    assert levels(said) == [level]


def test_a_level_that_is_there_stays_and_what_is_new_says_so() -> None:
    rows = pl.DataFrame(
        {"id": ["a", "b"], "source": "s", "level": ["high", None], "source_level": ["Level 1", "Level 1"]}
    )
    assert SourceLevel()(rows).select("level", "level_by").rows() == [(None, None), ("elementary", "source")]
    with pytest.raises(ValueError, match="from the lowest to the highest"):
        SourceLevel(ten=(5.0, 3.0, 7.0, 8.0))


class Rater:
    model, revision = "rater-7b", "r1"


def test_whoever_looks_at_a_version_hears_of_levels_that_no_stage_reads(tmp_path: Path) -> None:
    rows = "".join(f'{{"q": "What is {n} + 2?", "a": "1", "l": "Level 5\\u202e"}}\n' for n in range(3))
    (tmp_path / "rows.jsonl").write_text(rows)
    manifest = tmp_path / "m.yaml"
    manifest.write_text(
        "name: told\nsources: [{use: files, path: rows.jsonl, columns: {problem: q, answer: a, level: l}}]\n"
        "views: {rl: {}}\n"
    )
    unread = build(read_manifest(manifest), tmp_path / "data", Steps(quiet=True), workers=1).version
    assert "3 problems have a level in their source's own words ('Level 5" in summary(unread)
    assert "\u202e" not in summary(unread)
    assert "add source_level to tags" in summary(unread)
    with manifest.open("a") as more:
        more.write("tags: [source_level]\n")
    read = build(read_manifest(manifest), tmp_path / "data", Steps(quiet=True), workers=1).version
    assert "source_level to tags" not in summary(read)


def rating(*replies: str | None, level: str | None = None, **options: Any) -> dict[str, Any]:
    rows = pl.DataFrame(
        {"id": ["a"], "problem": ["{x}?"], "level": [level], "replies": [list(replies)]},
        schema_overrides={"level": pl.String, "replies": pl.List(pl.String)},
    )
    return Rubric(teacher=Rater(), **options)(rows).row(0, named=True)


def test_a_rubric_is_the_mean_of_the_ratings_that_can_be_read() -> None:
    mark = rating(
        "DIFFICULTY: 5", "DIFFICULTY: 7\n", "So:\n**Difficulty: 6.0/10**", "6", None, "DIFFICULTY: 11", "DIFFICULTY: 0"
    )
    assert (mark["rubric"], mark["rubric_n"], mark["rubric_sd"]) == (6.0, 3, 1.0)
    assert (mark["level"], mark["level_by"], mark["rubric_by"]) == ("college", "rubric:rater-7b", "rater-7b")


def test_too_few_ratings_give_no_level_and_none_nothing() -> None:
    assert rating("DIFFICULTY: 5")["level"] is None
    assert rating("DIFFICULTY: 5", least=1)["level"] == "college"
    assert rating(None, "?") == dict.fromkeys(
        ["rubric", "rubric_n", "rubric_sd", "rubric_by", "level", "level_by", "drop"]
    ) | {"id": "a"}
    assert rating(*["DIFFICULTY: 5"] * 3, level="middle")["level"] is None, "a source's own stays"


def test_a_problem_is_shown_to_the_rater_as_text() -> None:
    rows = pl.DataFrame({"id": ["a", "b", "c"], "problem": ["What is {x}?", None, " "], "level": ["high", None, None]})
    (asked,) = Rubric(teacher=Rater()).prompts(rows).rows()
    assert "\nWhat is {x}?\n" in asked[1]
    assert Rubric(teacher=Rater(), on="without_level").prompts(rows).is_empty()


def test_a_build_draws_several_ratings_of_each_problem_and_again_none(tmp_path: Path) -> None:
    text = MANIFEST.replace(
        "[difficulty, domain]", "[difficulty, {use: rubric, teacher: {use: tutor}, sampling: {n: 3}}]"
    )
    (tmp_path / "m.yaml").write_text(text)
    manifest = read_manifest(tmp_path / "m.yaml")
    version = build(manifest, tmp_path / "data", Steps(quiet=True), workers=1).version
    bill = next(bill for bill in version.lock["rollouts"] if bill["stage"] == "tags.rubric")
    assert bill["attempts"] == 3 * version.problems.collect().height
    assert version.problems.collect()["rubric"].is_null().all(), "the tutor knows nothing of difficulty"
    again = read_manifest(tmp_path / "m.yaml", ["heldout=0.5"])
    second = build(again, tmp_path / "data", Steps(quiet=True), workers=1).version
    assert next(bill["asked"] for bill in second.lock["rollouts"] if bill["stage"] == "tags.rubric") == 0


@pytest.mark.skipif(DATA is None, reason="COTILLION_REAL_DATA names no folder with real rollouts")
def test_the_interval_of_eight_covers_the_rate_of_fifty_nine_times_in_ten() -> None:
    command = [sys.executable, "benchmarks/difficulty.py", "--few", "8", "--seeds", "5"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HOUSE)
    assert done.returncode == 0, done.stdout + done.stderr
