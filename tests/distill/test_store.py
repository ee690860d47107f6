"""Facts about the rollout store: what is acknowledged is never lost, what is torn is never more than one record."""

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

import distill.store
from distill.request import Message, Reply, Request, Sampling
from distill.store import Store, StoreBusyError


def replies(count: int, start: int = 0) -> list[Reply]:
    return [Reply(f"{i:032x}", f"text {i} " * 20, completion_tokens=i) for i in range(start, start + count)]


def crashed(folder: Path, count: int) -> Path:
    """A log as a killed writer leaves it: whole records, never sealed."""
    store = Store(folder)
    store.append(replies(count))
    (log,) = folder.glob("*.log")
    os.close(store._lock)  # what the death of the process does
    store._lock = None
    return log


def test_replies_come_back_as_they_went_in_and_in_the_order_asked(tmp_path):
    rows = [
        Reply("a", "<think>\n2</think>4", "why", "length", 3, 5, 0.25),
        Reply("b", "", finish_reason="error", error="503"),
        Reply("c", "√2 \x00 \u2028"),
    ]
    with Store(tmp_path) as store:
        store.append(rows)
        assert store.get(["c", "a", "b", "a"]) == [rows[2], rows[0], rows[1], rows[0]]
    assert Store(tmp_path).get(["a", "b", "c"]) == rows


def test_a_lone_surrogate_in_a_reply_does_not_stop_the_store(tmp_path):
    with Store(tmp_path) as store:
        store.append([Reply("a", "4 \ud800")])
    assert Store(tmp_path).get(["a"])[0].content == "4 ?"


def test_a_key_that_was_never_stored_is_named(tmp_path):
    with Store(tmp_path) as store:
        store.append([Reply("a", "4")])
    with pytest.raises(KeyError, match="1 of 2 requests have no reply in the store, first b"):
        Store(tmp_path).get(["a", "b"])


def test_an_empty_folder_and_none_are_empty_stores(tmp_path):
    for folder in (tmp_path, tmp_path / "none"):
        store = Store(folder)
        assert (store.keys(), "a" in store, store.get([])) == ([], False, [])
        assert store.costs().height == 0
    assert not (tmp_path / "none").exists()


def test_the_last_good_reply_counts_and_every_attempt_is_paid_for(tmp_path):
    with Store(tmp_path) as store:
        store.append([Reply("a", "", finish_reason="error", prompt_tokens=10, completion_tokens=70, error="deadline")])
        assert "a" not in store
        store.append([Reply("a", "first", prompt_tokens=10, completion_tokens=5, seconds=1)])
        store.append([Reply("a", "second", finish_reason="length", prompt_tokens=10, completion_tokens=9, seconds=2)])
        store.append([Reply("a", "", finish_reason="error", prompt_tokens=1, error="late")])
        assert "a" in store
    store = Store(tmp_path)
    assert store.get(["a"])[0].content == "second"
    assert store.costs(["a"]).rows() == [("a", 4, 31, 84, 3.0)]


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
                with pytest.raises(StoreBusyError, match=f"process {writer.pid} on "):
                    Store(tmp_path).append([Reply("a", "4")])
                writer.send_signal(signal.SIGKILL)
    assert writer.returncode == -signal.SIGKILL
    keys = [f"{i:032x}" for i in range(acknowledged + 1)]
    assert [r.content for r in Store(tmp_path).get(keys)] == [f"text {i} " * 50 for i in range(acknowledged + 1)]
    with Store(tmp_path) as store:  # the lock died with the process
        assert len(store.keys()) in (acknowledged + 1, acknowledged + 2)


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


def test_two_stores_in_one_process_do_not_write_at_once(tmp_path):
    with Store(tmp_path), pytest.raises(StoreBusyError, match=str(os.getpid())):
        Store(tmp_path).append(replies(1))


