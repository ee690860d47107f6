"""A chat-completions server that answers as the tutor would, and counts what it is asked and what it charges."""

import asyncio
import json
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from distill.request import Message, Request, Sampling
from distill.teachers.tutor import Tutor


@dataclass
class CountingServer:
    """`with CountingServer() as server:` listens on `server.url` until the end."""

    asked: Counter[tuple[str, int]] = field(default_factory=Counter)
    """How often each rollout was asked for, by prompt and seed."""
    charged: dict[tuple[str, int], int] = field(default_factory=dict)
    """Completion tokens of each rollout."""
    delay_s: float = 0.003

    def __post_init__(self) -> None:
        self._tutor = Tutor(error_rate=0.4)
        self._loop = asyncio.new_event_loop()

    def __enter__(self) -> "CountingServer":
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = int(head.split("content-length:")[1].split("\r\n")[0])
                body = self._answer(json.loads(await reader.readexactly(length)))
                await asyncio.sleep(self.delay_s)
                start = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                writer.write(start.encode() + body)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client was killed, or is done
        finally:
            writer.close()

    def _answer(self, body: dict[str, Any]) -> bytes:
        prompt, seed = body["messages"][-1]["content"], body["seed"]
        self.asked[prompt, seed] += 1
        request = Request((Message("user", prompt),), "served", "1", Sampling(n=1, max_tokens=body["max_tokens"]), seed)
        (reply,) = self._tutor.ask([request])
        self.charged[prompt, seed] = reply.completion_tokens
        message = {"role": "assistant", "content": reply.content}
        usage = {"prompt_tokens": reply.prompt_tokens, "completion_tokens": reply.completion_tokens}
        choice = {"index": 0, "message": message, "finish_reason": reply.finish_reason}
        return json.dumps({"choices": [choice], "usage": usage}).encode()
