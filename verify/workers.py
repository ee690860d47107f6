"""Killable processes for sympy: one item in flight each, a CPU deadline, a memory limit, and nothing of value inside.

A zygote (a plain subprocess, so that threads, CUDA, asyncio and daemonic processes do not matter) loads math-verify
once and forks workers on request in a few milliseconds. A worker that is late is killed, and only its item is lost.
Everything dies with the parent: its end of the control socket closes, the zygote ends, and its children with it.
"""

import atexit
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

MEMORY_BYTES = 1 << 30
ITEMS_PER_WORKER = 2_000
START_S = 120.0
_GRACE_S = 0.4
_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_BOOT = "import json,sys;sys.path[:]=json.loads(sys.argv[2]);from verify.sandbox import zygote;zygote(int(sys.argv[1]))"


class Reply(NamedTuple):
    """Whether the answers agree; None with a reason: `timeout`, `out of memory`, `crash`, `unreadable`."""

    agreed: bool | None
    detail: str | None = None


def ask(pairs: Sequence[tuple[str, str]], timeout_s: float, workers: int = 1) -> list[Reply]:
    """What sympy says of each (gold, answer), in order. Safe from any thread and any process."""
    if workers > 1 and len(pairs) > 1:
        with ThreadPoolExecutor(min(workers, len(pairs))) as threads:
            return list(threads.map(lambda pair: _ask(pair, timeout_s), pairs))
    return [_ask(pair, timeout_s) for pair in pairs]


def _ask(pair: tuple[str, str], timeout_s: float) -> Reply:
    for _ in range(2):
        pool = _current_pool()
        try:
            worker = pool.take()
        except (OSError, EOFError):
            pool.close()
            continue
        reply = worker.ask(pair, timeout_s)
        pool.give(worker, fresh=reply.detail is None or reply.detail == "unreadable")
        return reply
    return Reply(None, "crash")


class _Worker:
    """The parent's end of one worker."""

    def __init__(self, pid: int, link: socket.socket) -> None:
        self.pid = pid
        self.link = link
        self.served = 0

    def ask(self, pair: tuple[str, str], timeout_s: float) -> Reply:
        """The worker's reply, or why there is none.

        CPU time decides, so that a busy machine turns no answer into a timeout: on an idle one that is at most
        `timeout_s` + 0.4 s and a poll (1.9 s by default). The wall clock, 12 s by default, is only the backstop for
        a worker that gets no CPU.
        """
        self.served += 1
        started, spent = time.monotonic(), _cpu_seconds(self.pid)
        backstop = started + max(8 * timeout_s, 10.0)
        try:
            send(self.link, json.dumps([*pair, timeout_s]).encode())
            self.link.settimeout(0.05)
            buffer = b""
            while True:
                try:
                    data = self.link.recv(65536)
                except TimeoutError:
                    now = _cpu_seconds(self.pid)
                    used = now - spent if now is not None and spent is not None else time.monotonic() - started
                    if used > timeout_s + _GRACE_S or time.monotonic() > backstop:
                        return Reply(None, "timeout")
                    continue
                if not data:
                    return Reply(None, "crash")
                buffer += data
                if len(buffer) >= 4 and len(buffer) >= 4 + struct.unpack("!I", buffer[:4])[0]:
                    agreed, detail = json.loads(buffer[4:])
                    return Reply(agreed if isinstance(agreed, bool) else None, detail)
        except (OSError, ValueError):
            return Reply(None, "crash")


class _Pool:
    """A zygote and its idle workers, in this process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.idle: list[_Worker] = []
        self.control, theirs = socket.socketpair()
        paths = [path or os.getcwd() for path in sys.path if isinstance(path, str)]
        root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-c", _BOOT, str(theirs.fileno()), json.dumps([root, *paths])],
                env=environment,
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.control.settimeout(START_S)

    def take(self) -> _Worker:
        """An idle worker, or a new one."""
        with self.lock:
            if self.idle:
                return self.idle.pop()
            ours, theirs = socket.socketpair()
            with theirs:
                socket.send_fds(self.control, [b"S"], [theirs.fileno()])
            pid = struct.unpack("!I", receive(self.control))[0]
            return _Worker(pid, ours)

    def give(self, worker: _Worker, fresh: bool) -> None:
        """Puts a worker back, or ends it."""
        with self.lock:
            if fresh and worker.served < ITEMS_PER_WORKER:
                self.idle.append(worker)
                return
            worker.link.close()
            try:
                self.control.sendall(b"K" + struct.pack("!I", worker.pid))
                receive(self.control)
            except (OSError, EOFError):
                self.idle.clear()

    def close(self) -> None:
        """Ends the zygote, and with it every worker."""
        global _pool
        with _pool_lock:
            if _pool is self:
                _pool = None
        for worker in self.idle:
            worker.link.close()
        self.control.close()
        self.process.kill()
        self.process.wait()

    def forget(self) -> None:
        """In a forked child: the parent's sockets are not ours."""
        self.control.close()
        for worker in self.idle:
            worker.link.close()


_pool: _Pool | None = None
_pool_lock = threading.Lock()


def _current_pool() -> _Pool:
    global _pool
    with _pool_lock:
        if _pool is None:
            _pool = _Pool()
        return _pool


def _after_fork() -> None:
    global _pool, _pool_lock
    _pool_lock = threading.Lock()
    if _pool is not None:
        _pool.forget()
        _pool.process.returncode = 0  # not our child: nothing to wait for
        _pool = None


def close() -> None:
    """Ends the workers of this process; the next question starts new ones."""
    if _pool is not None:
        _pool.close()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(close)


def send(link: socket.socket, payload: bytes) -> None:
    """Sends one message: its length in four bytes, then itself."""
    link.sendall(struct.pack("!I", len(payload)) + payload)


def receive(link: socket.socket) -> bytes:
    """One whole message.

    Raises:
        EOFError: the other side is gone.
    """
    size = struct.unpack("!I", _exactly(link, 4))[0]
    return _exactly(link, size)


def _exactly(link: socket.socket, count: int) -> bytes:
    parts = b""
    while len(parts) < count:
        data = link.recv(count - len(parts))
        if not data:
            raise EOFError("the other side is gone")
        parts += data
    return parts


def _cpu_seconds(pid: int) -> float | None:
    """CPU time that a process has used; None where the system does not say."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
