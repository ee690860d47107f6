"""The order in which views choose: after the views that they are disjoint from."""

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from curate.recipes.manifest_faults import Faults, guess


def view_order(disjoint_from: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The views' names, each after those that it names; as the manifest has them where nothing else is asked."""
    return list(TopologicalSorter(disjoint_from).static_order())


def add_view_faults(faults: Faults, disjoint_from: Mapping[str, tuple[str, ...]]) -> None:
    """A fault for every name that no view has, and for views that wait for each other."""
    for view, others in disjoint_from.items():
        for place, other in enumerate(others):
            if other not in disjoint_from:
                meant = guess(other, disjoint_from)
                advice = f"Did you mean {meant!r}?" if meant else f"There are: {', '.join(disjoint_from)}."
                faults.add(("views", view, "disjoint_from", place), f"this manifest has no view {other!r}. {advice}")
    known = {view: [other for other in others if other in disjoint_from] for view, others in disjoint_from.items()}
    try:
        TopologicalSorter(known).prepare()
    except CycleError as error:
        circle = list(dict.fromkeys(error.args[1]))
        last = max(circle, key=list(disjoint_from).index)
        text = f"{' and '.join(map(repr, circle))} wait for each other. Let one of them choose first."
        if len(circle) == 1:
            text = "a view cannot be disjoint from itself. Take it out."
        faults.add(("views", last, "disjoint_from"), text)
