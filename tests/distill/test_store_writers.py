"""Facts about many writers: nobody waits, nobody takes another's file away, and each sees what the others paid for."""

import os
import subprocess
import sys
from itertools import islice

import pytest

from distill.request import Reply
from distill.store import Store
from distill.storing.segments import all_records

WRITER = """
import sys
import distill.store
from distill.request import Reply
from distill.store import Store

distill.store.ROLL_BYTES = 4_000
folder, name = sys.argv[1:]
for life in range(6):
    with Store(folder) as store:
        for i in range(60):
            store.append([Reply(f"{name} {life} {i}", f"text {i} " * 20, completion_tokens=1)])
        assert all(store.answered([f"{name} {life} {i}" for i in range(60)]))
"""


def replies(name: str, count: int, start: int = 0) -> list[Reply]:
    return [Reply(f"{name} {i}", f"text {i} " * 20, completion_tokens=i) for i in range(start, start + count)]


def test_processes_that_write_and_seal_at_once_lose_and_double_nothing(tmp_path):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    names = ("one", "two", "three")
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name], env=env) for name in names]
    reader, seen = Store(tmp_path), 0
    while any(writer.poll() is None for writer in writers):
        costs = reader.costs()
        assert costs.height >= seen
        assert set(costs["attempts"]) <= {1}
        seen = costs.height
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    store = Store(tmp_path)
    assert store.keys() == sorted(f"{name} {life} {i}" for name in names for life in range(6) for i in range(60))
    assert store.costs()["attempts"].sum() == len(list(store.attempts())) == 3 * 6 * 60
    assert not list(tmp_path.glob("*.log"))


def test_two_writers_see_each_others_replies_as_they_come(tmp_path):
    with Store(tmp_path) as one, Store(tmp_path) as two:
        for i in range(5):
            one.append(replies("one", 1, i))
            assert two.answered([f"one {i}", f"one {i + 1}"]) == [True, False]
            two.append(replies("two", 1, i))
            assert one.answered([f"two {i}", f"two {i + 1}"]) == [True, False]
    assert Store(tmp_path).get(["one 3", "two 4"]) == [*replies("one", 1, 3), *replies("two", 1, 4)]


def test_what_another_writer_seals_is_seen_too(tmp_path, monkeypatch):
    monkeypatch.setattr("distill.store.ROLL_BYTES", 500)
    with Store(tmp_path) as one, Store(tmp_path) as two:
        two.append(replies("two", 1))
        one.append(replies("one", 30))
        assert two.answered(["one 0", "one 29", "two 0"]) == [True, True, True]


def test_the_log_of_a_living_writer_is_left_alone(tmp_path):
    with Store(tmp_path) as one:
        one.append(replies("one", 3))
        with Store(tmp_path) as two:
            two.append(replies("two", 3))
        assert sorted(path.name for path in tmp_path.glob("0*")) == ["00000001.log", "00000002-00000002.seg"]
        one.append(replies("one", 3, 3))
    assert [path.name for path in tmp_path.glob("0*")] == ["00000001-00000002.seg"]
    assert len(Store(tmp_path).keys()) == 9


def test_of_two_good_replies_the_earlier_counts_wherever_it_was_paid_for(tmp_path):
    with Store(tmp_path / "early") as early, Store(tmp_path / "late") as late:
        early.append([Reply("a", "early")])
        late.append([Reply("a", "late")])
    for first, second in (("early", "late"), ("late", "early")):
        with Store(tmp_path / f"{first} first") as both:
            both.merge([tmp_path / first, tmp_path / second])
            assert (both.get(["a"])[0].content, both.costs()["attempts"].item()) == ("early", 2)


def test_records_are_read_once_while_others_seal(tmp_path):
    store = Store(tmp_path)
    for i in range(4):
        store.append(replies("a", 3, 3 * i))
        store._log.close()  # as a killed writer leaves it
        store._log = None
    lines = all_records(tmp_path)
    seen = list(islice(lines, 4))
    with Store(tmp_path) as other:  # seals all four into one segment
        other.append(replies("a", 1, 12))
        seen += list(lines)
    assert len(seen) == len(set(seen)) == 13


@pytest.mark.parametrize("torn", [0, 5])
def test_a_record_on_its_way_is_not_called_torn(tmp_path, caplog, torn):
    with Store(tmp_path) as one:
        one.append(replies("one", 2))
        with one._log.path.open("ab") as file:
            file.write(b"rlt\x01\0\0\0"[:torn])
        two = Store(tmp_path)
        assert two.answered(["one 0", "one 1", "one 2"]) == [True, True, False]
        assert not caplog.records
        os.truncate(one._log.path, one._log.size)
        one.append(replies("one", 1, 2))
        assert two.answered(["one 2"]) == [True]
