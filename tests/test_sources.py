"""The sources: posed problems, files of every format, datasets of the Hub."""

import json
import os
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.fingerprint import fingerprint
from curate.manifest import read_manifest
from curate.reading import readers, text_rows
from curate.reading.intake import Columns, SourceError
from curate.recipes.manifest_faults import ManifestError
from curate.sources.files import Files
from tests.small_files import COLUMNS, FORMATS, PLAIN, ROWS, lines, packed, parquet, read, whole


@pytest.mark.parametrize("packing", ["", ".gz", ".zst"])
@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_gives_the_same_problems(tmp_path: Path, suffix: str, packing: str) -> None:
    taken = read(tmp_path, f"two{suffix}{packing}", packed(FORMATS[suffix](), packing))
    assert taken.problems.select("source_id", "problem", "answer").rows() == [
        (row["id"], row["question"], row["answer"]) for row in ROWS
    ]
    assert taken.problems["source"].to_list() == ["two", "two"]
    assert taken.rows == 2


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".parquet"])
def test_lists_of_replies_come_with_their_labels(tmp_path: Path, suffix: str) -> None:
    taken = read(tmp_path, f"x{suffix}", FORMATS[suffix](), COLUMNS, teacher="me", license="mit")
    assert taken.rollouts.select("reasoning", "response", "source_verdict", "teacher").rows() == [
        ("", "2", "correct", "me"),
        ("", "so 3", "wrong", "me"),
        ("x", "4", "correct", "me"),
    ]
    assert taken.problems["license"].to_list() == ["mit", "mit"]


def test_parquet_of_other_writers_is_read(tmp_path: Path) -> None:
    rows = pl.DataFrame([{**row, "turns": [{"role": "assistant", "content": "x"}]} for row in ROWS])
    rows = rows.with_columns(pl.col("answer").cast(pl.Categorical))
    rows.write_parquet(tmp_path / "polars.parquet")
    view = rows.to_arrow().cast(pa.schema([("id", pa.string_view()), *list(rows.to_arrow().schema)[1:]]))
    pq.write_table(view, tmp_path / "view.parquet")
    columns = Columns(problem="question", answer="answer", source_id="id", rollouts="turns")
    for name in ("polars", "view"):
        taken = whole(Files(path=str(tmp_path / f"{name}.parquet"), columns=columns)())
        assert taken.problems.select("source_id", "answer").rows() == [("1", "2"), ("2", None)]
        assert taken.rollouts["response"].to_list() == ["x", "x"]


def test_a_torn_line_is_reported_with_its_place_and_the_rest_is_read(tmp_path: Path) -> None:
    torn = [b'{"question": "1?"}', b'{"question": "2', b"[]", b"\xff\xfe", b"", b"[" * 100_000, b'{"question": "3?"}']
    taken = read(tmp_path, "x.jsonl", b"\n".join(torn), Columns(problem="question"))
    assert taken.problems["problem"].to_list() == ["1?", "3?"]
    assert taken.unreadable.rows() == [(f"x.jsonl:{line}", "bad_json") for line in (2, 3, 4, 6)]
    assert taken.rows == 6  # a blank line is no row


def test_a_torn_record_of_a_csv_is_reported(tmp_path: Path) -> None:
    taken = read(tmp_path, "x.csv", b'question,a\n1?,1\n2?,2,2\n3?\n\xff?,4\n5?,5\n"6?', Columns(problem="question"))
    assert taken.problems["problem"].to_list() == ["1?", "5?"]
    assert taken.unreadable.rows() == [(f"x.csv:{line}", "bad_csv") for line in (3, 4, 5, 7)]


def test_numbers_keep_their_digits(tmp_path: Path) -> None:
    rows = b'{"q": "1", "a": 0.10}\n{"q": "2", "a": "x"}\n{"q": "3", "a": 12345678901234567890123}\n{"q": 4, "a": true}'
    taken = read(tmp_path, "x.jsonl", rows, Columns(problem="q", answer="a"))
    assert taken.problems["answer"].to_list() == ["0.10", "x", "12345678901234567890123", "true"]


def test_an_object_with_one_list_and_json_lines_named_json_are_read(tmp_path: Path) -> None:
    columns = Columns(problem="question")
    nested = read(tmp_path, "x.json", json.dumps({"version": 1, "data": ROWS}).encode(), columns)
    named = read(tmp_path, "y.json", lines(ROWS), columns)
    assert nested.problems["problem"].to_list() == named.problems["problem"].to_list()
    with pytest.raises(SourceError, match="needs one list of objects, has 2"):
        read(tmp_path, "z.json", json.dumps({"train": ROWS, "test": ROWS}).encode(), columns)


def test_a_large_file_comes_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "BATCH_ROWS", 10)
    (tmp_path / "x.jsonl").write_bytes(lines([{"question": f"{i}?"} for i in range(95)]))
    batches = list(Files(path=str(tmp_path / "x.jsonl"), columns=Columns(problem="question"))())
    assert [batch.rows for batch in batches] == [10] * 9 + [5]
    assert batches[-1].problems["problem"].to_list() == ["90?", "91?", "92?", "93?", "94?"]


