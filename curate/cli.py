"""The command line: `curate check | plan | build | list | show | diff | explain | view | ...`."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from curate.exits import DebugOption, RootOption, exits
from curate.share.commands import pull, push
from curate.store_cli import store

# Every import below stays inside its command: `curate --help` answers before polars has loaded.

app = typer.Typer(no_args_is_help=True, add_completion=True, rich_markup_mode=None, pretty_exceptions_enable=False)
app.add_typer(store, name="store")
app.command()(push)
app.command()(pull)

ManifestOption = Annotated[Path, typer.Option("--manifest", "-m", metavar="FILE", help="The manifest: one YAML file.")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one value: rollouts.sampling.n=16")
]
VersionArgument = Annotated[str, typer.Argument(help="v3, math@v3, math@latest, latest, or a version's folder.")]


@app.command()
def check(
    what: Annotated[str, typer.Argument(metavar="M", help="A manifest, or a version such as math@v3.")],
    set_: SetOption = None,
    root: RootOption = None,
    debug: DebugOption = False,
) -> None:
    """Say every fault of a manifest, or of a version: files, rows, ledger, views. Changes nothing."""
    with exits(debug):
        if what.endswith((".yaml", ".yml")) or Path(what).is_file():
            from curate.asking.ready import unready
            from curate.manifest import read_manifest
            from curate.recipes.order import check_order
            from curate.workers.launch import check_engine

            read = read_manifest(Path(what), set_ or [])
            check_order(read)
            check_engine(read)
            stages = len(read.problems) + len(read.verdicts) + len(read.tags)
            typer.echo(
                f"{what}: fine. {len(read.sources)} source(s), {stages} stage(s), views: {', '.join(read.views)}"
            )
            for fault in unready(read):
                typer.echo(f"but here it cannot be built: {fault}")
        else:
            from curate.progress import Steps
            from curate.version import open_version
            from curate.versions.checks import check_version

            version = open_version(what, root)
            with Steps().step(f"checking {version.name}", None, "rows") as done:
                checked = check_version(version, done)
            typer.echo(f"{version.name}: fine. {checked.text()}")


@app.command()
def plan(
    manifest: ManifestOption,
    set_: SetOption = None,
    root: RootOption = None,
    pilot: Annotated[
        int, typer.Option(min=0, metavar="K", help="Draw the rollouts of K problems first, and project from them.")
    ] = 0,
    debug: DebugOption = False,
) -> None:
    """Say what a build would ask of the teacher, and what that will take. Asks nothing, but for the pilot."""
    with exits(debug):
        from curate.manifest import read_manifest
        from curate.planning.plan import plan_build
        from curate.progress import Steps
        from curate.version import data_root

        planned = plan_build(read_manifest(manifest, set_ or []), data_root(root), Steps(), pilot)
        typer.echo(planned.text())


@app.command()
def build(
    manifest: ManifestOption,
    set_: SetOption = None,
    root: RootOption = None,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Processes for row stages; the cores by default.")
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Whose workers do the work: local, ray, slurm. Options: --set engine.x=y"),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask no teacher: build from the rollout store, and say what is missing.")
    ] = False,
    frozen: Annotated[
        bool, typer.Option("--frozen", help="Make the rows that a lock names, or nothing; tell every drift from it.")
    ] = False,
    lock: Annotated[
        str | None,
        typer.Option(
            metavar="VERSION", help="With --frozen: whose lock; else the one beside the manifest, or the newest."
        ),
    ] = None,
    debug: DebugOption = False,
) -> None:
    """Make the next version of the manifest's dataset. Resumes by itself; does nothing if nothing changed."""
    with exits(debug, resume=shlex.join(["curate", *sys.argv[1:]])):
        from curate.build import build as build_version
        from curate.look.show import summary
        from curate.manifest import read_manifest
        from curate.progress import Steps
        from curate.version import data_root

        # First, so that --set may give it options.
        chosen = [f"engine={engine}"] if engine else []
        read, place = read_manifest(manifest, [*chosen, *(set_ or [])]), data_root(root)
        held = None
        if frozen or lock:
            from curate.changes.frozen import frozen_to

            held = frozen_to(manifest, read.name, place, lock)
        outcome = build_version(read, place, Steps(), workers, offline, held)
        typer.echo(f"{outcome.text()}: {outcome.version.path}\n")
        typer.echo(summary(outcome.version))


@app.command("list")
def list_(root: RootOption = None, debug: DebugOption = False) -> None:
    """The datasets and their versions."""
    with exits(debug):
        from curate.look.show import version_list
        from curate.version import data_root

        typer.echo(version_list(data_root(root)))


