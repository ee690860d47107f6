"""Facts about builders beside each other and builders that are killed: one wins, and nobody sees half a version.

COTILLION_RACES says how many of each (20 races, 50 kills before a release); here few.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from curate.version import Version, versions
from curate.versions.checks import check_version
from curate.versions.publish import BusyError, builder_lock, next_number

RACES = int(os.environ.get("COTILLION_RACES", "1"))
KILLS = int(os.environ.get("COTILLION_KILLS", "4"))

MANIFEST = """
name: small
sources: [{use: procedural, n: 120, seed: 3}]
rollouts:
  teacher: {use: tutor, error_rate: 0.3}
  sampling: {n: 4, max_tokens: 2048}
verdicts: [rule]
views: {sft: {}, dpo: {}}
"""


def start(folder: Path, *words: str) -> "subprocess.Popen[str]":
    """A build in a process of its own."""
    folder.mkdir(exist_ok=True)
    (folder / "m.yaml").write_text(MANIFEST)
    command = [sys.executable, "-m", "curate", "build", "-m", "m.yaml", "--root", "data", "--workers", "1", *words]
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=folder, env=env, text=True, **pipes)  # type: ignore[call-overload,no-any-return]  # mypy cannot see text=True


def test_of_two_builds_at_once_one_wins_and_the_other_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slowest = 0.0
    for race in range(RACES):
        folder = tmp_path / str(race)
        first, second = start(folder), start(folder)
        begun = time.monotonic()
        while first.poll() is None and second.poll() is None:
            time.sleep(0.01)
        slowest = max(slowest, time.monotonic() - begun)
        winner, loser = (first, second) if second.poll() is not None else (second, first)
        said = loser.communicate()[1]
        winner.communicate(timeout=60)
        assert (winner.returncode, loser.returncode) == (0, 5), said
        assert f"small is being built by process {winner.pid} on " in said
        assert [v.path.name for v in versions(folder / "data", "small")] == ["v1"]
    with capsys.disabled():
        print(f"\n{RACES} races, slowest loser {slowest:.1f} s with its start", end=" ")
    assert slowest < 20  # 2 s where the machine has nothing else to do


def test_whoever_looks_while_builds_are_killed_sees_whole_versions_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each build has a seed of its own, so that versions go on appearing; the next one never finds a stale lock."""
    folder, drawn = tmp_path / "killed", random.Random(7)
    watch = Watch(folder / "data" / "small")
    watch.start()
    kills = 0
    try:
        for seed in range(KILLS):
            process = start(folder, "--set", f"seed={seed}")
            # Every other one when a version is about to appear, the others anywhere.
            until = time.monotonic() + (60 if seed % 2 else drawn.uniform(0.5, 4))
            while process.poll() is None and time.monotonic() < until and not (seed % 2 and appearing(folder)):
                time.sleep(0.002)
            time.sleep(drawn.uniform(0, 0.6))
            process.send_signal(signal.SIGKILL)
            said = process.communicate()[1]
            kills += process.returncode == -signal.SIGKILL
            assert process.returncode in (0, -signal.SIGKILL), said
        last = start(folder, "--set", f"seed={KILLS}")
        said = last.communicate(timeout=120)[1]
        assert last.returncode == 0, said
    finally:
        watch.over = True
        watch.join()
    made = versions(folder / "data", "small")
    with capsys.disabled():
        print(f"\n{kills} of {KILLS} builds killed, {len(made)} versions made, {watch.looks:,} looks", end=" ")
    assert kills >= KILLS // 3
    assert watch.partial == []
    assert watch.seen == {version.path.name for version in made}
    for version in made:
        check_version(version)
    assert not list((folder / "data" / "small").glob(".making-*"))


def test_a_name_that_is_taken_is_passed_over(tmp_path: Path) -> None:
    """Whatever stands there: versions are never written onto anything."""
    for name in ("v1", "v3", "v03", "v٤", "vx"):
        (tmp_path / name).mkdir()
    (tmp_path / "v7").write_text("a file")
    assert next_number(tmp_path) == 8


def test_the_name_of_a_dead_holder_is_not_told(tmp_path: Path) -> None:
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    with builder_lock(tmp_path / "small"):
        import socket

        (tmp_path / "small" / ".lock").write_text(f"process {dead.stdout.strip()} on {socket.gethostname()}")
        with pytest.raises(BusyError, match="is being built by another process"), builder_lock(tmp_path / "small"):
            pass


def test_the_files_of_a_version_are_read_only(tmp_path: Path) -> None:
    process = start(tmp_path / "one")
    assert process.wait(120) == 0
    files = [path for path in (tmp_path / "one" / "data" / "small" / "v1").rglob("*") if path.is_file()]
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o444"}


def appearing(folder: Path) -> bool:
    """Whether a build has begun to put a version together."""
    return any((folder / "data" / "small").glob(".making-*"))


class Watch(threading.Thread):
    """Looks at a dataset's folder all the time: every version that can be seen must be whole."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.over = False
        self.looks = 0
        self.partial: list[str] = []
        self.seen: set[str] = set()

    def run(self) -> None:
        """Until it is over."""
        while not self.over:
            self.looks += 1
            for path in self.folder.glob("v*"):
                self.seen.add(path.name)
                if not ((path / "lock.json").is_file() and Version(path).seems_whole()):
                    self.partial.append(path.name)
            time.sleep(0.002)
