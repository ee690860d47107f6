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
        if not any(self.path.glob("checkpoint-*")):
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
        if out is None or not any(out.glob("checkpoint-*")):
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


def parent_of(model: str) -> dict[str, Any]:
    """The model a run starts from, with the runs that made it where it is a run folder of ours."""
    file = Path(model) / RUN
    if not file.is_file():
        return {"model": model}
    run = json.loads(file.read_text(encoding="utf-8"))
    return {"model": model, **{key: run.get(key) for key in ("stage", "student", "status", "data", "parent")}}


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
        "parent": parent_of(model),
        "command": sys.argv,
        "python": sys.version.split()[0],
        "libraries": library_versions(),
        "git": _git(),
    }


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


def result_of(trainer: Any, trained: Any, seconds: float) -> dict[str, Any]:
    """What came out of a finished TRL trainer: counts, speed and losses."""
    logs = trainer.state.log_history
    losses = [log["loss"] for log in logs if "loss" in log]
    tokens = int(next((log["num_tokens"] for log in reversed(logs) if "num_tokens" in log), 0))
    return {
        "parameters": sum(weights.numel() for weights in trainer.model.parameters()),
        "steps": trainer.state.global_step,
        "tokens": tokens,
        "seconds": round(seconds, 1),
        "tokens_per_s": round(tokens / seconds),
        "first_loss": losses[0] if losses else None,
        "last_loss": losses[-1] if losses else trained.training_loss,
        "heldout_loss": trainer.evaluate()["eval_loss"] if trainer.eval_dataset else None,
    }


def summary(run: Run) -> str:
    """The result in a few lines for people."""
    got = run.facts["result"]
    heldout = "" if got["heldout_loss"] is None else f", held-out {got['heldout_loss']:.3f}"
    first = "" if got["first_loss"] is None else f"{got['first_loss']:.3f} -> "
    lines = [
        f"{got['steps']:,} steps, {got['tokens']:,} tokens in {got['seconds']:.0f} s: {got['tokens_per_s']:,} tokens/s",
        f"loss {first}{got['last_loss']:.3f}{heldout}",
    ]
    if "heldout_answered" in got:
        ended = f"{got['heldout_ended']} of {got['heldout_answered']}"
        lines.append(
            f"held-out replies: {ended} end by themselves, {got['heldout_correct']} are correct (answers.jsonl)"
        )
    return "\n".join([*lines, f"{run.path}"])


def write_card(run: Run) -> None:
    """README.md of the run folder: a short model card, from run.json alone."""
    data, result = run.facts["data"], run.facts["result"]
    lines = [
        "---",
        "library_name: transformers",
        f"tags: [cotillion, {run.facts['stage']}]",
        "---",
        "",
        f"# {run.path.name}",
        "",
        f"`{run.facts['parent']['model']}` after stage `{run.facts['stage']}` on `{data['version']}` "
        f"({data['view']}, {data['split']}, {data['rows']:,} rows, row digest `{data['row_digest'][:16]}`).",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name.replace('_', ' ')} | {_cell(value)} |" for name, value in result.items()),
        *(f"| {name} | {value} |" for name, value in run.facts["config"].items()),
        "",
        "```python",
        "from transformers import pipeline",
        f'chat = pipeline("text-generation", "{run.path.name}")  # the path of this folder',
        'asked = [{"role": "user", "content": "What is 3 + 4?"}]',
        'print(chat(asked, max_new_tokens=512)[0]["generated_text"][-1]["content"])',
        "```",
        "",
        f"Made with {', '.join(f'{name} {found}' for name, found in run.facts['libraries'].items() if found)}.",
        f"Everything that went in is in `{RUN}`, the course of the training in `{METRICS}`.",
        "",
    ]
    (run.path / "README.md").write_text("\n".join(lines), encoding="utf-8")


def _cell(value: Any) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
