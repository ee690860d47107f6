"""Two evaluated models beside each other: the paired difference, with its interval, set by set."""

import json
from pathlib import Path

import polars as pl

from train.evaluate import RESULT, ROLLOUTS
from train.scores import difference, scores
from train.settings import SettingsError

DRAWN = ("row_digest", "read", "engine", "temperature", "top_p", "max_tokens")
"""What two models must share for their difference to be theirs alone."""


def compare(a: Path, b: Path) -> str:
    """The paired differences of two evaluated models, set by set, as a table: b minus a, over the problems of both.

    Raises:
        SettingsError: nothing was evaluated in a folder, or they share no set.
    """
    sets = [_evaluated(folder) for folder in (a, b)]
    common = [name for name in sets[0] if name in sets[1]]
    if not common:
        raise SettingsError(f"{a} and {b} share no set: {', '.join(sets[0])} and {', '.join(sets[1])}")
    lines = [f"{'set':24} {'problems':>8} {'a':>7} {'b':>7}   b - a, 95 % interval"]
    for name in common:
        rows_a, rows_b = (pl.read_parquet(where[name] / ROLLOUTS) for where in sets)
        problems, moved = difference(rows_a, rows_b)
        means = [scores(rows).average.mean for rows in (rows_a, rows_b)]
        sure = "" if moved.low <= 0 <= moved.high else "  *"
        lines.append(
            f"{name:24} {problems:8,} {means[0]:7.1%} {means[1]:7.1%}   "
            f"{moved.mean:+.1%}  [{moved.low:+.1%}, {moved.high:+.1%}]{sure}"
        )
        lines += _drawn_differently(*(where[name] / RESULT for where in sets))
    return "\n".join([*lines, "* the interval leaves out 0"])


def _drawn_differently(a: Path, b: Path) -> list[str]:
    told = [json.loads(file.read_text(encoding="utf-8")) for file in (a, b)]
    ways = [{**{name: one.get(name) for name in DRAWN}, "k": one["scores"]["k"]} for one in told]
    apart = [f"{name} {ways[0][name]} and {ways[1][name]}" for name in ways[0] if ways[0][name] != ways[1][name]]
    return [f"  drawn differently: {', '.join(apart)}"] if apart else []


def _evaluated(folder: Path) -> dict[str, Path]:
    """The sets that were evaluated in a run folder, an `eval` folder or one set's own."""
    for place in (folder / "eval", folder):
        found = {result.parent.name: result.parent for result in sorted(place.glob(f"*/{RESULT}"))}
        if found:
            return found
    raise SettingsError(f"{folder}: nothing was evaluated there. train eval {folder} --on math500 does it")
