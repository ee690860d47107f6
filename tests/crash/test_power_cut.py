"""Facts about power cuts: of what had arrived, at most the last group of 64 rows or of one second is gone.

The disk is played by what `fsync` was called for: a file has the bytes of its last sync, a folder the names of its own.
"""

import os
import stat
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from distill.request import Reply
from distill.store import Store
from distill.storing.log import SYNC_ROWS, SYNC_SECONDS


@dataclass
class Disk:
    """What would be there after a power cut: synced names of one folder, and synced bytes of each file."""

    folder: Path
    names: dict[str, int] = field(default_factory=dict)
    bytes: dict[int, bytes] = field(default_factory=dict)

    def sync(self, handle: int) -> None:
        """In place of `os.fsync`."""
        about = os.fstat(handle)
        if stat.S_ISDIR(about.st_mode):
            self.names = {path.name: path.stat().st_ino for path in self.folder.iterdir() if path.name != "lock"}
        else:
            with open(f"/proc/self/fd/{handle}", "rb") as file:
                data = file.read()
            time.sleep(0.01)  # as slow as a disk, so that the writer could run ahead
            self.bytes[about.st_ino] = data

    def after_the_cut(self, folder: Path, removed: bool = False) -> Store:
        """The store on what is left; whether a file that was removed since is gone too is the disk's choice."""
        folder.mkdir()
        for name, inode in self.names.items():
            if not removed or (self.folder / name).exists():
                (folder / name).write_bytes(self.bytes.get(inode, b""))
        return Store(folder)


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk(tmp_path / "store")
    disk.folder.mkdir()
    monkeypatch.setattr(os, "fsync", disk.sync)
    monkeypatch.setattr("distill.store.ROLL_BYTES", 20_000)
    return disk


def replies(start: int, count: int) -> list[Reply]:
    return [Reply(f"{i:032x}", f"text {i * i} " * 40) for i in range(start, start + count)]


def test_a_power_cut_loses_at_most_a_group_of_rows(disk: Disk, tmp_path: Path) -> None:
    most = sealed = 0
    with Store(disk.folder) as store:
        for i in range(1_000):  # rolls over and seals a dozen times
            store.append(replies(i, 1))
            if i % 13 == 0 or sealed != len(list(disk.folder.glob("*.seg"))):
                sealed = len(list(disk.folder.glob("*.seg")))
                for removed in (False, True):
                    left = disk.after_the_cut(tmp_path / f"{i} {removed}", removed)
                    assert left.get(left.keys()) == replies(0, len(left.keys()))
                    most = max(most, i + 1 - len(left.keys()))
    assert 0 < most <= SYNC_ROWS
    assert len(disk.after_the_cut(tmp_path / "end").keys()) == 1_000


def test_a_power_cut_after_a_quiet_second_loses_nothing(disk: Disk, tmp_path: Path) -> None:
    with Store(disk.folder) as store:
        store.append(replies(0, 5))
        assert len(disk.after_the_cut(tmp_path / "at once").keys()) == 0
        time.sleep(SYNC_SECONDS + 0.5)
        assert len(disk.after_the_cut(tmp_path / "later").keys()) == 5
