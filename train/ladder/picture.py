"""The ladder as a picture: a rung per stage with its interval, a dot per seed, controls beside them."""

from pathlib import Path

from train.ladder.pooled import Pooled
from train.ladder.results import Results

INK, SEED, CONTROL = "#2c5f8a", "#9ab8d1", "#c2703d"


def draw_ladder(found: Results, file: Path) -> Path | None:
    """The PNG; None where matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return None
    shown = [(rung.stage, rung.score(), INK) for rung in found.rungs]
    shown += [(name, rung.score(), CONTROL) for name, rung in found.controls.items()]
    figure = Figure(figsize=(max(6.0, 1.3 * len(shown)), 4.6), layout="constrained")
    title = f"{found.ladder.name}: avg@{found.ladder.evaluate.sampling.n} on {found.name}, 95 % over problems"
    axis = figure.add_subplot(ylabel="correct rollouts, %", title=title)
    for place, (_, score, colour) in enumerate(shown):
        _draw(axis, place, score, colour)
    heights = [100 * score.over_problems.mean for _, score, _ in shown[: len(found.rungs)]]
    axis.plot(range(len(heights)), heights, color=INK, linewidth=1, alpha=0.5, zorder=1)
    axis.set_xticks(range(len(shown)), [name.replace("_", "\n") for name, _, _ in shown])
    axis.grid(axis="y", alpha=0.3)
    axis.set_ylim(bottom=0)
    figure.savefig(file, dpi=130, metadata={"Software": None})
    return file


def _draw(axis: object, place: int, score: Pooled, colour: str) -> None:
    mean = score.over_problems
    above, below = 100 * (mean.high - mean.mean), 100 * (mean.mean - mean.low)
    axis.scatter([place] * len(score.by_seed), [100 * each for each in score.by_seed], color=SEED, s=18, zorder=2)  # type: ignore[attr-defined]  # matplotlib has no stubs of its own here
    axis.errorbar([place], [100 * mean.mean], [[below], [above]], color=colour, marker="o", capsize=4, zorder=3)  # type: ignore[attr-defined]  # as above
    axis.annotate(f"{100 * mean.mean:.1f}", (place, 100 * mean.mean), (8, 4), textcoords="offset points", color=colour)  # type: ignore[attr-defined]  # as above
