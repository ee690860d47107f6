"""What a running trainer shows and writes down. Imports transformers: import it where a trainer is built."""

import json
import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import datasets
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_callback import PrinterCallback, ProgressCallback
from transformers.utils import logging

from train.run import METRICS


class Metrics(TrainerCallback):
    """Every log of the trainer is a line of metrics.jsonl, readable while the run goes on."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: Any = None, **rest: Any
    ) -> None:
        """Appends the logged numbers with their step."""
        if state.is_world_process_zero and logs:
            with self.file.open("a", encoding="utf-8") as lines:
                told = {"step": state.global_step, "time": round(time.time(), 3), **_plain(logs)}
                lines.write(json.dumps(told, allow_nan=False) + "\n")


def forget_after(step: int, file: Path) -> None:
    """metrics.jsonl ends with the checkpoint that a run goes on from: the steps behind it are taken, and told, again.

    A last line that a kill tore goes as well.
    """
    if not file.is_file():
        return
    whole = [line for line in file.read_text(encoding="utf-8").splitlines(keepends=True) if line.endswith("\n")]
    file.write_text("".join(line for line in whole if json.loads(line)["step"] <= step), encoding="utf-8")


def _plain(logs: dict[str, Any]) -> dict[str, Any]:
    # A group whose rewards were all left out has no mean: NaN in TRL's log, and no JSON.
    return {name: None if isinstance(x, float) and not math.isfinite(x) else x for name, x in logs.items()}


class Lines(TrainerCallback):
    """Where there is no terminal: one line per 30 s instead of a bar."""

    every_s = 30.0

    def __init__(self) -> None:
        self.begun = self.told = time.monotonic()
        self.loss: float | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **rest: Any
    ) -> None:
        """Starts the clock."""
        self.begun = self.told = time.monotonic()

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: Any = None, **rest: Any
    ) -> None:
        """Keeps the last loss."""
        self.loss = (logs or {}).get("loss", self.loss)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
        """Says where the run stands, if it is time."""
        now = time.monotonic()
        if state.is_world_process_zero and now - self.told >= self.every_s:
            self.told = now
            left = (now - self.begun) / state.global_step * (state.max_steps - state.global_step)
            loss = "" if self.loss is None else f", loss {float(self.loss):.3f}"
            print(f"step {state.global_step}/{state.max_steps}{loss}, about {left:.0f} s to go", flush=True)


def callbacks(folder: Path) -> list[TrainerCallback]:
    """Metrics to the run folder, and lines where there is no terminal for a bar."""
    return [Metrics(folder / METRICS), *([] if sys.stderr.isatty() else [Lines()])]


def without_printer(trainer: Any) -> None:
    """Without a terminal, nothing but our lines is printed while the trainer runs."""
    if not sys.stderr.isatty():
        trainer.remove_callback(PrinterCallback)
        trainer.remove_callback(ProgressCallback)


@contextmanager
def quiet() -> Iterator[None]:
    """Without a terminal, where a bar is a page of noise, the libraries show none; afterwards they do as before."""
    if sys.stderr.isatty() or datasets.are_progress_bars_disabled():
        yield
        return
    datasets.disable_progress_bars()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # transformers' own
    try:
        yield
    finally:
        datasets.enable_progress_bars()
        logging.enable_progress_bar()  # type: ignore[no-untyped-call]  # transformers' own
