"""Faults of a manifest: what is wrong, where it stands, and what to write instead."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from curate.recipes.yaml_lines import Loc, Place
from curate.recipes.yaml_scalars import short

# Long enough to be the thing itself: a sentence about sk- keys is none.
SECRET = re.compile(
    r"\b(?:sk-[\w-]{16,}|hf_[A-Za-z0-9]{20,}|gh[opsur]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|AKIA[0-9A-Z]{16}"
    r"|xox[abprs]-[\w-]{10,}|AIza[\w-]{35})|-----BEGIN [A-Z ]*PRIVATE KEY|(?<=://)[^/\s:@]*:[^/\s@]+@"
)


class ManifestError(ValueError):
    """A manifest that cannot be built: one line per fault, all of them."""

    def __init__(self, faults: Iterable[str]) -> None:
        # A key that was pasted into a manifest must not go on into logs.
        self.faults = tuple(SECRET.sub("***", fault) for fault in faults)
        super().__init__("\n".join(self.faults))


class Faults:
    """Collects the faults of one file and of the overrides that were laid over it."""

    def __init__(self, file: str, places: dict[Loc, Place]) -> None:
        self.file = file
        self.places = {(): Place(1, 1)} | places
        self.overrides: dict[Loc, str] = {}
        """What `--set` put there, as it was given."""
        self.guessed: set[Loc] = set()
        """Keys that a misspelt one beside them was meant to be."""
        self._lines: dict[Loc, tuple[tuple[int, int, int], str]] = {}

    def add(self, loc: Loc, text: str, *, at_key: bool = False, at: tuple[int, int] | None = None) -> None:
        """One more fault, unless this value or what holds it has one already: the first is the cause."""
        if any(loc[:end] in self._lines for end in range(1, len(loc) + 1)):
            return
        order, where = self._where(loc, at_key, at)
        key = ".".join(map(str, loc))
        self._lines[loc] = (order, f"{where}{key}: {text}" if key else f"{where}{text}")

    def holds_below(self, loc: Loc) -> bool:
        """Whether something in this value has a fault."""
        return any(told[: len(loc)] == loc for told in self._lines)

    def add_comment(self, line: int, column: int, text: str) -> None:
        """One more fault that no value holds."""
        self._lines[f"line {line}",] = ((0, line, column), f"{self.file}:{line}:{column}  {text}")

    def add_override(self, override: str, text: str) -> None:
        """One more fault: an override that cannot be read."""
        self._lines[(f"--set {override}",)] = ((1, len(self.overrides), 0), f"--set {override}: {text}")

    def override_at(self, loc: Loc) -> str | None:
        """The override that put this value there, if one did."""
        for end in range(len(loc), 0, -1):
            if loc[:end] in self.overrides:
                return self.overrides[loc[:end]]
            if loc[:end] in self.places:
                return None
        return None

    def stop_if_any(self) -> None:
        """Raises what was collected, by line and column, overrides last."""
        if self._lines:
            raise ManifestError(line for _, line in sorted(self._lines.values()))

    def _where(self, loc: Loc, at_key: bool, at: tuple[int, int] | None) -> tuple[tuple[int, int, int], str]:
        for end in range(len(loc), -1, -1):
            near = loc[:end]
            if near in self.overrides:
                return (1, list(self.overrides).index(near), 0), f"--set {self.overrides[near]}: "
            if near in self.places:
                place = self.places[near]
                # What is missing is looked for at the key of what should hold it.
                key = place.key if at_key or near != loc else None
                line, column = at or key or (place.line, place.column)
                return (0, line, column), f"{self.file}:{line}:{column}  "
        raise KeyError(loc)  # the empty loc has a place


def guess(word: str, names: Iterable[str]) -> str | None:
    """The name that was probably meant: at most a third of its letters away, one at least; None if there is none."""
    near = [(_edits(word, name), -difflib.SequenceMatcher(None, word, name).ratio(), name) for name in names]
    edits, _, name = min(near, default=(99, 0.0, ""))
    return name if edits <= max(1, len(name) // 3) else None


def _edits(a: str, b: str) -> int:
    """Letters to insert, drop, change or swap with their neighbour (optimal string alignment)."""
    if abs(len(a) - len(b)) > 8 or len(a) > 80:
        return 99
    before, last = [0] * (len(b) + 1), list(range(len(b) + 1))
    for i, x in enumerate(a):
        row = [i + 1]
        for j, y in enumerate(b):
            row.append(min(row[j] + 1, last[j + 1] + 1, last[j] + (x != y)))
            if i and j and x == b[j - 1] and y == a[i - 1]:
                row[-1] = min(row[-1], before[j - 1] + 1)
        before, last = last, row
    return last[-1]


def add_unknown_key(faults: Faults, loc: Loc, names: Iterable[str]) -> None:
    """One unknown key, with the one that was meant or all there are."""
    names = sorted(names)
    meant = guess(str(loc[-1]), names)
    if meant:
        faults.guessed.add((*loc[:-1], meant))
        advice = f"Did you mean {meant!r}?"
    else:
        advice = f"There are: {', '.join(names)}." if names else "There are none here: remove it."
    faults.add(loc, f"unknown key. {advice}", at_key=True)


def add_validation_faults(
    faults: Faults, error: ValidationError, data: Any, at: Loc, schema: Mapping[str, Any]
) -> None:
    """Every fault that pydantic found in `data`, in our words. `at` is where the data stands in the manifest."""
    by_loc: dict[Loc, list[Any]] = {}
    for detail in error.errors(include_url=False):
        by_loc.setdefault(_in_data(detail, data), []).append(detail)
    # Unknown keys first: they say which missing ones are only misspelt.
    for loc, details in sorted(by_loc.items(), key=lambda item: item[1][0]["type"] == "missing"):
        if any(other[: len(loc)] == loc != other for other in by_loc):
            continue  # one side of a union; the other got further
        first, place = details[0], (*at, *loc)
        if first["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
            add_unknown_key(faults, place, _keys(schema, loc[:-1]))
        elif first["loc"][-1:] == ("[key]",):
            add_unknown_key(faults, place, re.findall(r"'([^']*)'", str(first.get("ctx"))))
        elif first["type"] in ("value_error", "assertion_error"):
            # A plug that checks its options together begins its text with the one that is wrong.
            text = str(first["ctx"]["error"])
            option, colon, rest = text.partition(": ")
            if colon and isinstance(data, dict) and option in data and not loc:
                faults.add((*place, option), rest)
            elif not faults.holds_below(place):
                faults.add(place, text)
        elif place not in faults.guessed:
            raw = faults.places[place].raw if place in faults.places else None
            faults.add(place, _in_our_words(details, raw))


def _in_data(detail: Any, data: Any) -> Loc:
    """The loc without pydantic's names of union members."""
    loc: list[str | int] = []
    for step in detail["loc"]:
        if (isinstance(data, dict) and step in data) or (isinstance(data, list) and step in range(len(data))):
            loc.append(step)
            data = data[step]
    last = detail["loc"][-1:]
    return (*loc, *last) if detail["type"] == "missing" and isinstance(last[0], str) else tuple(loc)


