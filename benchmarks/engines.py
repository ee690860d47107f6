"""One model behind four engines: the share of right answers must be the same, the speed is what differs.

    OMP_NUM_THREADS=1 python benchmarks/engines.py [--engines transformers_local vllm_engine ...] [--rollouts 320]

The noisy teacher of the tests (0.69 M parameters, on the CPU) answers 64 sums at temperature 1, each engine in a
process of its own, through the same teachers that a build uses; every rollout is graded. `errors` counts rollouts
without a reply. Speed is completion tokens by wall time after the first reply; starting is not counted.
"""

import argparse
import json
import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from distill.request import Message, Request, Sampling, Teacher  # noqa: E402  # run as a script, from anywhere
from distill.thinking import split_thinking  # noqa: E402
from tests.distill.engines import NOISY, transformers_serve, vllm_server  # noqa: E402

PROMPTS = 64


def main() -> int:
    """Prints a row per engine; 0 always, since a benchmark judges nothing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engines", nargs="+", choices=list(ENGINES), default=list(ENGINES))
    parser.add_argument("--rollouts", type=int, default=320, help="of each of the 64 prompts")
    parser.add_argument("--one", action="store_true", help="measure the one engine in this process, print JSON")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.engines[0], options.rollouts)))
        return 0
    print(f"{'engine':32} {'rollouts':>8} {'errors':>6} {'right':>7} {'s.e.':>6} {'tokens/s':>9}", flush=True)
    for engine in options.engines:
        print(
            "{engine:32} {rollouts:8d} {errors:6d} {right:7.4f} {error:6.4f} {speed:9,.0f}".format(
                **in_its_own_process(engine, options.rollouts)
            ),
            flush=True,
        )
    return 0


def in_its_own_process(engine: str, rollouts: int) -> dict[str, Any]:
    """What `measure` gives: an engine that is loaded changes its process's memory, threads and random state."""
    command = [sys.executable, __file__, "--one", "--engines", engine, "--rollouts", str(rollouts)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def measure(engine: str, rollouts: int) -> dict[str, Any]:
    """Share of right answers among all rollouts, its standard error, tokens per second."""
    with ENGINES[engine]() as teacher:
        return measure_teacher(engine, teacher, rollouts)


def measure_teacher(engine: str, teacher: Teacher, rollouts: int) -> dict[str, Any]:
    """The same of a teacher that runs."""
    from verify import grade

    golds = {request.key: gold for request, gold in sums(teacher, rollouts)}
    right = tokens = errors = 0
    began = ended = 0.0
    for reply in teacher.ask(request for request, _ in sums(teacher, rollouts)):
        ended = time.monotonic()
        # The first reply comes after loading; what it cost in tokens is not counted either.
        tokens, began = (tokens + reply.completion_tokens, began) if began else (0, ended)
        errors += reply.finish_reason == "error"
        response = split_thinking(reply.content, reply.reasoning, finished=reply.finish_reason == "stop").response
        right += grade(response or "", golds[reply.key], finish_reason=reply.finish_reason).status == "correct"
    share = right / len(golds)
    error = math.sqrt(share * (1 - share) / len(golds))
    speed = tokens / max(ended - began, 1e-9)
    facts = {"rollouts": len(golds), "errors": errors, "right": share, "error": error, "speed": speed}
    return {"engine": engine, **facts}


def sums(teacher: Teacher, rollouts: int) -> Iterator[tuple[Request, str]]:
    """The requests with their gold answers: 64 sums of two numbers below 100, the same ones always."""
    chance = Random(0)
    pairs = [(chance.randrange(100), chance.randrange(100)) for _ in range(PROMPTS)]
    sampling = Sampling(n=rollouts, temperature=1.0, top_p=1.0, max_tokens=200)
    # Asked once: a local model looks at its files each time.
    model, revision = teacher.model, teacher.revision
    for index in range(rollouts):
        for x, y in pairs:
            asked = (Message("user", f"What is {x} + {y}?"),)
            yield Request(asked, model, revision, sampling, index), str(x + y)


@contextmanager
def _transformers_local() -> Iterator[Teacher]:
    from distill.teachers.transformers_local import TransformersLocal

    yield TransformersLocal(path=str(NOISY), device="cpu", batch_size=256)


@contextmanager
def _vllm_engine() -> Iterator[Teacher]:
    from distill.teachers.vllm_engine import VllmEngine

    yield VllmEngine(path=str(NOISY), dtype="float32", max_model_len=1024, cpu_kv_gib=1, options={"max_num_seqs": 64})


@contextmanager
def _vllm_server() -> Iterator[Teacher]:
    from distill.teachers.openai_server import OpenaiServer

    with vllm_server() as url:
        yield OpenaiServer("noisy", base_url=url, in_flight=64)


@contextmanager
def _transformers_serve() -> Iterator[Teacher]:
    from distill.teachers.openai_server import OpenaiServer

    with transformers_serve() as url:
        yield OpenaiServer(str(NOISY), base_url=url, in_flight=4)


ENGINES: dict[str, Callable[[], Any]] = {
    "transformers_local": _transformers_local,
    "vllm_engine": _vllm_engine,
    "openai_server (vLLM)": _vllm_server,
    "openai_server (transformers)": _transformers_serve,
}

if __name__ == "__main__":
    raise SystemExit(main())
