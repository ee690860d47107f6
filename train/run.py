"""A run folder: weights, tokenizer, and run.json, which says what went in and what came out.

`run.json` is written when the run starts and completed when it ends, however it ends. The data's digests and the
parent's own `run.json` are in it, so that a checkpoint names every row digest that it was made of.
"""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from train.data import View
from train.settings import SettingsError

RUN = "run.json"
METRICS = "metrics.jsonl"
_LIBRARIES = ("cotillion", "torch", "transformers", "trl", "accelerate", "datasets", "tokenizers", "peft")


@dataclass
class Run:
    """One run on disk; `facts` is what run.json holds."""

    path: Path
    facts: dict[str, Any]

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """run.json says `running` within, then `done`, `interrupted` or `failed`."""
        status = "failed"
        self._write("running")
        try:
            yield
            status = "done"
        except KeyboardInterrupt:
            status = "interrupted"
            raise KeyboardInterrupt(self._how_to_resume()) from None
        finally:
            self._write(status)

    def _how_to_resume(self) -> str:
        if not last_checkpoint(self.path):
            return f"{self.path} has no checkpoint to go on from: --set save_strategy=steps writes some on the way."
        words = [word for word in sys.argv[1:] if word != "--resume"]
        given = [] if "--out" in words else ["--out", str(self.path)]
        return "Go on with: " + shlex.join(["train", *words, *given, "--resume"])

    def _write(self, status: str) -> None:
        if not is_main():
            return
        self.facts["status"] = status
        self.facts["started" if status == "running" else "finished"] = datetime.now(UTC).isoformat(timespec="seconds")
        self.path.mkdir(parents=True, exist_ok=True)
        aside = self.path / f".{RUN}"
        aside.write_text(json.dumps(self.facts, indent=1, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
        aside.replace(self.path / RUN)


def is_main() -> bool:
    """Whether this process is the one that writes, where `accelerate launch` started several."""
    return os.environ.get("RANK", "0") == "0"


def run_folder(out: Path | None, stem: str, resume: bool) -> Path:
    """The folder a run writes to: `out`, else the next free `runs/{stem}-{n}`.

    Raises:
        SettingsError: `out` holds something and the run does not resume it, or there is nothing to resume.
    """
    if resume:
        if out is None or not last_checkpoint(out):
            raise SettingsError(
                f"--resume: {out or 'no --out given, and nothing'} holds no checkpoint to go on from. "
                "A run writes them with --set save_strategy=steps --set save_steps=100"
            )
        return out
    if out is None:
        if os.environ.get("WORLD_SIZE", "1") != "1":
            raise SettingsError("several processes must agree on the run folder: give it with --out")
        taken = [
            int(path.name.rsplit("-", 1)[1]) for path in Path("runs").glob(f"{stem}-[0-9]*") if path.name[-1].isdigit()
        ]
        return Path("runs") / f"{stem}-{max(taken, default=0) + 1}"
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SettingsError(
            f"--out {out} is not empty: name another folder, or add --resume to go on from its last checkpoint"
        )
    return out


def last_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint of a run. Its state is written last: one without it was torn by a kill."""
    whole = [path.parent for path in folder.glob("checkpoint-*/trainer_state.json")]
    return max(whole, key=step_of, default=None)


def step_of(checkpoint: Path) -> int:
    """The optimizer step after which it was written."""
    step = checkpoint.name.rpartition("-")[2]
    return int(step) if step.isdigit() else -1


def check_same_run(folder: Path, stage: str, view: View, model: str) -> None:
    """A resumed run goes on with the rows and the model it began with.

    Raises:
        SettingsError: its run.json names others.
    """
    if not (folder / RUN).is_file():
        return
    begun = json.loads((folder / RUN).read_text(encoding="utf-8"))
    then = [begun["stage"], begun["data"]["version"], begun["data"]["row_digest"], begun["parent"]["model"]]
    now = [stage, view.version.name, view.facts["digest"], model]
    if then != now:
        raise SettingsError(
            f"--resume: {folder} was begun as stage {then[0]} on {then[1]} (rows {then[2][:12]}) from {then[3]}, "
            f"this is stage {now[0]} on {now[1]} (rows {now[2][:12]}) from {now[3]}. Give it the same, or another --out"
        )


def parent_of(model: str) -> dict[str, Any]:
    """The model a run starts from, with all that run.json says of it where it is a run folder of ours.

    Raises:
        SettingsError: its run.json is torn, or not one of ours.
    """
    file = Path(model) / RUN
    if not file.is_file():
        return {"model": model}
    try:
        return {"model": model, **json.loads(file.read_text(encoding="utf-8"))}
    except (ValueError, TypeError) as error:
        raise SettingsError(f"--model {model}: its {RUN} cannot be read: {error}") from error


def start_facts(view: View, stage: str, model: str) -> dict[str, Any]:
    """What run.json holds before anything has run."""
    return {
        "stage": stage,
        "status": "planned",
        "data": {
            "version": view.version.name,
            "version_digest": view.version.digest,
            "view": view.name,
            "split": view.split,
            "rows": view.facts["rows"],
            "row_digest": view.facts["digest"],
        },
        "parent": {**parent_of(model), **_weights_digest(model)},
        "command": sys.argv,
        "python": sys.version.split()[0],
        "libraries": library_versions(),
        "git": _git(),
    }


def _weights_digest(model: str) -> dict[str, str]:
    # A path may hold other weights tomorrow. A model on the Hub has its commit in `config` (model_init_kwargs).
    from distill.checkpoint import folder_digest

    return {"digest": folder_digest(model)} if (Path(model) / "config.json").is_file() else {}


def library_versions() -> dict[str, str | None]:
    """What is installed of the libraries that decide a result."""
    return {name: _version(name) for name in _LIBRARIES}


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def _git() -> dict[str, Any] | None:
    # Of the folder where the run was started: the user's configs and scripts, not this package.
    try:
        commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10)
        changed = subprocess.run(["git", "status", "--porcelain", "-uno"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return (
        {"commit": commit.stdout.strip(), "changed": bool(changed.stdout.strip())} if commit.returncode == 0 else None
    )


OUTCOMES = ("group/accuracy", "rewards/accuracies")
"""What tells more than the loss, where TRL logs it: the share of rollouts that are correct, of pairs told apart."""


def tokens_logged(logs: list[dict[str, Any]]) -> int:
    """Tokens trained on up to the last log that says."""
    return int(next((log["num_tokens"] for log in reversed(logs) if "num_tokens" in log), 0))


def result_of(trainer: Any, trained: Any, seconds: float, tokens_before: int = 0) -> dict[str, Any]:
    """What came out of a finished TRL trainer: counts, speed, losses and what else tells how it went.

    Args:
        seconds: of training, since it began or was resumed.
        tokens_before: trained on before it was resumed.
    """
    logs = trainer.state.log_history
    losses = [log["loss"] for log in logs if "loss" in log]
    # TRL's own count where it has one: a run shorter than `logging_steps` logs none.
    tokens = max(tokens_logged(logs), int(getattr(trainer, "_total_train_tokens", 0)))
    courses = {name: [log[name] for log in logs if name in log] for name in OUTCOMES}
    outcomes = {
        f"{when}_{name.rpartition('/')[2]}": course[place]
        for name, course in courses.items()
        if course
        for when, place in (("first", 0), ("last", -1))
    }
    return {
        "parameters": sum(weights.numel() for weights in trainer.model.parameters()),
        "steps": trainer.state.global_step,
        "tokens": tokens,
        "seconds": round(seconds, 1),
        "tokens_per_s": round((tokens - tokens_before) / seconds),
        "first_loss": losses[0] if losses else None,
        "last_loss": losses[-1] if losses else trained.training_loss,
        "heldout_loss": trainer.evaluate()["eval_loss"] if trainer.eval_dataset else None,
        **outcomes,
    }
