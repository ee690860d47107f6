"""Strict YAML: plain data, the place of every value, and a name for every trap.

What YAML 1.1 and 1.2 read differently is refused, so that every reader of a manifest reads the same. The one exception
is `1e-5`, a number here as in YAML 1.2. Keys are always text (`on:` is `on`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.reader import Reader

from curate.recipes.yaml_scalars import read_plain

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
MAX_NODES = 2_000

_TOO_DEEP = f"nested more than {MAX_DEPTH} deep. No option needs that: check the brackets."

Loc = tuple[str | int, ...]
"""Where a value lies: keys and list indices from the top."""


class YamlError(ValueError):
    """The text cannot be read on. `line` and `column` count from 1."""

    def __init__(self, line: int, column: int, text: str) -> None:
        super().__init__(text)
        self.line, self.column, self.text = line, column, text


@dataclass(frozen=True)
class Place:
    """Where a value stands; line and column count from 1."""

    line: int
    column: int
    key: tuple[int, int] | None = None
    """Line and column of its key; None for entries of a list."""
    raw: str | None = None
    """A plain scalar as written; None for everything else."""


@dataclass
class Document:
    """The data of one file, with the faults that did not stop the reading."""

    data: Any = None
    places: dict[Loc, Place] = field(default_factory=dict)
    faults: list[tuple[Loc, tuple[int, int], str]] = field(default_factory=list)
    """Loc, line and column, and the text: duplicate keys and scalars that are read in two ways."""


def read_text(path: Path) -> str:
    """The text of a file of at most 1 MB, in UTF-8, without a byte-order mark.

    Raises:
        YamlError: it is not that.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise YamlError(1, 1, "more than 1 MB. A manifest is a page or two: is this the data?")
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise YamlError(1, 1, "starts with a byte-order mark. Save the file as UTF-8 without BOM.")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise YamlError(line, 1, "is not UTF-8 text. Save the file as UTF-8.") from None


def parse(text: str) -> Document:
    """The data of one YAML document.

    Raises:
        YamlError: broken syntax, an anchor, an alias, a tag, a second document, or more than a manifest needs.
    """
    if odd := Reader.NON_PRINTABLE.search(text):
        line, column = line_column(text, odd.start())
        raise YamlError(line, column, f"holds the character U+{ord(odd.group()):04X}, which is no text. Remove it.")
    try:
        return _Parser(text).document
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise YamlError(line, column, _in_our_words(f"{error.problem}")) from None


