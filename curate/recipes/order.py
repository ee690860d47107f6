"""Whether the stages of a manifest stand in an order in which each finds what it reads."""

import difflib
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any

from curate import plug
from curate.records import PROBLEM, ROLLOUT

if TYPE_CHECKING:
    from curate.manifest import Manifest, Use


class OrderError(ValueError):
    """A stage reads a column that no earlier stage writes."""


def check_order(manifest: "Manifest") -> None:
    """Passes if every column that a stage or a view reads is there by then.

    Raises:
        OrderError: every column that is not, and which plug would write it; a goal that nobody judges.
    """
    faults = []
    there = {"problems": {*PROBLEM.names, "with_rollouts"}, "rollouts": set(ROLLOUT.names)}
    for kind, uses in (("problems", manifest.problems), ("verdicts", manifest.verdicts), ("tags", manifest.tags)):
        for place, use in enumerate(uses):
            known = there["problems"] | (there["rollouts"] if use.plug.over == "rollouts" else set())
            missing = [name for name in use.plug.reads if name not in known]
            faults += [f"{kind}.{place} ({use.name}): reads {name!r}, {_advice(name, known)}" for name in missing]
            there[getattr(use.plug, "marks", use.plug.over)] |= set(use.plug.writes)
    faults += _late(manifest)
    known = there["problems"] | {"cluster", "split"}
    for name, use in manifest.views.items():
        asked = [(option, column) for option, column in use.plug.asks_for() if column not in known]
        faults += [f"views.{name}: {option} reads {column!r}, {_advice(column, known)}" for option, column in asked]
    if manifest.rollouts and manifest.rollouts.goal and goal_stage(manifest) is None:
        faults.append(
            "rollouts.goal: no verdict says when it is reached. Put a stage that asks no teacher under verdicts: [rule]"
        )
    if faults:
        raise OrderError("\n".join(faults))


def goal_stage(manifest: "Manifest") -> "Use | None":
    """The first verdict stage that judges rollouts one by one and asks no teacher: it says when a goal is reached."""
    verdicts = [use for use in manifest.verdicts if getattr(use.plug, "marks", use.plug.over) == "rollouts"]
    later = {fact for use in verdicts for fact in use.plug.writes}
    for use in verdicts:
        judges = "verdict" in use.plug.writes and use.plug.scope == "row" and not later & set(use.plug.reads)
        if judges and not plug.asks(use.plug):
            return use
    return None


def _late(manifest: "Manifest") -> list[str]:
    """Gold answers that come when they were read already: verdicts would be those on no gold."""
    faults, read = [], dict[str, str]()
    for place, use in enumerate(manifest.verdicts):
        if getattr(use.plug, "marks", use.plug.over) == "problems":
            late = [f"{name!r}, which {read[name]} has read by then" for name in use.plug.writes if name in read]
            faults += [f"verdicts.{place} ({use.name}): writes {what}. Put it first" for what in late]
        else:
            read |= dict.fromkeys(use.plug.reads, use.name)
    return faults


def _advice(name: str, known: set[str]) -> str:
    writers = [f"{kind}: [{writer}]" for kind, writer, cls in _stages() if name in cls.writes and not _required(cls)]
    if writers:
        return f"which no stage before it writes. Put one before it: {', '.join(writers)}"
    close = difflib.get_close_matches(name, known, n=1)
    return "which no stage writes" + (f". Is it {close[0]!r}?" if close else "")


def _stages() -> list[tuple[str, str, Any]]:
    kinds = ("problems", "verdicts", "tags")
    return [(kind, name, plug.load(kind, name)) for kind in kinds for name in plug.names(kind)]


def _required(cls: Any) -> bool:
    return any(f.default is MISSING and f.default_factory is MISSING for f in fields(cls))
