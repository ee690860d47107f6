"""Versions: `name@v3` is a folder under the data root, whole or absent, described by its lock and never changed."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl  # a quarter of a second that opening a version needs not wait for

    from curate.changes.compare import Diff
    from curate.look.notebook import ProblemView
    from curate.look.plots import Plots

LOCK = "lock.json"
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_FILE = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}/)?[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_REFERENCE = re.compile(rf"(?:(?P<name>{NAME.pattern})@)?(?P<version>v[1-9][0-9]*|latest)")


class VersionError(ValueError):
    """No such version, or the name says too little."""


class DigestError(ValueError):
    """The files of a version are not those its lock names."""


@dataclass(frozen=True, repr=False)
class Version:
    """One dataset version on disk. Its tables are lazy frames: `v.sft`, `v.problems`, `v.rollouts`, `v.ledger`.

    Of a view that is the train split; `v.table("sft", "heldout")` gives the rows kept out of training.
    """

    path: Path

    @cached_property
    def lock(self) -> dict[str, Any]:
        """What made this version, and what it is made of."""
        try:
            lock: dict[str, Any] = json.loads((self.path / LOCK).read_text(encoding="utf-8"))
        except ValueError as error:
            raise VersionError(f"{self.path / LOCK} is damaged ({error}). Remove the folder and build again.") from None
        return lock

    @property
    def name(self) -> str:
        """`math@v3`."""
        return f"{self.lock['name']}@v{self.lock['version']}"

    @property
    def digest(self) -> str:
        """sha256 over the row digests of all tables: equal rows, equal digest, whatever wrote the files."""
        return str(self.lock["digest"])

    def table(self, name: str, split: str | None = None) -> "pl.LazyFrame":
        """The rows of one table, of both splits unless one is named.

        Raises:
            VersionError: the version has no such table or split; says which there are.
        """
        tables = self.lock["tables"]
        if name not in tables:
            raise VersionError(f"{self.name} has no table {name!r}. There are: {', '.join(tables)}")
        if split is not None and split not in tables[name]:
            raise VersionError(f"{self.name}: {name} has no split {split!r}. There are: {', '.join(tables[name])}")
        parts = tables[name] if split is None else {split: tables[name][split]}
        files = [self.file(file["path"]) for part in parts.values() for file in part["files"]]
        import polars as pl

        # Not as patterns: `[` and `*` may stand in the name of a folder.
        return pl.scan_parquet(files, glob=False)

    def file(self, name: str) -> Path:
        """The path of a file that the lock names: inside this folder, and no link. A lock may be a stranger's.

        Raises:
            DigestError: it leads anywhere else.
        """
        if not isinstance(name, str) or not _FILE.fullmatch(name):
            raise DigestError(f"{self.path / LOCK} names {name!r:.100}, which is no file of a version")
        path = self.path / name
        if path.is_symlink() or (path.parent != self.path and path.parent.is_symlink()):
            raise DigestError(f"{path}: a link; the files of a version lie in its folder")
        return path

    @property
    def plot(self) -> "Plots":
        """Charts: `v.plot.pass_rate()`, `.lengths()`, `.funnel()`, `.domains()`."""
        from curate.look.plots import Plots

        return Plots(self)

    def problem(self, row: str) -> "ProblemView":
        """One problem with its rollouts, by its id or how that begins, its `source_id`, or the id of a rollout.

        Raises:
            VersionError: no problem of that name, or several.
        """
        from curate.look.notebook import problem_view

        return problem_view(self, row)

    def diff(self, earlier: "Version | str | Path") -> "Diff":
        """What this version changed since another: `v.diff("v2")`, of this dataset unless it says another name.

        Raises:
            VersionError: nothing of that name.
        """
        from curate.changes.compare import compare

        return compare(earlier if isinstance(earlier, Version) else self._neighbour(earlier), self)

    def _neighbour(self, reference: str | Path) -> "Version":
        """The version that is meant from here: `v2` is one of this dataset, in this folder."""
        if _REFERENCE.fullmatch(str(reference)) and "@" not in str(reference):
            reference = f"{self.path.absolute().parent.name}@{reference}"
        return open_version(reference, self.path.absolute().parent.parent)

    def _repr_html_(self) -> str:
        from curate.look.notebook import version_html

        return version_html(self)

    def __repr__(self) -> str:
        from curate.look.show import summary

        try:
            return summary(self)
        except (OSError, VersionError, KeyError):  # a folder that is damaged or gone is shown by its place
            return f"Version({str(self.path)!r})"

    def __getattr__(self, name: str) -> "pl.LazyFrame":
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self.lock["tables"]:
            raise AttributeError(f"{self.name} has no table {name!r}. There are: {', '.join(self.lock['tables'])}")
        return self.table(name, "train")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.lock["tables"]]

    def seems_whole(self) -> bool:
        """Whether every file is there at its size: a look that costs nothing, where `check_files` reads everything."""
        files = [(self.file(name), facts["bytes"]) for name, facts in self.lock["files"].items()]
        return all(path.is_file() and path.stat().st_size == size for path, size in files)

    def check_files(self) -> None:
        """Every file is the one that the lock names, and there is no other.

        Raises:
            DigestError: with every file that is missing, changed, added, or a link.
        """
        from curate.fingerprint import file_digest
        from curate.versions.seal import lock_digest

        sound = lock_digest((self.path / LOCK).read_bytes()) is not None
        faults = [] if sound else [f"{LOCK}: not the bytes that were written (its seal does not fit)"]
        for name, facts in self.lock["files"].items():
            try:
                file = self.file(name)
            except DigestError as fault:
                faults.append(str(fault))
                continue
            if not file.is_file():
                faults.append(f"{name}: missing")
            elif file.stat().st_size != facts["bytes"] or file_digest(file) != facts["sha256"]:
                faults.append(f"{name}: not the bytes that the lock names")
        inside = [file for file in self.path.rglob("*") if file.is_symlink() or not file.is_dir()]
        present = {str(file.relative_to(self.path)) for file in inside}
        faults += [f"{name}: not named in the lock" for name in sorted(present - set(self.lock["files"]) - {LOCK})]
        if faults:
            listed = "\n  ".join(faults)
            raise DigestError(
                f"{self.name} is not what its lock says:\n  {listed}\nBuilding its manifest makes a new one."
            )


ROLLOUTS = ".rollouts"
"""Of a data folder: the store of what was paid for, shared by its datasets."""


def data_root(root: Path | str | None = None) -> Path:
    """`root`, else the environment variable COTILLION_DATA, else `data` where you stand."""
    return Path(root or os.environ.get("COTILLION_DATA") or "data")


def versions(root: Path, name: str) -> list[Version]:
    """The dataset's versions, oldest first. A folder without a lock is none."""
    found = [
        path
        for path in (root / name).glob("v*")
        if re.fullmatch(r"v[1-9][0-9]*", path.name) and (path / LOCK).is_file()
    ]
    return [Version(path) for path in sorted(found, key=lambda path: int(path.name[1:]))]


