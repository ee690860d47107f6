"""Difficulty: a pass rate says how sure it is; a source's own level and a judge's come onto the same five."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curate.balance import LEVEL_ORDER, MOST_ROWS, balance_counts, balance_rows, balance_text
from curate.build import build
from curate.interval import wilson
from curate.look.notebook import problem_view
from curate.manifest import read_manifest
from curate.progress import Steps
from curate.tag.difficulty import Difficulty
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


@pytest.mark.skipif(DATA is None, reason="COTILLION_REAL_DATA names no folder with real rollouts")
def test_the_interval_of_eight_covers_the_rate_of_fifty_nine_times_in_ten() -> None:
    command = [sys.executable, "benchmarks/difficulty.py", "--few", "8", "--seeds", "5"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HOUSE)
    assert done.returncode == 0, done.stdout + done.stderr