@app.command()
def show(
    version: VersionArgument = "latest",
    balance: Annotated[
        bool, typer.Option("--balance", help="Problems by source, domain and level instead of the funnel.")
    ] = False,
    root: RootOption = None,
    debug: DebugOption = False,
) -> None:
    """The funnel of a version, its views, and where it lies; or how its problems are balanced."""
    with exits(debug):
        from curate.look.show import summary
        from curate.version import open_version

        shown = open_version(version, root)
        if balance:
            from curate.look.balance import balance_text

            typer.echo(balance_text(shown))
        else:
            typer.echo(summary(shown))


@app.command()
def diff(
    before: Annotated[str, typer.Argument(metavar="OLD", help="v2, math@v2, or a version's folder.")],
    after: Annotated[str, typer.Argument(metavar="NEW", help="The version that is compared with it.")] = "latest",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the report (.md), or every changed row (.parquet).")
    ] = None,
    root: RootOption = None,
    debug: DebugOption = False,
) -> None:
    """What differs between two versions: rows, verdicts, counts, and what in the manifest made the difference."""
    with exits(debug):
        from curate.changes.compare import compare
        from curate.version import open_version

        difference = compare(open_version(before, root), open_version(after, root))
        if out is None:
            typer.echo(difference.text())
        else:
            difference.write(out)
            typer.echo(f"{difference.before.name} -> {difference.after.name}: {out}")


@app.command()
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


@app.command()
def explain(
    row: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="The id of a problem or rollout (or how it begins), or a problem's source_id."
        ),
    ],
    version: Annotated[str | None, typer.Argument(help="Where to look; else in the newest of each dataset.")] = None,
    root: RootOption = None,
    debug: DebugOption = False,
) -> None:
    """The story of one row: where it came from, what was found, what became of it."""
    with exits(debug):
        from curate.look.story import story
        from curate.version import data_root, newest, open_version

        places = [open_version(version, root)] if version else newest(data_root(root))
        typer.echo(story(places, row))


@app.command()
def hits(
    version: VersionArgument = "latest",
    shown: Annotated[int, typer.Option(min=0, metavar="N", help="How many are shown with both texts.")] = 10,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all of them: .parquet, .jsonl or .csv.")
    ] = None,
    root: RootOption = None,
    debug: DebugOption = False,
) -> None:
    """Every problem that a benchmark asks: both texts, the rule, the benchmark, and whether it was dropped."""
    with exits(debug):
        from curate.alike.hits import report, write
        from curate.version import open_version

        place = open_version(version, root)
        typer.echo(report(place, shown) if out is None else f"{write(place, out):,} problems: {out}")


@app.command()
def card(version: VersionArgument = "latest", root: RootOption = None, debug: DebugOption = False) -> None:
    """The dataset card of a version."""
    with exits(debug):
        from curate.version import open_version

        typer.echo((open_version(version, root).path / "README.md").read_text(encoding="utf-8"))


@app.command()
def view(
    version: VersionArgument = "latest",
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the pages go.")] = Path("site"),
    problems: Annotated[int, typer.Option(min=0, metavar="N", help="How many problems are drawn by chance.")] = 500,
    all_: Annotated[bool, typer.Option("--all", help="Show every problem.")] = False,
    root: RootOption = None,
    debug: DebugOption = False,
) -> None:
    """Write a version as static pages: funnel, verdicts, charts, problems with their rollouts. No script in them."""
    with exits(debug):
        from curate.counts import counted
        from curate.look.viewer import write_site
        from curate.progress import Steps
        from curate.version import open_version

        site = write_site(open_version(version, root), out, Steps(), problems, all_)
        typer.echo(f"{counted(site.problems, 'problem')} on {counted(site.pages, 'page')}. Open {site.index.as_uri()}")


@app.command()
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


@app.command()
def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; remove nothing.")] = False,
    root: RootOption = None,
    debug: DebugOption = False,
) -> None:
    """Remove finished stages that no version that stands, and no build under way, was made of. Costs time only."""
    with exits(debug):
        from curate.version import data_root
        from curate.versions.gc import collect

        typer.echo(collect(data_root(root), dry_run).text())


@app.command()
def schema() -> None:
    """The JSON schema of manifests, for editors."""
    import json

    from curate.manifest import schema as manifest_schema

    typer.echo(json.dumps(manifest_schema(), indent=2, ensure_ascii=False))


def main() -> None:
    """The console script `curate`."""
    app(prog_name="curate")
