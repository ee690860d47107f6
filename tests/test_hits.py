"""Facts about the listing of hits: every problem that a benchmark asks stands in it once, with both texts and why."""

import json
import re
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from curate.alike.hits import COLUMNS, counts, hits
from curate.build import build
from curate.cli import app
from curate.manifest import read_manifest
from curate.progress import Steps
from curate.version import Version
from tests.test_decontaminate import ASKED, manifest_in

PARAPHRASE = "Marta gathers 125 plums. Hugo, her neighbour, gets 48; the others go in equal parts into 7 jars. "


@pytest.fixture(scope="module")
def leaky(tmp_path_factory: pytest.TempPathFactory) -> Version:
    folder = tmp_path_factory.mktemp("hits")
    manifest_in(folder, "mine.jsonl")
    with (folder / "rows.jsonl").open("a") as rows:
        rows.write(json.dumps({"q": PARAPHRASE + "What does one jar hold?\u202e| [x](y)", "a": "11"}) + "\n")
    return build(read_manifest(folder / "m.yaml"), folder / "data", Steps(quiet=True), workers=1).version


def test_every_hit_is_listed_once_with_both_whole_texts_the_rule_and_the_benchmark(leaky: Version) -> None:
    found = hits(leaky.table("problems"))
    assert found.columns == list(COLUMNS)
    told = [(hit["benchmark"], hit["rule"], hit["fate"], hit["question"]) for hit in found.iter_rows(named=True)]
    assert told == [
        ("mine", "exact", "contaminated", ASKED[0]),
        ("mine", "paraphrase", "contaminated", ASKED[4]),
        ("mine", "variant", "kept", ASKED[0]),
    ]
    assert counts(found) == [
        ("mine", "exact", "contaminated", 1),
        ("mine", "paraphrase", "contaminated", 1),
        ("mine", "variant", "kept", 1),
    ]


def test_the_card_counts_them_and_shows_some_as_plain_text(leaky: Version) -> None:
    card = (leaky.path / "README.md").read_text(encoding="utf-8")
    assert "| mine | paraphrase | contaminated | 1 |" in card
    assert "Marta picked 125 plums" in card
    assert "\u202e" not in card
    assert "[x](y)" not in card


def test_the_command_shows_both_texts_and_writes_all(leaky: Version, tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, ["hits", str(leaky.path)])
    assert shown.exit_code == 0
    assert "3 problems are a benchmark's question, or like one" in shown.stdout
    assert "paraphrase, likeness 0." in shown.stdout
    assert PARAPHRASE.strip() in shown.stdout
    assert f"question  {ASKED[4]}" in shown.stdout
    assert "\u202e" not in shown.stdout
    few = CliRunner().invoke(app, ["hits", str(leaky.path), "--shown", "1"])
    assert "2 more: --out FILE writes them all" in few.stdout
    for name in ("hits.parquet", "hits.jsonl", "hits.csv"):
        assert CliRunner().invoke(app, ["hits", str(leaky.path), "--out", str(tmp_path / name)]).exit_code == 0
    assert pl.read_parquet(tmp_path / "hits.parquet").rows() == pl.read_ndjson(tmp_path / "hits.jsonl").rows()
    refused = CliRunner().invoke(app, ["hits", str(leaky.path), "--out", str(tmp_path / "hits.xlsx")])
    assert refused.exit_code == 2
    assert "ends in .parquet, .jsonl, .csv" in refused.stderr


@pytest.mark.parametrize("views", ["views: {rl: {}}", "views: {}"])
def test_a_benchmark_of_which_nothing_was_found_is_named(tmp_path: Path, views: str) -> None:
    manifest = manifest_in(tmp_path, "mine.jsonl, other.jsonl")
    manifest.write_text(re.sub("views: .*", views, manifest.read_text()))
    (tmp_path / "other.jsonl").write_text(json.dumps({"question": "Where do the 52 geese of Ulm sleep?"}) + "\n")
    version = build(read_manifest(manifest), tmp_path / "data", Steps(quiet=True), workers=1).version
    assert "no problem is like a question of: other\n" in CliRunner().invoke(app, ["hits", str(version.path)]).stdout


def test_a_version_that_nobody_looked_at_has_no_clean_listing(tmp_path: Path) -> None:
    manifest = manifest_in(tmp_path, "mine.jsonl")
    text = manifest.read_text().replace("problems: [{use: decontaminate.ngrams, against: [mine.jsonl]}]", "")
    manifest.write_text(text)
    version = build(read_manifest(manifest), tmp_path / "data", Steps(quiet=True), workers=1).version
    refused = CliRunner().invoke(app, ["hits", str(version.path)])
    assert refused.exit_code == 2
    assert "no stage has compared its problems with a benchmark" in refused.stderr


def test_a_teachers_word_is_listed_and_what_it_could_not_say_comes_before_the_variants() -> None:
    problems = pl.LazyFrame(
        {
            "id": ["a", "b"],
            "problem": ["p", "q"],
            "drop_reason": [None, None],
            "contamination_judged": ["undecided", None],
            "judged_against": ["math@v2:heldout:17", None],
            "judged_question": ["P?", None],
            "contamination_rule": ["variant", "variant"],
            "variant_in_benchmark": ["mine:1", "mine:2"],
            "benchmark_question": ["V?", "W?"],
        },
        schema_overrides={"drop_reason": pl.String},
    )
    told = [(h["id"], h["benchmark"], h["rule"], h["question"]) for h in hits(problems).iter_rows(named=True)]
    assert told == [("a", "math@v2:heldout", "judge: undecided", "P?"), ("b", "mine", "variant", "W?")]
