"""What a push would do, found out before anything is done: files, rows, licences, secrets, and what stands there."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from curate.look.prose import seen
from curate.look.show import views
from curate.share.hub import HOME, RefusedError, Remote, RemoteFile, State
from curate.share.secret_scan import MOST, Found
from curate.version import LOCK, Version

MANY_FILES = 100
"""The Hub advises fewer in one commit; more were seen to work."""


@dataclass(frozen=True)
class Plan:
    """A push, thought through. Nothing was changed for it."""

    version: Version
    remote: Remote
    public: bool
    state: State | None
    """What the repository showed; None makes a new one."""
    new: tuple[str, ...]
    replaced: tuple[str, ...]
    removed: tuple[str, ...]
    """Of an earlier version; its tag keeps them."""
    same: tuple[str, ...]
    holds: str | None
    """The version that `main` shows now."""
    tagged: bool
    """These rows stand under the version's tag already."""
    secrets: tuple[Found, ...]

    @property
    def tag(self) -> str:
        """v3"""
        return f"v{self.version.lock['version']}"

    @property
    def commits(self) -> bool:
        """Whether `main` is to change."""
        return not self.tagged and bool(self.new or self.replaced or self.removed)

    def check(self) -> None:
        """Passes if the push does no harm.

        Raises:
            RefusedError: secrets were found, or the repository is open to all and nobody said so.
        """
        if self.secrets:
            listed = "\n  ".join(found.text() for found in self.secrets[:MOST])
            more = "\n  ... and more" if len(self.secrets) > MOST else ""
            raise RefusedError(
                f"{self.version.name} holds {len(self.secrets)} secret(s); nothing was pushed:\n  {listed}{more}\n"
                "Make the keys invalid, take the rows out of their source (or drop them by a stage), and build again."
            )
        if self.state and not self.state.private and not self.public:
            raise RefusedError(f"{self.remote.shown} is public. Say --public to push {self.version.name} there.")

    def text(self) -> str:
        """For people: what goes where."""
        lock, remote = self.version.lock, self.remote
        sizes = [(name, lock["files"].get(name, {}).get("bytes", 0)) for name in (*self.new, *self.replaced)]
        files = f"{len(self.new)} new, {len(self.replaced)} replaced, {len(self.removed)} removed"
        lines = [
            f"{self.version.name} -> {remote.shown}, {self._visibility()}",
            *([f"your token goes to {remote.endpoint}, as HF_ENDPOINT says"] if remote.endpoint != HOME else []),
            f"files: {files}, {len(self.same)} there already; {_megabytes(sum(size for _, size in sizes))} to send",
            *([f"note: {len(self.new) + len(self.replaced)} files in one commit"] if self._is_large() else []),
            *(f"  {sign} {name}" for sign, names in self._changes() for name in names),
            "rows: " + ", ".join(f"{view} {self._rows(view):,}" for view in (*views(self.version), "rollouts")),
            *_licences(self.version),
            f"secrets: {len(self.secrets) or 'none'} found in {len(lock['files']) + 1} files",
            *(f"  {found.text()}" for found in self.secrets[:MOST]),
            *([f"main shows {self.holds} now"] if self.holds else []),
            self._ending(),
        ]
        return "\n".join(map(_line, lines))

    def _visibility(self) -> str:
        if self.state is None:
            return f"a new repository, {'public' if self.public else 'private'}"
        there = "private" if self.state.private else "public"
        return f"which is {there}" + (" and stays so" if self.public and self.state.private else "")

    def _changes(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        return ("+", self.new), ("~", self.replaced), ("-", self.removed)

    def _is_large(self) -> bool:
        return len(self.new) + len(self.replaced) > MANY_FILES

    def _rows(self, table: str) -> int:
        return sum(part["rows"] for part in self.version.lock["tables"][table].values())

    def _ending(self) -> str:
        if self.tagged:
            return f"{self.tag} stands there with the same rows: nothing to do"
        commit = "one commit on main" if self.commits else "main has these files"
        return f"{commit}, then read back, then the tag {self.tag}"


def plan_push(version: Version, remote: Remote, public: bool, secrets: tuple[Found, ...]) -> Plan:
    """What a push of the version would do. Reads the repository, changes nothing.

    Args:
        secrets: what a scan has found.

    Raises:
        DigestError: the version's own files are not those of its lock.
        RefusedError: the tag stands for other rows, or the repository holds another dataset.
        HubError: the Hub does not answer.
    """
    version.check_files()
    state = remote.state()
    files = state.files if state else {}
    held = remote.lock(state.head, files) if state else None
    if held and held.get("name") != version.lock["name"]:
        raise RefusedError(
            f"{remote.shown} holds {_named(held)}, and {version.name} is another dataset. "
            "Push it to a repository of its own."
        )
    tagged = _tagged(version, remote, state)
    ours = (*version.lock["files"], LOCK)
    same = tuple(name for name in ours if name in files and is_same(version.path / name, files[name]))
    return Plan(
        version=version,
        remote=remote,
        public=public,
        state=state,
        new=tuple(name for name in ours if name not in files),
        replaced=tuple(name for name in ours if name in files and name not in same),
        removed=tuple(sorted(_earlier(files, held, version) - set(ours))),
        same=same,
        holds=_named(held) if held else None,
        tagged=tagged,
        secrets=secrets,
    )


def is_same(file: Path, there: RemoteFile) -> bool:
    """Whether the Hub lists the file with our bytes: large files by sha256, others as git names them."""
    if file.stat().st_size != there.size:
        return False
    with file.open("rb") as opened:
        if there.sha256:
            return hashlib.file_digest(opened, "sha256").hexdigest() == there.sha256
        blob = hashlib.sha1(b"blob %d\0" % there.size, usedforsecurity=False)
        return hashlib.file_digest(opened, lambda: blob).hexdigest() == there.git_oid


def _tagged(version: Version, remote: Remote, state: State | None) -> bool:
    """Whether the version's tag stands there, for the same rows.

    Raises:
        RefusedError: it stands for other rows: a tag is never moved.
    """
    tag = f"v{version.lock['version']}"
    if state is None or tag not in state.tags:
        return False
    lock = remote.lock(state.tags[tag], remote.files(state.tags[tag])) or {}
    if (lock.get("name"), lock.get("digest")) == (version.lock["name"], version.digest):
        return True
    raise RefusedError(
        f"{remote.shown} has a tag {tag} already, with other rows (digest {str(lock.get('digest'))[:24]}, ours "
        f"{version.digest}). A tag is never moved: people may hold it. Build the next version and push that."
    )


def _earlier(files: dict[str, RemoteFile], held: dict[str, Any] | None, version: Version) -> set[str]:
    """Files of an earlier version. What its lock does not name stays, unless the card would load it as rows of ours."""
    named = set(held["files"]) if held and isinstance(held.get("files"), dict) else set()
    shards = re.compile(rf"(?:{'|'.join(map(re.escape, version.lock['tables']))})/(?:train|heldout)-[^/]*\.parquet")
    return {name for name in files if name in named or shards.fullmatch(name)}


def _licences(version: Version) -> list[str]:
    rows = version.table("problems").group_by("license").len("rows").sort("rows", "license", descending=[True, False])
    told = ", ".join(f"{name or 'not stated'} {n:,}" for name, n in rows.collect().iter_rows())
    teachers = version.table("rollouts").select(pl.col("teacher").unique().sort()).collect()["teacher"].to_list()
    by = ", ".join(teacher or "unknown" for teacher in teachers)
    whole = version.lock["manifest"].get("license")
    stated = f"licence of the whole: {whole}; of problems" if whole else "licences of problems"
    return [f"{stated}: {told or 'none'}", *([f"teachers (their terms may bind): {by}"] if by else [])]


def _named(lock: dict[str, Any]) -> str:
    return _line(f"{lock.get('name')}@v{lock.get('version')}")[:80]


def _line(text: str) -> str:
    """One line that gives a terminal no orders: names of teachers, licences and files are foreign."""
    return seen(text).replace("\n", " ")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
