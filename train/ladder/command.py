"""The command `train ladder`. Nothing heavy is imported before it runs."""

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from curate.exits import exits


def ladder(
    file: Annotated[Path | None, typer.Argument(help="The ladder file, such as manifests/ladder/cpu.yaml.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change one value: stages.grpo.set.max_steps=20"),
    ] = None,
    seeds: Annotated[str | None, typer.Option(help="Only these of the file's seeds, with commas.")] = None,
    controls: Annotated[str, typer.Option(help="all, none, or names with commas.")] = "all",
    stage: Annotated[
        str | None, typer.Option(help="Train this stage (or control) anew, and all that stand on it.")
    ] = None,
    on: Annotated[
        str, typer.Option(help="Sets to ask after every stage; while choices are made: validation.")
    ] = "heldout,validation",
    jobs: Annotated[int, typer.Option(min=1, help="Runs at a time, of different seeds or branches.")] = 1,
    root: Annotated[
        Path | None, typer.Option(help="Folder of the datasets. [default: COTILLION_DATA, else data]")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Runs, records and report. [default: runs/NAME]")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, say what would run; run nothing.")
    ] = False,
    schema: Annotated[bool, typer.Option("--schema", help="The JSON schema of ladder files, for your editor.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """All stages one after the other, measured after each, with controls, in one report. Resumes by itself."""
    with exits(debug, resume=shlex.join(["train", *_without_stage(sys.argv[1:])])):
        from train.ladder.file import read_ladder
        from train.ladder.file import schema as ladder_schema

        if schema:
            typer.echo(json.dumps(ladder_schema(), indent=2, ensure_ascii=False))
            return
        if file is None:
            raise typer.BadParameter("name a ladder file, such as manifests/ladder/cpu.yaml")
        from train.ladder.climb import Climb
        from train.ladder.processes import StepError

        chosen = {"all": None, "none": ()}.get(controls, _names(controls))
        wanted = None if seeds is None else _seeds(seeds)
        overrides = tuple(set_ or ())
        if dry_run:
            from train.ladder.dry import dry_run as planned

            typer.echo(planned(read_ladder(file, overrides), chosen, wanted, root, out, stage))
            return
        try:
            Climb(file, overrides, wanted, chosen, stage, _names(on), jobs, root, out)()
        except StepError as error:
            if debug:
                raise
            typer.echo(str(error), err=True)
            raise SystemExit(error.code) from None


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _seeds(text: str) -> tuple[int, ...]:
    names = _names(text)
    if not names or not all(name.isdigit() for name in names):
        raise typer.BadParameter(f"--seeds {text}: expected whole numbers with commas, such as 0,1,2")
    return tuple(map(int, names))


def _without_stage(words: list[str]) -> list[str]:
    """The command that goes on: with `--stage` it would train anew what it had trained."""
    kept, skip = [], False
    for word in words:
        if not skip and word != "--stage" and not word.startswith("--stage="):
            kept.append(word)
        skip = word == "--stage"
    return kept
