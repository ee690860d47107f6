"""What the tests of the server teacher ask, and by whom: prompts that name a script, a teacher quick to give up."""

from distill.request import Message, Request, Sampling
from distill.teachers.openai_server import OpenaiServer
from tests.distill.hostile_server import HostileServer


def teacher(server: HostileServer, **options: object) -> OpenaiServer:
    settings = {"model": "m", "base_url": server.url, "timeout_s": 1.0, "backoff_s": 0.02, "in_flight": 8, **options}
    return OpenaiServer(**settings)


def asks(*scripts: str, max_tokens: int = 100) -> list[Request]:
    sampling = Sampling(temperature=0.5, top_p=0.9, max_tokens=max_tokens)
    return [Request((Message("user", f"{script}|{i}"),), "m", "", sampling, i) for i, script in enumerate(scripts)]
