"""`--frozen`: a build that makes what a lock names, or nothing. Every drift from the lock is told, old -> new."""

from pathlib import Path
from typing import TYPE_CHECKING

from curate.changes.drift import Change, changes
from curate.version import LOCK, Version, VersionError, open_version, versions
from curate.versions.lock import decisions
from curate.versions.publish import Table, libraries

if TYPE_CHECKING:
    from curate.manifest import Manifest

DECIDING = ("cotillion", "math-verify", "polars", "pyarrow", "sympy")
"""Libraries that decide rows or their bytes. `datasets` only loads, and no row was ever seen to depend on Python."""


Parts = dict[str, tuple[int, str]]
"""Rows and row digest by split."""


class DriftError(ValueError):
    """What is to be built is not what the lock names."""


def frozen_to(manifest: Path, name: str, root: Path, said: str | None) -> Version:
    """The version whose lock holds: the one said, else the one that the manifest lies in, else the newest of its name.

    Raises:
        VersionError: there is none.
    """
    if said is not None:
        path = Path(said)
        return open_version(path.parent if path.name == LOCK else said, root)
    if (manifest.parent / LOCK).is_file():
        return Version(manifest.parent)
    if made := versions(root, name):
        return made[-1]
    raise VersionError(f"--frozen: {name} has no version under {root.absolute()} yet; say which lock holds with --lock")


def check_drift(version: Version, manifest: "Manifest", states: list[dict[str, str]]) -> None:
    """Passes if building the manifest here and now is building what the lock names.

    Raises:
        DriftError: with every drift: options, prompt, sampling, revisions and digests of sources, teacher, libraries.
        VersionError: the lock does not say enough to tell.
    """
    locked = version.lock
    if not isinstance(locked.get("decisions"), dict) or not isinstance(locked.get("libraries"), dict):
        raise VersionError(f"{version.path / LOCK} does not say what decided its rows: an older cotillion wrote it")
    found = changes(locked["decisions"], decisions(manifest, states))
    found += changes(_deciding(locked["libraries"]), _deciding(libraries()), "libraries")
    if found:
        raise DriftError(_told(version, found))


def check_tables(version: Version, tables: dict[str, Table]) -> None:
    """Passes if tables that were made have the rows that the lock names, in their order.

    Raises:
        DriftError: naming the first table that differs.
    """
    _check_rows(version, {n: {s: (p.rows, p.digest) for s, p in table.parts.items()} for n, table in tables.items()})


def check_standing(version: Version, other: Version) -> None:
    """Passes if a version that stands has the rows that the lock names.

    Raises:
        DriftError: naming the first table that differs.
    """
    _check_rows(version, _locked(other))


def _check_rows(version: Version, made: dict[str, Parts]) -> None:
    locked = _locked(version)
    first = [name for name in ("problems", "rollouts") if name in locked]
    for name in dict.fromkeys([*first, *made, *locked]):
        if (there := locked.get(name, {})) != (here := made.get(name, {})):
            raise DriftError(
                f"--frozen: {name} comes out otherwise than in {version.name}: {_rows(there)} there, {_rows(here)} "
                "here. Nothing was written. The recipe is the same: look at the rollout store."
            )


def _locked(version: Version) -> dict[str, Parts]:
    tables = version.lock["tables"].items()
    return {name: {split: (p["rows"], p["digest"]) for split, p in parts.items()} for name, parts in tables}


def _deciding(found: dict[str, str]) -> dict[str, str]:
    return {name: found[name] for name in DECIDING if name in found}


def _told(version: Version, found: list[Change]) -> str:
    listed = "\n  ".join(map(str, found))
    return (
        f"--frozen: this would not make {version.name} again:\n  {listed}\n"
        "Nothing was built. Without --frozen it becomes a new version."
    )


def _rows(parts: Parts) -> str:
    said = [f"{split} {rows:,} rows, digest {digest[:12]}" for split, (rows, digest) in parts.items()]
    return ", ".join(said) or "no such table"
