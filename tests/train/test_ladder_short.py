"""One short seed of the ladder, for real: the student climbs. `make ladder-short`; CI runs it, `make test` does not."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SHORT = Path(__file__).parents[2] / "manifests/ladder/ci.yaml"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(480),
    pytest.mark.skipif(
        not os.environ.get("COTILLION_LADDER"), reason="minutes of training: make ladder-short (COTILLION_LADDER=short)"
    ),
]


def test_one_short_seed_climbs_from_the_base_over_midtraining_to_the_end(tmp_path: Path) -> None:
    words = [sys.executable, "-P", "-m", "train", "ladder", str(SHORT), "--seeds", "0", "--controls", "none"]
    words += ["--root", str(tmp_path / "data"), "--out", str(tmp_path / "ladder"), "--on", "heldout"]
    subprocess.run(words, check=True, cwd=tmp_path, timeout=470)
    numbers = json.loads((tmp_path / "ladder/report/results.json").read_text(encoding="utf-8"))
    scores = {stage: told["over_problems"]["mean"] for stage, told in numbers["heldout"]["stages"].items()}
    print((tmp_path / "ladder/report/report.md").read_text(encoding="utf-8"))
    stages = list(scores)
    assert scores["base"] < scores["midtrain"] < scores[stages[-1]], scores
    assert scores["base"] > 0, "the base is to answer, badly"
