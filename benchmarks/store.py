"""The rollout store's numbers: writing, opening, looking up and bytes on disk, beside SQLite in the same run.

    python benchmarks/store.py [--replies 1_000_000] [--folder FOLDER] [--no-peer]

Replies of about 4 KB: rollouts of the tutor, several joined, from a pool of 24 MB that is gone through again and again
(no compressor here looks back that far), each with a line of its own. Both stores keep every reply as it comes, one
call for each, so that kill -9 loses none. SQLite is set up as best for that: WAL, `synchronous=NORMAL`, one
transaction per reply, the row compressed by zstd -1. The physical limit is the text alone, as one stream of zstd.
"""

import argparse
import json
import os
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

# This file is named like a module of what it measures: look for the packages beside the folder, not in it.
sys.path[0] = str(Path(__file__).resolve().parent.parent)
from distill.families import pose_many  # noqa: E402
from distill.request import Message, Reply, Request, Sampling  # noqa: E402
from distill.store import Store  # noqa: E402
from distill.storing.attempt import as_line, as_row  # noqa: E402
from distill.teachers.tutor import Tutor  # noqa: E402

REPLY_BYTES = 4_096
POOL_BYTES = 24 << 20
LOOKS = 300
SAMPLING = Sampling(n=1, temperature=1.0, max_tokens=4096)


@dataclass
class Measured:
    """What one store did."""

    name: str
    per_second: float
    cpu_s: float
    open_s: float
    look_up_ms: float
    read_ms: float
    disk_bytes: int


def main() -> None:
    """Prints the table; exit code 1 if a promised number is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replies", type=lambda text: int(text.replace("_", "")), default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where the stores are written, and removed afterwards")
    parser.add_argument("--no-peer", action="store_true", help="leave SQLite out")
    given = parser.parse_args()
    texts = pool()
    share = given.replies / len(texts)
    limits = {level: stream_bytes(texts, level) * share for level in (3, 9)}
    print(f"{given.replies:,} replies of {sum(map(len, texts)) / len(texts):,.0f} characters from {len(texts):,} texts")
    print(f"{'':10}{'replies/s':>12}{'CPU s':>10}{'open s':>10}{'look up ms':>12}{'read ms':>10}", end="")
    print(f"{'MB':>10}{'/ zstd -3':>12}{'/ zstd -9':>12}")
    found = []
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        for name, write, reader in (("store", write_store, StoreReader), ("sqlite", write_sqlite, SqliteReader)):
            if name == "sqlite" and given.no_peer:
                continue
            row = measure(name, Path(folder) / name, given.replies, texts, write, reader)
            print(f"{row.name:10}{row.per_second:>12,.0f}{row.cpu_s:>10.1f}{row.open_s:>10.2f}", end="")
            print(f"{row.look_up_ms:>12.3f}{row.read_ms:>10.2f}{row.disk_bytes / 1e6:>10,.0f}", end="")
            print("".join(f"{row.disk_bytes / limit:>12.2f}" for limit in limits.values()), flush=True)
            found.append(row)
    ours = found[0]
    kept = ours.per_second >= 5_000 and ours.open_s < 2 and ours.look_up_ms < 1 and ours.disk_bytes <= 1.1 * limits[3]
    print("promised: 5,000 replies/s, opened in 2 s, looked up in 1 ms, 1.1 x the text:", "kept" if kept else "MISSED")
    sys.exit(not kept)


def pool() -> list[str]:
    """Texts of about 4 KB: rollouts of the tutor, joined."""
    tutor, texts, text, size, seed = Tutor(error_rate=0.25), list[str](), "", 0, 0
    while size < POOL_BYTES:
        problems = pose_many(2_000, seed)
        asked = [Request((Message("user", p.problem),), "tutor", "1", SAMPLING, 0) for p in problems]
        for reply in tutor.ask(asked):
            text += reply.content + "\n\n"
            if len(text) >= REPLY_BYTES:
                texts.append(text[:REPLY_BYTES])
                size, text = size + REPLY_BYTES, ""
        seed += 1
    return texts


def replies(count: int, texts: list[str]) -> Iterator[Reply]:
    """Keys are random as those of requests are."""
    keys = random.Random(1)
    for i in range(count):
        text = f"{i} {texts[i % len(texts)]}"
        yield Reply(f"{keys.getrandbits(128):032x}", text, prompt_tokens=90, completion_tokens=1_100, seconds=3.5)


def stream_bytes(texts: list[str], level: int) -> int:
    """Bytes of the texts as one stream of zstd."""
    return len(pa.Codec("zstd", compression_level=level).compress("".join(texts).encode(), asbytes=True))


def measure(
    name: str,
    folder: Path,
    count: int,
    texts: list[str],
    write: Callable[[Path, Iterator[Reply]], None],
    reader: Callable[[Path], "StoreReader | SqliteReader"],
) -> Measured:
    """Writes all, syncs, opens anew, looks up and reads a few hundred keys, weighs the folder."""
    folder.mkdir()
    started, cpu = time.perf_counter(), time.process_time()
    write(folder, replies(count, texts))
    wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    os.sync()
    keys = [reply.key for i, reply in enumerate(replies(count, texts)) if i % max(1, count // LOOKS) == 0]
    random.Random(2).shuffle(keys)
    started = time.perf_counter()
    opened = reader(folder)
    assert opened.has(keys[0])
    assert not opened.has("0" * 32)
    open_s = time.perf_counter() - started
    look_up_ms = median_ms(opened.has, keys)
    read_ms = median_ms(opened.read, keys)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    shutil.rmtree(folder)
    return Measured(name, count / wall, cpu, open_s, look_up_ms, read_ms, size)


def median_ms(look: Callable[[str], object], keys: list[str]) -> float:
    """Median time of one call."""
    times = []
    for key in keys:
        started = time.perf_counter()
        look(key)
        times.append(time.perf_counter() - started)
    return 1_000 * sorted(times)[len(times) // 2]


def write_store(folder: Path, rows: Iterator[Reply]) -> None:
    """One append for each reply."""
    with Store(folder) as store:
        for reply in rows:
            store.append([reply])


class StoreReader:
    """The store, opened."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder)

    def has(self, key: str) -> bool:
        return self.store.answered([key])[0]

    def read(self, key: str) -> str:
        return self.store.get([key])[0].content


def write_sqlite(folder: Path, rows: Iterator[Reply]) -> None:
    """One transaction for each reply."""
    packer = pa.Codec("zstd", compression_level=1)
    database = sqlite3.connect(folder / "replies.db", isolation_level=None)
    database.execute("pragma journal_mode=wal")
    database.execute("pragma synchronous=normal")
    database.execute("create table replies (key text primary key, plain integer, row blob)")
    for reply in rows:
        line = as_line(as_row(reply, None))
        row = (reply.key, len(line), packer.compress(line, asbytes=True))
        database.execute("insert into replies values (?, ?, ?)", row)
    database.execute("pragma wal_checkpoint(truncate)")
    database.close()


class SqliteReader:
    """The database, opened."""

    def __init__(self, folder: Path) -> None:
        self.database = sqlite3.connect(folder / "replies.db")

    def has(self, key: str) -> bool:
        return self.database.execute("select 1 from replies where key = ?", (key,)).fetchone() is not None

    def read(self, key: str) -> str:
        plain, row = self.database.execute("select plain, row from replies where key = ?", (key,)).fetchone()
        text: str = json.loads(pa.Codec("zstd").decompress(row, decompressed_size=plain, asbytes=True))["content"]
        return text


if __name__ == "__main__":
    main()
