"""A server on 127.0.0.1 that takes its time, and the command that builds with it."""

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.classroom import SMALL


class Slow(BaseHTTPRequestHandler):
    """Answers any question with reasoning and a box, after a while."""

    wait_s: float
    asked: list[int]

    def do_POST(self) -> None:
        self.asked.append(len(self.rfile.read(int(self.headers["Content-Length"]))))
        time.sleep(self.wait_s)
        message = {"role": "assistant", "content": "<think>Hm.</think>\\boxed{4}"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        reply = json.dumps({"choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": 3}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def slow_server() -> Iterator[tuple[str, type[Slow]]]:
    """Its base_url, and the handler that keeps account of what was asked."""
    handler: type[Slow] = type("Handler", (Slow,), {"asked": [], "wait_s": 0.05})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        served.daemon_threads = True
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_address[1]}/v1", handler
        served.shutdown()


def command(folder: Path, url: str, *more: str) -> list[str]:
    teacher = f'{{use: openai_server, model: slow, base_url: "{url}", in_flight: 8, tries: 2, backoff_s: 0.05}}'
    (folder / "m.yaml").write_text(SMALL.replace("{use: tutor, error_rate: 0.5}", teacher))
    return [sys.executable, "-m", "curate", "build", "-m", "m.yaml", "--workers", "1", *more]
