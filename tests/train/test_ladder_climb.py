"""A ladder of two stages, killed as it climbs: it goes on where it stood, and comes to what an unkilled one does."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from distill.store import Store
from tests.train.small_ladder import LADDER, write_ladder

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(
        not os.environ.get("COTILLION_LADDER"),
        reason="minutes of processes: make ladder-short (COTILLION_LADDER=short)",
    ),
]

TWO = LADDER[: LADDER.index("  - name: dpo")].replace("max_steps: 4", "max_steps: 40").replace("[0, 1]", "[0]")


class Ladder:
    """`train ladder` as a process of its own group, in a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def out(self) -> Path:
        return self.folder / name_of(self.name)

    def start(self, *more: str) -> None:
        words = [sys.executable, "-P", "-m", "train", "ladder", "mini.yaml", "--root", f"data-{self.name}"]
        words += ["--out", name_of(self.name), *more]
        with (self.folder / f"{self.name}.txt").open("ab") as said:
            env = {**os.environ, "OMP_NUM_THREADS": "1"}
            self.process = subprocess.Popen(
                words, cwd=self.folder, stdout=said, stderr=said, env=env, start_new_session=True
            )

    def finish(self, *more: str) -> None:
        self.start(*more)
        assert self.process
        assert self.process.wait() == 0, self.said()

    def kill(self, when: Callable[[], bool], orphans: bool = False) -> None:
        """kill -9 as soon as something holds: of everything, or of the ladder alone, whose command goes on."""
        assert self.process
        until = time.monotonic() + 300
        while not when() and self.process.poll() is None:
            assert time.monotonic() < until, self.said()
            time.sleep(0.005)
        if orphans:
            self.process.kill()
        else:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def said(self) -> str:
        return (self.folder / f"{self.name}.txt").read_text(encoding="utf-8")

    def runs(self) -> list[str]:
        return sorted(path.name for path in (self.out / "runs").iterdir())

    def weights(self) -> dict[str, str]:
        records = [json.loads(file.read_text(encoding="utf-8")) for file in (self.out / "records").glob("*.json")]
        return {record["run"]: record["weights"] for record in records}

    def commands(self, step: str) -> int:
        """How many commands of this step were started so far."""
        logs = (self.out / "logs").glob(f"*{step}.log")
        return sum(line.startswith("$ ") for log in logs for line in log.read_text(encoding="utf-8").splitlines())


def name_of(name: str) -> str:
    return f"climb-{name}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("climb")
    write_ladder(place, TWO)
    return place


@pytest.fixture(scope="module")
def unkilled(folder: Path) -> Ladder:
    ladder = Ladder(folder, "unkilled")
    ladder.finish("--controls", "none")
    return ladder


@pytest.fixture
def killed(folder: Path) -> Iterator[Ladder]:
    ladder = Ladder(folder, "killed")
    yield ladder
    if ladder.process and ladder.process.poll() is None:
        os.killpg(ladder.process.pid, signal.SIGKILL)


def test_a_ladder_that_is_killed_again_and_again_comes_to_the_same(unkilled: Ladder, killed: Ladder) -> None:
    out, none = killed.out, ("--controls", "none")

    def there(pattern: str) -> Callable[[], bool]:
        return lambda: any(out.glob(pattern))

    killed.start(*none)
    killed.kill(there("records/base-s0-*.json"))  # begun, nothing trained
    killed.start(*none)
    killed.kill(there("runs/base-s0-*/checkpoint-10/trainer_state.json"))
    killed.start(*none)
    killed.kill(there("logs/base-s0-*.eval.log"), orphans=True)
    killed.start(*none)
    killed.kill(there("runs/midtrain-s0-*/checkpoint-4/trainer_state.json"), orphans=True)
    killed.finish(*none)
    assert "waiting for its end" in killed.said()
    # What the last orphan trained was taken over: it was begun once.
    (log,) = out.glob("logs/midtrain-s0-*.train.log")
    assert log.read_text(encoding="utf-8").count("$ train midtrain") == 1
    assert killed.runs() == unkilled.runs()
    assert killed.weights() == unkilled.weights()
    scores = [json.loads((ladder.out / "report/results.json").read_text()) for ladder in (killed, unkilled)]
    assert scores[0] == scores[1]
    attempts = Store(killed.folder / "data-killed/.rollouts").costs()["attempts"]
    assert attempts.max() == 1, "a rollout was drawn twice"
    assert len(attempts) == len(Store(unkilled.folder / "data-unkilled/.rollouts").costs())


def test_a_second_climb_runs_nothing_and_a_stage_is_trained_anew_on_request(unkilled: Ladder) -> None:
    before = [unkilled.commands(step) for step in ("build", "train", "eval")]
    unkilled.finish("--controls", "none")
    assert [unkilled.commands(step) for step in ("build", "train", "eval")] == before
    runs, weights = unkilled.runs(), unkilled.weights()
    unkilled.finish("--controls", "none", "--stage", "midtrain")
    # Trained anew, to the same weights on the same machine: under the same name.
    assert unkilled.commands("train") == before[1] + 1
    assert (unkilled.runs(), unkilled.weights()) == (runs, weights)
    unkilled.finish("--controls", "none", "--set", "stages.midtrain.set.max_steps=2")
    assert unkilled.commands("train") == before[1] + 2
    assert len(unkilled.runs()) == len(runs) + 1, "another setting is another run; the first one stays"


def test_a_command_that_fails_is_told_with_its_last_words_and_its_code(unkilled: Ladder) -> None:
    unkilled.start("--controls", "none", "--set", "stages.midtrain.set.max_length=16")
    assert unkilled.process
    assert unkilled.process.wait() == 3  # the preflight refuses to cut rows
    said = unkilled.said()
    assert "a command of the ladder ended with exit code 3:" in said
    assert "--set max_length=16" in said
    assert "--accept cut" in said