def _keys(schema: Mapping[str, Any], loc: Loc) -> set[str]:
    """Every key that a value at this loc may have."""
    nodes = list(_alternatives(schema, schema))
    for step in loc:
        children = [child for node in nodes if (child := _child(node, step))]
        nodes = [found for child in children for found in _alternatives(child, schema)]
    return {key for node in nodes for key in node.get("properties", {})}


def _child(node: Mapping[str, Any], step: str | int) -> Any:
    if isinstance(step, int):
        entries = node.get("prefixItems", [])
        return entries[step] if step < len(entries) else node.get("items")
    return node.get("properties", {}).get(step) or node.get("additionalProperties")


def _alternatives(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "$ref" in node:
        yield from _alternatives(schema["$defs"][node["$ref"].rpartition("/")[2]], schema)
    for member in node.get("anyOf", []):
        yield from _alternatives(member, schema)
    yield node


_KINDS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping",
    "dataclass_type": "a mapping",
}
_BOUNDS = {
    "greater_than": ("gt", "too small. Write more than"),
    "greater_than_equal": ("ge", "too small. Write at least"),
    "less_than": ("lt", "too large. Write less than"),
    "less_than_equal": ("le", "too large. Write at most"),
}


def _in_our_words(details: list[Any], raw: str | None) -> str:
    first = details[0]
    kind, value, limits = first["type"], first["input"], first.get("ctx", {})
    given = shown(value) if raw is None or isinstance(value, str) else raw
    if kind == "missing":
        key = first["loc"][-1]
        return "an entry is missing. Add it." if isinstance(key, int) else f"missing. Write '{key}: ...' here."
    if kind in _BOUNDS:
        limit, text = _BOUNDS[kind]
        return f"{given} is {text} {limits[limit]:g}."
    if kind in ("too_short", "too_long"):
        bound, limit = ("at least", limits["min_length"]) if kind == "too_short" else ("at most", limits["max_length"])
        return f"has {limits['actual_length']} entries. Write {bound} {limit}."
    wanted = list(dict.fromkeys(_KINDS.get(d["type"]) or d.get("ctx", {}).get("expected", "") for d in details))
    if not all(wanted):
        return f"{given} does not fit here. `curate schema` says what does."
    if value is None:
        return f"is empty. Write {' or '.join(wanted)}."
    if len(wanted) > 1:
        return f"{given} is not {' or '.join(wanted)}. Write one of these."
    return f"{given} is not {wanted[0]}. {_advice(wanted[0], kind, value, given)}"


def _advice(wanted: str, kind: str, value: Any, given: str) -> str:
    if kind == "literal_error":
        meant = guess(str(value), re.findall(r"'([^']*)'", wanted))
        return f"Did you mean {meant!r}?" if meant else "Write one of these." if " or " in wanted else "Write it."
    if wanted == "text":
        plain = not isinstance(value, (list, dict))
        return f"Write '{given}'." if plain else "Put text that has brackets in quotes."
    if "number" in wanted and isinstance(value, str):
        return "Write it without quotes." if re.fullmatch(r"[-+.\d]*\d[-+.\deE]*", value) else "Write a number."
    if wanted == "a list":
        return "Put it in brackets: [...]."
    return {"a mapping": "Write key: value.", "true or false": "Write one of them."}.get(wanted, "Write one.")


def shown(value: Any) -> str:
    """The value as it would stand in YAML, in a few words."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "a mapping"
    return repr(short(value)) if isinstance(value, str) else "null" if value is None else str(value)
