"""Facts about Ctrl-C while a build samples, or while a stage works in other processes."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from curate.version import open_version
from tests.classroom import problems
from tests.slow_server import Slow, command, slow_server


@pytest.fixture
def slow() -> Iterator[tuple[str, type[Slow]]]:
    with slow_server() as served:
        yield served


def test_ctrl_c_while_sampling_ends_soon_keeps_what_came_and_says_how_to_go_on(
    tmp_path: Path, slow: tuple[str, type[Slow]]
) -> None:
    problems(tmp_path)
    url, handler = slow
    for wanted in (1, 60):
        process = subprocess.Popen(command(tmp_path, url), cwd=tmp_path, stderr=subprocess.PIPE, text=True)
        while len(handler.asked) < wanted and process.poll() is None:
            time.sleep(0.005)
        handler.wait_s = 30.0 if wanted == 60 else 0.05  # the last ones hang
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
        assert time.monotonic() - started < 5
        assert process.returncode == 130, said
        assert "Go on with: curate build -m m.yaml --workers 1" in said
    handler.wait_s = 0.0
    subprocess.run(command(tmp_path, url), cwd=tmp_path, check=True, capture_output=True)
    assert len(handler.asked) <= 96 + 2 * 8, "only what was in flight is asked again"
    assert open_version("small@v1", tmp_path / "data").lock["no_reply"] == 0


SLEEPY = """
import time
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from curate.engine import Job, Shard, worker_pool


@dataclass(frozen=True)
class Sleepy:
    def __call__(self, rows):
        Path("asleep").touch()
        time.sleep(60)
        return rows


if __name__ == "__main__":
    rows = pl.DataFrame({"id": ["a"]})
    with worker_pool(2) as pool:
        list(pool.run({i: Job(Sleepy(), rows, Shard(Path("."), ""), ()) for i in range(4)}))
"""


def test_ctrl_c_does_not_wait_for_a_stage_that_works_in_other_processes(tmp_path: Path) -> None:
    (tmp_path / "sleepy.py").write_text(SLEEPY)
    process = subprocess.Popen([sys.executable, "sleepy.py"], cwd=tmp_path, stderr=subprocess.DEVNULL)
    while not (tmp_path / "asleep").exists() and process.poll() is None:
        time.sleep(0.05)
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(20) != 0
    assert time.monotonic() - started < 5
