"""Facts about `train dpo`: what is learnt, what is refused, what is written down."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from tests.train.small_version import MESSAGES, sum_pairs, write_views
from train.dpo import Dpo

NOISY = Path(__file__).parents[1] / "fixtures" / "noisy_teacher"
SMALL = ("use_cpu=true", "bf16=false", "activation_checkpointing=false", "logging_steps=1", "learning_rate=1e-4")
BATCHES = ("per_device_train_batch_size=4", "gradient_accumulation_steps=1", "max_steps=6", "warmup_steps=0")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with `pairs@v1`: right sums against wrong ones."""
    folder = tmp_path_factory.mktemp("data")
    write_views(folder, {"dpo": {"train": sum_pairs(24, 0), "heldout": sum_pairs(4, 1)}}, "pairs")
    return folder


def test_the_student_tells_the_sides_apart(pairs: Path, tmp_path: Path) -> None:
    run = Dpo("v1", pairs, str(NOISY), tmp_path / "r", overrides=(*SMALL, *BATCHES), say=lambda text: None)()
    logs = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    margins = [log["rewards/margins"] for log in logs if "rewards/margins" in log]
    losses = [log["loss"] for log in logs if "loss" in log]
    assert losses[0] == pytest.approx(0.6931, abs=1e-3)  # ln 2: the student is its own reference
    assert margins[-1] > margins[0] == pytest.approx(0.0, abs=1e-4)
    assert run.facts["stage"] == "dpo"
    assert run.facts["parent"]["model"] == str(NOISY)
    assert run.facts["preflight"]["pairs"] == 24
    assert {"model.safetensors", "loss.png", "README.md"} <= {path.name for path in run.path.iterdir()}


@pytest.mark.parametrize("loss", ["loss_type=[nca_pair]", "loss_type=[apo_zero]", "ld_alpha=0.3"])
def test_other_losses_are_trl_options(loss: str, pairs: Path, tmp_path: Path) -> None:
    settings = (*SMALL, *BATCHES, "max_steps=1", loss)
    run = Dpo("v1", pairs, str(NOISY), tmp_path / "r", overrides=settings, say=lambda text: None)()
    assert run.facts["status"] == "done"


def talks(*texts: str) -> pa.Array:
    return pa.array([[{"role": "assistant", "content": text}] for text in texts], MESSAGES)


@pytest.mark.parametrize(
    ("chosen", "rejected", "answer"),
    [
        ("so \\boxed{4}.", "so \\boxed{4}.", "1 of 1 pairs have the same text on both sides"),
        ("So \\boxed{4}.", "so 4", "1 of 1 pairs differ by format only"),
        ("so 4 " * 40, "so 5 " * 9, "the student would learn to write longer ones"),
        ("so 4 " * 400, "so 5 " * 400, "cut at max_length 1024"),
    ],
)
def test_pairs_that_teach_the_wrong_thing_are_refused(
    chosen: str, rejected: str, answer: str, train: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    prompt = pa.array([[{"role": "user", "content": "What is 2 + 2?"}]], MESSAGES)
    rows = pa.table({"prompt": prompt, "chosen": talks(chosen), "rejected": talks(rejected)})
    write_views(tmp_path, {"dpo": {"train": rows}}, "pairs")
    shorter = ("--set", "max_length=1024", "--set", "bf16=false")
    code, said = train("dpo", "--data", "v1", "--root", tmp_path, "--model", NOISY, *shorter)
    assert code == 3
    assert answer in said
    assert not Path("runs").exists()


def test_pairs_of_one_kind_only_are_no_pairs(train: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    write_views(tmp_path, {"dpo": {"train": sum_pairs(4, 0).slice(0, 0)}}, "pairs")
    code, said = train("dpo", "--data", "v1", "--root", tmp_path, "--model", NOISY)
    assert code == 2
    assert "dpo:train has no rows to train on" in said


def test_an_untrained_student_has_no_preferences(train: Callable[..., tuple[int, str]], pairs: Path) -> None:
    code, said = train("dpo", "--data", "v1", "--root", pairs, "--model", "tiny")
    assert code == 2
    assert "needs a trained student" in said
