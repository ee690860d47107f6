"""Facts about the teacher on vLLM's engine, gathered in a process of its own: the engine changes the one it runs in."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from distill.teachers.transformers_local import TransformersLocal
from distill.teachers.vllm_engine import VllmEngine
from tests.distill.engines import NOISY, needs_vllm_cpu

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    broken = tmp_path_factory.mktemp("models") / "broken"
    shutil.copytree(NOISY, broken)
    (broken / "model.safetensors").unlink()
    command = [sys.executable, "-m", "tests.distill.vllm_facts", str(broken)]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return {**json.loads(done.stdout.splitlines()[-1]), "folder": str(broken.parent)}


@needs_vllm_cpu
def test_a_seed_gives_its_reply_alone_and_in_a_batch_and_rollouts_differ(facts: dict[str, Any]) -> None:
    assert len(set(facts["together"].values())) > 8
    assert len(facts["alone"]) == 4
    assert facts["alone"] == {key: facts["together"][key] for key in facts["alone"]}


@needs_vllm_cpu
def test_leaving_in_the_middle_leaves_nothing_behind_in_the_engine(facts: dict[str, Any]) -> None:
    assert facts["again"] == 24


@needs_vllm_cpu
def test_limits_endings_and_counts_are_the_request_s(facts: dict[str, Any]) -> None:
    assert (facts["short"]["finish_reason"], facts["short"]["completion_tokens"]) == ("length", 5)
    assert {reply["finish_reason"] for reply in facts["cold"]} == {"stop"}
    (text,) = {reply["content"] for reply in facts["cold"]}
    assert "\\boxed{75}" in text
    assert text.startswith("<think>")


@needs_vllm_cpu
def test_a_prompt_that_does_not_fit_or_is_no_text_fails_alone(facts: dict[str, Any]) -> None:
    assert [reply["finish_reason"] for reply in facts["odd"]] == ["error", "error"]
    assert "the context holds 256" in facts["odd"][0]["error"]


@needs_vllm_cpu
def test_a_broken_model_says_so_without_its_path(facts: dict[str, Any]) -> None:
    assert "vLLM cannot load the model" in facts["broken"]
    assert facts["folder"] not in facts["broken"]


def test_both_local_engines_credit_one_model_and_refuse_options_of_their_own() -> None:
    vllm, plain = VllmEngine(path=str(NOISY)), TransformersLocal(path=str(NOISY))
    assert (vllm.model, vllm.revision) == (plain.model, plain.revision)
    with pytest.raises(ValueError, match="seed"):
        VllmEngine(path=str(NOISY), options={"seed": 1})
    with pytest.raises(ValueError, match="40 hex digits"):
        VllmEngine(model="org/name", commit="main")
