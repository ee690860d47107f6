"""One problem, drawn: its rollouts side by side, what was said of each, and where each of them went."""

import re
import subprocess
import sys

import html5lib
import polars as pl
import pytest

from curate.look.rows import disagreements
from curate.version import Version, VersionError


def text_of(html: str) -> str:
    """What a reader sees."""
    return " ".join("".join(html5lib.parseFragment(html, namespaceHTMLElements=False).itertext()).split())


def test_a_problem_is_found_by_its_id_its_beginning_its_source_id_and_its_rollouts(version: Version) -> None:
    row = version.problems.head(1).collect().row(0, named=True)
    rollout = version.rollouts.filter(pl.col("problem_id") == row["id"]).head(1).collect().row(0, named=True)
    for name in (row["id"], row["id"][:10], row["source_id"], rollout["id"], rollout["id"][:12]):
        assert version.problem(name).id == row["id"]


def test_no_problem_and_several_are_said_so(version: Version) -> None:
    with pytest.raises(VersionError, match="has no problem or rollout 'zzz'"):
        version.problem("zzz")
    with pytest.raises(VersionError, match="several problems are named ''"):
        version.problem("")


def test_a_panel_tells_verdict_method_and_fate_of_every_rollout(version: Version) -> None:
    picked = version.sft.head(1).collect().row(0, named=True)
    html = version.problem(picked["problem_id"])._repr_html_()
    rollouts = version.rollouts.filter(pl.col("problem_id") == picked["problem_id"]).collect()
    assert html.count("<article") == rollouts.height == 4
    panels = {row["id"]: text for row, text in zip(
        rollouts.sort("index").iter_rows(named=True), re.findall(r"<article.*?</article>", html, re.DOTALL), strict=True
    )}  # fmt: skip
    for row in rollouts.iter_rows(named=True):
        seen = text_of(panels[row["id"]])
        assert row["verdict"] in seen
        assert (row["verdict_by"] or "") in seen
        assert f"{row['completion_tokens']:,} tokens" in seen
        assert ("in sft" in seen) == (row["id"] == picked["id"])
        assert ("views.sft: " in seen) == (row["id"] != picked["id"])
        assert "<summary>thinking" in panels[row["id"]]


def test_opinions_differ_only_where_both_were_given() -> None:
    rows = pl.DataFrame(
        {
            "rule_verdict": ["correct", "wrong", "timeout", "wrong", "no_answer", "correct"],
            "judge_verdict": ["wrong", "correct", "correct", None, "wrong", "correct"],
        }
    )
    differs = disagreements(rows.columns)["rules and judge"]
    assert rows.select(differs.fill_null(False)).to_series().to_list() == [True, True, False, False, False, False]


def test_a_hostile_text_gives_a_terminal_no_orders(hostile: Version) -> None:
    assert "\x1b" not in repr(hostile.problem("\x1b]0;title\x07\x1b[2J"))


def test_in_a_terminal_it_is_the_story_that_curate_explain_tells(version: Version) -> None:
    row = version.problems.head(1).collect().row(0, named=True)
    assert repr(version.problem(row["id"])).startswith(f"problem {row['id']} in seen@v1")
    assert repr(version).startswith("seen@v1 ")
    assert "verdicts.rule" in repr(version)


def test_a_version_draws_itself_and_says_how_to_go_on(version: Version) -> None:
    seen = text_of(version._repr_html_())
    for fact in ("seen@v1", version.digest, "verdicts.rule", "views.sft", "v.problem(id)", "curate view seen@v1"):
        assert fact in seen


def test_a_folder_that_is_gone_still_has_a_repr(tmp_path: object) -> None:
    assert repr(Version(tmp_path / "v1")).startswith("Version(")  # type: ignore[operator]  # a Path


def test_importing_curate_stays_light() -> None:
    heavy = (
        "import curate, sys; print([m for m in ('polars', 'altair', 'latex2mathml', 'pyarrow') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True).stdout.strip() == "[]"
