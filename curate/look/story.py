"""The story of one row: where it came from, what every stage found, what became of it, and which views took it."""

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from curate.changes.beside import key_of
from curate.ledger import OPENS
from curate.look.prose import seen
from curate.look.show import text_table, views
from curate.plug import PlugError, load
from curate.version import Version, VersionError

TEXT_CHARS = 300
"""Characters of a text that are shown."""
WIDTH = 20

_POSED = ("problem", "answer", "other_answers", "solution")
_CAME = ("source", "source_id", "license", "synthetic", "level", "source_level", "domain", "split")
_DRAWN = ("teacher", "index", "sampling", "finish_reason", "prompt_tokens", "completion_tokens", "source_verdict")
_SAID = ("reasoning", "response")

_OF_ROLLOUT = ("id", "teacher", "finish_reason", "verdict", "extracted_answer", "fate")

Row = dict[str, Any]


def story(places: Sequence[Version], row: str) -> str:
    """All that is known of one problem or rollout, in the order in which it happened.

    Args:
        row: an id or how it begins, a problem's `source_id`, or the place of a row that could not be read.

    Raises:
        VersionError: no row in any of these versions, or several.
    """
    for version in places:
        for table in ("problems", "rollouts"):
            if found := _find(version, table, row):
                told = _of_problem(version, found) if table == "problems" else _of_rollout(version, found)
                return "\n".join(told)
        refused = version.table("ledger").filter((pl.col("id") == row) & (pl.col("unit") == "rows")).collect()
        for entry in refused.iter_rows(named=True):
            return f"{row} could not be read by {entry['stage']} of {version.name}: {entry['reason']}"
    looked = ", ".join(version.name for version in places) or "no version"
    raise VersionError(
        f"no problem or rollout {row!r} (looked in {looked}). Ids stand in the column `id` of every table"
    )


def _find(version: Version, table: str, row: str) -> Row | None:
    """The one row that this names, all columns; two steps, so that only its own texts are read.

    Of a problem and its rewritten child, which share a `source_id`, that names the first.
    """
    rows = version.table(table)
    named = pl.col("id").str.starts_with(row)
    if table == "problems":
        named |= ((pl.col("source_id") == row) & pl.col("rewritten_from").is_null()).fill_null(False)
    keys = ("id", "source_id", "rewritten_from") if table == "problems" else ("id",)
    found = rows.select(keys).with_row_index("at").filter(named).head(2).collect()
    if found.height > 1:
        raise VersionError(f"{version.name}: several {table} are named {row!r}; give the whole id")
    return rows.slice(found["at"][0], 1).collect().row(0, named=True) if found.height else None


def _of_problem(version: Version, problem: Row) -> Iterator[str]:
    yield f"problem {problem['id']} in {version.name}"
    yield from _facts(problem, (*_POSED, *_CAME))
    parent = problem.get("rewritten_from") and _find(version, "problems", problem["rewritten_from"])
    if parent:
        yield f"  rewritten by {parent['dropped_by']} from"
        yield from _beginning(version, "rewritten_from", parent["id"])
    yield ""
    yield from _stages(version, "problems", problem, after=parent["dropped_by"] if parent else None)
    yield from _views(version, "problems", problem)
    if problem.get("cluster") not in (None, problem["id"]):
        yield from _beginning(version, "cluster", problem["cluster"])
    rollouts = _rollouts_of(version, problem["id"])
    yield from ("", text_table(_OF_ROLLOUT, rollouts)) if rollouts else ("  no rollouts",)


def _of_rollout(version: Version, rollout: Row) -> Iterator[str]:
    yield f"rollout {rollout['id']} in {version.name}"
    asked = _find(version, "problems", rollout["problem_id"]) or {}
    yield from _facts({"problem_id": rollout["problem_id"], **asked}, ("problem_id", "problem", "answer", "split"))
    yield from _facts(rollout, (*_DRAWN, *_SAID))
    if (asked_fate := asked.get("drop_reason")) is not None:
        yield f"  its problem was dropped by {asked['dropped_by']}: {_short(asked_fate)}"
    yield ""
    yield from _stages(version, "rollouts", rollout)
    yield from _views(version, "rollouts", rollout)


def _stages(version: Version, table: str, row: Row, after: str | None = None) -> Iterator[str]:
    """Every stage that saw the row, in order, with the facts it wrote; none after the one that dropped it.

    Args:
        after: the stage that made the row; those up to it saw its parent.
    """
    chain = [e["stage"] for e in version.lock["funnel"] if e["unit"] == table and not e["stage"].startswith("views.")]
    chain = chain[chain.index(after) + 1 :] if after in chain else chain
    dropped_by, reason = row.get("dropped_by"), row.get("drop_reason")
    last = _writes(dropped_by) if dropped_by else ()
    for stage in chain:
        if stage.startswith(OPENS) and stage != dropped_by:
            continue
        yield f"  {stage:<{WIDTH}} {f'dropped: {_short(reason)}' if stage == dropped_by else 'kept'}"
        for fact in _writes(stage):
            # What several stages may write is told by the one that dropped the row, if it is one of them.
            if row.get(fact) is not None and (stage == dropped_by or fact not in last):
                yield from _evidence(version, fact, row[fact])
        if stage == dropped_by and row.get("rewritten_as"):
            yield from _beginning(version, "rewritten_as", row["rewritten_as"])
        if stage == dropped_by:
            return


