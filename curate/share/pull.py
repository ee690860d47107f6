"""A pull: one version as its tag on the Hub holds it, checked against its lock, whole or absent here.

What comes from there is hostile until checked: only the files that the lock names are asked for, under names that
were looked at, up to their sizes; no table is decoded.
"""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from curate.fingerprint import file_digest
from curate.progress import Steps
from curate.share.foreign_lock import ForeignError, ForeignLock, check_card, read_foreign_lock
from curate.share.hub import LOCK_BYTES, REPO, HubError, RefusedError, Remote, RemoteFile, ShareError
from curate.version import LOCK, Version
from curate.versions.publish import builder_lock
from curate.versions.seal import lock_digest
from distill.storing.segments import sync_folder

_REFERENCE = re.compile(rf"(?P<repo>{REPO.pattern})@(?P<tag>v[1-9][0-9]{{0,8}}|latest)", re.ASCII)
_TAG = re.compile(r"v[1-9][0-9]{0,8}", re.ASCII)


@dataclass(frozen=True)
class Pulled:
    """The version as it stands here."""

    version: Version
    made: bool
    """False if it stood here already."""


def split_reference(reference: str) -> tuple[str, str]:
    """Repository and tag of `org/name@v3` or `org/name@latest`.

    Example:
        >>> split_reference("org/name@v3")
        ('org/name', 'v3')

    Raises:
        ShareError: it is neither.
    """
    found = _REFERENCE.fullmatch(reference)
    if not found:
        raise ShareError(f"{reference!r} names no version on the Hub: write org/name@v3 or org/name@latest")
    return found["repo"], found["tag"]


def pull(remote: Remote, tag: str, root: Path, steps: Steps) -> Pulled:
    """The version stands under the root as on the Hub: the same bytes, the same digest.

    Args:
        tag: v3, or latest for the newest.

    Raises:
        ShareError: no such tag; says which there are.
        RefusedError: another version of that name and number stands here.
        ForeignError: what is there is no version, or not what its lock says.
        HubError: the Hub does not answer. Calling again goes on.
        BusyError: the dataset is being built.
    """
    tag, commit = _commit_of(remote, tag)
    files = remote.files(commit)
    lock, text = _lock(remote, commit, files, tag)
    with builder_lock(root / lock.name):
        final = root / lock.name / tag
        if final.exists():
            return _standing(Version(final), lock, remote)
        aside = root / lock.name / f".pulling-{tag}"
        _begin(aside, text)
        with steps.step(f"pulling {lock.name}@{tag}", sum(file.bytes for file in lock.files.values()), "bytes") as done:
            for name, facts in lock.files.items():
                _fetch(remote, name, commit, aside, facts.sha256)
                done(facts.bytes)
        _check(aside, lock)
        _publish(aside, final, lock, text)
    return Pulled(Version(final), made=True)


def _commit_of(remote: Remote, tag: str) -> tuple[str, str]:
    tags = {name: commit for name, commit in remote.tags().items() if _TAG.fullmatch(name)}
    if tag == "latest" and tags:
        tag = max(tags, key=lambda name: int(name[1:]))
    if tag not in tags:
        there = ", ".join(sorted(tags, key=lambda name: int(name[1:]))) or "no versions"
        raise ShareError(f"{remote.shown} has no {tag}. There are: {there}")
    return tag, tags[tag]


def _lock(remote: Remote, commit: str, files: dict[str, RemoteFile], tag: str) -> tuple[ForeignLock, bytes]:
    """The lock, looked at, and its text; the Hub lists every file of it at its size."""
    if LOCK not in files or files[LOCK].size > LOCK_BYTES:
        raise ForeignError(f"{remote.shown} at {tag} has no {LOCK}: it is no version of this software")
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        text = remote.fetch(LOCK, commit, Path(folder)).read_bytes()
    lock = read_foreign_lock(text, int(tag[1:]))
    wrong = [name for name, facts in lock.files.items() if name not in files or files[name].size != facts.bytes]
    if wrong:
        raise ForeignError(f"{remote.shown} at {tag} is not what its lock says: {', '.join(wrong[:5])}")
    if lock_digest(text) is None:
        raise ForeignError(f"{remote.shown} at {tag}: {LOCK} is not the text that was written (its seal does not fit)")
    return lock, text


def _standing(version: Version, lock: ForeignLock, remote: Remote) -> Pulled:
    same = (version.path / LOCK).is_file() and version.digest == lock.digest and version.seems_whole()
    if same:
        return Pulled(version, made=False)
    raise RefusedError(
        f"{version.path} stands already and is another version than that of {remote.shown}. Versions are never "
        "overwritten: pull into another folder (--root)."
    )


def _begin(aside: Path, lock: bytes) -> None:
    """The folder is there, with what an earlier call for the same lock brought; that of another lock is gone."""
    noted = aside / ".cache" / LOCK
    if aside.is_symlink() or (aside.exists() and not (noted.is_file() and noted.read_bytes() == lock)):
        aside.unlink() if aside.is_symlink() else shutil.rmtree(aside)
    noted.parent.mkdir(parents=True, exist_ok=True)
    noted.write_bytes(lock)


def _fetch(remote: Remote, name: str, commit: str, aside: Path, sha256: str) -> None:
    """The file lies in the folder, with the bytes of the lock."""
    file = aside / name
    if file.is_file() and file_digest(file) == sha256:
        return
    file.unlink(missing_ok=True)
    remote.fetch(name, commit, aside)
    if file_digest(file) != sha256:
        file.unlink()
        raise HubError(f"{name}: came as other bytes than the lock names. The same command asks again")


def _check(aside: Path, lock: ForeignLock) -> None:
    check_card(aside / "README.md")
    stray = [str(f.relative_to(aside)) for f in aside.rglob("*") if f.is_symlink()]
    if stray:
        raise ForeignError(f"links came with {lock.name}: {', '.join(stray[:5])}")


def _publish(aside: Path, final: Path, lock: ForeignLock, text: bytes) -> None:
    """The folder appears under its name, synced, with the lock in it and nothing else but the lock's files."""
    shutil.rmtree(aside / ".cache")
    for name in lock.files:
        _sync(aside / name)
        (aside / name).chmod(0o444 if name.endswith(".parquet") else 0o644)
    (aside / LOCK).write_bytes(text)
    _sync(aside / LOCK)
    Version(aside).check_files()
    for folder in {(aside / name).parent for name in (*lock.files, LOCK)}:
        sync_folder(folder)
    aside.rename(final)
    sync_folder(final.parent)


def _sync(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
