"""Facts about the rollout store: what goes in comes out, by key, with what it cost."""

import json
import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from distill.request import Message, Reply, Request, Sampling
from distill.store import Store
from distill.storing.export import write_parquet


def replies(count: int, start: int = 0) -> list[Reply]:
    return [Reply(f"{i:032x}", f"text {i} " * 20, completion_tokens=i) for i in range(start, start + count)]


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


def test_the_first_good_reply_counts_and_every_attempt_is_paid_for(tmp_path):
    with Store(tmp_path) as store:
        store.append([Reply("a", "", finish_reason="error", prompt_tokens=10, completion_tokens=70, error="deadline")])
        assert "a" not in store
        store.append([Reply("a", "first", prompt_tokens=10, completion_tokens=5, seconds=1)])
        store.append([Reply("a", "second", finish_reason="length", prompt_tokens=10, completion_tokens=9, seconds=2)])
        store.append([Reply("a", "", finish_reason="error", prompt_tokens=1, error="late")])
        assert "a" in store
    store = Store(tmp_path)
    assert store.get(["a"])[0].content == "first"
    assert store.costs(["a"]).rows() == [("a", 4, 31, 84, 3.0)]


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


def test_an_export_that_breaks_off_leaves_the_file_that_was_there(tmp_path):
    def broken():
        yield {"key": "a", "at": 1.0}
        raise OSError(28, "No space left on device")

    out = tmp_path / "all.parquet"
    out.write_bytes(b"before")
    with pytest.raises(OSError, match="No space"):
        write_parquet(broken(), out)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("all.parquet", b"before")]


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
