"""Facts about crashes: what is acknowledged is never lost, what is torn is never more than one record."""

import errno
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from distill.request import Reply
from distill.store import Store


def replies(count: int, start: int = 0) -> list[Reply]:
    return [Reply(f"{i:032x}", f"text {i} " * 20, completion_tokens=i) for i in range(start, start + count)]


def crashed(folder: Path, count: int) -> Path:
    """A log as a killed writer leaves it: whole records, never sealed."""
    store = Store(folder)
    store.append(replies(count))
    store._log.close()  # the death of the process closes the file, and seals nothing
    return store._log.path


def test_cutting_the_log_at_every_byte_of_its_last_three_records_loses_only_what_was_cut(tmp_path, caplog):
    log = crashed(tmp_path / "whole", 6)
    data = log.read_bytes()
    ends = [i for i in range(len(data)) if data[i : i + 4] == b"rlt\x01"] + [len(data)]
    assert len(ends) == 7
    folder = tmp_path / "cut"
    folder.mkdir()
    caplog.set_level(logging.WARNING)
    for cut in range(ends[3], len(data)):
        (folder / log.name).write_bytes(data[:cut])
        caplog.clear()
        whole = sum(end <= cut for end in ends[1:])
        store = Store(folder)
        assert store.get([r.key for r in replies(whole)]) == replies(whole)
        assert len(store.keys()) == whole
        # A cut between two records leaves nothing torn; any other is said, once.
        assert len(caplog.records) == (cut not in ends)


def test_a_store_goes_on_after_a_torn_tail(tmp_path):
    log = crashed(tmp_path, 6)
    log.write_bytes(log.read_bytes()[:-7])
    with Store(tmp_path) as store:
        assert len(store.keys()) == 5
        store.append(replies(1, start=5))
    assert Store(tmp_path).get([r.key for r in replies(6)]) == replies(6)


def test_a_damaged_record_in_the_middle_costs_itself_only(tmp_path, caplog):
    log = crashed(tmp_path, 6)
    data = bytearray(log.read_bytes())
    data[data.index(b"rlt\x01", 10) + 30] ^= 1
    log.write_bytes(data)
    assert Store(tmp_path).keys() == [r.key for i, r in enumerate(replies(6)) if i != 1]
    assert "skipped" in caplog.text


def test_a_sealed_segment_without_its_index_is_read_all_the_same(tmp_path):
    with Store(tmp_path) as store:
        store.append(replies(50))
    (segment,) = tmp_path.glob("*.seg")
    segment.write_bytes(segment.read_bytes()[:-20])
    assert Store(tmp_path).get([r.key for r in replies(50)]) == replies(50)


def test_a_crash_between_sealing_and_removing_the_log_doubles_nothing(tmp_path):
    log = crashed(tmp_path, 6)
    data = log.read_bytes()
    with Store(tmp_path):
        pass
    log.write_bytes(data)  # the log that the crash left beside its segment
    (tmp_path / "00000001-00000001.part").write_bytes(b"half")
    assert Store(tmp_path).costs()["attempts"].sum() == 6
    with Store(tmp_path):
        assert sorted(path.suffix for path in tmp_path.iterdir()) == ["", ".seg"]


WRITER = """
import sys
from distill.request import Reply
from distill.store import Store
store = Store(sys.argv[1])
for i in range(100_000):
    store.append([Reply(f"{i:032x}", f"text {i} " * 50)])
    print(i, flush=True)
"""


@pytest.mark.parametrize("kill_after", [1, 70, 900])
def test_kill_9_loses_nothing_acknowledged(tmp_path, kill_after):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as writer:
        acknowledged = -1
        for line in writer.stdout:
            acknowledged = int(line)
            if acknowledged == kill_after:
                writer.send_signal(signal.SIGKILL)
    assert writer.returncode == -signal.SIGKILL
    keys = [f"{i:032x}" for i in range(acknowledged + 1)]
    assert [r.content for r in Store(tmp_path).get(keys)] == [f"text {i} " * 50 for i in range(acknowledged + 1)]
    with Store(tmp_path) as store:  # the lock died with the process: its log is sealed like any other
        assert len(store.keys()) in (acknowledged + 1, acknowledged + 2)
    assert not list(tmp_path.glob("*.log"))


def test_a_write_that_fails_leaves_no_half_record(tmp_path, monkeypatch, caplog):
    with Store(tmp_path) as store:
        store.append(replies(2))
        real = os.write

        def full_disk(file, data):
            if len(data) > 50:
                return real(file, data[:50])
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "write", full_disk)
        with pytest.raises(OSError, match="No space"):
            store.append(replies(1, start=2))
        monkeypatch.undo()
        store.append(replies(1, start=3))
    assert Store(tmp_path).keys() == [replies(4)[i].key for i in (0, 1, 3)]
    assert not caplog.records


def test_a_pause_between_replies_leaves_nothing_unsynced_for_long(tmp_path, monkeypatch):
    monkeypatch.setattr("distill.storing.log.SYNC_SECONDS", 0.05)
    with Store(tmp_path) as store:
        store.append(replies(3))
        assert store._log.synced == 0
        time.sleep(0.3)  # no further write, which would look at the clock
        assert store._log.synced == store._log.size > 0


def test_a_sync_that_fails_in_the_pause_is_told_by_the_next_write(tmp_path, monkeypatch):
    monkeypatch.setattr("distill.storing.log.SYNC_SECONDS", 0.02)
    store = Store(tmp_path)
    store.append(replies(1))
    log, path = store._log, str(store._log.path)

    def broken(file):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    log._syncing.join(5)
    for _ in range(2):  # for good: the next sync might say that all is well, and it is not
        with pytest.raises(OSError, match="Input/output error") as failure:
            store.append(replies(1, start=1))
        assert failure.value.filename == path
    monkeypatch.undo()
    with pytest.raises(OSError, match="Input/output error"):
        store.close()
