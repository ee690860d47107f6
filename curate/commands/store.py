"""`curate store show | export | merge`: what was paid for, whatever was made of it since."""

from pathlib import Path
from typing import Annotated

import typer

from curate.exits import DebugOption, RootOption, exits

# Every import below stays inside its command: `curate --help` answers before polars has loaded.

store = typer.Typer(no_args_is_help=True, help="The rollouts that were paid for: look, export, merge.")


@store.command("show")
def show(root: RootOption = None, debug: DebugOption = False) -> None:
    """What each model was asked, what came of it, and what it took."""
    with exits(debug):
        from curate.version import ROLLOUTS, data_root
        from distill.storing.holdings import holdings, text

        folder = data_root(root) / ROLLOUTS
        typer.echo(text(folder, holdings(folder)))


@store.command("export")
def export(
    out: Annotated[Path, typer.Argument(metavar="OUT.parquet", help="Written anew.")],
    root: RootOption = None,
    debug: DebugOption = False,
) -> None:
    """Write every attempt with its request as one row of a parquet file, failed ones too."""
    _check_target(out)
    with exits(debug):
        from curate.version import ROLLOUTS, data_root
        from distill.store import Store

        rows = Store(data_root(root) / ROLLOUTS).export(out)
        typer.echo(f"{rows:,} attempts: {out}")


@store.command("merge")
def merge(
    others: Annotated[list[Path], typer.Argument(metavar="OTHER...", help="Data folders, or their rollout stores.")],
    root: RootOption = None,
    debug: DebugOption = False,
) -> None:
    """Take over what was paid for elsewhere. The others stay as they are; doing it twice changes nothing."""
    with exits(debug):
        from curate.version import ROLLOUTS, data_root
        from distill.store import Store

        folders = [_store_folder(other) for other in others]
        folder = data_root(root) / ROLLOUTS
        with Store(folder) as ours:
            taken = ours.merge(folders)
        typer.echo(f"{taken:,} new attempts taken over into {folder}")


def _check_target(out: Path) -> None:
    """The export may be written there.

    Raises:
        typer.BadParameter: it would replace something else than a parquet file, such as a manifest, or has no folder.
    """
    if out.suffix != ".parquet" or out.is_dir():
        raise typer.BadParameter(
            f"{out} is no place for it. Name a file that ends in .parquet", param_hint="OUT.parquet"
        )
    if not out.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {out.parent}. Make it first", param_hint="OUT.parquet")


def _store_folder(place: Path) -> Path:
    """The rollout store that is meant.

    Raises:
        FileNotFoundError: there is none.
    """
    from curate.version import ROLLOUTS
    from distill.storing.segments import current_files

    for folder in (place / ROLLOUTS, place):
        if current_files(folder):
            return folder
    raise FileNotFoundError(2, "no rollout store is here", str(place))
