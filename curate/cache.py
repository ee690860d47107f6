"""Finished work, kept by the fingerprint of what went into it: `<root>/.stages/<key>/`."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from distill.storing.segments import sync_folder


@dataclass(frozen=True)
class Cache:
    """Folders that appear whole or not at all, so that a killed build goes on where it stood."""

    folder: Path
    journal: Path | None = None
    """Where every key that was used is noted, for `curate gc`."""
    _noted: set[str] = field(default_factory=set, compare=False, repr=False)

    def has(self, key: str) -> bool:
        """Whether the work under this key is done."""
        return (self.folder / key).is_dir()

    def keep(self, key: str, make: Callable[[Path], None]) -> Path:
        """The folder under this key; `make` fills it if it is not there yet."""
        final = self.folder / key
        self._note(key)
        if final.is_dir():
            return final
        self.folder.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".", dir=self.folder))
        try:
            with _held(aside):
                make(aside)
                _sync(aside)
                aside.rename(final)
        except OSError:
            # Another build may have finished the same work first; both made the same rows.
            if not final.is_dir():
                raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        return final

    def frame(self, key: str, make: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        """The frame under this key; `make` computes it if it is not there yet, or cannot be read any more."""
        kept = self.read(key)
        if kept is None:
            kept = make()
            self.keep(key, lambda aside: kept.write_parquet(aside / "frame.parquet"))
        return kept

    def read(self, key: str) -> pl.DataFrame | None:
        """The frame under this key; None, and nothing is there any more, if it cannot be read."""
        if not self.has(key):
            return None
        self._note(key)
        try:
            return pl.read_parquet(self.folder / key / "frame.parquet", memory_map=False)
        except (pl.exceptions.PolarsError, FileNotFoundError):
            self.forget(key)
            return None

    def forget(self, key: str) -> None:
        """Removes the work under this key: it is damaged."""
        shutil.rmtree(self.folder / key, ignore_errors=True)

    def _note(self, key: str) -> None:
        # Not synced: what is lost with it is time.
        if self.journal and key not in self._noted:
            self._noted.add(key)
            with self.journal.open("a") as lines:
                lines.write(f"{key}\n")

    def sweep(self) -> None:
        """Removes what builds that are no longer alive left half made."""
        for aside in self.folder.glob(".*"):
            try:
                with _held(aside):
                    shutil.rmtree(aside, ignore_errors=True)
            except OSError:  # a living build holds it, or has just finished it
                continue


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """A lock on the folder that dies with the process, on whatever machine that shares the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _sync(folder: Path) -> None:
    """What is in the folder survives a power cut."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    sync_folder(folder)
