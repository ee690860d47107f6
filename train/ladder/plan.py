"""The plan: every run of the ladder and its controls, each after the one that it starts from. Nothing is done here."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from curate.recipes.manifest_faults import guess
from train.ladder.file import Ladder, LadderError
from train.ladder.recipe import Stage
from train.settings import GROUPS

LADDER = "ladder"
"""The branch that is no control."""
SETS = ("heldout", "validation")


@dataclass(frozen=True)
class Run:
    """One stage, at one seed, on one branch."""

    branch: str
    """`ladder`, or the control's name."""
    stage: Stage
    seed: int
    parent: "Run | None"
    """The run that it starts from; None for the student as it is."""

    @cached_property
    def name(self) -> str:
        """`dpo-s0`, or `random_pairs.dpo-s0` on a control's branch."""
        branch = "" if self.branch == LADDER else f"{self.branch}."
        return f"{branch}{self.stage.name}-s{self.seed}"

    @property
    def chain(self) -> tuple["Run", ...]:
        """The runs before it, the first one first, and itself."""
        return (*(self.parent.chain if self.parent else ()), self)


def runs(ladder: Ladder, controls: Sequence[str] | None = None, seeds: Sequence[int] | None = None) -> list[Run]:
    """Every run, none before its parent; the ladder of all seeds first, then the controls.

    Args:
        controls: names of those to run; None for all.
        seeds: those to run; None for all of the file.

    Raises:
        LadderError: no control or seed of that name.
    """
    chosen = _chosen("--controls", controls, [control.name for control in ladder.controls])
    climbing = ladder.seeds if seeds is None else tuple(seeds)
    if strange := set(climbing) - set(ladder.seeds):
        listed = ", ".join(map(str, ladder.seeds))
        raise LadderError([f"--seeds {', '.join(map(str, sorted(strange)))}: not of the ladder, which has {listed}"])
    planned: list[Run] = []
    steps: dict[tuple[str, int], Run] = {}
    last: dict[int, Run] = {}
    for stage in ladder.stages:
        for seed in climbing:
            last[seed] = steps[stage.name, seed] = Run(LADDER, stage, seed, last.get(seed))
            planned.append(last[seed])
    for control in (control for control in ladder.controls if control.name in chosen):
        for seed in climbing:
            parent = steps.get((control.after, seed))
            for stage in control.stages:
                parent = Run(control.name, stage, seed, parent)
                planned.append(parent)
    return planned


def from_stage(planned: Sequence[Run], name: str | None) -> frozenset[str]:
    """The names of the runs to do anew: those of the stage or control, and all that stand on them.

    Raises:
        LadderError: no stage or control of that name.
    """
    if name is None:
        return frozenset()
    again = {run.name for run in planned if any(name in (each.stage.name, each.branch) for each in run.chain)}
    if not again:
        names = dict.fromkeys(each for run in planned for each in (run.stage.name, run.branch) if each != LADDER)
        raise LadderError([f"--stage {name}: no such stage or control. There are: {', '.join(names)}"])
    return frozenset(again)


def _chosen(option: str, wanted: Sequence[str] | None, known: Sequence[str]) -> set[str]:
    if wanted is None:
        return set(known)
    for name in wanted:
        if name not in known:
            meant = guess(name, known)
            advice = f"Did you mean {meant!r}?" if meant else f"There are: {', '.join(known) or 'none'}."
            raise LadderError([f"{option} {name}: no such control. {advice}"])
    return set(wanted)


def build_overrides(run: Run, student: str | None, versions: Mapping[str, Path]) -> tuple[str, ...]:
    """What is laid over the stage's manifest.

    Args:
        student: the folder of the model that the stage starts from.
        versions: the folders of the versions of the stages before it, by stage.
    """
    given = [f"{key}={as_set(value)}" for key, value in _flat(run.stage.build, None)]
    given += [f"{option}={versions[of].absolute()}" for option, of in run.stage.versions.items()]
    if run.stage.ask_student and student:
        given.append(f"rollouts.teacher.path={Path(student).absolute()}")
    return tuple(given)


def train_words(
    run: Run, ladder: Ladder, model: str, version: str, out: Path, root: Path, resume: bool = False
) -> list[str]:
    """The command that trains, as a user would type it."""
    stage = run.stage
    words = ["train", stage.trainer, "--data", version, "--root", str(root), "--model", model, "--out", str(out)]
    words += ["--config", stage.config] if stage.config else []
    words += ["--view", stage.view] if stage.view else []
    words += [word for key, value in training_settings(run, ladder) for word in ("--set", f"{key}={as_set(value)}")]
    words += [word for finding in stage.accept for word in ("--accept", finding)]
    # What the student is worth is measured by itself, on problems of its own.
    words += ["--answers", "0"] if stage.trainer in ("midtrain", "sft") else []
    return [*words, "--resume"] if resume else words


def training_settings(run: Run, ladder: Ladder) -> list[tuple[str, Any]]:
    """What is set over the stage's config: the stage's own, the student's size, the seed."""
    sizes = [(f"student.{name}", size) for name, size in ladder.student.sizes.items()] if run.parent is None else []
    return [*sizes, *_flat(run.stage.set, GROUPS), ("seed", run.seed)]


def eval_words(ladder: Ladder, model: Path, on: Sequence[str], root: Path) -> list[str]:
    """The command that measures, as a user would type it."""
    drawn, asked = ladder.evaluate, ladder.evaluate.sampling
    words = ["train", "eval", str(model), "--on", ",".join(on), "-k", str(asked.n), "--root", str(root)]
    words += ["--temperature", f"{asked.temperature:g}", "--top-p", f"{asked.top_p:g}"]
    words += ["--max-tokens", str(asked.max_tokens), "--seed", str(asked.seed), "--batch", str(drawn.batch)]
    return [*words, "--engine", drawn.engine, "--out", str(model / "eval")]


def build_words(manifest: str, overrides: Sequence[str], root: Path) -> list[str]:
    """The command that builds a version, as a user would type it."""
    words = ["curate", "build", "--manifest", manifest, "--root", str(root)]
    return [*words, *(word for override in overrides for word in ("--set", override))]


def typed(words: Sequence[str]) -> str:
    """The command on one line, paths below the working directory from there."""
    here = f"{Path.cwd()}/"
    return shlex.join(word.replace(here, "") for word in words)


def _flat(values: Mapping[str, Any], groups: Mapping[str, str] | None, prefix: str = "") -> list[tuple[str, Any]]:
    """Dotted keys and their values; `groups`: the only keys below which a mapping is one of keys."""
    found: list[tuple[str, Any]] = []
    for key, value in values.items():
        if isinstance(value, dict) and (groups is None or key in groups):
            found += _flat(value, groups, f"{prefix}{key}.")
        else:
            found.append((f"{prefix}{key}", value))
    return found


def as_set(value: Any) -> str:
    """The value as `--set` reads it again: JSON is YAML, and text stands for itself."""
    return value if isinstance(value, str) else json.dumps(value)
