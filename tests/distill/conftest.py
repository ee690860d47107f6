"""What the vLLM teacher does, gathered once for all tests that read it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.distill.engines import NOISY


@pytest.fixture(scope="session")
def vllm_facts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """`vllm_facts.facts()`, from a process of its own: the engine changes the one it runs in."""
    broken = tmp_path_factory.mktemp("models") / "broken"
    shutil.copytree(NOISY, broken)
    (broken / "model.safetensors").unlink()
    command = [sys.executable, "-m", "tests.distill.vllm_facts", str(broken)]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return {**json.loads(done.stdout.splitlines()[-1]), "folder": str(broken.parent)}
