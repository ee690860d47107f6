"""Verdicts by lot: a control that keeps every count and none of the knowledge."""

from pathlib import Path

import polars as pl

from curate.build import build
from curate.manifest import read_manifest
from curate.progress import Steps
from curate.verdicts.lot import Lot
from tests.classroom import SMALL, problems


def test_every_problem_keeps_its_counts_and_its_other_verdicts() -> None:
    verdicts = ["correct", "wrong", "wrong", "timeout"] * 50
    ids = [f"{place:04x}" for place in range(200)]
    rows = pl.DataFrame({"id": ids, "problem_id": [str(place // 4) for place in range(200)], "verdict": verdicts})
    marks = rows.join(Lot()(rows), on="id", suffix="_dealt", maintain_order="left")
    by_problem = marks.group_by("problem_id").agg(
        pl.col("verdict").filter(pl.col("verdict") != "timeout").sort(), pl.col("verdict_dealt").drop_nulls().sort()
    )
    assert (by_problem["verdict"] == by_problem["verdict_dealt"]).all()
    assert marks.filter(pl.col("verdict") == "timeout")["verdict_dealt"].null_count() == 50
    # One of three is the correct one: by lot, a third of them stay correct.
    stayed = marks.filter((pl.col("verdict") == "correct") & (pl.col("verdict_dealt") == "correct")).height
    assert 8 <= stayed <= 26
    assert not Lot()(rows).equals(Lot(seed=1)(rows))


def test_one_line_makes_pairs_that_know_nothing(tmp_path: Path) -> None:
    problems(tmp_path)
    text = SMALL.replace("verdicts: [rule]", "verdicts: [rule, lot]").replace("views: {sft: {}}", "views: {dpo: {}}")
    (tmp_path / "small.yaml").write_text(text, encoding="utf-8")
    version = build(read_manifest(tmp_path / "small.yaml"), tmp_path / "data", Steps(quiet=True), workers=1).version
    rows = version.rollouts.collect()
    counts = rows["verdict"].value_counts().sort("verdict"), rows["rule_verdict"].value_counts().sort("rule_verdict")
    assert counts[0].rows() == counts[1].rows()
    assert (rows["verdict"] != rows["rule_verdict"]).any()
    truth = dict(rows.select("id", "rule_verdict").iter_rows())
    sides = {truth[row] for row in version.dpo.collect()["chosen_id"]}
    assert sides == {"correct", "wrong"}
