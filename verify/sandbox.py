"""The far side of the workers: a zygote that forks, and the limits and the loop of what it forks."""

import contextlib
import ctypes
import json
import math
import os
import resource
import signal
import socket
import struct
import sys

from verify.workers import MEMORY_BYTES, receive, send

_FORBIDDEN = (
    "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "os.remove", "os.rename", "os.rmdir",
    "os.mkdir", "os.link", "os.symlink", "os.chmod", "os.chown", "os.truncate", "os.kill", "os.putenv", "shutil.",
    "subprocess.", "socket.connect", "socket.bind", "socket.__new__", "pty.", "ctypes.dlopen", "webbrowser.", "urllib.",
)  # fmt: skip


class _LateError(BaseException):
    """The CPU time of one item is used up. Not an Exception, so that no library swallows it."""


def zygote(descriptor: int) -> None:
    """Loads math-verify, then forks a worker for every socket it is sent, until the parent is gone."""
    import verify.math_answer  # noqa: F401

    control = socket.socket(fileno=descriptor)
    children: set[int] = set()
    parent = os.getpid()
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            break
        if message == b"S":
            pid = os.fork()
            if pid == 0:
                control.close()
                _serve(socket.socket(fileno=descriptors[0]), parent)
            os.close(descriptors[0])
            children.add(pid)
            send(control, struct.pack("!I", pid))
        elif message == b"K":
            pid = struct.unpack("!I", control.recv(4, socket.MSG_WAITALL))[0]
            if pid in children:
                _end(pid)
                children.discard(pid)
            send(control, b"k")
    for pid in children:
        _end(pid)


def _end(pid: int) -> None:
    # A child is waited for only here, so that its number cannot have passed to another process.
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _serve(link: socket.socket, zygote_pid: int) -> None:
    """Answers one question after the other until its socket closes; never returns."""
    _die_with(zygote_pid)
    for kind, limit in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 32),
    ):
        _limit(kind, limit)
    os.environ.clear()
    sys.addaudithook(_audit)
    signal.signal(signal.SIGPROF, _late)
    code = 0
    while True:
        try:
            gold, answer, seconds = json.loads(receive(link))
        except (EOFError, OSError, ValueError):
            break
        agreed, detail = _answer(gold, answer, seconds)
        try:
            send(link, json.dumps([agreed, detail]).encode())
        except OSError:
            break
        if detail in ("timeout", "out of memory"):
            break
    os._exit(code)


def _answer(gold: str, answer: str, seconds: float) -> tuple[bool | None, str | None]:
    from verify.math_answer import equal

    usage = resource.getrusage(resource.RUSAGE_SELF)
    _limit(resource.RLIMIT_CPU, math.ceil(usage.ru_utime + usage.ru_stime + seconds) + 2, soft_only=True)
    try:
        # CPU time, not wall time: a busy machine must not turn a right answer into a timeout.
        signal.setitimer(signal.ITIMER_PROF, seconds, 0.2)
        try:
            agreed = equal(gold, answer)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    except _LateError:
        signal.setitimer(signal.ITIMER_PROF, 0)
        return None, "timeout"
    except MemoryError:
        return None, "out of memory"
    except RecursionError:
        return None, "unreadable"
    return agreed, None if agreed is not None else "unreadable"


def _late(*_: object) -> None:
    raise _LateError


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    """The second net: even code that runs in here may not start, send or write anything."""
    if event.startswith(_FORBIDDEN):
        raise PermissionError(event)
    if event == "open" and len(arguments) > 1 and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        raise PermissionError("open for writing")


def _limit(kind: int, value: int, soft_only: bool = False) -> None:
    _, hard = resource.getrlimit(kind)
    allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (allowed, hard if soft_only else allowed))


def _die_with(zygote_pid: int) -> None:
    """Asks the kernel to kill this process when the zygote ends (Linux)."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != zygote_pid:
        os._exit(1)
