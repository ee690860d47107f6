"""Views choose: one after the other, the ledger kept, and what they have in common written down."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from curate.alike.leaks import benchmark_overlaps, leak_facts, view_overlaps
from curate.choices.view_order import view_order
from curate.ledger import Ledger
from curate.progress import Steps

if TYPE_CHECKING:
    from curate.manifest import Manifest


@dataclass(frozen=True)
class Choices:
    """What every view took."""

    picks: dict[str, pl.DataFrame] = field(default_factory=dict)
    """By view, in the order of the manifest."""
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What a view tells of its picks, such as how lengths drift between the sides of its pairs."""
    leaks: dict[str, Any] = field(default_factory=dict)
    """The leak matrix, as the lock holds it."""


def choose_views(
    manifest: "Manifest", problems: pl.DataFrame, rollouts: pl.DataFrame, ledger: Ledger, steps: Steps
) -> Choices:
    """The picks of all views from the kept rows, those first that others are disjoint from.

    Raises:
        LeakError: one view trains on what another holds out.
        LedgerError: a view lost or invented rows.
        MixError: a mixture names a source that has no rows.
    """
    chosen: dict[str, pl.DataFrame] = {}
    facts = {}
    for name in view_order({name: use.plug.disjoint_from for name, use in manifest.views.items()}):
        view = manifest.views[name].plug
        with steps.step(f"choosing {name}", None, view.unit) as done:
            others = [chosen[other]["problem_id"] for other in view.disjoint_from]
            given = problems.with_columns(taken=_taken(problems, others))
            fates, picks = view.choose(given, rollouts, manifest.seed)
            units = rollouts if view.unit == "rollouts" else problems
            ledger.record(f"views.{name}", view.unit, units["id"], fates, view.drops)
            done(ledger.entries[-1].kept)
        chosen[name] = picks
        if hasattr(view, "facts"):
            facts[name] = view.facts(picks)
        if picks.is_empty():
            _say_why_empty(name, rollouts, ledger, steps)
    return Choices({name: chosen[name] for name in manifest.views}, facts, _leaks(manifest, problems, chosen))


def _leaks(manifest: "Manifest", problems: pl.DataFrame, chosen: dict[str, pl.DataFrame]) -> dict[str, Any]:
    """The matrix; with the benchmarks of every stage that has a method `benchmarks` and gives them as `Questions`."""
    ids = {name: chosen[name]["problem_id"] for name in manifest.views}
    named = [use.plug.benchmarks() for use in manifest.problems if hasattr(use.plug, "benchmarks")]
    by_name = {questions.name: questions for several in named for questions in several}
    benchmarks = benchmark_overlaps(problems, ids, list(by_name.values())) if named else None
    return leak_facts(view_overlaps(problems, ids), benchmarks)


def _taken(problems: pl.DataFrame, others: list[pl.Series]) -> pl.Series:
    """Whether another view has the problem's cluster."""
    ids = pl.concat([problems["id"].clear(), *others]).unique()
    clusters = problems.filter(pl.col("id").is_in(ids.implode()))["cluster"].unique()
    return problems["cluster"].is_in(clusters.implode())


def _say_why_empty(view: str, rollouts: pl.DataFrame, ledger: Ledger, steps: Steps) -> None:
    entry = ledger.entries[-1]
    why = ", ".join(f"{reason} {n:,}" for reason, n in entry.dropped.items()) or f"there are no {entry.unit}"
    hint = " (reasoning: false takes rollouts without thinking)" if "no_reasoning" in entry.dropped else ""
    if "other_teacher" in entry.dropped:
        hint += f" (rollouts are of {', '.join(rollouts['teacher'].unique().drop_nulls().sort())})"
    steps.say(f"WARNING: view {view} has no rows: {why}{hint}")