def _writes(stage: str) -> tuple[str, ...]:
    """The facts that a stage writes; none where this release has no stage of that name."""
    kind, _, name = stage.partition(".")
    kind, name = (kind, name) if kind in ("verdicts", "tags") else ("problems", stage)
    try:
        return tuple(load(kind, name).writes)
    except PlugError:
        return ()


def _evidence(version: Version, fact: str, value: Any) -> Iterator[str]:
    """A fact; where it names another problem, how that begins."""
    if fact.endswith("_of"):
        yield from _beginning(version, fact, value)
    else:
        yield f"      {fact} = {_short(value)}"


def _beginning(version: Version, fact: str, other: str) -> Iterator[str]:
    yield f"      {fact} = {_short(other)}"
    found = version.table("problems").filter(pl.col("id") == other).select("problem", "answer").collect()
    for text, answer in found.iter_rows():
        yield f"        {_short(text)}"
        if answer is not None:
            yield f"        answer: {_short(answer)}"


def _views(version: Version, table: str, row: Row) -> Iterator[str]:
    """Which views took the row, and why the others did not."""
    ledger = version.table("ledger").filter((pl.col("id") == row["id"]) & pl.col("stage").str.starts_with("views."))
    left_out = dict(ledger.select("stage", "reason").collect().iter_rows())
    units = {e["stage"]: e["unit"] for e in version.lock["funnel"]}
    for view in views(version):
        counts = _appearances(version, view, table, row["id"])
        there = ", ".join(f"{count} row(s) of {split}" for split, count in counts.items())
        reason = left_out.get(f"views.{view}")
        own = units.get(f"views.{view}") == table
        dropped = "not seen: dropped before" if row.get("drop_reason") is not None else None
        missing = dropped or (f"left out: {_short(reason)}" if reason else "left out" if own else "none of its rows")
        yield f"  view {view:<{WIDTH - 5}} {there or missing}"


def _appearances(version: Version, view: str, table: str, row: str) -> dict[str, int]:
    """Rows of a view, by split, in which a problem or rollout stands."""
    found = {}
    for split in version.lock["tables"][view]:
        rows = version.table(view, split)
        columns = set(rows.collect_schema().names())
        keys = ["problem_id"] if table == "problems" and "problem_id" in columns else list(key_of(rows))
        if table == "rollouts" and "rollout_ids" in columns:
            is_there = pl.col("rollout_ids").list.contains(row)
        else:
            is_there = pl.any_horizontal(pl.col(key) == row for key in keys)
        if count := rows.filter(is_there).select(pl.len()).collect().item():
            found[split] = count
    return found


def _rollouts_of(version: Version, problem: str) -> list[tuple[str, ...]]:
    """A line for every rollout of a problem, with what became of it."""
    rows = version.table("rollouts").filter(pl.col("problem_id") == problem)
    there = rows.collect_schema().names()
    named = [name for name in (*_OF_ROLLOUT[:-1], "dropped_by", "drop_reason") if name in there]
    rollouts = rows.select(named).collect()
    left = version.table("ledger").filter(
        pl.col("id").is_in(rollouts["id"].implode()) & pl.col("stage").str.starts_with("views.")
    )
    reasons: dict[str, dict[str, str]] = {}
    for row, stage, reason in left.select("id", "stage", "reason").collect().iter_rows():
        reasons.setdefault(row, {})[stage.removeprefix("views.")] = reason
    units = {e["stage"].removeprefix("views."): e["unit"] for e in version.lock["funnel"]}
    counted = [view for view in views(version) if units.get(view) == "rollouts"]
    lines = []
    for rollout in rollouts.iter_rows(named=True):
        own = reasons.get(rollout["id"], {})
        fate = "; ".join(f"{view}: {own.get(view, 'taken')}" for view in counted)
        if rollout["drop_reason"] is not None:
            fate = f"dropped by {rollout['dropped_by']}: {rollout['drop_reason']}"
        lines.append((*(_short(rollout.get(name), 40) for name in _OF_ROLLOUT[:-1]), seen(fate)))
    return lines


def _facts(row: Row, names: Sequence[str]) -> Iterator[str]:
    return (f"  {name:<{WIDTH}} {_short(row[name])}" for name in names if row.get(name) is not None)


def _short(value: Any, limit: int = TEXT_CHARS) -> str:
    """One line, every unseen character written out: a row is foreign text, and terminals obey some of it."""
    plain = "-" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
    text = " ".join(seen(plain).split())
    return text if len(text) <= limit else f"{text[:limit]} ... ({len(text):,} characters)"
