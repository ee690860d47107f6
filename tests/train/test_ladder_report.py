"""The numbers of a ladder and the report that tells them: counted by hand, and hostile text shown as text."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from curate.alike.leaks import LeakError
from curate.build import build
from curate.manifest import read_manifest
from curate.progress import Steps as Quiet
from curate.version import Version
from tests.hostile_texts import HOSTILE
from tests.train.small_ladder import write_ladder
from train.ladder.apart import check_apart
from train.ladder.file import read_ladder
from train.ladder.plan import Run, runs
from train.ladder.pooled import averages, pooled
from train.ladder.processes import Processes
from train.ladder.report import write_report
from train.ladder.results import outcome, results
from train.ladder.steps import Done, Steps, measured_in
from train.ladder.teachers import truth_of
from train.ladder.told_runs import _fifths
from train.scores import interval

NAN = float("nan")


def test_seeds_of_one_problem_are_averaged_before_problems_are_drawn() -> None:
    values = np.array([[1.0, 0.0, 1.0, 0.5], [1.0, 0.0, 1.0, 0.5], [1.0, 0.0, 1.0, 0.5]])
    alone, three = pooled(values[:1]), pooled(values)
    # Three equal runs tell no more about further problems than one.
    assert three.over_problems == alone.over_problems == interval(values[0])
    assert three.by_seed == (0.625, 0.625, 0.625)
    assert three.spread == 0.0
    assert np.isnan(alone.spread)
    assert alone.over_both == alone.over_problems


def test_seeds_that_differ_widen_the_interval_over_both() -> None:
    values = np.array([[0.9] * 40, [0.5] * 40, [0.1] * 40])
    found = pooled(values)
    # Problems are all alike, so the interval over problems is a point; seeds are not.
    assert found.over_problems.low == pytest.approx(found.over_problems.high) == pytest.approx(0.5)
    # Of 27 draws of three seeds one is 0.1 three times: 3.7 %, more than the 2.5 % that are cut on each side.
    assert (found.over_both.low, found.over_both.high) == (pytest.approx(0.1), pytest.approx(0.9))
    assert found.spread == pytest.approx(0.4)


def test_what_could_not_be_judged_counts_neither_way() -> None:
    found = pooled(np.array([[1.0, NAN, NAN], [0.0, 1.0, NAN]]))
    assert found.over_problems.mean == 0.75  # the first problem one half, the second 1, the third is left out
    assert found.by_seed == (1.0, 0.5)
    assert np.isnan(pooled(np.array([[NAN]])).over_problems.mean)
    rollouts = pl.DataFrame(
        {"problem_id": ["p", "p", "q"], "index": [0, 1, 0], "verdict": ["correct", "timeout", "timeout"]}
    ).with_columns(extracted_answer=pl.lit("1"))
    told = averages([rollouts], pl.Series(["q", "p", "absent"]))
    assert told[0][1] == 1.0
    assert np.isnan(told[0][[0, 2]]).all()


def test_a_missed_form_is_told_apart_from_a_missed_sum() -> None:
    rows = [
        ("correct", "stop", "so \\boxed{4}", "correct"),
        ("correct", "stop", "The answer is 4", "correct"),
        ("wrong", "stop", "so \\boxed{5}", "wrong answer"),
        ("wrong", "stop", "The answer is 5", "no boxed answer"),
        ("no_answer", "stop", "well", "no boxed answer"),
        ("no_answer", "stop", None, "no boxed answer"),
        ("truncated", "length", "", "cut off"),
        ("timeout", "stop", "so \\boxed{9^{9^9}}", "not judged"),
    ]
    frame = pl.DataFrame(rows, schema=["verdict", "finish_reason", "response", "meant"], orient="row")
    assert frame.select(outcome())["outcome"].to_list() == frame["meant"].to_list()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small ladder, with the versions that need no student."""
    place = tmp_path_factory.mktemp("ladder")
    write_ladder(place)
    for name in ("base", "heldout", "validation"):
        build(read_manifest(place / f"mini-{name}.yaml"), place / "data", Quiet(quiet=True), workers=1)
    return place


