"""How a command ends: an error becomes its text and its exit code; and the options that every command has."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

EXIT_CODES = {
    "ManifestError": 2,
    "OrderError": 2,
    "PlugError": 2,
    "SourceError": 2,
    "ModelError": 2,
    "VersionError": 2,
    "ExportError": 2,
    "SiteError": 2,
    "ShareError": 2,
    "PlotError": 2,
    "SettingsError": 2,
    "EngineError": 2,
    "ForeignError": 3,
    "LeakError": 3,
    "LedgerError": 3,
    "MixError": 3,
    "DigestError": 3,
    "DriftError": 3,
    "PreflightError": 3,
    "RefusedError": 3,
    "LostReasoningError": 3,
    "TeacherError": 4,
    "HubError": 4,
    "BusyError": 5,
    "WorkerError": 1,
}
"""By class name, since importing the classes would import all that they stand beside."""

HINTS = {
    errno.ENOSPC: "Make room, or name another place (--root, --out), and run it again",
    errno.EDQUOT: "Make room, or name another place (--root, --out), and run it again",
    errno.EROFS: "Name a place that can be written to (--root, --out)",
    errno.EACCES: "Whose is it? Name a place that is yours (--root, --out), or ask for its permissions",
    errno.EPERM: "Whose is it? Name a place that is yours (--root, --out), or ask for its permissions",
    errno.ENOENT: "Is the path right? It is taken from where you stand; in a manifest, from the manifest's folder",
    errno.ENOTDIR: "A file stands where a folder should: is the path right (--root, --out)?",
    errno.EISDIR: "A folder stands where a file should: is the path right?",
}
"""What to do about the operating system's errors, by number."""

RootOption = Annotated[
    Path | None, typer.Option("--root", metavar="FOLDER", help="The data folder (else COTILLION_DATA, else data/).")
]
VersionArgument = Annotated[str, typer.Argument(help="v3, math@v3, math@latest, latest, or a version's folder.")]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


@contextmanager
def exits(debug: bool, resume: str | None = None) -> Iterator[None]:
    """Turns an error into its text on standard error and its exit code; a traceback only with `--debug`."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        # A training run says itself how it goes on; a build is given its command.
        again = f" Go on with: {resume}" if resume else f" {interrupt}".rstrip()
        typer.echo(f"\ninterrupted.{again}", err=True)
        raise SystemExit(130) from None
    except (SystemExit, typer.Exit, typer.BadParameter):
        raise
    except Exception as error:  # the one place that catches all: here an error becomes an exit code
        if debug:
            raise
        code, text = _told(error)
        if resume and getattr(error, "resumable", False):
            text += f"\nGo on with: {resume}"
        typer.echo(text, err=True)
        raise SystemExit(code) from None


def _told(error: Exception) -> tuple[int, str]:
    """The exit code, and what is said."""
    known = [EXIT_CODES[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in EXIT_CODES]
    if known:
        return known[0], str(error)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return 2, f"{where}{error.strerror}. {HINTS.get(error.errno or 0, 'Is the place right (--root, --out)?')}"
    return 1, f"{type(error).__name__}: {error}\nThis is a fault of ours; --debug shows where."
