"""Domains: by words, by a classifier learnt from labelled rows, by a teacher; a source's own word is never touched."""

import gzip
import os
from pathlib import Path

import polars as pl
import pytest

from curate.alike.embedding import ModelError
from curate.build import build
from curate.engine import identity
from curate.manifest import ManifestError, read_manifest
from curate.progress import Steps
from curate.reading.intake import SourceError
from curate.tag.domain import MOST_CHARS, Domain
from curate.texts.domain_words import DOMAIN_WORDS
from curate.versions.checks import check_version
from distill.request import Reply, Request

DATA = os.environ.get("COTILLION_REAL_DATA")


def problems(*texts: str | None, domain: str | None = None) -> pl.DataFrame:
    ids = [f"p{n}" for n in range(len(texts))]
    types = {"problem": pl.String, "domain": pl.String}
    return pl.DataFrame({"id": ids, "problem": texts, "domain": domain}, schema_overrides=types)


def domain_of(text: str | None) -> str | None:
    found: str | None = Domain()(problems(text))["domain"].item()
    return found


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("Find the remainder when $2^{100}$ is divided by 7.", "Number Theory"),
        ("A fair coin is flipped 5 times. What is the probability of exactly 3 heads?", "Counting & Probability"),
        ("In triangle $ABC$, $AB = 5$. What is the area of its inscribed circle?", "Geometry"),
        ("Find all roots of the polynomial $x^3 - 6x^2 + 11x - 6$.", "Algebra"),
        ("Compute $\\cos \\frac{\\pi}{3} + \\sin \\frac{\\pi}{6}$.", "Precalculus"),
        ("Evaluate $\\int_0^1 x^2 \\, dx$.", "Calculus"),
        ("Find the eigenvalues of $\\begin{pmatrix} 2 & 1 \\\\ 1 & 2 \\end{pmatrix}$.", "Linear Algebra"),
        ("Give a 95% confidence interval for the mean of a normally distributed sample.", "Statistics"),
        ("How many subgroups has the cyclic group of order 12?", "Abstract Algebra"),
        ("Tom buys 3 apples for 40 cents each. How much money does he spend?", "Prealgebra"),
    ],
)
def test_every_domain_has_its_words(text: str, domain: str) -> None:
    assert domain_of(text) == domain


def test_the_words_that_decided_stand_beside_it_with_their_share() -> None:
    mark = Domain()(problems("The area of a circle with an integer radius is $9\\pi$.")).row(0, named=True)
    assert mark["domain_words"] == "area, circle, radius"
    assert 0.5 < mark["domain_score"] < 1, "integer and pi speak for others"
    assert Domain()(problems("How far is the circle from the triangle?"))["domain_by"].item() == "words"


def test_a_domain_of_the_source_is_never_touched() -> None:
    (mark,) = Domain()(problems("A triangle has an area of 6.", domain="Olympiad")).rows()
    assert mark[1:] == (None, None, None, None, None)


def test_hostile_texts_get_a_domain_or_none_and_no_row_is_lost() -> None:
    texts = [
        None,
        "",
        "   ",
        "求 3 的平方。",
        "\u202eما هي مساحة المثلث؟",
        "$$\\frac{1}{2}$$",
        "!!!",
        "\\" * 999,
        "^" * 999,
    ]
    long = "A triangle and " * 70_000
    marks = Domain()(problems(*texts, long))
    assert marks["id"].to_list() == [f"p{n}" for n in range(10)]
    assert marks["domain"].to_list()[:5] == [None] * 5
    assert marks["domain"].to_list()[-1] == "Geometry"
    assert len("x" + long) > MOST_CHARS
    assert Domain()(problems(None, "")).height == 2


def test_too_little_weight_decides_nothing() -> None:
    assert Domain(least=40)(problems("A triangle."))["domain"].item() is None


def test_a_power_is_algebra_and_degrees_are_none() -> None:
    assert Domain()(problems("Take $x^2 - x^3$."))["domain_words"].item() == "#power"
    assert "#power" not in (Domain()(problems("Find $n$ with $\\cos n^\\circ = 0$."))["domain_words"].item())


def test_no_word_of_the_table_stands_twice_in_a_domain() -> None:
    for domain, groups in DOMAIN_WORDS.items():
        words = [word for group in groups.values() for word in group.split(", ")]
        assert len(words) == len(set(words)), domain
        assert all(word == word.lower() == word.strip() for word in words), domain


def labelled() -> pl.DataFrame:
    """Two domains in the source's own names, which no table of words knows."""
    about = [("Knots", "How many crossings has knot number {n}?"), ("Games", "Who wins the game of {n} stones?")]
    rows = [(f"{name}{n}", text.replace("{n}", str(n)), name) for n in range(30) for name, text in about]
    return pl.DataFrame(rows, schema=["id", "problem", "domain"], orient="row")


def test_a_classifier_learns_the_sources_own_names() -> None:
    pytest.importorskip("sklearn", reason="the classifier needs scikit-learn")
    asked = problems("What is the number of crossings of this knot?", "Who wins this game, the first or the second?")
    marks = Domain(by="classifier")(pl.concat([labelled(), asked])).tail(2)
    assert marks["domain"].to_list() == ["Knots", "Games"]
    assert marks["domain_by"].to_list() == ["classifier"] * 2
    assert marks["domain_score"].min() > 0.5  # type: ignore[operator]  # of numbers


