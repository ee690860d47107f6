"""What the client costs: CPU per request, throughput and memory of the server teacher with its store, beside others.

    python benchmarks/client.py [--requests 20000] [--in-flight 64 512] [--clients bare cotillion]
                                [--python distilabel=/venv/bin/python curator=/venv/bin/python]

A server in a process of its own answers each chat completion after 200 ms with 2 KB. Every client runs in a fresh
process against it: `bare` is a loop over openai's AsyncOpenAI that keeps nothing, `cotillion` is `sample` into a store
on disk; distilabel and curator run under the Python that has them installed. CPU is user and system time of the
client's process with its children, from the first request to the last reply (imports and start-up are not counted).
"""

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DELAY_S, TEXT = 0.2, "So 17 times 23 is 391, which I check again: 391 / 17 = 23. " * 34
EARLY = 0.1
"""Memory growth is measured from this share of the requests on."""


def main() -> int:
    """Prints a row per client and number in flight; 0 always, since a benchmark judges nothing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--in-flight", type=int, nargs="+", default=[64, 512])
    parser.add_argument("--clients", nargs="+", choices=sorted(CLIENTS), default=["bare", "cotillion"])
    parser.add_argument("--python", nargs="+", default=[], metavar="CLIENT=PATH", help="another client's interpreter")
    parser.add_argument("--one", nargs=4, metavar=("CLIENT", "URL", "N", "IN_FLIGHT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        client, url, count, in_flight = options.one
        print(json.dumps(CLIENTS[client](url, int(count), int(in_flight))))
        return 0
    pythons = dict(pair.split("=", 1) for pair in options.python)
    print("client      in flight  requests/s  CPU ms/request  of bare  MB from 10 % on")
    for in_flight in options.in_flight:
        bare = None
        for client in options.clients:
            row = _run(client, pythons.get(client, sys.executable), options.requests, in_flight)
            if row is None:
                continue
            bare = row["cpu_s"] if client == "bare" else bare
            each = 1000 * row["cpu_s"] / options.requests
            share = f"{row['cpu_s'] / bare:7.2f}" if bare else "      -"
            rate = options.requests / row["wall_s"]
            print(f"{client:12}{in_flight:9}{rate:12.1f}{each:16.3f}  {share}{row['growth_mb']:17.1f}", flush=True)
    return 0


def bare(url: str, count: int, in_flight: int) -> dict[str, float]:
    """A loop over the client that most people use, with as many workers as may be in flight."""
    import httpx2
    from openai import AsyncOpenAI

    async def run() -> dict[str, float]:
        meter = Meter(count)
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=in_flight)
        http = httpx2.AsyncClient(limits=limits, timeout=600)
        client = AsyncOpenAI(api_key="none", base_url=url, http_client=http, max_retries=0)
        numbers = iter(range(count))

        async def work() -> None:
            for number in numbers:
                reply = await client.chat.completions.create(
                    model="m",
                    messages=[{"role": "user", "content": _question(number)}],
                    temperature=0.6,
                    top_p=0.95,
                    max_tokens=16384,
                    seed=number,
                )
                assert reply.choices[0].message.content == TEXT
                meter.tick()

        await asyncio.gather(*(work() for _ in range(in_flight)))
        return meter.read()

    return asyncio.run(run())


def cotillion(url: str, count: int, in_flight: int) -> dict[str, float]:
    """The teacher, the loop and the store as a build uses them."""
    sys.path[0] = str(ROOT)
    from distill.request import Message, Request, Sampling
    from distill.sample import sample
    from distill.store import Store
    from distill.teachers.openai_server import OpenaiServer

    sampling = Sampling(n=1)
    requests = (Request((Message("user", _question(i)),), "m", "", sampling, 0) for i in range(count))
    with tempfile.TemporaryDirectory() as folder:
        meter = Meter(count)
        teacher = OpenaiServer("m", base_url=url, in_flight=in_flight)
        summary = sample(teacher, requests, Store(folder), on_progress=meter.tick)
        assert (summary.asked, summary.failed) == (count, 0), summary
        return meter.read()


def distilabel(url: str, count: int, in_flight: int) -> dict[str, float]:
    """Its pipeline of one TextGeneration step, batches as large as may be in flight."""
    models, pipelines, steps, tasks = (
        import_module(f"distilabel.{name}") for name in ("models", "pipeline", "steps", "steps.tasks")
    )
    rows = [{"instruction": _question(i)} for i in range(count)]
    with tempfile.TemporaryDirectory() as folder, pipelines.Pipeline(name="bench", cache_dir=folder) as pipeline:
        load = steps.LoadDataFromDicts(data=rows, batch_size=in_flight)
        llm = models.OpenAILLM(model="m", base_url=url, api_key="none", timeout=600, max_retries=0,
                        generation_kwargs={"temperature": 0.6, "top_p": 0.95, "max_new_tokens": 16384})  # fmt: skip
        load >> tasks.TextGeneration(llm=llm, input_batch_size=in_flight)
        meter = Meter(count)
        made = pipeline.run(use_cache=False)
        assert len(made["default"]["train"]) == count
        return meter.read()


def curator(url: str, count: int, in_flight: int) -> dict[str, float]:
    """Its LLM block over the same questions, rate limits out of the way; words stand in for tokens, whose table it
    would download."""
    words = SimpleNamespace(encode=lambda text, **_: text.split())
    tiktoken: Any = import_module("tiktoken")
    tiktoken.get_encoding = tiktoken.encoding_for_model = lambda name: words
    os.environ |= {"OPENAI_API_KEY": "none", "TELEMETRY_ENABLED": "false", "CURATOR_VIEWER": "0"}
    library = import_module("bespokelabs.curator")
    with tempfile.TemporaryDirectory() as folder:
        llm = library.LLM(
            model_name="m", backend="openai",
            generation_params={"temperature": 0.6, "top_p": 0.95, "max_tokens": 16384},
            backend_params={"base_url": url, "max_concurrent_requests": in_flight, "max_requests_per_minute": 10**8,
                            "max_tokens_per_minute": 10**12, "max_retries": 0, "request_timeout": 600},
        )  # fmt: skip
        meter = Meter(count)
        made = llm([_question(i) for i in range(count)], working_dir=folder)
        assert len(getattr(made, "dataset", made)) == count
        return meter.read()


CLIENTS = {"bare": bare, "cotillion": cotillion, "distilabel": distilabel, "curator": curator}


class Meter:
    """Wall and CPU time since it was made, and memory since the first tenth of the requests."""

    def __init__(self, count: int) -> None:
        self.count, self.done = count, 0
        self.early: float | None = None
        self.started, self.cpu = time.monotonic(), _cpu()

    def tick(self, more: int = 1) -> None:
        """So many replies more."""
        self.done += more
        if self.early is None and self.done >= EARLY * self.count:
            self.early = _memory_mb()

    def read(self) -> dict[str, float]:
        """`wall_s`, `cpu_s`, `growth_mb` (not a number for a client that does not say how far it is)."""
        growth = float("nan") if self.early is None else _memory_mb() - self.early
        return {"wall_s": time.monotonic() - self.started, "cpu_s": _cpu() - self.cpu, "growth_mb": growth}


def serve() -> None:
    """Answers whatever is asked after DELAY_S; says its port on stdout and ends with its parent's pipe."""
    message = {"role": "assistant", "content": TEXT}
    usage = {"prompt_tokens": 20, "completion_tokens": 600, "total_tokens": 620}
    made = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "usage": usage}
    body = json.dumps({**made, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).encode()
    reply = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)

    class Connection(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.transport, self.seen = transport, b""

        def data_received(self, data: bytes) -> None:
            self.seen += data
            head, found, rest = self.seen.partition(b"\r\n\r\n")
            if found and len(rest) >= int(head.lower().partition(b"content-length: ")[2].split(b"\r", 1)[0] or 0):
                self.seen = b""
                loop.call_later(DELAY_S, self.transport.write, reply)

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(Connection, "127.0.0.1", 0, backlog=4096))
    print(server.sockets[0].getsockname()[1], flush=True)
    loop.add_reader(sys.stdin, loop.stop)
    loop.run_forever()


def _run(client: str, python: str, count: int, in_flight: int) -> dict[str, float] | None:
    script = [str(Path(__file__).resolve())]
    with subprocess.Popen(
        [sys.executable, *script, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
            command = [python, *script, "--one", client, url, str(count), str(in_flight)]
            done = subprocess.run(command, capture_output=True, text=True)
        finally:
            server.stdin.close()
    if done.returncode:
        print(f"{client:12}{in_flight:9}  did not run: {(done.stderr.strip().splitlines() or ['?'])[-1][:150]}")
        return None
    row: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return row


def _question(number: int) -> str:
    return f"Question {number}: what is {number} times {number + 6}? Think step by step, then give the answer in a box."


def _cpu() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def _memory_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    else:
        raise SystemExit(main())
