"""Files that cannot be read, may not be read, vanish or bite: each is refused by name, and with what to do."""

import gzip
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.reading.intake import Columns, SourceError
from curate.sources.files import Files
from tests.small_files import PLAIN, ROWS, lines, packed, parquet, read


@pytest.mark.parametrize(
    ("name", "data", "columns", "text"),
    [
        ("x.jsonl", lines(ROWS), Columns(problem="qestion"), r"no column 'qestion' \(did you mean 'question'\?\)"),
        ("x.jsonl", lines(ROWS), Columns(problem="question", answer="anser"), r"did you mean 'answer'"),
        ("x.csv", b"question\n1?\n", Columns(problem="question", answer="answer"), r"no column 'answer'"),
        ("x.parquet", parquet(ROWS), Columns(problem="questions"), r"did you mean 'question'"),
        ("x.txt", b"1?", PLAIN, "unknown suffix. Known: .jsonl"),
        ("x.jsonl", b"", PLAIN, "no row could be read"),
        ("x.csv", b"", PLAIN, "no row could be read"),
        ("x.csv", b"question,answer,id\n", PLAIN, "no row could be read"),
        ("x.json", b"", PLAIN, "no row could be read"),
        ("x.json", b'[{"question": "1', PLAIN, "not a JSON document"),
        ("x.jsonl", parquet(ROWS), PLAIN, "no row could be read"),
        ("x.jsonl.gz", gzip.compress(lines(ROWS))[:-9], PLAIN, "Is it complete"),
        ("x.jsonl.gz", lines(ROWS), PLAIN, "Is it complete"),
        ("x.jsonl.zst", packed(lines(ROWS), ".zst")[:-9], PLAIN, "Is it complete"),
        ("x.parquet", parquet(ROWS)[:-9], PLAIN, "Is it complete"),
        ("x.parquet", b"", PLAIN, "Is it complete"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, name: str, data: bytes, columns: Columns, text: str) -> None:
    with pytest.raises(SourceError, match=text):
        read(tmp_path, name, data, columns)


def test_a_path_without_files_says_what_lies_near(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_bytes(b"")
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "gone.jsonl")
    for path, text in {
        "trian.jsonl": "Did you mean 'train.jsonl'",
        "*.csv": "no file matches",
        "nowhere/x.jsonl": "there is no folder",
        ".": "it is a folder",
        "train.jsonl/x.jsonl": "there is no folder",
        "nul\0/x.jsonl": "there is no folder",
        f"{'x' * 300}/x.jsonl": "File name too long",
        "link.jsonl": "it leads nowhere",
    }.items():
        with pytest.raises(SourceError, match=text):
            Files(path=str(tmp_path / path), columns=PLAIN).state()


@pytest.fixture
def locked() -> Iterator[Path]:
    """A folder with a file and a folder that this user may not read, even where tests run as root."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "x.jsonl").write_bytes(lines(ROWS))
        (folder / "inner").mkdir()
        (folder / "inner" / "x.jsonl").write_bytes(lines(ROWS))
        for path, mode in ((folder, 0o755), (folder / "x.jsonl", 0), (folder / "inner", 0)):
            path.chmod(mode)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        yield folder
        os.seteuid(user)
        (folder / "inner").chmod(0o700)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("x.jsonl", "Permission denied. Let your user read it"),
        ("*.jsonl", "Permission denied. Let your user read it"),
        ("inner/x.jsonl", "Permission denied. Let your user list and enter it"),
        ("inner/*.jsonl", "Permission denied. Let your user list and enter it"),
    ],
)
def test_what_may_not_be_read_is_told_with_what_to_do(locked: Path, path: str, text: str) -> None:
    files = Files(path=str(locked / path), columns=PLAIN)
    for read_it in (files.state, lambda: list(files())):
        with pytest.raises(SourceError, match=text):
            read_it()


def test_a_file_that_vanishes_while_others_are_read_is_told(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.jsonl").write_bytes(lines(ROWS))
    batches = Files(path=str(tmp_path / "*.jsonl"), columns=PLAIN)()
    next(batches)
    (tmp_path / "b.jsonl").unlink()
    with pytest.raises(SourceError, match=r"b\.jsonl: No such file or directory\. It was there"):
        next(batches)


# Not ru_maxrss: it begins with the size of the process that started this one.
BOMB = """
import re, sys
from curate.reading.intake import Columns
from curate.sources.files import Files
columns = Columns(problem="question", rollouts="replies")
batches = Files(path=sys.argv[1], columns=columns)()
rows = sum(batch.rows for batch in batches)
print(rows, int(re.search("VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024)
"""


@pytest.mark.parametrize(("rows", "replies", "size"), [(250, 1, 1_000_000), (2, 1_000, 100_000)])
def test_a_parquet_bomb_stays_small(tmp_path: Path, rows: int, replies: int, size: int) -> None:
    """One text again and again, which takes 1.2 GB when decoded at once; or rows of 100 MB each."""
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * rows * replies, pa.int32()), pa.array(["x" * size]))
    lists = pa.ListArray.from_arrays(pa.array(range(0, rows * replies + 1, replies), pa.int32()), texts)
    table = pa.table({"question": [f"{i}?" for i in range(rows)], "replies": lists})
    pq.write_table(table, tmp_path / "bomb.parquet", compression="zstd")
    assert (tmp_path / "bomb.parquet").stat().st_size < 5_000
    command = [sys.executable, "-c", BOMB, str(tmp_path / "bomb.parquet")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if replies == 1:
        read, megabytes = map(int, done.stdout.split())
        assert read == rows
        assert megabytes < 1000
    else:
        assert "no row could be read" in done.stderr  # each row alone is too heavy


def test_damaged_parquet_never_takes_the_process_down(tmp_path: Path) -> None:
    """Every 40th byte flipped in turn, in a process of its own: each file is read or refused by name."""
    (tmp_path / "x.parquet").write_bytes(parquet(ROWS * 50))
    code = """
import sys
from pathlib import Path
from curate.reading.intake import Columns, SourceError
from curate.sources.files import Files
folder = Path(sys.argv[1])
data = (folder / "x.parquet").read_bytes()
for i in range(0, len(data), 40):
    (folder / "y.parquet").write_bytes(data[:i] + bytes([data[i] ^ 0xFF]) + data[i + 1 :])
    try:
        list(Files(path=str(folder / "y.parquet"), columns=Columns(problem="question", rollouts="replies"))())
    except SourceError:
        pass
print("alive")
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert done.stdout == "alive\n", done.stderr[-2000:]