def test_where_nothing_can_be_learnt_words_decide() -> None:
    asked = problems("Find the remainder when 100 is divided by 7.")
    for known in (labelled().clear(), labelled().filter(pl.col("domain") == "Knots"), labelled().head(10)):
        mark = Domain(by="classifier")(pl.concat([known, asked])).tail(1).row(0, named=True)
        assert (mark["domain"], mark["domain_by"]) == ("Number Theory", "words")


def test_a_model_that_is_not_there_is_a_clear_error() -> None:
    with pytest.raises(ModelError, match="no folder '/no/such/model'"):
        Domain(by="classifier", model="/no/such/model")


def test_libraries_that_are_missing_are_told_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curate.reading.extras.find_spec", lambda name: None)
    Domain().find()
    with pytest.raises(SourceError, match=r"sklearn not installed. pip install 'cotillion\[semantic\]'"):
        Domain(by="classifier").find()


class Sorter:
    """Says what it was told to, whatever it is asked."""

    model, revision = "sorter-7b", ""

    def ask(self, requests: list[Request]) -> list[Reply]:
        raise NotImplementedError


def test_a_teacher_is_asked_about_rows_without_a_domain_and_its_word_stands_before_the_words() -> None:
    tag = Domain(by="teacher", teacher=Sorter())
    rows = pl.concat([problems("A triangle {problem} of area 6."), labelled().head(1)])
    (asked,) = tag.prompts(rows).rows()
    assert asked[0] == "p0"
    assert "A triangle {problem} of area 6." in asked[1]
    assert all(name in asked[1] for name in DOMAIN_WORDS)
    for reply, domain, by in (
        ("It is\nDOMAIN: calculus", "Calculus", "teacher:sorter-7b"),
        ("**DOMAIN: Counting & Probability**", "Counting & Probability", "teacher:sorter-7b"),
        ("DOMAIN: Astrology", "Geometry", "words"),
        (None, "Geometry", "words"),
    ):
        given = rows.with_columns(reply=pl.Series([reply, None], dtype=pl.String))
        mark = tag(given).row(0, named=True)
        assert (mark["domain"], mark["domain_by"]) == (domain, by)


MANIFEST = """
name: domains
sources: [{use: files, path: q.jsonl, columns: {problem: q, answer: a, domain: d}}]
rollouts: {teacher: {use: tutor}, sampling: {n: 1}, no_reasoning: 1}
verdicts: [rule]
tags: [domain]
views: {sft: {quota: {by: [domain], at_most: 1}}}
"""


def test_a_build_fills_in_domains_and_its_ledger_balances(tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_text(
        '{"q": "What is $8 \\\\times 3$?", "a": "24", "d": null}\n'
        '{"q": "Find the remainder of 10 divided by 7.", "a": "3", "d": null}\n'
        '{"q": "A triangle has sides 3, 4, 5. What is its area?", "a": "6", "d": "Shapes"}\n'
    )
    (tmp_path / "m.yaml").write_text(MANIFEST)
    version = build(read_manifest(tmp_path / "m.yaml"), tmp_path / "data", Steps(quiet=True), workers=1).version
    found = version.problems.select("domain", "domain_by", "domain_words").collect().rows()
    assert found[1][:2] == ("Number Theory", "words")
    assert found[2] == ("Shapes", None, None)
    check_version(version)
    assert "tags.domain" in {entry["stage"] for entry in version.lock["funnel"]}


def test_a_teacher_without_its_option_is_a_fault_of_the_manifest(tmp_path: Path) -> None:
    for options in ("by: teacher", "teacher: {use: tutor}"):
        (tmp_path / "m.yaml").write_text(MANIFEST.replace("[domain]\n", f"[{{use: domain, {options}}}]\n", 1))
        with pytest.raises(ManifestError, match="written with by: teacher"):
            read_manifest(tmp_path / "m.yaml")


@pytest.mark.skipif(DATA is None, reason="COTILLION_REAL_DATA names no folder with real questions")
def test_words_agree_with_the_makers_of_math_on_two_of_three() -> None:
    """The half of MATH's test split that the table was not tuned on; benchmarks/domains.py has the numbers."""
    rows = pl.read_ndjson(gzip.decompress((Path(str(DATA)) / "benchmarks/math_test.jsonl.gz").read_bytes()))[1::2]
    theirs = rows["subject"].replace({"Intermediate Algebra": "Algebra"})
    marks = Domain()(rows.select("id", problem="question", domain=pl.lit(None, pl.String)))
    assert (marks["domain"] == theirs).fill_null(False).mean() > 2 / 3  # type: ignore[operator]  # of booleans


def test_a_classifiers_model_is_known_by_its_bytes_and_a_name_by_its_commit(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model/weights").write_bytes(b"1")
    stage = Domain(by="classifier", model=str(tmp_path / "model"))
    before = identity("tags.domain", stage)
    assert str(tmp_path) not in str(before)
    (tmp_path / "model/weights").write_bytes(b"2")
    assert identity("tags.domain", stage) != before
    with pytest.raises(ValueError, match="org/name@COMMIT"):
        Domain(by="classifier", model="org/name")
