"""Facts about `train dpo`: what is learnt, what is refused, what is written down."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from curate.records import MESSAGES
from tests.train.small_version import sum_pairs, sum_prompts, sums, sums_table, write_views
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


def with_template(folder: Path, template: str | None) -> Path:
    """The noisy teacher with another chat template, or none."""
    shutil.copytree(NOISY, folder)
    (folder / "chat_template.jinja").unlink(missing_ok=True)
    told = json.loads((folder / "tokenizer_config.json").read_text())
    told.pop("chat_template", None)
    (folder / "tokenizer_config.json").write_text(json.dumps(told | ({"chat_template": template} if template else {})))
    return folder


def test_a_template_without_marks_is_enough_for_pairs(pairs: Path, tmp_path: Path) -> None:
    # TRL finds the replies of pairs by comparing, not by marks; so does the preflight.
    plain = (
        "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '<|end|>' }}{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )
    model = with_template(tmp_path / "m", plain)
    accept = frozenset({"endless"})
    settings = (*SMALL, *BATCHES, "max_steps=1")
    run = Dpo("v1", pairs, str(model), tmp_path / "r", None, settings, accept, say=lambda text: None)()
    assert run.facts["preflight"]["sides"]["empty"] == 0


@pytest.mark.parametrize(
    ("stage", "more"), [("dpo", ()), ("grpo", ()), ("sft", ()), ("sft", ("--set", "assistant_only_loss=false"))]
)
def test_a_model_without_chat_template_is_told_how_to_get_one(
    stage: str, more: tuple[str, ...], train: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    tables = {"dpo": sum_pairs(2, 0), "rl": sum_prompts(2, 0), "sft": sums_table(sums(2, 0))}
    write_views(tmp_path / "d", {view: {"train": rows} for view, rows in tables.items()}, "all")
    model = with_template(tmp_path / "m", None)
    words = ("--data", "v1", "--root", tmp_path / "d", "--model", model, "--set", "use_cpu=true", *more)
    code, said = train(stage, *words)
    assert (code, "Traceback" in said) == (2, False)
    assert "--set chat_template_path=FILE.jinja gives" in said


def test_an_adapter_is_measured_against_the_model_without_it(pairs: Path, tmp_path: Path) -> None:
    settings = (*SMALL, *BATCHES, "max_steps=2", "lora.r=4", "learning_rate=1e-2")
    run = Dpo("v1", pairs, str(NOISY), tmp_path / "r", overrides=settings, say=lambda text: None)()
    logs = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    losses = [log["loss"] for log in logs if "loss" in log]
    assert losses[0] == pytest.approx(0.6931, abs=1e-3)  # ln 2: an adapter begins as nothing
    assert losses[1] != pytest.approx(losses[0], abs=1e-4)
    assert (run.path / "adapter" / "adapter_model.safetensors").is_file()
    assert "| lora.r | 4 |" in (run.path / "README.md").read_text()


def test_pairs_of_one_kind_only_are_no_pairs(train: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    write_views(tmp_path, {"dpo": {"train": sum_pairs(4, 0).slice(0, 0)}}, "pairs")
    code, said = train("dpo", "--data", "v1", "--root", tmp_path, "--model", NOISY)
    assert code == 2
    assert "dpo:train has no rows to train on" in said


def test_an_untrained_student_has_no_preferences(train: Callable[..., tuple[int, str]], pairs: Path) -> None:
    code, said = train("dpo", "--data", "v1", "--root", pairs, "--model", "tiny")
    assert code == 2
    assert "needs a trained student" in said
