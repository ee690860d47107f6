"""Facts about `train midtrain`: packed rows are apart, and the held-out loss decides when to stop."""

import json
from pathlib import Path

import pytest

from tests.train.small_version import sums, write_version
from train.midtrain import Midtrain

SMALL = ("student.layers=2", "student.width=64", "student.inner=64", "logging_steps=1", "warmup_steps=0")


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with `sums@v1`, whose rows stand in the view midtrain."""
    folder = tmp_path_factory.mktemp("data")
    write_version(folder, {"train": sums(24, seed=0), "heldout": sums(8, seed=1)}, view="midtrain")
    return folder


def first_loss(packs: Path, out: Path, *settings: str) -> float:
    Midtrain("v1", packs, out=out, overrides=(*SMALL, "max_steps=1", *settings), answers=0, say=lambda text: None)()
    logs = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return float(next(log["loss"] for log in logs if "loss" in log))


def test_packed_rows_do_not_see_each_other(packs: Path, tmp_path: Path) -> None:
    # One step over all 24 rows, before anything is learnt: in 3 packs, or in a batch of 24. Attention across rows, or
    # positions that run on, would give another loss.
    packed = first_loss(packs, tmp_path / "a", "packing=true", "gradient_accumulation_steps=3", "max_length=1024")
    apart = first_loss(packs, tmp_path / "b", "packing=false", "per_device_train_batch_size=24")
    steps = json.loads((tmp_path / "a" / "run.json").read_text())["result"]
    assert steps["tokens"] == json.loads((tmp_path / "b" / "run.json").read_text())["result"]["tokens"]
    assert packed == pytest.approx(apart, rel=1e-5)


def test_packing_with_a_cache_would_let_them_see_each_other(packs: Path) -> None:
    # What the test above guards against: transformers sees packed rows only where no cache is kept.
    import torch
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    from train.tiny import Tiny, tiny_tokenizer

    tokenizer = tiny_tokenizer([talk[-1]["content"] for talk in sums(20, seed=0)], 400)
    model = Tiny(layers=1, width=64, inner=64)(tokenizer)
    collate = DataCollatorForLanguageModeling(pad_token_id=0, padding_free=True)

    def second(first: list[int], cache: bool) -> torch.Tensor:
        batch = collate([{"input_ids": [*first, 7, 8, 9], "labels": [*first, 7, 8, 9], "seq_lengths": [4, 3]}])
        batch.pop("labels")
        with torch.no_grad():
            logits: torch.Tensor = model(**batch, use_cache=cache).logits
        return logits[0, 4:]

    assert torch.equal(second([1, 2, 3, 4], cache=False), second([4, 3, 2, 1], cache=False))
    assert not torch.equal(second([1, 2, 3, 4], cache=True), second([4, 3, 2, 1], cache=True))


def test_the_heldout_loss_decides_when_to_stop(packs: Path, tmp_path: Path) -> None:
    each_step = ("eval_strategy=steps", "eval_steps=1", "save_strategy=steps", "save_steps=1", "num_train_epochs=20")
    settings = (*SMALL, *each_step, "learning_rate=1.0", "lr_scheduler_type=constant")
    run = Midtrain("v1", packs, out=tmp_path / "r", overrides=settings, answers=0, patience=2, say=lambda text: None)()
    logs = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    losses = [log["eval_loss"] for log in logs if "eval_loss" in log]
    assert run.facts["result"]["steps"] < 20
    assert run.facts["result"]["heldout_loss"] == pytest.approx(min(losses), rel=1e-4)
    assert (run.path / "loss.png").read_bytes().startswith(b"\x89PNG")


def test_without_heldout_rows_the_epochs_decide(tmp_path: Path) -> None:
    write_version(tmp_path, {"train": sums(6, seed=0)}, view="midtrain")
    settings = (*SMALL, "max_steps=2")
    run = Midtrain("v1", tmp_path, out=tmp_path / "r", overrides=settings, say=lambda text: None)()
    assert run.facts["result"]["steps"] == 2
    assert run.facts["result"]["heldout_loss"] is None


def test_an_adapter_is_kept_beside_whole_weights(packs: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    settings = (*SMALL, "max_steps=1", "lora.r=4")
    run = Midtrain("v1", packs, out=tmp_path / "r", overrides=settings, answers=0, say=lambda text: None)()
    assert run.facts["lora"] == {"r": 4}
    assert (run.path / "adapter" / "adapter_model.safetensors").is_file()
    whole = AutoModelForCausalLM.from_pretrained(run.path)
    assert not any("lora" in name for name, _ in whole.named_parameters())