def line_column(text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of a character."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


class _Loader(yaml.SafeLoader):
    """Stops at once where the scanner would read on for seconds before the parser sees the first event."""

    def fetch_directive(self) -> None:
        raise YamlError(self.line + 1, self.column + 1, "a directive (%). Remove the line.")

    def fetch_flow_collection_start(self, TokenClass: Any) -> None:
        if self.flow_level >= MAX_DEPTH:
            raise YamlError(self.line + 1, self.column + 1, _TOO_DEEP)
        super().fetch_flow_collection_start(TokenClass)


class _Parser:
    """Builds data from events: nothing is ever constructed but dicts, lists and scalars."""

    def __init__(self, text: str) -> None:
        # Any: the stubs of yaml leave out most fields of its events.
        self.events: Iterator[Any] = yaml.parse(text, Loader=_Loader)
        self.document = Document()
        self.nodes = 0
        next(self.events)  # stream start
        start: Any = next(self.events)
        if isinstance(start, yaml.StreamEndEvent):
            return
        self.document.data = self.value((), next(self.events), None)
        next(self.events)  # document end
        if not isinstance(again := next(self.events), yaml.StreamEndEvent):
            raise _stop(again, "a second document (---). One file holds one manifest: split the file.")

    def value(self, loc: Loc, event: Any, key: tuple[int, int] | None) -> Any:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise _stop(event, f"more than {MAX_NODES} values. Lists of rows belong in a data file.")
        if len(loc) > MAX_DEPTH:
            raise _stop(event, _TOO_DEEP)
        if isinstance(event, yaml.AliasEvent):
            raise _stop(event, f"an alias (*{event.anchor}). Write the value out.")
        if event.anchor:
            raise _stop(event, f"an anchor (&{event.anchor}). Remove it, and write the value out where it is needed.")
        if event.tag:
            raise _stop(event, "a tag (!). Remove it, or put the text in quotes.")
        plain = isinstance(event, yaml.ScalarEvent) and event.style is None
        line, column = _at(event)
        self.document.places.setdefault(loc, Place(line, column, key, event.value if plain else None))
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(loc, event, plain)
        return self.mapping(loc) if isinstance(event, yaml.MappingStartEvent) else self.sequence(loc)

    def scalar(self, loc: Loc, event: Any, plain: bool) -> Any:
        value, trap = read_plain(event.value) if plain else (event.value, None)
        if odd := Reader.NON_PRINTABLE.search(event.value):
            # Most often a \boxed in double quotes, where \b is a backspace.
            value = ""
            trap = f"\\ makes the character U+{ord(odd.group()):04X} in double quotes. Write the text in single quotes."
        if trap:
            self.document.faults.append((loc, _at(event), trap))
        return value

    def sequence(self, loc: Loc) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            values.append(self.value((*loc, len(values)), event, None))
        return values

    def mapping(self, loc: Loc) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if not _is_text(event):
                raise _stop(event, "a key that is not plain text. Write key: value.")
            if event.value == "<<" and event.style is None:
                raise _stop(event, "a merge key (<<). Write the keys out.")
            key, at = event.value, _at(event)
            value = self.value((*loc, key), next(self.events), at)
            if key in values:
                first = self.document.places[*loc, key].key
                assert first is not None
                text = f"written twice, first on line {first[0]}. Keep one."
                self.document.faults.append(((*loc, key), at, text))
            values.setdefault(key, value)
        return values


def _is_text(event: Any) -> bool:
    plain = isinstance(event, yaml.ScalarEvent) and not event.anchor and not event.tag
    return plain and not Reader.NON_PRINTABLE.search(event.value)


def _stop(event: Any, text: str) -> YamlError:
    return YamlError(*_at(event), text)


def _at(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


_SYNTAX = (
    (r"'\\t'", "a tab. Indent with spaces."),
    (r"mapping values are not allowed", "a ':' that opens a value inside a value. Put text with ': ' in quotes."),
    (r"could not find expected ':'|simple key", "a key without ':'. Write key: value."),
    (r"expected ',' or", "a bracket that is not closed, or a missing comma. Put text with brackets in quotes."),
    (r"expected the node content", "a bracket or comma out of place. Remove it, or put text that has one in quotes."),
    (r"end of stream", "a quote that is not closed. Close it."),
    (r"unknown escape", "a backslash that is no escape. Write the text in single quotes, or the backslash twice."),
    (r"cannot start any token", "a character that plain text cannot start with. Put the text in quotes."),
    (
        r"expected <block end>",
        "out of line. Indent it like its neighbours; put text that starts with { [ or a quote in quotes.",
    ),
    (
        r"sequence entries|mapping keys",
        "a '- ' or '? ' inside a line. Give it a line of its own, or put the text in quotes.",
    ),
    (r"indicators|a line break", "text beside | or >. Begin it on the next line, or put it in quotes."),
    (r"expected alphabetic", "an & or * without a name. Put the text in quotes."),
    (r"undefined tag handle", "a tag (!). Remove it, or put the text in quotes."),
    (r"expected '<document start>'", "text after the end of the document. Remove it, or the line above it."),
)


def _in_our_words(problem: str) -> str:
    for pattern, text in _SYNTAX:
        if re.search(pattern, problem):
            return text
    return f"not YAML: {problem}. Put the text in quotes."
