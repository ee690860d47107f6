"""The course of a run as a picture: losses, and the reward where there is one, over the steps."""

import json
from pathlib import Path

from train.run import METRICS

PLOT = "loss.png"
CURVES = {
    "loss": ("loss", "tab:blue"),
    "eval_loss": ("held-out loss", "tab:orange"),
    # Not the reward: where rewards are rebalanced, its mean is 0 by construction.
    "group/accuracy": ("correct rollouts", "tab:green"),
    "rewards/accuracies": ("pairs told apart", "tab:green"),
}
"""Logged numbers that are drawn: their label and colour. Losses share the left axis, the others the right one."""


def plot_losses(folder: Path) -> Path | None:
    """`loss.png` from the run's metrics.jsonl; None where nothing was logged or matplotlib is not installed."""
    file = folder / METRICS
    logs = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.is_file() else []
    curves = {name: [(log["step"], log[name]) for log in logs if log.get(name) is not None] for name in CURVES}
    curves = {name: points for name, points in curves.items() if points}
    if not curves:
        return None
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return None
    figure = Figure(figsize=(7, 4), layout="constrained")
    left = figure.add_subplot(xlabel="step", ylabel="loss", title=folder.name)
    right = left.twinx() if set(curves) - {"loss", "eval_loss"} else None
    for name, points in curves.items():
        label, colour = CURVES[name]
        axis = left if right is None or name in ("loss", "eval_loss") else right
        axis.plot(*zip(*points, strict=True), label=label, color=colour, marker="." if len(points) < 30 else "")
        if axis is right:
            axis.set_ylabel(label)
    figure.legend(loc="outside upper right", ncols=len(curves), frameon=False)
    left.grid(alpha=0.3)
    figure.savefig(folder / PLOT, dpi=120)
    return folder / PLOT
