"""The rows a trainer reads: one split of one view of one version, memory-mapped."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.version import Version, VersionError, open_version

if TYPE_CHECKING:
    from datasets import Dataset


@dataclass(frozen=True)
class View:
    """One split of one view, by name: nothing of it is read yet."""

    version: Version
    name: str
    split: str

    @property
    def facts(self) -> dict[str, Any]:
        """What the lock says of it: `rows`, `digest` (over the rows), `files`."""
        facts: dict[str, Any] = self.version.lock["tables"][self.name][self.split]
        return facts

    @property
    def files(self) -> list[str]:
        """Its parquet files, in order."""
        return [str(self.version.file(file["path"])) for file in self.facts["files"]]

    def other(self, split: str) -> "View | None":
        """The same view's other split; None where the version has no rows of it."""
        splits = self.version.lock["tables"][self.name]
        return View(self.version, self.name, split) if splits.get(split, {}).get("rows") else None

    def load(self, columns: list[str]) -> "Dataset":
        """These columns of all its rows, memory-mapped: memory stays flat as rows grow."""
        from datasets import load_dataset

        return load_dataset("parquet", data_files={self.split: self.files}, split=self.split, columns=columns)


def open_view(reference: str, view: str, root: Path | None = None) -> View:
    """The view that `v1`, `math@v1`, `math@v1:heldout` or a path names; the split is `train` unless it says another.

    Raises:
        VersionError: no such version, view or split, or a split without rows; says which there are.
        DigestError: the files are not those of the lock.
    """
    name, split = _split_of(reference)
    version = open_version(name, root)
    tables = version.lock["tables"]
    if view not in tables:
        raise VersionError(f"{version.name} has no view {view!r} to train on. It has: {', '.join(tables)}")
    if split not in tables[view]:
        raise VersionError(f"{version.name}: {view} has no split {split!r}. It has: {', '.join(tables[view])}")
    form = version.lock.get("manifest", {}).get("views", {}).get(view, {}).get("format", "trl")
    if form != "trl":
        raise VersionError(
            f"{version.name}: {view} is written as {form}, for others. Build it with views.{view}.format=trl to train"
        )
    if not tables[view][split]["rows"]:
        raise VersionError(
            f"{version.name}: {view}:{split} has no rows to train on. "
            f"The ledger of the version says why (curate show {version.name})"
        )
    version.check_files()
    return View(version, view, split)


def _split_of(reference: str) -> tuple[str, str]:
    # A folder may have a colon in its name; then it is the folder.
    name, colon, split = reference.rpartition(":")
    if not colon or Path(reference).exists():
        return reference, "train"
    return name, split
