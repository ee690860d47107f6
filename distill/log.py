"""A log of the rollout store: the file that one writer appends to, locked while the writer lives."""

import fcntl
import os
import threading
from pathlib import Path

from distill.segments import sync_folder

# Whichever comes first. A sync takes 4.5 ms, so one for each reply would halve the speed of a fast teacher.
SYNC_ROWS, SYNC_SECONDS = 64, 1.0


class Log:
    """A file of single records that grows: each write is in the system's hands on return, on disk in groups.

    A group is synced when it has SYNC_ROWS rows, and by a thread of its own every SYNC_SECONDS: a pause between two
    replies leaves nothing unsynced for longer.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.synced = 0
        """So many bytes outlive a power cut."""
        self._rows = 0
        self._trouble: OSError | None = None
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        # Waits for a look of `alive` at most: nobody else writes to this file.
        fcntl.flock(self._file, fcntl.LOCK_EX)
        sync_folder(path.parent)
        self._closing = threading.Event()
        self._clock = threading.Thread(target=self._sync_in_time, name="store sync", daemon=True)
        self._clock.start()

    def write(self, data: bytes, rows: int) -> None:
        """All of the data is in the file, or none of it.

        Raises:
            OSError: the disk is full or broken, now or when an earlier group was synced; names the file.
        """
        if self._trouble:
            raise self._trouble
        try:
            done = 0
            while done < len(data):
                done += os.write(self._file, data[done:])
        except BaseException as error:
            if isinstance(error, OSError):
                error.filename = str(self.path)
            # A full disk, or Ctrl-C between two pieces: no half frame may stand before the next whole one.
            os.ftruncate(self._file, self.size)
            os.lseek(self._file, self.size, os.SEEK_SET)
            raise
        self.size += len(data)
        self._rows += rows
        if self._rows >= SYNC_ROWS:
            self.sync()

    def sync(self) -> None:
        """What was written outlives a power cut."""
        size = self.size
        try:
            os.fsync(self._file)
        except OSError as error:
            # For good: after a failed sync nobody knows which pages are on disk, and the next one says all is well.
            error.filename, self._trouble = str(self.path), error
            raise
        self._rows, self.synced = 0, max(size, self.synced)

    def close(self) -> None:
        """Synced and closed; the lock is given back."""
        self._closing.set()
        self._clock.join()
        try:
            if self._trouble:
                raise self._trouble
            self.sync()
        finally:
            os.close(self._file)

    def _sync_in_time(self) -> None:
        while not self._closing.wait(SYNC_SECONDS):
            if self.synced < self.size:
                try:
                    self.sync()
                except OSError:
                    return  # kept in _trouble: raised by the next write, or by close
