"""Several processes: `accelerate launch -m train`, on a CPU."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_two_processes_train_one_student(root: Path, tmp_path: Path) -> None:
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2"]
    small = ("student.layers=1", "student.width=64", "student.inner=64", "per_device_train_batch_size=4", "max_steps=3")
    words = ["--data", "v1", "--root", str(root), "--out", str(tmp_path / "r"), "--answers", "0"]
    settings = [word for setting in (*small, "logging_steps=1", "warmup_steps=0") for word in ("--set", setting)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_DATASETS_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [*launch, "-m", "train", "sft", *words, *settings], env=environment, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads((tmp_path / "r" / "run.json").read_text())
    logs = [json.loads(line) for line in (tmp_path / "r" / "metrics.jsonl").read_text().splitlines()]
    assert told["status"] == "done"
    assert sum("loss" in log for log in logs) == 3  # one process writes
    assert (tmp_path / "r" / "model.safetensors").is_file()
