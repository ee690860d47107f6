"""A log of the rollout store: the file that one writer appends to, locked while the writer lives."""

import fcntl
import os
import threading
from pathlib import Path

from distill.storing.segments import sync_folder

# Whichever comes first. A sync takes 4.5 ms, so one for each reply would leave a fast teacher with 220 a second.
SYNC_ROWS, SYNC_SECONDS = 64, 1.0


class Log:
    """A file of single records that grows: each write is in the system's hands on return, on disk in groups.

    A thread of its own syncs, every SYNC_SECONDS and as soon as half a group has come: a pause between two replies
    leaves nothing unsynced for longer, and the writer waits only where the disk falls behind by SYNC_ROWS.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.synced = 0
        """So many bytes outlive a power cut."""
        self._rows = 0
        """Not synced yet."""
        self._trouble: OSError | None = None
        self._closing = False
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        # Waits for a look of `alive` at most: nobody else writes to this file.
        fcntl.flock(self._file, fcntl.LOCK_EX)
        sync_folder(path.parent)
        self._change = threading.Condition()
        self._syncing = threading.Thread(target=self._sync_in_groups, name="store sync", daemon=True)
        self._syncing.start()

    def write(self, data: bytes, rows: int) -> None:
        """All of the data is in the file, or none of it; all but the last SYNC_ROWS rows are on disk.

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
        with self._change:
            self.size += len(data)
            self._rows += rows
            if self._rows >= SYNC_ROWS // 2:
                self._change.notify_all()
            self._change.wait_for(lambda: self._rows < SYNC_ROWS or self._trouble)
        if self._trouble:
            raise self._trouble

    def close(self) -> None:
        """Synced and closed; the lock is given back."""
        with self._change:
            self._closing = True
            self._change.notify_all()
        self._syncing.join()
        os.close(self._file)
        if self._trouble:
            raise self._trouble

    def _sync_in_groups(self) -> None:
        while not (self._closing and self.synced == self.size) and not self._trouble:
            with self._change:
                self._change.wait_for(lambda: self._closing or self._rows >= SYNC_ROWS // 2, SYNC_SECONDS)
                size, rows = self.size, self._rows
            if self.synced == size:
                continue
            try:
                os.fsync(self._file)
            except OSError as error:
                # For good: after a failed sync nobody knows what is on disk, and the next one says all is well.
                error.filename, self._trouble = str(self.path), error
            with self._change:
                self._rows -= rows
                self.synced = self.synced if self._trouble else size
                self._change.notify_all()
