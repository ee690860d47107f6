"""`curate list | show | explain | card | view | diff | hits`: what a version is, and what it says of its rows."""

from pathlib import Path
from typing import Annotated

import typer

from curate.exits import DebugOption, RootOption, VersionArgument, exits

# Every import below stays inside its command: `curate --help` answers before polars has loaded.


def list_(root: RootOption = None, debug: DebugOption = False) -> None:
    """The datasets and their versions."""
    with exits(debug):
        from curate.look.show import version_list
        from curate.version import data_root

        typer.echo(version_list(data_root(root)))


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


def card(version: VersionArgument = "latest", root: RootOption = None, debug: DebugOption = False) -> None:
    """The dataset card of a version."""
    with exits(debug):
        from curate.version import open_version

        typer.echo((open_version(version, root).path / "README.md").read_text(encoding="utf-8"))


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