def version(folder: Path, name: str) -> Version:
    return Version(folder / f"data/mini-{name}/v1")


def test_the_teachers_errors_are_those_that_it_planted(folder: Path) -> None:
    truth = truth_of(version(folder, "base"))
    assert truth is not None
    assert truth.rollouts == 400
    # Elementary and middle problems err at 0.4 and 0.7 of the rate of 0.3; not all errors are wrong answers.
    assert 0.05 < truth.errors < 0.25
    given = version(folder, "base").rollouts.select((pl.col("verdict") != "correct").mean()).collect().item()
    assert truth.agreement > 0.97
    assert abs(given - truth.errors) <= 1 - truth.agreement + 1e-9
    assert truth_of(version(folder, "heldout")) is None


def test_problems_that_are_asked_afterwards_may_not_be_trained_on(folder: Path, tmp_path: Path) -> None:
    asked = {"heldout": (version(folder, "heldout"), "heldout")}
    assert check_apart(version(folder, "base"), asked).keys() == {"heldout"}
    with pytest.raises(LeakError, match=r"mini-heldout@v1 trains on \d+ of the \d+ problems of it"):
        check_apart(version(folder, "heldout"), {"it": (version(folder, "heldout"), "train")})


def rollouts(of: Version, share: float, text: str) -> pl.DataFrame:
    """Two rollouts per held-out problem; those of the first `share` of the problems are correct."""
    ids = of.table("rl", "heldout").select("id").collect()["id"].to_list()
    right = round(share * len(ids))
    rows = [
        {
            "problem_id": row,
            "index": index,
            "answer": "1",
            "reasoning": text,
            "response": f"{text} \\boxed{{1}}",
            "finish_reason": "stop",
            "completion_tokens": 10,
            "verdict": "correct" if place < right else "wrong",
            "extracted_answer": "1",
            "error": None,
        }
        for place, row in enumerate(ids)
        for index in range(2)
    ]
    return pl.DataFrame(rows, schema_overrides={"error": pl.String})


def done(folder: Path, run: Run, share: float, text: str) -> Done:
    """A run folder written by hand."""
    place = folder / "runs/mini/runs" / f"{run.name}-00000000"
    for name in ("heldout", "validation"):
        eval_folder = measured_in(place, version(folder, name), "heldout")
        eval_folder.mkdir(parents=True, exist_ok=True)
        rollouts(version(folder, name), share, text).write_parquet(eval_folder / "rollouts.parquet")
    data = {"version": "mini-base@v1", "view": "sft", "split": "train", "rows": 9, "row_digest": "0" * 64}
    result = {"parameters": 45248, "steps": 4, "tokens": 1000, "seconds": 1.0}
    facts = {"status": "done", "data": data, "result": result, "libraries": {"torch": "2", "peft": None}}
    (place / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    logs = [
        {"step": step, "reward": -1.0, "group/accuracy": 0.1 * step, "frac_reward_zero_std": 0.5} for step in (1, 2)
    ]
    (place / "metrics.jsonl").write_text("".join(json.dumps(log) + "\n" for log in logs), encoding="utf-8")
    record: dict[str, Any] = {
        "commands": {"train": f"train {run.stage.trainer} --data x"}, "seconds": {"train": 60.0, "eval": 30.0},
        "peak_mb": {"train": 700}, "weights": "f" * 64, "watched": {"heldout": 0},
    }  # fmt: skip
    return Done(run, place, version(folder, "base"), record)


SHARES = {"base": 0.0, "midtrain": 0.5, "dpo": 0.5, "grpo": 1.0, "sft": 0.0}


def reported(folder: Path, text: str = "plain") -> tuple[str, str, dict[str, Any], str]:
    """Markdown, page, numbers, and what the terminal shows."""
    ladder = read_ladder(folder / "mini.yaml")
    all_done = [done(folder, run, SHARES[run.stage.name], text) for run in runs(ladder)]
    steps = Steps(ladder, folder / "data", folder / "runs/mini", ("heldout", "validation"), Processes(0))
    steps.sets = {name: version(folder, name) for name in ("heldout", "validation")}
    report = write_report(ladder, all_done, steps, 90.0)
    numbers = json.loads((report.folder / "results.json").read_text(encoding="utf-8"))
    html = (report.folder / "report.html").read_text(encoding="utf-8")
    return (report.folder / "report.md").read_text(encoding="utf-8"), html, numbers, report.text


def test_the_report_tells_what_was_measured(folder: Path) -> None:
    told, html, numbers, short = reported(folder)
    stages = numbers["heldout"]["stages"]
    n = version(folder, "heldout").table("rl", "heldout").collect().height
    half = round(0.5 * n) / n
    assert stages["midtrain"]["over_problems"]["mean"] == pytest.approx(half)
    assert stages["grpo"]["by_seed"] == [1.0, 1.0]
    assert numbers["heldout"]["steps"]["midtrain"]["over_problems"]["mean"] == pytest.approx(half)
    assert stages["base"]["outcomes"] == {
        "correct": 0, "wrong answer": 4 * n, "no boxed answer": 0, "cut off": 0, "not judged": 0
    }  # fmt: skip
    assert numbers["heldout"]["controls"]["no_midtrain"]["difference"]["over_problems"]["mean"] == pytest.approx(-half)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in told.splitlines() if line.startswith("|")]
    by_name: dict[str, list[str]] = {}
    for row in rows:
        by_name.setdefault(row[0], row)
    assert by_name["midtrain"][-1] == "rises"
    assert by_name["dpo"][-1] == "unsure"
    assert "dpo does not rise for sure on this set: reported as found." in told
    assert by_name["no_midtrain"][-2:] == ["below", "below"]
    assert "high (unseen)" in told
    assert "midtrain" in short
    assert "unsure" in short
    # Four runs a seed at 90 s, and the control's: ten in all.
    assert next(row for row in rows if row[0] == "all")[2:4] == ["600", "300"]
    assert "ladder.png" in told
    assert 'src="data:image/png;base64,' in html


