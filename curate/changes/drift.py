"""What differs between two recipes, as dotted keys: `rollouts.sampling.n: 8 -> 16`."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MOST_SHOWN = 90
"""Characters of a value in a line."""


class _Absent:
    def __repr__(self) -> str:
        return "(not there)"


ABSENT = _Absent()
"""The value of a key that one side does not have."""


@dataclass(frozen=True)
class Change:
    """One key that differs."""

    key: str
    before: Any
    after: Any

    def cells(self) -> tuple[str, str, str]:
        """Key, before and after, each on one line."""
        return self.key, _shown(self.before), _shown(self.after)

    def __str__(self) -> str:
        return f"{self.key}: {_shown(self.before)} -> {_shown(self.after)}"


def changes(before: Any, after: Any, key: str = "") -> list[Change]:
    """Every key that differs, in the order of the later side; plugs of a list are told apart by their names.

    Example:
        >>> [str(change) for change in changes({"n": 8, "seed": 0}, {"n": 16, "seed": 0}, "sampling")]
        ['sampling.n: 8 -> 16']
        >>> print(*changes([{"use": "a"}, {"use": "b", "k": 1}], [{"use": "b", "k": 2}], "tags"), sep="; ")
        tags.b.k: 1 -> 2; tags.a: {} -> (not there)
    """
    return list(_changes(before, after, key))


def recipe_changes(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    """What differs between the recipes of two locks: their manifests."""
    return changes(before.get("manifest", {}), after.get("manifest", {}))


def world_changes(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    """What differs between two locks that no manifest says: what sources held, the teacher's revision, libraries."""
    found = changes(_states(before), _states(after), "sources")
    found += changes(_teacher(before), _teacher(after), "teacher")
    found += changes(before.get("libraries", {}), after.get("libraries", {}), "libraries")
    return found + changes(before.get("python"), after.get("python"), "python")


def _states(lock: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"use": source["use"], **source["state"]} for source in lock.get("sources", [])]


def _teacher(lock: dict[str, Any]) -> dict[str, Any]:
    teacher = lock.get("teacher") or {}
    return {name: teacher[name] for name in ("model", "revision") if name in teacher}


def _changes(before: Any, after: Any, key: str) -> Iterator[Change]:
    if isinstance(before, list) and isinstance(after, list) and (named := _named(before, after)):
        before, after = named
    if isinstance(before, dict) and isinstance(after, dict):
        for name in [*after, *(name for name in before if name not in after)]:
            inner = f"{key}.{name}" if key else str(name)
            yield from _changes(before.get(name, ABSENT), after.get(name, ABSENT), inner)
    elif before is ABSENT or after is ABSENT or json.dumps(before) != json.dumps(after):
        yield Change(key, before, after)


def _named(before: list[Any], after: list[Any]) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Lists of plugs by the name of each, where that tells them apart, else by their place; None for other lists."""
    if not all(isinstance(entry, dict) and "use" in entry for entry in (*before, *after)):
        return None
    unique = all(len({str(entry["use"]) for entry in side}) == len(side) for side in (before, after))
    if unique:
        first, second = (
            {str(e["use"]): {k: v for k, v in e.items() if k != "use"} for e in s} for s in (before, after)
        )
        return first, second
    first, second = ({str(place): entry for place, entry in enumerate(side)} for side in (before, after))
    return first, second


def _shown(value: Any) -> str:
    if value is ABSENT:
        return repr(value)
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]} ... ({len(text):,} characters)"
