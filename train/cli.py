"""The command `train`. Nothing heavy is imported before a command runs."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from curate.exits import exits
from train.ladder.command import ladder

app = typer.Typer(no_args_is_help=True, add_completion=True, rich_markup_mode=None, pretty_exceptions_enable=False)
app.command()(ladder)

Data = Annotated[str, typer.Option(help="Version to train on: v1, math@v1, math@v1:heldout, or a path.")]
Root = Annotated[Path | None, typer.Option(help="Folder of the datasets. [default: COTILLION_DATA, else data]")]
Model = Annotated[str, typer.Option(help="tiny, a run folder, a folder of weights, or a name on the Hub.")]
Trained = Annotated[str, typer.Option(help="The trained student: a run folder, a folder of weights, or a Hub name.")]
Out = Annotated[Path | None, typer.Option(help="Run folder. [default: the next free one under runs]")]
Config = Annotated[Path | None, typer.Option(help="YAML of the fields of TRL's config, over the preset.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="One such field, over all else; lora.r=16 too.")
]
Steps = Annotated[int | None, typer.Option(min=1, help="Stop after so many optimizer steps.")]


def _accept(*findings: str) -> typer.models.OptionInfo:
    # The names stand in train.preflight*, whose import is dear here; a test holds these to those.
    found: typer.models.OptionInfo = typer.Option(
        metavar="FINDING", help=f"Train in spite of this finding of the preflight: {', '.join(findings)}."
    )
    return found


AcceptRows = Annotated[list[str] | None, _accept("cut", "empty", "split", "endless")]
AcceptPairs = Annotated[list[str] | None, _accept("cut", "split", "endless", "alike", "drift")]
AcceptPrompts = Annotated[list[str] | None, _accept("long", "settled")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint in --out.")]
Answers = Annotated[
    int | None, typer.Option(min=0, help="Held-out prompts to answer at the end. [default: 16 for tiny, else 0]")
]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]


@app.callback()
def train() -> None:
    """Train a small reasoning model on a dataset version, stage by stage."""


@app.command()
def midtrain(
    data: Data,
    root: Root = None,
    model: Model = "tiny",
    out: Out = None,
    config: Config = None,
    overrides: Set = None,
    max_steps: Steps = None,
    accept: AcceptRows = None,
    resume: Resume = False,
    answers: Answers = None,
    patience: Annotated[int, typer.Option(min=1, help="Evaluations without a lower held-out loss, then stop.")] = 3,
    view: Annotated[str, typer.Option(help="The view to read.")] = "midtrain",
    debug: Debug = False,
) -> None:
    """Stage 1: all verified rollouts, packed, until the held-out loss stops falling (TRL's SFTTrainer)."""
    with exits(debug):
        from train.midtrain import Midtrain

        given = _given(data, root, model, out, config, overrides, max_steps, accept, resume)
        Midtrain(**given, answers=answers, patience=patience, view=view)()


@app.command()
def sft(
    data: Data,
    root: Root = None,
    model: Model = "tiny",
    out: Out = None,
    config: Config = None,
    overrides: Set = None,
    max_steps: Steps = None,
    accept: AcceptRows = None,
    resume: Resume = False,
    answers: Answers = None,
    debug: Debug = False,
) -> None:
    """Stage 2: the small, hard set, one row per sequence, its end in the loss (TRL's SFTTrainer)."""
    with exits(debug):
        from train.sft import Sft

        given = _given(data, root, model, out, config, overrides, max_steps, accept, resume)
        Sft(**given, answers=answers)()


@app.command()
def dpo(
    data: Data,
    model: Trained,
    root: Root = None,
    out: Out = None,
    config: Config = None,
    overrides: Set = None,
    max_steps: Steps = None,
    accept: AcceptPairs = None,
    resume: Resume = False,
    debug: Debug = False,
) -> None:
    """Stage 3: correct rollouts against wrong ones of the same problem (TRL's DPOTrainer)."""
    with exits(debug):
        from train.dpo import Dpo

        Dpo(**_given(data, root, model, out, config, overrides, max_steps, accept, resume))()


@app.command()
def grpo(
    data: Data,
    model: Trained,
    root: Root = None,
    out: Out = None,
    config: Config = None,
    overrides: Set = None,
    max_steps: Steps = None,
    accept: AcceptPrompts = None,
    resume: Resume = False,
    debug: Debug = False,
) -> None:
    """Stage 4: RL with a verifiable reward, the paper's fixes as --set rl.rebalance=true (TRL's GRPOTrainer)."""
    with exits(debug):
        from train.grpo import Grpo

        Grpo(**_given(data, root, model, out, config, overrides, max_steps, accept, resume))()


@app.command("eval")
def eval_(
    model: Annotated[
        str, typer.Argument(help="A run folder, a folder of weights, org/name@COMMIT, or a server's model.")
    ],
    on: Annotated[str, typer.Option(help="Sets, with commas: math500, aime24, v3:heldout, mine.jsonl.")],
    k: Annotated[
        int | None, typer.Option("-k", min=1, help="Rollouts per problem. [default: 64 AIME, 8 others]")
    ] = None,
    engine: Annotated[str, typer.Option(help="transformers, vllm, or a server's URL.")] = "transformers",
    temperature: Annotated[float, typer.Option(min=0)] = 0.6,
    top_p: Annotated[float, typer.Option(min=0.01, max=1)] = 0.95,
    max_tokens: Annotated[int, typer.Option(min=1, help="Most tokens of a reply.")] = 32_768,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many problems of each set.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the rollouts.")] = 0,
    batch: Annotated[int, typer.Option(min=1, help="Rollouts drawn together by transformers.")] = 64,
    root: Root = None,
    out: Annotated[Path | None, typer.Option(help="Results. [default: eval in the run folder]")] = None,
    debug: Debug = False,
) -> None:
    """Measure a model on held-out problems: avg@k, pass@k, maj@k with intervals. Resumes by itself."""
    with exits(debug):
        from train.evaluate import Evaluate

        sets = tuple(name.strip() for name in on.split(",") if name.strip())
        Evaluate(model, sets, k, engine, temperature, top_p, max_tokens, limit, seed, batch, root, out)()


@app.command()
def compare(
    a: Annotated[Path, typer.Argument(help="An evaluated run folder.")],
    b: Annotated[Path, typer.Argument(help="Another one.")],
    debug: Debug = False,
) -> None:
    """The paired difference of two evaluated models, with its interval."""
    with exits(debug):
        from train.compare import compare as compared

        typer.echo(compared(a, b))


def _given(
    data: str,
    root: Path | None,
    model: str,
    out: Path | None,
    config: Path | None,
    overrides: list[str] | None,
    max_steps: int | None,
    accept: list[str] | None,
    resume: bool,
) -> dict[str, Any]:
    """The options of train.options.Options, as given on the command line."""
    # Idle threads sleep instead of spinning: where others use the same two cores, 12 steps took 19 s instead of 98 s.
    # OpenMP reads it once, when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    if not sys.stderr.isatty():
        os.environ.setdefault("TQDM_DISABLE", "1")  # TRL has bars of its own; tqdm reads this when it is imported
    steps = () if max_steps is None else (f"max_steps={max_steps}",)
    return {
        "data": data,
        "root": root,
        "model": model,
        "out": out,
        "config": config,
        "overrides": (*(overrides or ()), *steps),
        "accept": frozenset(accept or ()),
        "resume": resume,
    }


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