class Seen(HTMLParser):
    """Every tag and attribute of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.names: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}
        assert all("http" not in (value or "") for name, value in attrs if name in ("src", "href"))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_hostile_text_is_shown_and_does_nothing(folder: Path) -> None:
    _, plain, _, _ = reported(folder)
    harmless = Seen()
    harmless.feed(plain)
    for start in range(0, len(HOSTILE), 50):
        # The report cuts long rollouts, so some texts at a time.
        told, html, _, _ = reported(folder, "\n".join(HOSTILE[start : start + 50])[:1400])
        page = Seen()
        page.feed(html)
        assert page.tags <= harmless.tags | {"pre", "h3"}
        assert page.names <= harmless.names
        assert "script" not in page.tags
        assert not any(line.startswith(("# ", "<script")) for line in _outside_fences(told).splitlines()[1:])


def _outside_fences(told: str) -> str:
    kept, fence = [], ""
    for line in told.splitlines():
        if not fence and line.startswith("```"):
            fence = line[: len(line) - len(line.lstrip("`"))]
        elif fence and line == fence:
            fence = ""
        elif not fence:
            kept.append(line)
    assert not fence, "a fence that was left open"
    return "\n".join(kept)


def test_levels_are_paired_with_their_own_problems(folder: Path) -> None:
    ladder = read_ladder(folder / "mini.yaml")
    all_done = [done(folder, run, SHARES[run.stage.name], "x") for run in runs(ladder)]
    found = results("heldout", ladder, all_done, version(folder, "heldout"), "heldout")
    problems = version(folder, "heldout").table("rl", "heldout").collect()
    right = problems.head(round(0.5 * problems.height))
    for level in found.levels:
        counted = right.filter(pl.col("level") == level).height / problems.filter(pl.col("level") == level).height
        assert found.rungs[1].score([level]).over_problems.mean == pytest.approx(counted)


def test_a_course_is_cut_into_five_parts_that_are_as_equal_as_can_be() -> None:
    assert [len(_fifths(list(map(float, range(n))))) for n in (1, 4, 5, 7, 14, 60)] == [1, 4, 5, 5, 5, 5]
    assert _fifths([0.0] * 11 + [3.0] * 3) == [0, 0, 0, 0, 3]
