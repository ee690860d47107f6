"""Makes a version appear: written aside, lock last, then one rename. One process builds a dataset at a time."""

import fcntl
import json
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from curate.fingerprint import file_digest, fingerprint
from curate.tables import Part
from curate.version import LOCK, Version, versions

LIBRARIES = ("cotillion", "datasets", "math-verify", "polars", "pyarrow", "sympy")


class BusyError(RuntimeError):
    """Another process builds this dataset."""


@dataclass(frozen=True)
class Table:
    """One table of a version, ready in the cache: a folder of parquet files and what they hold."""

    folder: Path
    parts: dict[str, Part]


@contextmanager
def builder_lock(folder: Path) -> Iterator[None]:
    """Holds the dataset's folder for one build. The lock dies with the process.

    Raises:
        BusyError: naming the process and machine that hold it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise BusyError(
                f"{folder.name} is being built by {holder}. Wait for it, or stop it and try again."
            ) from None
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        yield


def publish(
    folder: Path, tables: dict[str, Table], papers: Callable[[int], dict[str, str]], facts: dict[str, Any]
) -> Version:
    """The next version of the dataset in `folder`, from finished tables.

    Args:
        papers: gives, for the version's number, the texts beside the tables (README.md, ...) by name.
        facts: what else the lock says: name, fingerprint, manifest, sources, funnel, ...
    """
    for stale in folder.glob(".making-*"):
        shutil.rmtree(stale, ignore_errors=True)
    aside = Path(tempfile.mkdtemp(prefix=".making-", dir=folder))
    located = {name: _place(aside / name, table) for name, table in tables.items()}
    number = next_number(folder)
    for name, text in papers(number).items():
        (aside / name).write_text(text, encoding="utf-8")
    files = {
        str(path.relative_to(aside)): {"bytes": path.stat().st_size, "sha256": file_digest(path)}
        for path in sorted(aside.rglob("*"))
        if path.is_file()
    }
    lock = {
        **facts,
        "version": number,
        "digest": version_digest(tables),
        "tables": located,
        "files": files,
        "libraries": libraries(),
        "python": sys.version.split()[0],
    }
    _write_durably(aside / LOCK, json.dumps(lock, indent=1, ensure_ascii=False) + "\n")
    aside.chmod(0o755)
    final = folder / f"v{number}"
    aside.rename(final)
    _sync_folder(folder)
    return Version(final)


def next_number(folder: Path) -> int:
    """One more than the newest version's number."""
    found = versions(folder.parent, folder.name)
    return int(found[-1].path.name[1:]) + 1 if found else 1


def version_digest(tables: dict[str, Table]) -> str:
    """One digest over the row digests of all tables: what two builds are compared by."""
    rows = [
        [name, split, part.rows, part.digest]
        for name, t in sorted(tables.items())
        for split, part in sorted(t.parts.items())
    ]
    return fingerprint("version", rows)


def libraries() -> dict[str, str]:
    """Versions of what decides the rows; not part of any fingerprint, so that an upgrade shows as drift."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _place(folder: Path, table: Table) -> dict[str, Any]:
    """Links the table's files into the version under the names that `load_dataset` expects."""
    folder.mkdir()
    located: dict[str, Any] = {}
    for split, part in table.parts.items():
        files = []
        for number, file in enumerate(part.files):
            name = f"{folder.name}/{split}-{number:05d}-of-{len(part.files):05d}.parquet"
            source, target = table.folder / file.path, folder.parent / name
            try:
                target.hardlink_to(source)
            except OSError:  # another file system, or one without links
                shutil.copyfile(source, target)
            files.append({"path": name, "rows": file.rows})
        located[split] = {"rows": part.rows, "bytes": part.bytes, "digest": part.digest, "files": files}
    return located


def _write_durably(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
