"""Finished work, kept by the fingerprint of what went into it: `<root>/.stages/<key>/`."""

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl


@dataclass(frozen=True)
class Cache:
    """Folders that appear whole or not at all, so that a killed build goes on where it stood."""

    folder: Path

    def has(self, key: str) -> bool:
        """Whether the work under this key is done."""
        return (self.folder / key).is_dir()

    def keep(self, key: str, make: Callable[[Path], None]) -> Path:
        """The folder under this key; `make` fills it if it is not there yet."""
        final = self.folder / key
        if final.is_dir():
            return final
        self.folder.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{key}.", suffix=f".{os.getpid()}", dir=self.folder))
        try:
            make(aside)
            aside.rename(final)
        except OSError:
            # Another build may have finished the same work first; both made the same rows.
            if not final.is_dir():
                raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        return final

    def frame(self, key: str, make: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        """The frame under this key; `make` computes it if it is not there yet."""
        folder = self.keep(key, lambda aside: make().write_parquet(aside / "frame.parquet"))
        return pl.read_parquet(folder / "frame.parquet")

    def sweep(self) -> None:
        """Removes what builds that are no longer alive left half made."""
        for aside in self.folder.glob(".*"):
            pid = aside.suffix.removeprefix(".")
            if pid.isdigit() and not _alive(int(pid)):
                shutil.rmtree(aside, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
