"""Facts about stores of older releases: compressed logs and indexes that do not say what was cut off are read on."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from distill.request import Reply
from distill.store import Store
from distill.storing.attempt import as_line, as_row
from distill.storing.frames import ENTRY, GOOD, HEAD, INDEX, MAGIC, RECORDS, TAIL, _checksum

REPLIES = [
    Reply("a", "text of a", finish_reason="length", completion_tokens=7),
    Reply("b", "text of b", completion_tokens=5),
    Reply("c", "", finish_reason="error", error="503"),
]


def frame(plain: bytes, kind: int = RECORDS) -> bytes:
    """As it was written before logs were kept plain: zstd -1 whatever it held."""
    packed = pa.Codec("zstd", compression_level=1).compress(plain, asbytes=True)
    return HEAD.pack(MAGIC, kind, len(plain), len(packed), _checksum(kind, len(plain), packed)) + packed


def old_log(folder: Path) -> None:
    lines = [as_line(as_row(reply, None)) for reply in REPLIES]
    (folder / "00000001.log").write_bytes(b"".join(map(frame, lines)))


def old_segment(folder: Path) -> None:
    lines = [as_line(as_row(reply, None)) for reply in REPLIES]
    rows = [(row["key"], row["at"], 0, place, row["error"] is None) for place, row in enumerate(map(json.loads, lines))]
    index = np.array([(*row, 0, reply.completion_tokens, 0) for row, reply in zip(rows, REPLIES, strict=True)], ENTRY)
    assert index["end"].tolist() == [GOOD, GOOD, 0]
    records = frame(b"\n".join(lines))
    data = records + frame(index.tobytes(), INDEX) + TAIL.pack(len(records), MAGIC)
    (folder / "00000001-00000001.seg").write_bytes(data)


@pytest.mark.parametrize("write", [old_log, old_segment])
def test_a_store_of_an_older_release_is_read_and_gone_on_with(write, tmp_path):
    write(tmp_path)
    store = Store(tmp_path)
    assert store.answered(["a", "b", "c", "d"]) == [True, True, False, False]
    assert store.cut_off(["b", "a"]) == [False, True]
    assert store.get(["a", "b", "c"]) == REPLIES
    with store:
        store.append([Reply("c", "at last", finish_reason="length")])
        assert store.cut_off(["c", "b", "a"]) == [True, False, True]
    assert Store(tmp_path).cut_off(["c", "b", "a"]) == [True, False, True]
    assert Store(tmp_path).costs()["attempts"].to_list() == [1, 1, 2]


def test_whether_a_reply_was_cut_off_is_known_without_reading_it(tmp_path, monkeypatch):
    with Store(tmp_path) as store:
        store.append(REPLIES)
    monkeypatch.setattr("distill.storing.store_view.read_rows", lambda *_: pytest.fail("a reply was read"))
    assert Store(tmp_path).cut_off(["a", "b"]) == [True, False]
    with pytest.raises(KeyError, match="1 of 2 requests"):
        Store(tmp_path).cut_off(["a", "nowhere"])


def test_a_look_at_a_folder_that_is_as_it_was_opens_and_weighs_no_segment(tmp_path, monkeypatch):
    with Store(tmp_path) as store:
        store.append(REPLIES)
    store = Store(tmp_path)
    assert store.answered(["a"]) == [True]
    monkeypatch.setattr(Path, "stat", lambda path, **_: pytest.fail(f"{path} was weighed"))
    monkeypatch.setattr(Path, "open", lambda path, *_, **__: pytest.fail(f"{path} was opened"))
    assert store.answered(["a", "c"]) == [True, False]
    assert store.cut_off(["a"]) == [True]
