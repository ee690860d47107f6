"""Facts about `train grpo`: rewards, what is refused, what is logged."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from tests.train.small_version import sum_prompts, write_views
from train.grpo import Accuracy, Grpo

NOISY = Path(__file__).parents[1] / "fixtures" / "noisy_teacher"
SMALL = (
    *("use_cpu=true", "bf16=false", "activation_checkpointing=false", "use_vllm=false", "max_steps=2"),
    *("per_device_train_batch_size=8", "gradient_accumulation_steps=1", "num_generations=4"),
    *("max_completion_length=128", "save_strategy=no"),
)


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with `asked@v1`: sums to be answered."""
    folder = tmp_path_factory.mktemp("data")
    write_views(folder, {"rl": {"train": sum_prompts(16, 0), "heldout": sum_prompts(4, 1)}}, "asked")
    return folder


def test_the_published_fixes_run_and_groups_are_logged(prompts: Path, tmp_path: Path) -> None:
    run = Grpo("v1", prompts, str(NOISY), tmp_path / "r", overrides=SMALL, say=lambda text: None)()
    logs = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    logged = {name for log in logs for name in log}
    assert {"group/accuracy", "group/length_spread", "group/left_out", "frac_reward_zero_std", "entropy"} <= logged
    assert {"completions/clipped_ratio", "temperature"} <= logged
    # Two steps, the first half of them one: 1.0, then 0.6.
    assert [log["temperature"] for log in logs if "temperature" in log] == [1.0, 0.6]
    assert run.facts["rl"]["rebalance"] is True
    assert run.facts["stage"] == "grpo"


def test_a_run_that_goes_on_draws_and_learns_as_if_it_had_not_stopped(prompts: Path, tmp_path: Path) -> None:
    more = ("max_steps=4", "save_strategy=steps", "save_steps=2", "logging_steps=1", "learning_rate=1e-4")
    settings = (*SMALL, *more, "max_completion_length=48")
    whole = Grpo("v1", prompts, str(NOISY), tmp_path / "a", overrides=settings, say=lambda text: None)()
    shutil.copytree(whole.path / "checkpoint-2", tmp_path / "b" / "checkpoint-2")
    again = Grpo("v1", prompts, str(NOISY), tmp_path / "b", None, settings, resume=True, say=lambda text: None)()
    told = []
    for run in (whole, again):
        logs = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
        names = ("loss", "temperature", "group/accuracy", "group/left_out", "completions/mean_length", "num_tokens")
        told.append([[log[name] for name in names] for log in logs if "loss" in log and log["step"] > 2])
    assert len(told[0]) == 2
    assert told[1] == [pytest.approx(values, rel=1e-4, abs=1e-6) for values in told[0]]


def test_the_reward_reads_what_stands_behind_the_thinking() -> None:
    reward = Accuracy(frozenset({2}))
    said = ["<think>\n\\boxed{3}\n</think>\n\n\\boxed{4}", "<think>\n\\boxed{4}\n</think>\n\n\\boxed{5}"]
    turns = [[{"role": "assistant", "content": text}] for text in said]
    assert reward(turns, [[5, 2], [5, 2]], ["4", "4"]) == [1.0, -1.0]


def test_a_reply_that_was_cut_off_is_no_right_answer() -> None:
    # Its last token is not the end: the box may be one that the model was about to take back.
    reward = Accuracy(frozenset({2}))
    turns = [[{"role": "assistant", "content": "<think>\nfirst \\boxed{4}"}]]
    assert reward(turns, [[5, 6]], ["4"]) == [-1.0]


def test_a_gold_that_cannot_be_read_gives_no_reward() -> None:
    assert Accuracy(frozenset({2}))([[{"role": "assistant", "content": "\\boxed{4}"}]], [[2]], [""]) == [None]


@pytest.mark.parametrize(
    ("change", "more", "answer"),
    [
        ({"pass_rate": [1.0, 0.5]}, (), "1 of 2 prompts have a pass rate of 0 or 1"),
        ({"solution": ["4", None]}, (), "1 of 2 prompts have no gold answer"),
        ({}, ("--set", "max_completion_length=4096"), "leave no room for a whole reply"),
    ],
)
def test_prompts_that_teach_nothing_are_refused(
    change: dict[str, list[object]],
    more: tuple[str, ...],
    answer: str,
    train: Callable[..., tuple[int, str]],
    tmp_path: Path,
) -> None:
    rows = sum_prompts(2, 0)
    for name, values in change.items():
        rows = rows.set_column(rows.column_names.index(name), name, pa.array(values))
    write_views(tmp_path, {"rl": {"train": rows}}, "asked")
    code, said = train("grpo", "--data", "v1", "--root", tmp_path, "--model", NOISY, "--set", "use_cpu=true", *more)
    assert code == 3
    assert answer in said


@pytest.mark.parametrize("wish", ["rl.rebalanced=true", "rl.temperature_end=cold"])
def test_a_wrong_fix_is_told(wish: str, train: Callable[..., tuple[int, str]], prompts: Path) -> None:
    code, said = train("grpo", "--data", "v1", "--root", prompts, "--model", NOISY, "--set", wish)
    assert code == 2
    assert "Did you mean 'rl.rebalance'?" in said or "expected float" in said
