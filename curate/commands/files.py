"""`curate export | verify`: files, made of a version or judged as they lie there."""

from pathlib import Path
from typing import Annotated

import typer

from curate.exits import DebugOption, RootOption, VersionArgument, exits

# Every import below stays inside its command: `curate --help` answers before polars has loaded.


def export(
    version: VersionArgument,
    table: Annotated[str, typer.Argument(help="A view, or problems, rollouts, ledger.")],
    to: Annotated[str, typer.Option(metavar="PATH", help="A .jsonl or .parquet file, or a folder.")],
    format_: Annotated[
        str | None,
        typer.Option("--format", metavar="NAME", help="trl, openr1, openthoughts, sharegpt or alpaca; else as it is."),
    ] = None,
    split: Annotated[str | None, typer.Option(help="train or heldout; a file holds train, a folder both.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what stands there.")] = False,
    root: RootOption = None,
    debug: DebugOption = False,
) -> None:
    """Write one table of a version for others to read. The file appears whole, or not at all."""
    with exits(debug):
        from typing import cast

        from curate.progress import Steps
        from curate.version import open_version
        from curate.versions.exports import ExportFormat
        from curate.versions.exports import export as export_table

        with Steps().step(f"export {table}", None, "rows") as done:
            form = cast("ExportFormat | None", format_)  # it says which there are
            written = export_table(open_version(version, root), table, to, form, split, force, done)
        typer.echo(written.text())


def verify(
    file: Annotated[Path, typer.Argument(help="A file of rollouts: jsonl, json, csv or parquet, also .gz or .zst.")],
    rollouts: Annotated[str | None, typer.Option(metavar="COLUMN", help="Replies: one, or a list of them.")] = None,
    answer: Annotated[str | None, typer.Option(metavar="COLUMN", help="Gold answers.")] = None,
    problem: Annotated[str | None, typer.Option(metavar="COLUMN", help="Questions.")] = None,
    labels: Annotated[str | None, typer.Option(metavar="COLUMN", help="The file's own verdicts.")] = None,
    finish_reasons: Annotated[str | None, typer.Option(metavar="COLUMN", help="Why each reply ended.")] = None,
    tolerance: Annotated[float, typer.Option(min=0, help="Relative difference at which numbers are equal.")] = 0.0,
    out: Annotated[Path | None, typer.Option(help="Write one row per rollout here (parquet).")] = None,
    disagreements: Annotated[int, typer.Option(min=0, help="List so many where label and verdict differ.")] = 20,
    debug: DebugOption = False,
) -> None:
    """Judge the rollouts in a file and compare with its own labels. Columns are guessed unless named."""
    with exits(debug):
        from curate.progress import Steps
        from curate.regrade import regrade
        from verify import Policy

        given = {"rollouts": rollouts, "answer": answer, "problem": problem, "labels": labels}
        given["finish_reasons"] = finish_reasons
        named = {ours: theirs for ours, theirs in given.items() if theirs}
        with Steps().step(file.name, None, "rollouts") as done:
            report = regrade(file, named, Policy(tolerance=tolerance), out, disagreements, done)
        typer.echo(report.text())