def datasets(root: Path) -> Iterator[str]:
    """Names of the datasets under the root that have a version."""
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        if folder.is_dir() and NAME.fullmatch(folder.name) and versions(root, folder.name):
            yield folder.name


def newest(root: Path) -> list[Version]:
    """The newest version of every dataset under the root."""
    return [versions(root, name)[-1] for name in datasets(root)]


def open_version(reference: str | Path, root: Path | str | None = None) -> Version:
    """The version that `v3`, `math@v3`, `math@latest`, `latest` or a path to its folder names.

    Raises:
        VersionError: nothing of that name, or several datasets that it could mean; says which there are.
    """
    folder = Path(reference)
    if (folder / LOCK).is_file():
        return Version(folder)
    root = data_root(root)
    match = _REFERENCE.fullmatch(str(reference))
    if not match:
        meant = f"{reference}@latest" if str(reference) in datasets(root) else "v3, math@v3, math@latest or a folder"
        raise VersionError(f"{str(reference)!r} names no version: write {meant}")
    name = match["name"] or _only_dataset(root, str(reference))
    found = versions(root, name)
    if not found:
        there = ", ".join(datasets(root)) or "none yet (curate build -m MANIFEST makes one)"
        raise VersionError(
            f"no dataset {name!r} under {root.absolute()} (--root says where; in a stage its option root). "
            f"There are: {there}"
        )
    if match["version"] == "latest":
        return found[-1]
    for version in found:
        if version.path.name == match["version"]:
            return version
    raise VersionError(f"{name} has no {match['version']}. There are: {', '.join(v.path.name for v in found)}")


def _only_dataset(root: Path, reference: str) -> str:
    names = list(datasets(root))
    if len(names) == 1:
        return names[0]
    if not names:
        raise VersionError(f"no dataset under {root.absolute()}: curate build -m MANIFEST makes one (or give --root)")
    raise VersionError(f"{reference!r} could mean any of: {', '.join(f'{name}@{reference}' for name in names)}")
