"""What the vLLM teacher does, run in a process of its own: prints one JSON object for `test_vllm_engine.py`."""

import json
import sys
import time
from dataclasses import asdict, replace
from itertools import islice

from benchmarks.engines import measure_teacher
from distill.request import Message, Request, Sampling, TeacherError
from distill.teachers.vllm_engine import VllmEngine
from tests.distill.engines import NOISY

WARM = Sampling(temperature=1.0, top_p=1.0, max_tokens=120)


def asks(teacher: VllmEngine, question: str, sampling: Sampling = WARM, indices: int = 1) -> list[Request]:
    """Requests for the first rollouts of one question."""
    asked = (Message("user", question),)
    return [Request(asked, teacher.model, teacher.revision, sampling, index) for index in range(indices)]


def facts() -> dict[str, object]:
    """Replies and errors, by what they show."""
    teacher = VllmEngine(path=str(NOISY), dtype="float32", max_model_len=256, cpu_kv_gib=1, in_flight=16)
    sums = asks(teacher, "What is 58 + 67?", indices=24)
    list(teacher.ask(sums[:1]))  # the engine is there
    began = time.monotonic()
    together = {reply.key: reply for reply in teacher.ask(sums)}
    clock = time.monotonic() - began
    left = teacher.ask(asks(teacher, "What is 11 + 12?", indices=16))
    next(left)
    left.close()
    alone = [reply for request in sums[::6] for reply in teacher.ask([request])]
    short = asks(teacher, "What is 2 + 3?", replace(WARM, max_tokens=5))
    cold = asks(teacher, "What is 27 + 48?", replace(WARM, temperature=0.0), indices=3)
    odd = [*asks(teacher, "What is 1 + 1? " * 100), *asks(teacher, "What is \ud800?")]
    replies = {reply.key: asdict(reply) for reply in teacher.ask([*short, *cold, *odd])}
    measured = measure_teacher("vllm_engine", replace(teacher, in_flight=256), 12)
    try:
        list(VllmEngine(path=sys.argv[1]).ask(sums))
    except TeacherError as error:
        broken = str(error)
    return {
        "model": teacher.model,
        "revision": teacher.revision,
        "together": {key: reply.content for key, reply in together.items()},
        "alone": {reply.key: reply.content for reply in alone},
        "seconds": [sum(reply.seconds for reply in together.values()), clock],
        "again": len(list(islice(teacher.ask(sums), 30))),
        "short": replies[short[0].key],
        "cold": [replies[request.key] for request in cold],
        "odd": [replies[request.key] for request in odd],
        "sums": measured,
        "broken": broken,
    }


if __name__ == "__main__":
    print(json.dumps(facts()))
