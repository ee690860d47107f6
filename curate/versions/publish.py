"""Makes a version appear: written aside, lock last, then one rename. One process builds a dataset at a time."""

import fcntl
import json
import os
import re
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TextIO

from curate.fingerprint import file_digest, fingerprint
from curate.tables import Part
from curate.version import LOCK, Version
from curate.versions.seal import SEAL, sealed
from distill.storing.segments import sync_folder

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
            raise BusyError(
                f"{folder.name} is being built by {_holder(file)}. Wait for it, or stop it and try again."
            ) from None
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        yield


def _holder(file: TextIO) -> str:
    """Who holds the lock. It writes its name just after it took it: before that, the last one's stands there."""
    for _ in range(20):
        file.seek(0)
        said = file.read().strip()
        named = re.fullmatch(r"process (\d+) on (.+)", said)
        if named and (named[2] != socket.gethostname() or Path(f"/proc/{named[1]}").is_dir()):
            return said
        time.sleep(0.05)
    return "another process"


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
    texts = papers(number)
    for name, text in texts.items():
        _write_durably(aside / name, text)
    files = {name: {"bytes": (aside / name).stat().st_size, "sha256": file_digest(aside / name)} for name in texts}
    files |= {f["path"]: {"bytes": f.pop("bytes"), "sha256": f.pop("sha256")} for f in _files(located)}
    lock = {
        **facts,
        "version": number,
        "digest": version_digest(tables),
        "tables": located,
        "files": dict(sorted(files.items())),
        "libraries": libraries(),
        "python": sys.version.split()[0],
        SEAL: "",
    }
    _write_durably(aside / LOCK, sealed(json.dumps(lock, indent=1, ensure_ascii=False) + "\n"))
    aside.chmod(0o755)
    final = folder / f"v{number}"
    for inner in (*(aside / name for name in tables), aside):
        sync_folder(inner)
    aside.rename(final)
    sync_folder(folder)
    return Version(final)


def next_number(folder: Path) -> int:
    """One more than the highest number that is taken, by a version or by anything else of such a name."""
    taken = [int(path.name[1:]) for path in folder.glob("v*") if re.fullmatch(r"v[1-9][0-9]*", path.name, re.ASCII)]
    return max(taken, default=0) + 1


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
            files.append({**asdict(file), "path": name})
        located[split] = {"rows": part.rows, "bytes": part.bytes, "digest": part.digest, "files": files}
    return located


def _files(located: dict[str, Any]) -> list[dict[str, Any]]:
    return [file for splits in located.values() for part in splits.values() for file in part["files"]]


def _write_durably(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o444)
