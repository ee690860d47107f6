"""Facts about the teacher on vLLM's engine, gathered in a process of its own: the engine changes the one it runs in."""

from typing import Any

import pytest

from distill.teachers.transformers_local import TransformersLocal
from distill.teachers.vllm_engine import VllmEngine
from tests.distill.engines import NOISY, needs_vllm_cpu

pytestmark = pytest.mark.timeout(600)


@needs_vllm_cpu
def test_a_seed_gives_its_reply_alone_and_in_a_batch_and_rollouts_differ(vllm_facts: dict[str, Any]) -> None:
    assert len(set(vllm_facts["together"].values())) > 8
    assert len(vllm_facts["alone"]) == 4
    assert vllm_facts["alone"] == {key: vllm_facts["together"][key] for key in vllm_facts["alone"]}


@needs_vllm_cpu
def test_the_seconds_of_replies_add_up_to_wall_clock(vllm_facts: dict[str, Any]) -> None:
    shares, clock = vllm_facts["seconds"]
    assert 0.5 * clock < shares <= clock


@needs_vllm_cpu
def test_leaving_in_the_middle_leaves_nothing_behind_in_the_engine(vllm_facts: dict[str, Any]) -> None:
    assert vllm_facts["again"] == 24


@needs_vllm_cpu
def test_limits_endings_and_counts_are_the_request_s(vllm_facts: dict[str, Any]) -> None:
    assert (vllm_facts["short"]["finish_reason"], vllm_facts["short"]["completion_tokens"]) == ("length", 5)
    assert {reply["finish_reason"] for reply in vllm_facts["cold"]} == {"stop"}
    (text,) = {reply["content"] for reply in vllm_facts["cold"]}
    assert "\\boxed{75}" in text
    assert text.startswith("<think>")


@needs_vllm_cpu
def test_a_prompt_that_does_not_fit_or_is_no_text_fails_alone(vllm_facts: dict[str, Any]) -> None:
    assert [reply["finish_reason"] for reply in vllm_facts["odd"]] == ["error", "error"]
    assert "the context holds 256" in vllm_facts["odd"][0]["error"]


@needs_vllm_cpu
def test_a_broken_model_says_so_without_its_path(vllm_facts: dict[str, Any]) -> None:
    assert "vLLM cannot load the model" in vllm_facts["broken"]
    assert vllm_facts["folder"] not in vllm_facts["broken"]


def test_both_local_engines_credit_one_model_and_refuse_options_of_their_own() -> None:
    vllm, plain = VllmEngine(path=str(NOISY)), TransformersLocal(path=str(NOISY))
    assert (vllm.model, vllm.revision) == (plain.model, plain.revision)
    with pytest.raises(ValueError, match="seed"):
        VllmEngine(path=str(NOISY), options={"seed": 1})
    with pytest.raises(ValueError, match="40 hex digits"):
        VllmEngine(model="org/name", commit="main")