@pytest.mark.parametrize("suffix", [".jsonl", ".ndjson", ".parquet"])
def test_a_row_that_weighs_too_much_is_unreadable(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_rows, "ROW_BYTES", 10_000)
    monkeypatch.setattr(readers, "ROW_BYTES", 10_000)
    rows = [{"question": "1?"}, {"question": "x" * 20_000}, {"question": "2?"}]
    taken = read(
        tmp_path, f"x{suffix}", parquet(rows) if suffix == ".parquet" else lines(rows), Columns(problem="question")
    )
    assert taken.problems["problem"].to_list() == ["1?", "2?"]
    assert taken.unreadable.rows() == [(f"x{suffix}:2", "oversize")]


def test_several_files_are_read_by_name_and_each_is_its_own_source(tmp_path: Path) -> None:
    for name in ("train-00001-of-00002.jsonl", "train-00000-of-00002.jsonl", "test.jsonl"):
        (tmp_path / name).write_bytes(lines([{"question": name}]))
    source = Files(
        path=(str(tmp_path / "train*.jsonl"), str(tmp_path / "test.jsonl")), columns=Columns(problem="question")
    )
    assert whole(source()).problems.select("problem", "source").rows() == [
        ("train-00000-of-00002.jsonl", "train"),
        ("train-00001-of-00002.jsonl", "train"),
        ("test.jsonl", "test"),
    ]
    names = ["1. train-00000-of-00002.jsonl", "2. train-00001-of-00002.jsonl", "3. test.jsonl"]
    assert list(source.state()) == names


def test_the_state_is_the_content_wherever_it_lies(tmp_path: Path) -> None:
    states = []
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.jsonl").write_bytes(b'{"question": "1?"}')
        states.append(Files(path=str(tmp_path / folder / "*.jsonl"), columns=PLAIN).state())
    # sha256 of the line, from sha256sum
    digest = "8b6f3d9b68810607d014838fd12ef369e898f2e2d7404611903c75caca82dd5f"
    assert states == [{"1. x.jsonl": digest}] * 2
    both = Files(path=str(tmp_path / "**" / "*.jsonl"), columns=PLAIN).state()
    assert list(both) == ["1. here/x.jsonl", "2. there/x.jsonl"]


def test_the_order_of_the_files_is_part_of_the_state(tmp_path: Path) -> None:
    paths = [str(tmp_path / name) for name in ("a.jsonl", "b.jsonl")]
    for path in paths:
        Path(path).write_bytes(lines([{"question": f"{path}?"}]))
    there, back = (Files(path=tuple(order), columns=PLAIN).state() for order in (paths, paths[::-1]))
    # A fingerprint is taken of sorted keys.
    assert fingerprint(there) != fingerprint(back)


def test_limit_is_the_most_rows_that_are_read(tmp_path: Path) -> None:
    data = lines([{"question": f"{i}?"} for i in range(9)])
    assert read(tmp_path, "x.jsonl", data, Columns(problem="question"), limit=4).rows == 4
    (tmp_path / "y.jsonl").write_bytes(data)
    paths = (str(tmp_path / "x.jsonl"), str(tmp_path / "y.jsonl"))
    assert whole(Files(path=paths, columns=Columns(problem="question"), limit=9)()).rows == 9


def test_a_limit_reads_less_and_checks_as_much(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no column 'anser' \(did you mean 'answer'\?\)"):
        read(tmp_path, "x.jsonl", lines(ROWS), Columns(problem="question", answer="anser"), limit=1)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ("use: files, path: x.jsonl, limit: 0", "sources.0.limit: 0 is too small. Write at least 1."),
        ("use: hub, path: a/b, limit: -1", "sources.0.limit: -1 is too small. Write at least 1."),
        ("use: files, path: []", "sources.0.path: has 0 entries. Write at least 1."),
    ],
)
def test_a_manifest_cannot_ask_for_nothing(tmp_path: Path, options: str, text: str) -> None:
    source = f"- {{{options}, columns: {{problem: q}}}}"
    (tmp_path / "m.yaml").write_text(f"name: x\nsources:\n{source}\nviews: {{rl: {{}}}}\n")
    with pytest.raises(ManifestError) as fault:
        read_manifest(tmp_path / "m.yaml")
    (line,) = fault.value.faults
    assert line.endswith(text)


def test_no_path_is_no_file() -> None:
    with pytest.raises(SourceError, match="no file is named"):
        Files(path=(), columns=PLAIN).state()


REAL = os.environ.get("COTILLION_REAL_DATA")
TRACES = Columns(
    problem="question", answer="answer", source_id="question_id", rollouts="rollout", labels="correct", teacher="model"
)


@pytest.mark.skipif(REAL is None, reason="COTILLION_REAL_DATA is not set")
@pytest.mark.parametrize(
    ("name", "problems", "rollouts", "labels"),
    [
        ("longcot_math500", 500, 6000, {"correct": 4853, "wrong": 1147}),
        ("mip_gsm8k_longcot", 582, 4074, {"correct": 535, "wrong": 47, None: 3492}),
    ],
)
def test_published_traces_come_in_whole(name: str, problems: int, rollouts: int, labels: dict[str | None, int]) -> None:
    taken = whole(Files(path=f"{REAL}/rollouts/{name}.jsonl.gz", columns=TRACES)())
    assert taken.problems["id"].n_unique() == problems
    assert taken.rollouts.height == taken.rows == rollouts
    assert dict(taken.rollouts["source_verdict"].value_counts().iter_rows()) == labels
    assert not taken.unreadable.height
