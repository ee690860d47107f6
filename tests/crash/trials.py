"""Builds that are disturbed at one system call: where it can happen, what is left, and whether the next build mends it.

strace kills or fails the process at an exact system call, those of C++ writers included, with no hook in our code. Its
`when=N` counts for each process and system call by itself, so that a point is the N-th `write` of whoever gets so far.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from distill.store import Store
from tests.crash.counting_server import CountingServer

REPOSITORY = Path(__file__).resolve().parents[2]
WANTED = os.environ.get("COTILLION_CRASH", "")
"""`full` tries every point (`make crash`), a number about so many; without it each test takes its few."""
FULL = bool(WANTED)
ROLLOUTS, IN_FLIGHT = 200, 8
STRACE = ("strace", "-f", "-qq")  # with --seccomp-bpf, which is faster, most signals get lost
CALLS = ("write", "pwrite64", "writev", "fsync", "fdatasync", "rename", "renameat", "renameat2")
CALLS += ("unlink", "unlinkat", "link", "linkat", "ftruncate", "mkdir")
MANIFEST = """
name: small
sources: [{{use: procedural, n: 50, seed: 3}}]
problems: [hygiene.answerable, dedup.exact]
rollouts:
  teacher: {{use: openai_server, model: served, base_url: "{url}", in_flight: 8, tries: 2}}
  sampling: {{n: 4, temperature: 1.0, max_tokens: 2048}}
verdicts: [rule]
tags: [difficulty]
views: {{sft: {{}}, dpo: {{}}}}
heldout: 0.2
"""


def needs_strace() -> None:
    """Skips where strace is missing or may not trace."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed: nothing can fail the system calls of a build")
    if subprocess.run(["strace", "-qq", "-e", "trace=none", "true"], capture_output=True, check=False).returncode:
        pytest.skip("strace may not trace here (ptrace is refused)")


@dataclass(frozen=True, order=True)
class Point:
    """The N-th call of this kind."""

    call: str
    n: int
    path: str = field(default="", compare=False)
    """What it was about in the undisturbed build, where known."""


@dataclass
class Ended:
    """How a build ended."""

    code: int
    said: str
    at: float
    """Seconds since 1970."""
    fired: bool = False
    seconds: float = 0.0
    """From the fault to the end."""


@dataclass
class Place:
    """A data folder with a manifest, whose teacher is the server."""

    folder: Path
    server: CountingServer

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "m.yaml").write_text(MANIFEST.format(url=self.server.url))

    @property
    def store(self) -> Store:
        """The rollout store."""
        return Store(self.folder / "data" / ".rollouts")

    def start(self, *before: str) -> subprocess.Popen[str]:
        """A build in a process of its own."""
        env = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
        env |= {"PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
        command = [*before, sys.executable, "-m", "curate", "build", "-m", "m.yaml", "--root", "data", "--workers", "1"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(command, cwd=self.folder, env=env, text=True, start_new_session=True, **pipes)

    def build(self, *before: str) -> Ended:
        """A build from start to end."""
        process = self.start(*before)
        try:
            said, _ = process.communicate(timeout=240)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said = process.communicate()[0] + "\nHANGS"
        return Ended(process.returncode, said, time.time())

    def disturbed(self, point: Point, fault: str) -> Ended:
        """A build with this fault (`signal=KILL`, `error=ENOSPC`) at the point."""
        log = self.folder / "strace.txt"
        inject = f"inject={point.call}:{fault}:when={point.n}"
        ended = self.build(*STRACE, "-ttt", "-o", str(log), "-e", f"trace={point.call}", "-e", inject)
        traced = log.read_text(errors="replace")
        if found := re.search(r"(\d+\.\d+) .*(INJECTED|killed by SIGKILL|--- SIGINT)", traced):
            ended.fired, ended.seconds = True, ended.at - float(found[1])
        return ended

    def version(self) -> tuple[str, dict[str, str]]:
        """The digest of the one version there is, and the hash of each of its shards."""
        (version,) = (self.folder / "data" / "small").glob("v*")
        lock = json.loads((version / "lock.json").read_text())
        shards = sorted(version.rglob("*.parquet"))
        return lock["digest"], {
            str(path.relative_to(version)): hashlib.sha256(path.read_bytes()).hexdigest() for path in shards
        }

    def whole_or_absent(self) -> bool:
        """Whether every version that is there has the bytes of its lock."""
        for version in (self.folder / "data" / "small").glob("v*"):
            files = json.loads((version / "lock.json").read_text())["files"]
            if any(hashlib.sha256((version / n).read_bytes()).hexdigest() != f["sha256"] for n, f in files.items()):
                return False
        return True


def points(folder: Path, server: CountingServer) -> list[Point]:
    """Every point of an undisturbed build, in the order of the calls, and of each call once."""
    place = Place(folder, server)
    log = folder / "strace.txt"
    ended = place.build(*STRACE, "-y", "-o", str(log), "-e", f"trace={','.join(CALLS)}")
    assert ended.code == 0, ended.said
    counts: Counter[tuple[str, str]] = Counter()
    found: dict[Point, None] = {}
    for line in log.read_text(errors="replace").splitlines():
        if call := re.match(r"(\d+)\s+(\w+)\((.*)", line):
            process, name, rest = call.groups()
            if name not in CALLS:
                continue  # new to this strace, which then cannot fail it by name
            counts[process, name] += 1
            paths = re.findall(r"[<\"]([^<>\"]*/data/[^<>\"]*|data/[^<>\"]*)[>\"]", rest)
            found.setdefault(Point(name, counts[process, name], paths[0] if paths else ""))
    return list(found)


def spread(all_points: list[Point], count: int) -> list[Point]:
    """So many of the points: one of every kind of call, the others half among the replies, half over the whole run."""
    count = len(all_points) if WANTED == "full" else int(WANTED or count)
    if count >= len(all_points):
        return all_points
    replies = [point for point in all_points if point.call == "write" and ".rollouts/" in point.path]
    chosen = {next(p for p in all_points if p.call == call): None for call in dict.fromkeys(p.call for p in all_points)}
    left = max(2, count - len(chosen))
    for among, some in ((replies or all_points, left // 2), (all_points, left - left // 2)):
        chosen |= dict.fromkeys(among[int((i + 0.5) * len(among) / some)] for i in range(some))
    return sorted(chosen, key=all_points.index)
