"""Facts about settings: which layer wins, and what a wrong key is told."""

from pathlib import Path

import pytest
from peft import LoraConfig
from trl import DPOConfig, GRPOConfig, SFTConfig

from train.rlvr import Fixes
from train.settings import PRESETS, SettingsError, read_settings
from train.tiny import Tiny


def test_set_wins_over_the_file_and_the_file_over_the_preset(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("learning_rate: 1e-4\nwarmup_steps: 7\n")
    read = read_settings("tiny_sft", file, ("learning_rate=1e-5", "student.layers=2"), SFTConfig, student=Tiny)
    assert (read.fields["learning_rate"], read.fields["warmup_steps"]) == (1e-5, 7)
    assert (read.groups["student"]["layers"], read.groups["student"]["width"]) == (2, 128)


def test_the_published_hyperparameters_are_the_preset(tmp_path: Path) -> None:
    # arXiv 2504.21233, stage 2: learning rate 1e-5, 5 epochs, batch 128, sequences of 20k, no packing.
    read = read_settings("phi4_mini_sft", None, (), SFTConfig).fields
    batch = read["per_device_train_batch_size"] * read["gradient_accumulation_steps"]
    assert (read["learning_rate"], read["num_train_epochs"], batch, read["max_length"]) == (1e-5, 5, 128, 20 * 1024)
    assert read["packing"] is False


CONFIGS = {"midtrain": SFTConfig, "sft": SFTConfig, "dpo": DPOConfig, "grpo": GRPOConfig}
GROUPS = {"student": Tiny, "lora": LoraConfig, "rl": Fixes}


@pytest.mark.parametrize("preset", sorted(path.stem for path in PRESETS.glob("*.yaml")))
def test_a_preset_holds_only_what_trl_knows(preset: str, tmp_path: Path) -> None:
    config = CONFIGS[preset.rpartition("_")[2]]
    read = read_settings(preset, None, (), config, **GROUPS)
    config(output_dir=str(tmp_path), **read.fields | {"use_cpu": True})


@pytest.mark.parametrize(
    ("stage", "override", "value"),
    [
        ("midtrain", "packing_strategy=wrapped", "wrapped"),
        ("sft", "loss_type=dft", "dft"),
        ("dpo", "loss_type=[sigmoid, sft]", ["sigmoid", "sft"]),
        ("dpo", "loss_weights=[0.5]", [0.5]),
        ("dpo", "model_init_kwargs={dtype: bfloat16}", {"dtype": "bfloat16"}),
        ("grpo", "mask_truncated_completions=true", True),
        ("grpo", "scale_rewards=group", "group"),
        ("grpo", "vllm_mode=server", "server"),
        ("grpo", "epsilon_high=0.28", 0.28),
    ],
)
def test_settings_of_trl_pass_through(stage: str, override: str, value: object, tmp_path: Path) -> None:
    config = CONFIGS[stage]
    read = read_settings(f"tiny_{stage}", None, (override,), config, **GROUPS)
    name = override.partition("=")[0]
    assert read.fields[name] == value
    assert getattr(config(output_dir=str(tmp_path), **read.fields), name) == value


def test_the_published_hyperparameters_are_the_presets_of_the_other_stages() -> None:
    # arXiv 2504.21233: mid-training 1e-5, 5 epochs, 16k, packed; DPO 5e-7, 1 epoch, 16k; RL 5e-7, 25k tokens,
    # temperature from 1.0 to 0.6 over half of the steps.
    mid = read_settings("phi4_mini_midtrain", None, (), SFTConfig).fields
    assert (mid["learning_rate"], mid["num_train_epochs"], mid["max_length"], mid["packing"]) == (1e-5, 5, 16384, True)
    dpo = read_settings("phi4_mini_dpo", None, (), DPOConfig).fields
    assert (dpo["learning_rate"], dpo["num_train_epochs"], dpo["max_length"]) == (5e-7, 1, 16384)
    rl = read_settings("phi4_mini_grpo", None, (), GRPOConfig, rl=Fixes)
    assert (rl.fields["learning_rate"], rl.fields["max_completion_length"], rl.fields["temperature"]) == (
        5e-7,
        25600,
        1,
    )
    assert (rl.groups["rl"]["temperature_end"], rl.groups["rl"]["temperature_share"]) == (0.6, 0.5)


@pytest.mark.parametrize(
    ("override", "answer"),
    [
        ("learning_rat=1", "learning_rat: unknown key. Did you mean 'learning_rate'?"),
        ("student.layer=1", "Did you mean 'student.layers'?"),
        ("learning_rate=fast", "expected float, found 'fast'"),
        ("max_steps=1.5", "expected int, found 1.5"),
        ("packing=3", "expected bool, found 3"),
        ("output_dir=x", "--out"),
        ("learning_rate", "expected key=value"),
    ],
)
def test_a_wrong_setting_is_told_what_is_right(override: str, answer: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings("tiny_sft", None, (override,), SFTConfig, student=Tiny)
    assert answer in str(caught.value)


def test_a_wrong_key_of_a_file_is_told_with_its_file(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("epochs: 3\n")
    with pytest.raises(SettingsError, match=r"c\.yaml epochs: unknown key"):
        read_settings("tiny_sft", file, (), SFTConfig, student=Tiny)


def test_only_the_tiny_student_has_a_size_to_set() -> None:
    with pytest.raises(SettingsError, match="only `--model tiny`"):
        read_settings("phi4_mini_sft", None, ("student.layers=2",), SFTConfig)
