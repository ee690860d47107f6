"""A lock that somebody else wrote: nothing it says is a path, a name or a number before it was looked at."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from curate.recipes.yaml_lines import YamlError, parse
from curate.tables import File, Part
from curate.version import NAME
from curate.versions.publish import Table, version_digest

PAPERS = ("README.md", "manifest.yaml", "LICENSES.md")
_SHARD = re.compile(rf"(?P<table>{NAME.pattern})/(?P<split>train|heldout)-[0-9]{{5}}-of-[0-9]{{5}}\.parquet", re.ASCII)
_CARD_FILES = re.compile(rf"{NAME.pattern}/(?:train|heldout)-\*\.parquet", re.ASCII)

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, le=10**15)]


class ForeignError(ValueError):
    """Not a lock or a card of ours: what it says could do harm, or does not fit together."""


@dataclass(frozen=True)
class _Bytes:
    __pydantic_config__ = ConfigDict(strict=True)
    bytes: Count
    sha256: Sha256


@dataclass(frozen=True)
class _Shard:
    __pydantic_config__ = ConfigDict(strict=True)
    path: str
    rows: Count


@dataclass(frozen=True)
class _Split:
    __pydantic_config__ = ConfigDict(strict=True)
    rows: Count
    bytes: Count
    digest: Sha256
    files: list[_Shard]


@dataclass(frozen=True)
class ForeignLock:
    """What must stand in a lock before files are asked for; the rest of it is facts for people."""

    __pydantic_config__ = ConfigDict(strict=True, extra="ignore")
    name: str
    version: Annotated[int, Field(ge=1, le=10**9)]
    digest: str
    fingerprint: str
    manifest: dict[str, Any]
    sources: list[dict[str, Any]]
    funnel: list[dict[str, Any]]
    libraries: dict[str, str]
    no_reply: Count
    tables: dict[str, dict[str, _Split]]
    files: dict[str, _Bytes]


def read_foreign_lock(text: bytes, version: int) -> ForeignLock:
    """The lock, with names that are plain and files that lie where a version's files lie.

    Args:
        version: the number that its tag promises.

    Raises:
        ForeignError: it is damaged, promises another version, or names a file anywhere else.
    """
    try:
        lock = TypeAdapter(ForeignLock).validate_json(text)
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"])[:100]
        raise ForeignError(f"lock.json is no lock of a version: {_shown(place)}: {first['msg']}") from None
    faults = list(_faults(lock, version))
    if faults:
        raise ForeignError("lock.json is refused: " + "; ".join(faults[:5]))
    return lock


def check_card(card: Path) -> None:
    """Passes if the card names files of its own folder alone: `load_dataset` follows it wherever it leads.

    Raises:
        ForeignError: a path outside, an address, or front matter that cannot be read.
    """
    from huggingface_hub.repocard import REGEX_YAML_BLOCK  # what `load_dataset` takes for front matter

    raw = card.read_bytes().decode("utf-8", "replace")
    # A lone carriage return is a new line for some readers and none for others.
    heads = [REGEX_YAML_BLOCK.search(text) for text in (raw, re.sub(r"\r\n?", "\n", raw))]
    for path in (path for head in heads if head for path in _data_files(_parsed(head[2]))):
        if not _CARD_FILES.fullmatch(path):
            raise ForeignError(f"README.md: its front matter names files elsewhere: {_shown(path)}")


def _parsed(head: str) -> Any:
    try:
        return parse(head).data
    except YamlError as fault:
        raise ForeignError(f"README.md: its front matter cannot be read ({fault.text})") from None


def _faults(lock: ForeignLock, version: int) -> Iterator[str]:
    if not NAME.fullmatch(lock.name):
        yield f"name {_shown(lock.name)} is none"
    if lock.version != version:
        yield f"it is of v{lock.version}, the tag says v{version}"
    shards = [
        (table, split, file.path)
        for table, parts in lock.tables.items()
        for split, part in parts.items()
        for file in part.files
    ]
    for table, split, path in shards:
        named = _SHARD.fullmatch(path)
        if not named or (named["table"], named["split"]) != (table, split):
            yield f"{_shown(path)} is no file of {_shown(table)}"
    named_twice = {path for _, _, path in shards}
    for path in sorted(set(lock.files) ^ (named_twice | set(PAPERS))):
        yield f"{_shown(path)} is no file of a version, or is named in one place only"
    if len(shards) != len(named_twice):
        yield "a file stands in two tables"
    if not {"problems", "rollouts", "ledger"} <= set(lock.tables):
        yield "a table is missing (problems, rollouts, ledger)"
    if lock.digest != _digest(lock):
        yield "its digest is not that of its tables"
    if any(_is_unseen(text) for text in _texts([lock.manifest, lock.sources, lock.funnel, lock.libraries])):
        yield "it holds control characters"


def _digest(lock: ForeignLock) -> str:
    parts = {
        table: {
            split: Part(part.rows, part.digest, part.bytes, tuple(File(f.path, f.rows, 0, "") for f in part.files))
            for split, part in splits.items()
        }
        for table, splits in lock.tables.items()
    }
    return version_digest({table: Table(Path(), splits) for table, splits in parts.items()})


def _data_files(head: Any) -> Iterator[str]:
    """Every value below a key `data_files` or `data_dir` that could be a path."""
    if isinstance(head, dict):
        for key, value in head.items():
            if key in ("data_files", "data_dir"):
                yield from _paths(value)
            else:
                yield from _data_files(value)
    elif isinstance(head, list):
        for value in head:
            yield from _data_files(value)


def _paths(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key != "split":
                yield from _paths(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _paths(inner)
    else:
        yield str(value)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in (*value.keys(), *value.values()) if isinstance(value, dict) else value:
            yield from _texts(inner)


def _is_unseen(text: str) -> bool:
    return any(unicodedata.category(sign) == "Cc" and sign not in "\n\t\r" for sign in text)


def _shown(text: str) -> str:
    """One short line without control characters."""
    return repr(text if len(text) <= 60 else f"{text[:60]}...")
