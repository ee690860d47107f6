"""Facts about settings: which layer wins, and what a wrong key is told."""

from pathlib import Path

import pytest
from trl import SFTConfig

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


@pytest.mark.parametrize("preset", sorted(path.stem for path in PRESETS.glob("*_sft.yaml")))
def test_a_preset_holds_only_what_trl_knows(preset: str, tmp_path: Path) -> None:
    read = read_settings(preset, None, (), SFTConfig, student=Tiny)
    SFTConfig(output_dir=str(tmp_path), **read.fields | {"use_cpu": True})


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
