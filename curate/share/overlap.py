"""What the card says of problems that stand in two places: in two views, in a view and in a benchmark."""

from collections.abc import Mapping, Sequence
from typing import Any

from curate.ledger import Entry
from curate.share.markdown import plain, table

STAGES = "decontaminate."


SHOWN_CHARS = 300
"""Of a text that the card shows."""


def decontamination(
    funnel: Sequence[Entry],
    leaks: Mapping[str, Any],
    hits: Sequence[tuple[str, str, str, int]] = (),
    examples: Sequence[Mapping[str, Any]] = (),
) -> str:
    """What stages dropped because a benchmark has it, and what is still in common; said plainly where nobody looked.

    Args:
        leaks: the matrix of the lock (leaks.leak_facts).
        hits: benchmark, rule, fate, and how many problems (hits.counts).
        examples: some hits (hits.hits).
    """
    stages = [entry for entry in funnel if entry.stage.startswith(STAGES)]
    parts = ["## Benchmarks"]
    if stages:
        looked = [(entry.stage, entry.seen, _reasons(entry)) for entry in stages]
        parts.append(table(("stage", "problems", "dropped as known to a benchmark"), looked))
    else:
        parts.append("**Not decontaminated**: no stage has compared these problems with a benchmark.")
    if hits:
        parts += ["What was found, by benchmark and rule; `curate hits` lists every one with both texts:"]
        parts.append(table(("benchmark", "rule", "fate", "problems"), hits))
        shown = [(h["benchmark"], h["rule"], _begins(h["problem"]), _begins(h["question"])) for h in examples]
        parts.append(table(("benchmark", "rule", "the problem", "the question"), shown))
    if (overlaps := leaks.get("benchmarks")) is not None:
        rows = [(o["left"], o["right"], o["exact"], o["near"], o.get("variants", "not counted")) for o in overlaps]
        parts.append(
            "Problems of a view that a benchmark has: the same text, the same question in another form or in other "
            "words (near), and its sentence with other numbers or signs (variants):"
        )
        parts.append(table(("view", "benchmark", "the same", "near", "variants"), rows))
    return "\n\n".join(parts)


def matrix(leaks: Mapping[str, Any]) -> str:
    """Problems that two views share, as a triangle of `same + near`; empty for fewer than two sides."""
    overlaps = leaks.get("views") or []
    if not overlaps:
        return ""
    common = {(o["left"], o["right"]): f"{o['exact']:,} + {o['near']:,}" for o in overlaps}
    sides = list(dict.fromkeys(side for pair in common for side in pair))
    rows = [(left, *(common.get((left, right), "") for right in sides[1:])) for left in sides[:-1]]
    note = (
        "Problems in common, the same + near (equal but for numbers and signs). Training and held-out rows have no "
        "problem in common: a build that finds one stops."
    )
    return f"## What the views have in common\n\n{table(('', *map(plain, sides[1:])), rows)}\n\n{note}"


def drifts(views: Mapping[str, Mapping[str, Any]]) -> str:
    """How much longer the chosen sides of pairs are than the rejected ones, for views that tell it."""
    rows = [
        (name, facts["pairs"], facts["problems"], _length(facts, "chosen"), _length(facts, "rejected"), _drift(facts))
        for name, facts in views.items()
        if "length_drift" in facts
    ]
    if not rows:
        return ""
    header = ("view", "pairs", "problems", "median length chosen", "rejected", "chosen is")
    note = "Plain DPO makes answers longer where the chosen sides are the longer ones: near 0 % is wanted."
    return f"## Pairs\n\n{table(header, rows)}\n\n{note}"


def _reasons(entry: Entry) -> str:
    return ", ".join(f"{why} {n:,}" for why, n in entry.dropped.items()) or "none"


def _begins(text: str | None) -> str:
    line = " ".join((text or "").split())
    return line if len(line) <= SHOWN_CHARS else f"{line[:SHOWN_CHARS]} ..."


def _length(facts: Mapping[str, Any], side: str) -> str:
    length = facts.get(f"{side}_length")
    return "none" if length is None else f"{length:,.0f}"


def _drift(facts: Mapping[str, Any]) -> str:
    drift = facts["length_drift"]
    return "none" if drift is None else f"{abs(drift):.1%} {'shorter' if drift < 0 else 'longer'}"
