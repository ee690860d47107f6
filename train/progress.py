"""What a running trainer shows and writes down. Imports transformers: import it where a trainer is built."""

import json
import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


class Metrics(TrainerCallback):  # type: ignore[misc]  # transformers' class is untyped
    """Every log of the trainer is a line of metrics.jsonl, readable while the run goes on."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: Any = None, **rest: Any
    ) -> None:
        """Appends the logged numbers with their step."""
        if state.is_world_process_zero and logs:
            with self.file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps({"step": state.global_step, "time": round(time.time(), 3), **logs}) + "\n")


class Lines(TrainerCallback):  # type: ignore[misc]  # transformers' class is untyped
    """Where there is no terminal: one line per 30 s instead of a bar."""

    every_s = 30.0

    def __init__(self) -> None:
        self.begun = self.told = time.monotonic()
        self.loss: float | None = None

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
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
