"""Views in a whole build: apart from each other, in other formats, and what they have in common told in the lock."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from curate.alike.leaks import LeakError, Overlap, benchmark_overlaps, view_overlaps
from curate.build import build
from curate.cache import Cache
from curate.choices.choosing import choose_views
from curate.choices.selection import MixError
from curate.engine import worker_pool
from curate.flow import Flow
from curate.ledger import Ledger
from curate.manifest import Use, read_manifest
from curate.progress import Steps
from curate.reading.benchmarks import Questions
from curate.records import ROLLOUT, empty
from curate.version import Version, VersionError
from curate.views.rl import Rl
from distill.store import Store
from train.data import open_view

MANIFEST = """\
name: small
sources: [{use: files, path: rows.jsonl, columns: {problem: q, answer: a, solution: s, rollouts: r, domain: d}}]
prompt: {system: Be brief.}
problems: [dedup.exact]
verdicts: [rule]
tags: [difficulty]
views:
  sft: {disjoint_from: [dpo], format: openthoughts}
  midtrain: {keep: all, format: openr1}
  dpo: {at_most: 10}
  rl: {}
heldout: 0.3
"""
VIEWS = ("sft", "midtrain", "dpo", "rl")


def row(i: int) -> dict[str, Any]:
    """One problem with three right answers and one wrong one."""
    answers = [i + 7, i + 7, i + 8, i + 7]
    replies = [f"<think>\nLet me add. {i} and 7, {k}.\n</think>\n\n\\boxed{{{a}}}" for k, a in enumerate(answers)]
    return {"q": f"What is {i} + 7?", "a": str(i + 7), "s": f"It is {i + 7}.", "r": replies, "d": "arithmetic"}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Version:
    folder = tmp_path_factory.mktemp("views")
    (folder / "rows.jsonl").write_text("".join(json.dumps(row(i)) + "\n" for i in range(40)))
    (folder / "m.yaml").write_text(MANIFEST)
    return build(read_manifest(folder / "m.yaml"), folder / "data", Steps(quiet=True), workers=1).version


def test_a_view_has_no_problem_of_one_that_it_is_disjoint_from(small: Version) -> None:
    problems = {view: set(small.table(view).collect()["problem_id"]) for view in ("sft", "dpo")}
    assert len(problems["dpo"]) == 10
    assert not problems["dpo"] & problems["sft"]
    assert len(problems["sft"]) == 30
    entry = next(e for e in small.lock["funnel"] if e["stage"] == "views.sft")
    assert {"reason": "disjoint_from", "rows": 3 * 10} in entry["dropped"]
    assert list(small.lock["tables"])[:4] == list(VIEWS), "tables stand in the order of the manifest"


def test_openr1_has_one_row_per_problem_with_its_rollouts_in_lists(small: Version) -> None:
    rows = small.table("midtrain").collect()
    assert rows.height == 40
    first = rows.filter(pl.col("problem") == "What is 0 + 7?").row(0, named=True)
    assert first["correctness_math_verify"] == [True, True, False, True]
    assert (first["correctness_count"], first["answer"], first["solution"]) == (3, "7", "It is 7.")
    assert (first["problem_type"], first["is_reasoning_complete"]) == ("arithmetic", [True] * 4)
    assert first["correctness_llama"] == [None] * 4
    assert [text[-9:] for text in first["generations"]] == ["\\boxed{7}", "\\boxed{7}", "\\boxed{8}", "\\boxed{7}"]
    assert [turn["role"] for turn in first["messages"]] == ["system", "user", "assistant"]
    assert first["messages"][2]["content"] == first["generations"][0]
    owners = dict(small.rollouts.select("id", "problem_id").collect().iter_rows())
    assert {owners[rollout] for rollout in first["rollout_ids"]} == {first["uuid"]}


def test_a_problem_tells_of_rollouts_that_stand_in_lists_too(small: Version) -> None:
    row = small.midtrain.collect().row(0, named=True)
    html = small.problem(row["uuid"])._repr_html_()
    assert html.count("in midtrain") == len(row["rollout_ids"]) == 4


def test_openthoughts_has_conversations_and_the_system_message_beside_them(small: Version) -> None:
    first = small.table("sft").collect().row(0, named=True)
    assert first["system"] == "Be brief."
    assert [turn["from"] for turn in first["conversations"]] == ["user", "assistant"]
    assert first["conversations"][1]["value"].startswith("<think>\nLet me add.")
    assert first["domain"] == "arithmetic"


def test_a_trainer_refuses_the_formats_of_others(small: Version) -> None:
    with pytest.raises(VersionError, match="midtrain is written as openr1"):
        open_view(str(small.path), "midtrain")
    assert open_view(str(small.path), "dpo").split == "train"


@pytest.mark.parametrize("view", VIEWS)
def test_load_dataset_reads_every_format(small: Version, view: str) -> None:
    import datasets

    loaded = datasets.load_dataset(str(small.path), view)
    assert {split: len(rows) for split, rows in loaded.items()} == {
        split: part["rows"] for split, part in small.lock["tables"][view].items()
    }
    assert not any("null" in str(kind) for kind in loaded["train"].features.values())


def test_the_lock_tells_what_views_have_in_common_and_no_side_leaks(small: Version) -> None:
    told = {(o["left"], o["right"]): o["exact"] for o in small.lock["leaks"]["views"]}
    trained = {view: small.table(view, "train").collect() for view in ("dpo", "rl")}
    both = set(trained["dpo"]["problem_id"]) & set(trained["rl"]["id"])
    assert told["dpo:train", "rl:train"] == len(both) > 0
    assert told["sft:train", "dpo:train"] == 0
    crossed = [pair for pair in told if pair[0].split(":")[1] != pair[1].split(":")[1]]
    assert crossed
    assert not any(told[pair] for pair in crossed)
    assert small.lock["leaks"]["benchmarks"] is None
    facts = small.lock["views"]["dpo"]
    assert (facts["pairs"], facts["problems"]) == (10, 10)


PROBLEMS = pl.DataFrame(
    {
        "id": ["a", "b", "c", "d"],
        "problem": ["What is 2 + 2?", "What is 2 + 3 ?", "Find x.", "∑ 1"],
        "cluster": ["a", "b", "c", "c"],
        "split": ["train"] * 4,
    }
)


def test_overlaps_count_clusters_and_then_forms() -> None:
    views = {"sft": pl.Series(["a", "a", "c"]), "rl": pl.Series(["b", "d"])}
    assert view_overlaps(PROBLEMS, views) == [Overlap("sft:train", "rl:train", exact=1, near=1)]


def test_a_problem_on_both_sides_of_the_split_stops_the_build() -> None:
    torn = PROBLEMS.with_columns(split=pl.Series(["train", "train", "train", "heldout"]))
    with pytest.raises(LeakError, match="sft:train and rl:heldout 1"):
        view_overlaps(torn, {"sft": pl.Series(["c"]), "rl": pl.Series(["d"])})


def test_a_benchmark_is_held_against_texts_forms_and_variants() -> None:
    asked = pl.DataFrame({"id": ["1", "2"], "problem": ["what is 2 + 2?", "FIND  X"]})
    found = benchmark_overlaps(PROBLEMS, {"sft": PROBLEMS["id"]}, [Questions("mine", asked, {}, 8)])
    assert found == [Overlap("sft:train", "mine", exact=1, near=1, variants=1)]


def test_a_stage_that_knows_benchmarks_has_them_held_against_every_view() -> None:
    asked = pl.DataFrame({"id": ["1"], "problem": ["What is 2 + 2?"]})
    stage = SimpleNamespace(benchmarks=lambda: [Questions("mine", asked, {}, 8)])
    manifest: Any = SimpleNamespace(
        views={"rl": Use("rl", Rl(unsampled=True))}, problems=(Use("decontaminate.some", stage),), seed=0
    )
    given = PROBLEMS.with_columns(answer=pl.lit("4"))
    leaks = choose_views(manifest, given, empty(ROLLOUT), Ledger(), Steps(quiet=True)).leaks
    assert leaks["benchmarks"] == [{"left": "rl:train", "right": "mine", "exact": 1, "near": 0, "variants": 1}]


def test_forms_of_one_problem_stand_on_one_side_of_the_split(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("name: x\nsources: [{use: procedural, n: 1}]\nheldout: 0.5\n")
    with worker_pool(1) as pool:
        flow = Flow(read_manifest(tmp_path / "m.yaml"), tmp_path, Cache(tmp_path), pool, Steps(quiet=True))
        ids = [f"{i:03d}" for i in range(200)]
        other = [None if i % 4 == 0 else ids[i - 1] for i in range(200)]
        flow.problems = pl.DataFrame({"id": ids, "content_hash": ids, "near_duplicate_of": other}).with_columns(
            source=pl.lit("x"), drop_reason=pl.lit(None, pl.String)
        )
        flow.mark_problems()
    sides = flow.problems.group_by("cluster").agg(pl.len(), pl.col("split").n_unique().alias("sides"))
    assert set(sides.select("len", "sides").iter_rows()) == {(4, 1)}
    assert set(flow.problems["split"]) == {"train", "heldout"}


def test_a_mixture_of_a_source_without_problems_stops_before_a_teacher_is_asked(tmp_path: Path) -> None:
    lines = ["name: x", "sources: [{use: procedural, n: 9}]", "rollouts: {teacher: {use: tutor}, sampling: {n: 1}}"]
    (tmp_path / "m.yaml").write_text("\n".join([*lines, "verdicts: [rule]", "views: {sft: {mix: {gsm8k: 1}}}"]))
    with pytest.raises(MixError, match=r"views\.sft\.mix: no problem is of 'gsm8k'\. There are: 'procedural'"):
        build(read_manifest(tmp_path / "m.yaml"), tmp_path / "data", Steps(quiet=True), workers=1)
    assert Store(tmp_path / "data" / ".rollouts").keys() == []


def test_a_view_that_is_empty_for_a_teachers_name_says_the_names(
    small: Version, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = small.path.parent.parent.parent
    sets = ("views.dpo.rejected_from=[student]", "sources.0.teacher=the-sage")
    build(read_manifest(folder / "m.yaml", sets), folder / "more", Steps(), workers=1)
    assert "view dpo has no rows" in (said := capsys.readouterr().err)
    assert "(rollouts are of the-sage)" in said