def test_merging_twice_takes_each_attempt_once(tmp_path):
    for name, rows in (("one", replies(5)), ("two", replies(5, start=3))):
        with Store(tmp_path / name) as store:
            store.append(rows)
    with Store(tmp_path / "all") as store:
        assert store.merge([tmp_path / "one", tmp_path / "two"]) == 10
        assert store.merge([tmp_path / "one"]) == 0
        assert len(store.keys()) == 8
        assert store.costs()["attempts"].sum() == 10


def test_the_request_stands_beside_the_reply_and_both_are_exported(tmp_path):
    request = Request((Message("user", "2 + 2?"),), "teacher", "r1", Sampling(n=4, temperature=0.5, seed=7), 3)
    with Store(tmp_path) as store:
        store.append([Reply(request.key, "4")], [request])
        store.append([Reply("bare", "5")])
        assert store.export(tmp_path / "all.parquet") == 2
    first, second = pq.read_table(tmp_path / "all.parquet").to_pylist()
    assert first["messages"] == [{"role": "user", "content": "2 + 2?"}]
    assert (first["model"], first["revision"], first["index"], first["seed"]) == ("teacher", "r1", 3, 7)
    assert (second["model"], second["content"]) == (None, "5")


def test_a_store_of_real_rollouts_is_no_bigger_than_their_text_compressed_as_one(tmp_path):
    real = os.environ.get("COTILLION_REAL_DATA")
    if real is None:
        pytest.skip("COTILLION_REAL_DATA is not set: no real rollouts to measure")
    import gzip

    import pyarrow as pa

    with gzip.open(Path(real) / "rollouts/mip_gsm8k_longcot.jsonl.gz", "rt") as lines:
        rows = [json.loads(line) for line in lines]
    with Store(tmp_path) as store:
        store.append([Reply(f"{hash(row['id']) & (1 << 128) - 1:032x}", row["rollout"]) for row in rows])
    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    text = "\n".join(row["rollout"] for row in rows).encode()
    assert size <= 1.1 * len(pa.Codec("zstd", compression_level=3).compress(text))


class Model(RuleBasedStateMachine):
    """The store against a dictionary, over appends, crashes, closings, rolls and merges."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.roll, distill.store.ROLL_BYTES = distill.store.ROLL_BYTES, 600
        self.store = Store(self.folder)
        self.attempts: dict[str, list[Reply]] = defaultdict(list)
        self.count = 0

    keys = st.sampled_from("abcdef")

    @rule(keys=st.lists(keys, max_size=4), failed=st.booleans())
    def append(self, keys, failed):
        rows = []
        for key in keys:
            self.count += 1
            text, reason = ("", "error") if failed else (f"{key}{self.count}" * 5, "stop")
            rows.append(Reply(key, text, finish_reason=reason, completion_tokens=self.count))
        self.store.append(rows)
        for row in rows:
            self.attempts[row.key].append(row)

    @rule()
    def close(self):
        self.store.close()

    @rule(torn=st.integers(0, 60))
    def crash(self, torn):
        if self.store._lock is not None:
            os.close(self.store._lock)
            for log in list(self.folder.glob("*.log"))[-1:]:
                with log.open("ab") as file:
                    file.write(b"rlt\x01"[: torn % 5] + b"x" * torn)
        self.store._lock = self.store._log = None
        self.store = Store(self.folder)

    @rule()
    def merge_itself(self):
        assert self.store.merge([self.folder]) == 0

    @invariant()
    def agrees(self):
        good = {key: [r for r in rows if r.finish_reason != "error"] for key, rows in self.attempts.items()}
        for store in (self.store, Store(self.folder)):
            assert store.keys() == sorted(key for key in good if good[key])
            asked = sorted(self.attempts)
            assert store.get(asked) == [(good[key] or self.attempts[key])[-1] for key in asked]
            spent = [(len(self.attempts[key]), sum(r.completion_tokens for r in self.attempts[key])) for key in asked]
            assert store.costs(asked).select("attempts", "completion_tokens").rows() == spent
            assert [key in store for key in "abcdef"] == [bool(good.get(key)) for key in "abcdef"]

    def teardown(self) -> None:
        self.store.close()
        distill.store.ROLL_BYTES = self.roll


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
