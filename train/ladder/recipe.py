"""What a ladder file says: its keys, their defaults and their bounds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from curate.recipes.recipe import checked_name
from distill.request import Sampling

Trainer = Literal["midtrain", "sft", "dpo", "grpo"]
Name = Annotated[str, AfterValidator(checked_name)]
UNTRAINED = "student"
"""What `after` names where a control begins with the student as it is."""


@dataclass(frozen=True)
class Student:
    """The student of a ladder."""

    model: str = "tiny"
    """`tiny`, from scratch; a folder of weights, beside the ladder file, written with a slash; or a name on the Hub."""
    sizes: dict[str, int] = field(default_factory=dict)
    """Of the tiny student: `layers`, `width`, `inner`, `vocabulary`, `context` (train.tiny)."""


@dataclass(frozen=True)
class ProblemSet:
    """Problems that no stage trains on: the view `rl` of a version of their own."""

    manifest: str
    """The manifest that makes the version, beside the ladder file. It needs no teacher: `rl: {unsampled: true}`."""
    split: Literal["train", "heldout"] = "train"
    """Which split of it is asked: with `heldout: 0` in the manifest all problems are in `train`."""


@dataclass(frozen=True)
class Evaluation:
    """What is asked after every stage, and how."""

    heldout: ProblemSet
    """What the ladder is judged by. No choice may be made on it."""
    validation: ProblemSet | None = None
    """What choices are made on (`train ladder --on validation`); asked after every stage, too."""
    sampling: Sampling = field(default_factory=lambda: Sampling(temperature=1.0, top_p=1.0, max_tokens=512))
    """How rollouts are drawn; `n` per problem. Temperature 1.0 and top_p 1.0 show the student as it is."""
    batch: Annotated[int, Field(ge=1, le=4096)] = 64
    """Rollouts drawn together."""
    engine: Literal["transformers", "vllm"] = "transformers"
    """Who draws them."""
    unseen_levels: tuple[str, ...] = ()
    """Levels that no stage trains on: the report shows them apart."""


@dataclass(frozen=True)
class Stage:
    """One version, built and trained on."""

    name: Name
    """How the report calls it."""
    trainer: Trainer
    """Which of `train midtrain | sft | dpo | grpo` it is."""
    manifest: str
    """The manifest of the version to train on, beside the ladder file."""
    build: dict[str, Any] = field(default_factory=dict)
    """Laid over the manifest, as `--set` of `curate build`: `views.sft.keep: all`."""
    versions: dict[str, str] = field(default_factory=dict)
    """Options of the manifest that name the version of an earlier stage: `sources.1.of: sft`."""
    ask_student: bool = False
    """The student as it was before this stage draws the manifest's rollouts: its run becomes the teacher's path."""
    config: str | None = None
    """YAML of the fields of TRL's config, over the preset, beside the ladder file."""
    set: dict[str, Any] = field(default_factory=dict)
    """Such fields, over all else: `max_steps: 100`, `rl.rebalance: true`."""
    accept: tuple[str, ...] = ()
    """Findings of the preflight to train with anyway."""
    view: str | None = None
    """Of midtrain: the view to read instead of `midtrain`."""


@dataclass(frozen=True)
class Control:
    """What happens if it is done otherwise: a branch that leaves the ladder after a stage and has stages of its own."""

    name: Name
    """How the report calls it."""
    after: str
    """The stage whose run it starts from, or `student`: the student as it is."""
    against: str
    """The stage, or the control before it, whose last run its own last run is compared with."""
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    """What is done instead."""
    expect: Literal["below", "above", "none"] = "none"
    """Where the paper, or reason, would have it end; `none` where nothing is claimed."""
    says: str = ""
    """What it shows, in a sentence."""


@dataclass(frozen=True)
class Recipe:
    """A Cotillion ladder: the stages of a small reasoning model, one after the other, each measured."""

    name: Name
    """The ladder's name; its runs and its report lie in `runs/NAME`."""
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    """The ladder, from the bottom."""
    evaluate: Evaluation
    """What is asked after every stage."""
    description: str = ""
    """A few sentences for the report."""
    student: Student = field(default_factory=Student)
    """Who climbs."""
    seeds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)] = (0, 1, 2)
    """The whole ladder once for each: seeds of the weights, the order of the rows and the rollouts of RL. The data's
    own seeds stand in the manifests and do not move."""
    choices: tuple[str, ...] = ()
    """What was chosen on the validation set, in words, for the report."""
    controls: tuple[Control, ...] = ()
    """What happens if it is done otherwise."""
