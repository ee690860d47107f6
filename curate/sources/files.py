"""Problems, and rollouts where there are some, from files on this machine."""

import difflib
import glob
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated, BinaryIO

from pydantic import Field

from curate.fingerprint import file_digest
from curate.plug import ManifestPath
from curate.reading.intake import Columns, Intake, SourceError
from curate.reading.readers import File, read_files, suffixes


@dataclass(frozen=True)
class Files:
    """Reads JSON lines, JSON, CSV, TSV and parquet, each plain, .gz or .zst."""

    path: Annotated[tuple[ManifestPath, ...], Field(min_length=1)] | ManifestPath
    """One path or glob (`**` stands for any folders), or several. Read as they stand, what a glob matches by name."""
    columns: Columns
    """Which column holds what: ours on the left, theirs on the right."""
    license: str | None = None
    """SPDX identifier of the licence, for rows that name none."""
    teacher: str | None = None
    """Who wrote the rollouts, where no column says it."""
    source: str | None = None
    """What the rows are from. Unless said, each file's name without suffixes and shard number.

    Rollouts of one problem meet only within one source: name it where they are spread over files.
    """
    limit: Annotated[int, Field(ge=1)] | None = None
    """Read at most this many rows."""

    def __call__(self) -> Iterator[Intake]:
        """All rows, file by file.

        Raises:
            SourceError: no such file, one that may not be read, an unknown suffix, a damaged file, no rows, a column
                that is not there.
        """
        named = [
            File(name, partial(_open, path), self.source or _stem(path.name)) for name, path in self._files().items()
        ]
        yield from read_files(named, self.columns, license=self.license, teacher=self.teacher, limit=self.limit)

    def state(self) -> dict[str, str]:
        """sha256 of every file, by its place in the order of reading and its name.

        The order counts: it says which of two equal problems stays, and which rows a limit leaves.
        """
        return {f"{place}. {name}": _digest(path) for place, (name, path) in enumerate(self._files().items(), 1)}

    def find(self) -> None:
        """Passes if there are such files, and the first rows can be read as `columns` says.

        Raises:
            SourceError: as when they are read.
        """
        # Of a small file, to its end: then a column that it lacks is known.
        for _ in islice(self(), 2):
            pass

    def _files(self) -> dict[str, Path]:
        """Files by name; where two share one, by their path below the folder common to all."""
        patterns = (self.path,) if isinstance(self.path, str) else self.path
        paths = list(dict.fromkeys(path for pattern in patterns for path in _matches(pattern)))
        if not paths:
            raise SourceError("path: no file is named. Name one at least")
        for path in paths:
            suffixes(path.name)
        if max(Counter(path.name for path in paths).values()) == 1:
            return {path.name: path for path in paths}
        common = os.path.commonpath([path.parent for path in paths])
        return {path.relative_to(common).as_posix(): path for path in paths}


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as fault:
        raise _cannot_read(path, fault) from fault


def _digest(path: Path) -> str:
    try:
        return file_digest(path)
    except OSError as fault:
        raise _cannot_read(path, fault) from fault


def _cannot_read(path: Path, fault: OSError) -> SourceError:
    advice = {
        FileNotFoundError: "It was there when the build began: put it back, or build again",
        IsADirectoryError: "It was a file when the build began: put it back, or build again",
        PermissionError: f"Let your user read it, as in chmod u+r {path}",
    }
    return SourceError(f"{path}: {fault.strerror}. {advice.get(type(fault), 'Is its disk in order?')}")


def _matches(pattern: str) -> list[Path]:
    """The files of a path or glob, by name."""
    if os.path.isfile(pattern):  # brackets may be part of a name
        return [Path(os.path.abspath(pattern))]
    matches = sorted(match for match in glob.glob(pattern, recursive=True) if os.path.isfile(match))
    if not matches:
        raise SourceError(f"no file matches {pattern}{_hint(pattern)}")
    return [Path(os.path.abspath(match)) for match in matches]


def _hint(pattern: str) -> str:
    folder, name = os.path.split(pattern)
    if os.path.isdir(pattern):
        return ": it is a folder. Name its files, as in " + os.path.join(pattern, "*.jsonl")
    if glob.has_magic(folder) and not os.path.isdir(folder):
        return ""
    try:
        there = os.listdir(folder or ".")
    except (FileNotFoundError, NotADirectoryError, ValueError):  # a NUL is in no path
        return f": there is no folder {folder}"
    except OSError as fault:
        return f": {folder}: {fault.strerror}. Let your user list and enter it, as in chmod u+rx {folder}"
    if name in there:
        return ": it leads nowhere, or is no plain file"
    close = difflib.get_close_matches(name, there, n=1)
    return f". Did you mean {close[0]!r}?" if close else ""


def _stem(name: str) -> str:
    """`gsm8k` for `gsm8k.jsonl.gz`, `train` for `train-00000-of-00004.parquet`."""
    suffix, packed = suffixes(name)
    whole = name[: len(name) - len(suffix) - len(packed)]
    return re.sub(r"-\d{5}-of-\d{5}$", "", whole)
