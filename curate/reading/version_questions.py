"""Questions of another version: all it kept (`math@v2`), its held-out problems (`math@v2:heldout`), a view's."""

import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from curate.reading.intake import SourceError
from curate.version import LOCK, DigestError, Version, VersionError, open_version

SPLITS = ("train", "heldout")

_NAMED = re.compile(r"[a-z0-9][a-z0-9._-]*@(?:v[1-9][0-9]*|latest)")
_PARTS = re.compile(r"(?::[A-Za-z0-9_-]+){0,2}")


@dataclass(frozen=True)
class Part:
    """What a reference names: a version, and which of its problems."""

    version: Version
    view: str | None
    """Only problems that stand in this view."""
    split: str | None
    """Only problems of this split."""

    @property
    def name(self) -> str:
        """`math@v2:rl:heldout`."""
        return ":".join(part for part in (self.version.name, self.view, self.split) if part)

    def state(self) -> dict[str, str]:
        """The version by number, and the digest over its rows."""
        return {"version": self.name, "digest": self.version.digest}

    def problems(self) -> pl.DataFrame:
        """`id`, `source_id`, `problem`, `answer`, in the version's order.

        Raises:
            SourceError: its files are not those of its lock.
        """
        try:
            self.version.check_files()
        except DigestError as error:
            raise SourceError(str(error)) from error
        rows = self.version.table("problems").filter(pl.col("drop_reason").is_null())
        if self.split:
            rows = rows.filter(pl.col("split") == self.split)
        if self.view:
            there = self.version.table(self.view)
            name = "problem_id" if "problem_id" in there.collect_schema().names() else "id"
            rows = rows.join(there.select(id=pl.col(name)).unique(), on="id", how="semi", maintain_order="left")
        return rows.select("id", pl.lit(None, pl.String).alias("source_id"), "problem", "answer").collect()


def is_version(reference: str) -> bool:
    """Whether a reference names a version, or its folder, with or without a view and a split.

    Example:
        >>> is_version("math@v2:heldout"), is_version("math500"), is_version("math500@5d2f1b"), is_version("a/b.jsonl")
        (True, False, False, False)
    """
    place, parts = _split(reference)
    named = _NAMED.fullmatch(place) is not None or ("/" in place and (Path(place) / LOCK).is_file())
    return named and _PARTS.fullmatch(parts) is not None


def find_part(reference: str, root: str | None) -> Part:
    """What a reference names, by the lock alone.

    Args:
        root: folder of the datasets; None means COTILLION_DATA, else `data` where you stand.

    Raises:
        SourceError: no such version, view or split; says which there are.
    """
    place, parts = _split(reference)
    try:
        version = open_version(place, root)
    except VersionError as error:
        raise SourceError(f"{reference}: {error}") from error
    named = [part for part in parts.split(":") if part]
    split = named.pop() if named and named[-1] in SPLITS else None
    views = [view for view in version.lock["manifest"]["views"] if view in version.lock["tables"]]
    if len(named) > 1 or not set(named) <= set(views):
        raise SourceError(
            f"{reference}: {version.name} has no view or split {':'.join(named)!r}. There are: "
            f"{', '.join((*views, *SPLITS))}"
        )
    return Part(version, named[0] if named else None, split)


def _split(reference: str) -> tuple[str, str]:
    """Version and what follows it; a folder may have a colon in its name."""
    if (Path(reference) / LOCK).is_file():
        return reference, ""
    folder, _, name = reference.rpartition("/")
    version, colon, parts = name.partition(":")
    return f"{folder}/{version}" if folder else version, colon + parts
