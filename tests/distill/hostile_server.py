"""A completions server on 127.0.0.1 that misbehaves as the prompt tells it to."""

import asyncio
import gzip
import json
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

Write = Callable[[bytes], Awaitable[None]]


def completion(content: Any = "4", reasoning: dict[str, Any] | None = None, **choice: Any) -> bytes:
    message = {"role": "assistant", "content": content, **(reasoning or {})}
    usage = {"prompt_tokens": 7, "completion_tokens": 11}
    return json.dumps({"choices": [{"message": message, "finish_reason": "stop", **choice}], "usage": usage}).encode()


def response(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def several(*choices: dict[str, Any]) -> bytes:
    """A reply of these choices that cost 7 and 110 tokens."""
    usage = {"prompt_tokens": 7, "completion_tokens": 110}
    return response(json.dumps({"choices": choices, "usage": usage}).encode())


def choice(index: int | None, content: str) -> dict[str, Any]:
    where = {} if index is None else {"index": index}
    return {**where, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}


OK = response(completion())
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
NO_CHOICE = json.dumps({"choices": [], "usage": {}}).encode()

# What the first attempts get; then the server behaves.
ONCE = {
    "429": [response(b"slow down", "429 Too Many Requests")] * 2,
    "429 with Retry-After": [response(b"slow down", "429 Too Many Requests", "Retry-After: 0.4")],
    "500": [response(b"oops", "500 Internal Server Error")],
    "503": [response(b"loading", "503 Service Unavailable", "Retry-After: Mon, 01 Jan 2024 00:00:00 GMT")],
    "reset in body": [OK[:-20]],
    "truncated json": [response(completion()[:40])],
    "html": [response(b"<html><body>Bad gateway</body></html>")],
    "no choice": [response(NO_CHOICE)],
    "closes": [b""],
    "not http": [b"SSH-2.0-OpenSSH_9.6\r\n\r\n"],
    "error in 200": [response(b'{"error": {"message": "overloaded"}}')],
}
# What every attempt gets.
ALWAYS = {
    "fine": OK,
    "empty": response(completion("")),
    "only reasoning": response(completion("", {"reasoning": "two and two"}, finish_reason="length")),
    "reasoning_content": response(completion("4", {"reasoning_content": "two and two"})),
    "null content": response(completion(None, {"reasoning": None})),
    "parts": response(
        completion([{"type": "thinking", "thinking": [{"type": "text", "text": "two"}]}, {"type": "text", "text": "4"}])
    ),
    "three choices": response(
        json.dumps({"choices": [{"message": {"content": c}, "finish_reason": "eos"} for c in "456"]}).encode()
    ),
    "duplicate ids": response(completion().replace(b'{"choices"', b'{"id": "same", "choices"')),
    "refusal": response(completion(None, {"refusal": "I will not."}, finish_reason="content_filter")),
    "tool call": response(
        completion(None, {"tool_calls": [{"function": {"name": "calculator"}}]}, finish_reason="tool_calls")
    ),
    "bad request": response(b'{"error": "prompt is too long"}', "400 Bad Request"),
    "always 500": response(b"oops", "500 Internal Server Error"),
    "always html": response(b"<html>" + b"x" * 900),
    "odd numbers": response(completion().replace(b"7", b"-7").replace(b"11", b"1e999")),
    "deep json": response(b"[" * 1_000_000),
    "gzip bomb": response(gzip.compress(b" " * 50_000_000), "200 OK", "Content-Encoding: gzip"),
}
# What a request for `n` choices gets, and whether the server knows `n` at all.
CHOICES: dict[str, Callable[[int], bytes]] = {
    "honours n": lambda n: several(*(choice(i, "x" * (i + 1)) for i in reversed(range(n)))),
    "ignores n": lambda n: several(choice(0, "alone")),
    "one too few": lambda n: several(*(choice(i, f"{i}") for i in range(max(1, n - 1)))),
    "two too many": lambda n: several(*(choice(i, f"{i}") for i in range(n + 2))),
    "same index": lambda n: several(*(choice(0, f"{i}") for i in range(n))),
    "no index": lambda n: several(*(choice(None, f"{i}") for i in range(n))),
    "one twice": lambda n: several(choice(0, "0"), choice(0, "0"), *(choice(i, f"{i}") for i in range(1, n))),
    "a broken one": lambda n: several({"index": 0, "message": None}, *(choice(i, f"{i}") for i in range(1, n))),
    "refuses n": lambda n: (
        several(choice(0, "alone")) if n == 1 else response(b'{"error": "\'n\' must be 1"}', "400 Bad Request")
    ),
}


@dataclass
class HostileServer:
    """`with HostileServer() as server:` listens on `server.url` until the end; counts what arrives."""

    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    attempts: Counter[str] = field(default_factory=Counter)
    elsewhere: str = "http://127.0.0.1:9/"
    rejects: bytes | None = None
    """Sent to everybody, whatever is asked."""
    most_at_once: int = 0
    busy: int = 0
    delay_s: float = 0.0
    capacity: int = 10**9
    """More at once than this get a 429."""
    refused: int = 0
    once: bool = False
    """Each prompt's first attempt alone goes wrong."""
    seeded: bool = False
    """A good reply names the seed that was asked for."""

    def __enter__(self) -> "HostileServer":
        self.loop = asyncio.new_event_loop()
        self.server = self.loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/v1"
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        async def stop() -> None:
            self.server.close()
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.loop.stop()

        if not self.thread.is_alive():
            return  # stopped before its time by a test
        asyncio.run_coroutine_threadsafe(stop(), self.loop)
        self.thread.join(5)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def write(data: bytes) -> None:
            writer.write(data)
            await writer.drain()

        try:
            while await self._exchange(reader, write):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client had enough, or the test is over
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, write: Write) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:] if ": " in line)
        body = json.loads(await reader.readexactly(int(lines.get("content-length", 0))) or b"{}")
        self.headers.append(head)
        self.requests.append(body)
        text = body["messages"][-1]["content"] if "messages" in body else body["prompt"]
        script = text.split("|")[0]
        attempt = self.attempts[text]
        self.attempts[text] += 1
        if self.rejects is not None:
            await write(self.rejects)
            return True
        self.busy += 1
        self.most_at_once = max(self.most_at_once, self.busy)
        try:
            if self.busy > self.capacity:
                self.refused += 1
                await write(ONCE["429"][0])
                return True
            await asyncio.sleep(self.delay_s)
            if script == "one, and no more":
                await asyncio.sleep(0 if "n" in body else 3600)
                script = "ignores n"
            if script in CHOICES:
                await write(CHOICES[script](body.get("n", 1)))
                return True
            fine = response(completion(f"answer {body.get('seed')}")) if self.seeded else OK
            if "prompt" in body:
                fine = response(json.dumps({"choices": [{"text": f"after {text}", "finish_reason": "stop"}]}).encode())
            if script == "fine" or (self.once and attempt):
                await write(fine)
                return True
            return await self._play(script, attempt, head, write, fine)
        finally:
            self.busy -= 1

    async def _play(self, script: str, attempt: int, head: str, write: Write, fine: bytes) -> bool:
        """Whether the connection stays open."""
        key = next((line[15:] for line in head.splitlines() if line.lower().startswith("authorization: ")), "")
        if script in ONCE:
            await write(ONCE[script][attempt] if attempt < len(ONCE[script]) else fine)
            return script not in ("reset in body", "closes", "not http")
        if script in ALWAYS:
            await write(ALWAYS[script])
            return True
        if script == "hang":
            await asyncio.sleep(3600)
        if script == "hang in body":
            await write(OK[:-5])
            await asyncio.sleep(3600)
        while script == "drip":
            await write(CHUNKED + b"1\r\n{\r\n")
            while True:
                await asyncio.sleep(0.05)
                await write(b"1\r\n \r\n")
        while script in ("endless", "endless error"):
            await write(CHUNKED if script == "endless" else CHUNKED.replace(b"200 OK", b"500 Oops"))
            while True:
                await write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        if script == "400 MB":
            await write(b"HTTP/1.1 200 OK\r\nContent-Length: 400000000\r\n\r\n")
            while True:
                await write(b"x" * 0x10000)
        if script in ("307", "302", "308"):
            await write(response(b"", f"{script} Moved", f"Location: {self.elsewhere}"))
        if script == "echo key in error":
            await write(
                response(json.dumps({"error": f"bad {key}, raw {key.removeprefix('Bearer ')}"}).encode(), "400 Bad")
            )
        if script == "echo key in content":
            await write(response(completion(f"your key is {key.removeprefix('Bearer ')}", {"reasoning": key})))
        if script == "echo headers":
            await write(response(head.encode(), "500 Oops", "Set-Cookie: session=cookie-canary"))
        if script == "half a key at the end":
            await write(response(b"oops" + b" " * 4076 + key.encode()[:16] + b" ", "500 Oops"))
        return True
