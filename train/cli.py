"""The command `train`. Nothing heavy is imported before a command runs."""

import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

DONE, BUG, USAGE, REFUSED, INTERRUPTED = 0, 1, 2, 3, 130

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def train() -> None:
    """Train a small reasoning model on a dataset version, stage by stage."""


@app.command()
def sft(
    data: Annotated[str, typer.Option(help="Version to train on: v1, math@v1, math@v1:heldout, or a path.")],
    root: Annotated[Path | None, typer.Option(help="Folder of the datasets. [default: COTILLION_DATA, else data]")] = None,
    model: Annotated[str, typer.Option(help="tiny, a run folder, a folder of weights, or a name on the Hub.")] = "tiny",
    out: Annotated[Path | None, typer.Option(help="Run folder. [default: the next free one under runs]")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML of TRL's SFTConfig fields, over the preset.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="One SFTConfig field, over all else.")
    ] = None,
    max_steps: Annotated[int | None, typer.Option(min=1, help="Stop after so many optimizer steps.")] = None,
    accept: Annotated[
        list[str] | None, typer.Option(help="Train in spite of this finding of the preflight: cut, empty, split, endless.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint in --out.")] = False,
    answers: Annotated[
        int | None, typer.Option(min=0, help="Held-out prompts to answer at the end. [default: 16 for tiny, else 0]")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Fine-tune on the version's sft view (stage 2), with TRL's SFTTrainer."""
    from train.preflight import ACCEPTS
    from train.sft import Sft

    unknown = sorted(set(accept or ()) - set(ACCEPTS))
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: expected {', '.join(ACCEPTS)}", param_hint="--accept")
    steps = () if max_steps is None else (f"max_steps={max_steps}",)
    trainer = Sft(
        data, root, model, out, config, (*(overrides or ()), *steps), frozenset(accept or ()), resume, answers
    )
    _guarded(trainer, debug)


def _guarded(trainer: Any, debug: bool) -> None:
    """The trainer has run; every fault has ended in its exit code."""
    from curate.version import DigestError, VersionError
    from train.preflight import PreflightError
    from train.settings import SettingsError

    if debug:
        trainer()
        return
    try:
        trainer()
    except (VersionError, SettingsError) as error:
        _stop(str(error), USAGE)
    except (DigestError, PreflightError) as error:
        _stop(str(error), REFUSED)
    except KeyboardInterrupt:
        _stop("interrupted. " + _how_to_resume(), INTERRUPTED)
    # The one place that catches all: whatever else comes up is our bug, and is said in a line.
    except Exception as error:
        _stop(f"{type(error).__name__}: {error}\nThis should not happen: please report it, with the output of --debug", BUG)


def _how_to_resume() -> str:
    words = [word for word in sys.argv[1:] if word != "--resume"]
    return f"If the run wrote a checkpoint (save_strategy), go on with its folder: train {' '.join(words)} --resume --out RUN"


def _stop(message: str, code: int) -> NoReturn:
    typer.echo(f"train: {message}", err=True)
    raise typer.Exit(code)


def main() -> None:
    """The console script."""
    app(prog_name="train")
