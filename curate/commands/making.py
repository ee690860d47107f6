"""`curate check | plan | build | schema | gc`: a manifest becomes a version, and what no version needs goes."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from curate.exits import EXIT_CODES, DebugOption, RootOption, exits

# Every import below stays inside its command: `curate --help` answers before polars has loaded.

ManifestOption = Annotated[Path, typer.Option("--manifest", "-m", metavar="FILE", help="The manifest: one YAML file.")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one value: rollouts.sampling.n=16")
]


def check(
    what: Annotated[str, typer.Argument(metavar="M", help="A manifest, or a version such as math@v3.")],
    set_: SetOption = None,
    root: RootOption = None,
    debug: DebugOption = False,
) -> None:
    """Say every fault of a manifest and what it lacks here; or of a version: files, rows, ledger. Changes nothing."""
    with exits(debug):
        if what.endswith((".yaml", ".yml")) or Path(what).is_file():
            from curate.asking.ready import unready
            from curate.manifest import read_manifest
            from curate.reading.absent import absent
            from curate.recipes.order import check_order
            from curate.workers.launch import check_engine

            read = read_manifest(Path(what), set_ or [])
            check_order(read)
            check_engine(read)
            stages = len(read.problems) + len(read.verdicts) + len(read.tags)
            held = f"{len(read.sources)} source(s), {stages} stage(s), views: {', '.join(read.views)}"
            gone, mute = absent(read), unready(read)
            if gone or mute:
                typer.echo("\n- ".join([f"{what}: reads well ({held}), but cannot be built here:", *gone, *mute]))
                raise typer.Exit(EXIT_CODES["SourceError" if gone else "TeacherError"])
            typer.echo(f"{what}: fine. {held}")
        else:
            from curate.progress import Steps
            from curate.version import open_version
            from curate.versions.checks import check_version

            version = open_version(what, root)
            with Steps().step(f"checking {version.name}", None, "rows") as done:
                checked = check_version(version, done)
            typer.echo(f"{version.name}: fine. {checked.text()}")


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


def schema() -> None:
    """The JSON schema of manifests, for editors."""
    import json

    from curate.manifest import schema as manifest_schema

    typer.echo(json.dumps(manifest_schema(), indent=2, ensure_ascii=False))


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
