"""Rows of JSON lines, JSON documents, CSV and TSV, one at a time: each may be torn in its own way.

A line that cannot be read gives a reason in place of a row. Sizes are capped before text is parsed.
"""

import csv
import json
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, cast

from curate.reading.cells import is_text
from curate.reading.intake import Columns, SourceError, check_columns

ROW_BYTES = 32_000_000
"""A row that weighs more is unreadable: 64 replies of 32,000 tokens weigh about 8 MB."""
JSON_BYTES = 256_000_000
"""A .json document is parsed whole; beyond this it should be JSON lines."""

Row = tuple[int, dict[str, Any] | str, int]
"""Its number (of its last line, or of the item), the object or the reason why there is none, its bytes."""

# Numbers stay as they are written: 0.10 and 1e400 are texts of an answer, not floats.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str, strict=False)


def json_lines(stream: BinaryIO) -> Iterator[Row]:
    """One object per line; blank lines are no rows."""
    for number, line in _lines(stream):
        if line is None:
            yield number, "oversize", 0
        elif not line.isspace():
            found = _object(line)
            yield number, "bad_json" if found is None else found, len(line)


def json_document(opened: Callable[[], BinaryIO], name: str, problem: str) -> Iterator[Row]:
    """The objects of an array, or of the one list in an object. Many .json files are JSON lines: read as such.

    Raises:
        SourceError: neither; or too large to be parsed whole.
    """
    with opened() as stream:
        first, second = stream.readline(ROW_BYTES), stream.readline(ROW_BYTES)
        lines = bool(second.strip()) and _object(first) is not None
    with opened() as stream:
        if lines:
            yield from json_lines(stream)
            return
        text = stream.read(JSON_BYTES + 1)
    if len(text) > JSON_BYTES:
        raise SourceError(
            f"{name}: over {JSON_BYTES // 10**6} MB in one JSON document. Write it as JSON lines (.jsonl)"
        )
    if not text.strip():
        return
    items = _items(_document(text, name), name, problem)
    for number, item in enumerate(items, 1):
        yield number, item if isinstance(item, dict) else "bad_json", len(text) // len(items)


def separated(stream: BinaryIO, delimiter: str, name: str, columns: Columns) -> Iterator[Row]:
    """Records under a header, quoted as in RFC 4180; an empty cell is null. UTF-8.

    Raises:
        SourceError: a header without a column that is named; an endless line.
    """
    csv.field_size_limit(ROW_BYTES)  # 131,072 characters unless said, for the whole process
    reader = csv.reader(_decoded(stream, name), delimiter=delimiter, strict=True)
    header = [title.removeprefix("\ufeff").strip() for title in next(reader, [])]
    if header:
        check_columns(columns, header, name)
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield reader.line_num, "bad_csv", 0
            continue
        if record:
            whole = len(record) == len(header) and is_text("".join(record))
            cells = dict(zip(header, (cell or None for cell in record), strict=False))
            yield reader.line_num, cells if whole else "bad_csv", sum(map(len, record))


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines with their ends; None for one that is too long, of which no more is held than the limit."""
    number = 0
    while line := stream.readline(ROW_BYTES):
        number += 1
        if len(line) < ROW_BYTES or line.endswith(b"\n"):
            yield number, line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(ROW_BYTES)
        yield number, None


def _decoded(stream: BinaryIO, name: str) -> Iterator[str]:
    for number, line in _lines(stream):
        if line is None:
            raise SourceError(f"{name}:{number}: a line of over {ROW_BYTES // 10**6} MB. Is this text with separators?")
        yield line.decode("utf-8", "surrogateescape")


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        found = _parsed(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _document(text: bytes, name: str) -> Any:
    try:
        return _parsed(text)
    except (ValueError, RecursionError) as fault:
        raise SourceError(f"{name}: not a JSON document ({fault})") from fault


def _parsed(text: bytes) -> Any:
    """Raises ValueError for what is no JSON or no UTF-8, RecursionError for a thousand brackets in each other."""
    return _DECODER.decode(text.decode("utf-8-sig").strip())


def _items(document: Any, name: str, problem: str) -> list[Any]:
    if isinstance(document, list):
        return document
    if not isinstance(document, dict) or problem in document:
        return [document]
    lists = [key for key, value in document.items() if isinstance(value, list) and value and isinstance(value[0], dict)]
    if len(lists) != 1:
        there = ", ".join(list(document)[:40])
        raise SourceError(f"{name}: needs one list of objects, has {len(lists)}. Its keys: {there}")
    return cast("list[Any]", document[lists[0]])
