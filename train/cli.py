"""The command `train`. Nothing heavy is imported before a command runs."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

EXIT_CODES = {"VersionError": 2, "SettingsError": 2, "DigestError": 3, "PreflightError": 3}
"""By class name, since importing the classes would import all that they stand beside."""

app = typer.Typer(no_args_is_help=True, add_completion=True, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.callback()
def train() -> None:
    """Train a small reasoning model on a dataset version, stage by stage."""


@app.command()
def sft(
    data: Annotated[str, typer.Option(help="Version to train on: v1, math@v1, math@v1:heldout, or a path.")],
    root: Annotated[
        Path | None, typer.Option(help="Folder of the datasets. [default: COTILLION_DATA, else data]")
    ] = None,
    model: Annotated[str, typer.Option(help="tiny, a run folder, a folder of weights, or a name on the Hub.")] = "tiny",
    out: Annotated[Path | None, typer.Option(help="Run folder. [default: the next free one under runs]")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML of TRL's SFTConfig fields, over the preset.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="One SFTConfig field, over all else.")
    ] = None,
    max_steps: Annotated[int | None, typer.Option(min=1, help="Stop after so many optimizer steps.")] = None,
    accept: Annotated[
        list[str] | None,
        typer.Option(help="Train in spite of this finding of the preflight: cut, empty, split, endless."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint in --out.")] = False,
    answers: Annotated[
        int | None, typer.Option(min=0, help="Held-out prompts to answer at the end. [default: 16 for tiny, else 0]")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Fine-tune on the version's sft view (stage 2), with TRL's SFTTrainer."""
    with _exits(debug):
        # Idle threads sleep instead of spinning: where others use the same two cores, 12 steps took 19 s instead of
        # 98 s. OpenMP reads it once, when torch is loaded.
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")

        from train.sft import Sft

        steps = () if max_steps is None else (f"max_steps={max_steps}",)
        chosen = (*(overrides or ()), *steps)
        Sft(data, root, model, out, config, chosen, frozenset(accept or ()), resume, answers)()


@contextmanager
def _exits(debug: bool) -> Iterator[None]:
    """Turns an error into its text on standard error and its exit code; a traceback only with `--debug`."""
    try:
        yield
    except KeyboardInterrupt as error:
        typer.echo(f"\ninterrupted. {error}", err=True)
        raise SystemExit(130) from None
    except (SystemExit, typer.Exit):
        raise
    except Exception as error:  # the one place that catches all: here an error becomes an exit code
        if debug:
            raise
        code = next((EXIT_CODES[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in EXIT_CODES), 1)
        name = "" if code > 1 else f"{type(error).__name__}: "
        hint = "" if code > 1 else "\nIf this is no fault of the machine it is one of ours; --debug shows where."
        typer.echo(f"{name}{error}{hint}", err=True)
        raise SystemExit(code) from None


def main() -> None:
    """The console script."""
    app(prog_name="train")


def cotillion() -> None:
    """The console script `cotillion`, for people whose PATH has another `train`: `cotillion train sft ...`."""
    from curate.cli import main as curate_main

    commands = {"curate": curate_main, "train": main}
    if len(sys.argv) > 1 and sys.argv[1] in commands:
        commands[sys.argv.pop(1)]()
    typer.echo("Usage: cotillion curate ... | cotillion train ...   (the same as the commands curate and train)")
    raise SystemExit(0 if sys.argv[1:] in ([], ["--help"]) else 2)
