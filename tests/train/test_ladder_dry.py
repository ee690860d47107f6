"""The dry run: what would run is said, nothing is; what could not run is found without running."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.train.small_ladder import LADDER, write_ladder
from train.ladder.dry import dry_run
from train.ladder.file import read_ladder
from train.settings import SettingsError


def planned(folder: Path, text: str = LADDER, *overrides: str) -> str:
    return dry_run(read_ladder(write_ladder(folder, text), overrides), None, None, folder / "data", folder / "out")


def test_versions_runs_and_commands_are_told_and_nothing_is_made(train: Callable[..., Any], tmp_path: Path) -> None:
    write_ladder(tmp_path)
    before = sorted(tmp_path.iterdir())
    code, told = train("ladder", "mini.yaml", "--dry-run")
    assert code == 0, told
    assert "10 runs: 5 a seed, 2 seeds" in told
    assert "curate build --manifest mini-dpo.yaml --root data --set sources.0.of=data/VERSION-OF-base" in told
    assert "train grpo --data data/mini-rl/v... --root data --model runs/mini/runs/dpo-s0-..." in told
    # Counted by hand: 384 x 64 tied embeddings; attention 64 x 128 in and 64 x 64 out; feed-forward 64 x 128 in and
    # 64 x 64 out; three norms of 64.
    assert f"{384 * 64 + 64 * 128 + 64 * 64 + 64 * 128 + 64 * 64 + 3 * 64:,} parameters" in told
    assert sorted(tmp_path.iterdir()) == before


def test_a_setting_that_trl_does_not_have_is_found_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--set learning_rat: unknown key\. Did you mean 'learning_rate'\?"):
        planned(tmp_path, LADDER, "stages.dpo.set.learning_rat=1")
    with pytest.raises(SettingsError, match="TRL refuses the settings"):
        planned(tmp_path, LADDER, "stages.grpo.set.num_generations=1")


def test_what_needs_a_gpu_is_read_and_said_to_be_untried(tmp_path: Path) -> None:
    on_gpu = ("stages.base.set.use_cpu=false", "stages.base.set.bf16=true", "stages.base.set.fp16=false")
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here: nothing is left untried")
    assert "only a GPU can try, so only read here: bf16" in planned(tmp_path, LADDER, *on_gpu)


def test_a_manifest_that_cannot_be_built_is_found_before_anything_runs(tmp_path: Path) -> None:
    file = write_ladder(tmp_path)
    (tmp_path / "mini-rl.yaml").write_text("name: mini-rl\nsources: [{use: procedural, nn: 3}]\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"mini-rl\.yaml:2:29  sources\.0\.nn: unknown key\. Did you mean 'n'\?"):
        dry_run(read_ladder(file), None, None, tmp_path / "data", None)


def test_a_stage_that_is_not_there_and_no_file_at_all_are_told(train: Callable[..., Any], tmp_path: Path) -> None:
    write_ladder(tmp_path)
    code, told = train("ladder", "mini.yaml", "--dry-run", "--stage", "dppo")
    assert code == 2
    assert "--stage dppo: no such stage or control" in told
    code, told = train("ladder")
    assert code == 2
    assert "name a ladder file" in told
    assert "fault of ours" not in told
