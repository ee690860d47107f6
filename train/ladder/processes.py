"""Commands as processes of their own: what they print goes to a log, what they took is noted, Ctrl-C ends them all."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from train.ladder.plan import typed

LAST_LINES = 12
"""Of a log, shown where its command failed."""


class StepError(RuntimeError):
    """A command of the ladder failed. `code` is its exit code."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Took:
    """What a process took."""

    seconds: float
    """Wall clock, start and imports included."""
    peak_mb: int
    """The most memory it held."""


@dataclass
class Processes:
    """Starts commands; each lives as long as it needs, even if this process is killed, and holds the lock as long."""

    lock_fd: int
    """An open file under an OS lock, which the processes inherit: what still runs keeps others out."""
    jobs: int = 1
    """How many run at once: the cores are shared among them."""
    _running: set[subprocess.Popen[bytes]] = field(default_factory=set)
    _guard: Lock = field(default_factory=Lock)
    _ended: bool = False

    def run(self, words: Sequence[str], log: Path) -> Took:
        """The command has run; `words` begin with `train` or `curate`.

        Raises:
            StepError: it failed; its last lines are in the text.
        """
        began = time.monotonic()
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as out:
            out.write(f"$ {typed(words)}\n".encode())
            out.flush()
            # -P: a folder `train` where the user stands is not this package.
            command = [sys.executable, "-P", "-m", *words]
            with self._guard:
                if self._ended:
                    raise KeyboardInterrupt
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=self._env(), pass_fds=(self.lock_fd,)
                )
                self._running.add(process)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        with self._guard:
            self._running.discard(process)
            if self._ended:
                raise KeyboardInterrupt
        if process.returncode:
            raise _failed(words, process.returncode, log)
        return Took(round(time.monotonic() - began, 1), used.ru_maxrss // 1024)

    def end(self) -> None:
        """Ctrl-C for all that runs, and nothing more is started."""
        with self._guard:
            self._ended = True
            for process in self._running:
                process.send_signal(signal.SIGINT)

    def _env(self) -> dict[str, str]:
        share = max(1, (os.cpu_count() or 1) // self.jobs)
        ours = {"OMP_NUM_THREADS": str(share), "TOKENIZERS_PARALLELISM": "false", "OMP_WAIT_POLICY": "passive"}
        return ours | dict(os.environ)


def _failed(words: Sequence[str], code: int, log: Path) -> StepError:
    said = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:]
    how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
    told = "\n".join(
        [f"a command of the ladder {how}:", f"  {typed(words)}", *(f"  | {line}" for line in said), f"{log}"]
    )
    return StepError(told, code if code in (2, 3, 4, 5) else 1)
