"""Finished stages that nothing needs any more are removed: never a version, never a paid reply.

A dataset's folder notes beside each version the keys of the stages that it was made of, and those of the build under
way or broken off. What no note names is free: it costs time to make again, and nothing else. Versions are left to
people: to remove one is to remove its folder, and the next `gc` takes the stages that only it needed.
"""

import fcntl
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from curate.version import NAME, Version, versions
from curate.versions.publish import BusyError

STAGES = ".stages"
_LATEST = ".stages-latest"
_KEY = re.compile(r"[0-9a-f]{24}")


@dataclass(frozen=True)
class Collected:
    """What went, or would go."""

    stages: int
    bytes: int
    """That no version shares."""
    kept: int
    dry_run: bool

    def text(self) -> str:
        """For people."""
        verb = "would free" if self.dry_run else "freed"
        return (
            f"{verb} {self.bytes / 1e6:,.1f} MB: {self.stages:,} finished stages that no version needs; "
            f"{self.kept:,} are needed. Versions and the rollout store are never touched"
        )


def collect(root: Path, dry_run: bool = False) -> Collected:
    """Removes the stages under the root that no standing version and no latest build was made of.

    Raises:
        BusyError: a build is running under this root.
    """
    with _alone(root):
        needed = _needed(root)
        there = [path for path in sorted((root / STAGES).glob("*")) if _KEY.fullmatch(path.name) and _is_folder(path)]
        free = [path for path in there if path.name not in needed]
        size = sum(_own_bytes(path) for path in free)
        for path in [] if dry_run else free:
            shutil.rmtree(path)
    return Collected(len(free), size, len(there) - len(free), dry_run)


@contextmanager
def stages_in_use(root: Path) -> Iterator[None]:
    """No stage under the root is removed meanwhile; many builds may hold this at once. Dies with the process."""
    with (root / f"{STAGES}.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def fresh_journal(folder: Path) -> Path:
    """Where the build of the dataset in this folder notes what it uses; empty."""
    journal = folder / _LATEST
    journal.write_text("")
    return journal


def close_journal(folder: Path, version: Version) -> None:
    """What the build used is noted as the version's."""
    (folder / _LATEST).replace(folder / f".stages-{version.path.name}")


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    if not root.is_dir():
        yield
        return
    with (root / f"{STAGES}.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(f"a build is running under {root}. Wait for it, then try again.") from None
        yield


def _needed(root: Path) -> set[str]:
    """Keys that a standing version or the latest build noted."""
    keys: set[str] = set()
    for folder in root.iterdir() if root.is_dir() else []:
        if not NAME.fullmatch(folder.name) or not _is_folder(folder):
            continue
        notes = [_LATEST, *(f".stages-{version.path.name}" for version in versions(root, folder.name))]
        for note in (folder / name for name in notes):
            keys |= set(note.read_text().split()) if note.is_file() else set()
    return keys


def _own_bytes(folder: Path) -> int:
    """Bytes of files that have no other name: tables are shared with the versions made of them."""
    facts = [path.stat() for path in folder.rglob("*") if path.is_file()]
    return sum(stat.st_size for stat in facts if stat.st_nlink == 1)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
