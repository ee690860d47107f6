"""The ladder file: strict YAML in, a ladder with every path absolute out, or every fault at once."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from curate.recipes.manifest_faults import Faults, ManifestError
from curate.recipes.manifest_plugs import adapter, validated
from curate.recipes.overrides import apply_override
from curate.recipes.yaml_lines import Loc, YamlError, parse, read_text
from train.ladder.recipe import UNTRAINED, Control, Recipe, Stage
from train.tiny import NAME as TINY

WITHOUT_RUN = ("dpo", "grpo")
"""Trainers that take no untrained student."""


class LadderError(ManifestError):
    """A ladder that cannot be climbed: one line per fault, all of them."""


@dataclass(frozen=True)
class Ladder(Recipe):
    """A recipe that was read: names and paths are checked."""

    path: Path = Path()
    """The file."""
    overrides: tuple[str, ...] = ()
    """What was laid over it, such as `stages.grpo.set.max_steps=20`."""

    def chain(self, control: Control) -> tuple[Stage, ...]:
        """The stages of the ladder that a control leaves off after."""
        if control.after == UNTRAINED:
            return ()
        names = [stage.name for stage in self.stages]
        return self.stages[: names.index(control.after) + 1]


def read_ladder(path: str | os.PathLike[str], overrides: Sequence[str] = ()) -> Ladder:
    """The ladder, its paths absolute. Nothing is read but this file.

    Args:
        path: the file; paths in it are relative to its folder.
        overrides: `--set` items; entries of a list are named by their `name`, or counted from 0, as in
            `stages.grpo.set.max_steps=20`. Paths in them are relative to the file, too.

    Raises:
        LadderError: all faults, one line each, with file, line and column.
    """
    file = os.fspath(path)
    try:
        document = parse(read_text(Path(file)))
    except OSError as error:
        raise LadderError([f"{file}: {error.strerror}. Name a ladder, such as manifests/ladder/cpu.yaml."]) from None
    except YamlError as error:
        raise LadderError([f"{file}:{error.line}:{error.column}  {error.text}"]) from None
    faults = Faults(file, document.places)
    for loc, at, fault in document.faults:
        faults.add(loc, fault, at=at)
    if isinstance(document.data, dict):
        for override in overrides:
            apply_override(document.data, _by_place(document.data, override), faults)
        recipe = validated(Recipe, document.data, (), faults)
        if recipe is not None:
            _check(recipe, faults, Path(file).absolute().parent)
    else:
        faults.add((), "not a ladder. Begin with 'name: ...' and 'stages: ...'.")
        recipe = None
    try:
        faults.stop_if_any()
    except ManifestError as error:
        raise LadderError(error.faults) from None
    assert recipe is not None
    return _with_paths(recipe, Path(file).absolute(), tuple(overrides))


def schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of a ladder file, for editors."""
    written = adapter(Recipe, docs=True).json_schema()
    root = written["anyOf"][0]
    made = written["$defs"].pop(root["$ref"].rpartition("/")[2]) if "$ref" in root else root
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "$defs": written["$defs"]}


def _by_place(data: Any, override: str) -> str:
    """The override with the names of list entries as their places."""
    dotted, equals, value = override.partition("=")
    steps, holder = dotted.split("."), data
    for number, step in enumerate(steps):
        if isinstance(holder, list):
            named = [i for i, entry in enumerate(holder) if isinstance(entry, dict) and entry.get("name") == step]
            steps[number] = str(named[0]) if named else step
            place = steps[number]
            holder = holder[int(place)] if place.isdigit() and int(place) < len(holder) else None
        elif isinstance(holder, dict):
            holder = holder.get(step)
    return ".".join(steps) + equals + value


def _check(recipe: Recipe, faults: Faults, folder: Path) -> None:
    """Names that are taken twice or lead nowhere, files that are not there."""
    names = [stage.name for stage in recipe.stages]
    taken: set[str] = {UNTRAINED}
    for loc, name in [*_names(("stages",), recipe.stages), *_names(("controls",), recipe.controls)]:
        if name in taken:
            faults.add((*loc, "name"), f"{name!r} is taken. Name every stage and control otherwise.")
        taken.add(name)
    _check_stages(recipe, recipe.stages, ("stages",), [], faults)
    known = list(names)
    for place, control in enumerate(recipe.controls):
        at: Loc = ("controls", place)
        if control.after not in (*names, UNTRAINED):
            faults.add((*at, "after"), f"no stage is named {control.after!r}. There are: {', '.join(names)}.")
        else:
            before = [] if control.after == UNTRAINED else names[: names.index(control.after) + 1]
            _check_stages(recipe, control.stages, (*at, "stages"), before, faults)
        if control.against not in known:
            faults.add((*at, "against"), f"nothing above is named {control.against!r}. There are: {', '.join(known)}.")
        known.append(control.name)
    for loc, written in _files(recipe):
        if not (folder / written).is_file():
            faults.add(loc, f"no file {written!r} beside the ladder.")
    sets = recipe.evaluate
    if sets.validation and sets.validation == sets.heldout:
        faults.add(("evaluate", "validation"), "the held-out set itself. Choices need problems of their own.")
    if recipe.student.sizes and recipe.student.model != TINY:
        faults.add(("student", "sizes"), "only the tiny student has sizes to choose. Remove it.")
    if len(set(recipe.seeds)) < len(recipe.seeds):
        faults.add(("seeds",), "a seed twice. Write each once.")


def _names(at: Loc, entries: Sequence[Any]) -> Iterator[tuple[Loc, str]]:
    yield from (((*at, place), entry.name) for place, entry in enumerate(entries))


def _check_stages(recipe: Recipe, stages: Sequence[Stage], at: Loc, before: list[str], faults: Faults) -> None:
    """Each stage has a run to start from and versions that were built before it."""
    for place, stage in enumerate(stages):
        for option, of in stage.versions.items():
            if of not in before:
                there = ", ".join(before) or "none"
                faults.add((*at, place, "versions", option), f"no stage before it is named {of!r}. There are: {there}.")
        if not before and recipe.student.model == TINY:
            if stage.trainer in WITHOUT_RUN:
                faults.add((*at, place, "trainer"), f"{stage.trainer} needs a student that was trained before.")
            if stage.ask_student:
                faults.add((*at, place, "ask_student"), "the student is untrained here, and has nothing to say.")
        if stage.view and stage.trainer != "midtrain":
            faults.add((*at, place, "view"), "only midtrain reads another view than its own.")
        before = [*before, stage.name]


def _files(recipe: Recipe) -> Iterator[tuple[Loc, str]]:
    """Every file that the ladder names, and where."""
    for name in ("heldout", "validation"):
        if chosen := getattr(recipe.evaluate, name):
            yield ("evaluate", name, "manifest"), chosen.manifest
    branches: list[tuple[Loc, tuple[Stage, ...]]] = [(("stages",), recipe.stages)]
    branches += [(("controls", i, "stages"), control.stages) for i, control in enumerate(recipe.controls)]
    for at, stages in branches:
        for place, stage in enumerate(stages):
            yield (*at, place, "manifest"), stage.manifest
            if stage.config:
                yield (*at, place, "config"), stage.config


def _with_paths(recipe: Recipe, file: Path, overrides: tuple[str, ...]) -> Ladder:
    """The ladder with every path absolute."""

    def absolute(written: str) -> str:
        return os.path.normpath(file.parent / written)

    def of_stage(stage: Stage) -> Stage:
        config = absolute(stage.config) if stage.config else None
        return replace(stage, manifest=absolute(stage.manifest), config=config)

    sets = {
        name: replace(chosen, manifest=absolute(chosen.manifest))
        for name in ("heldout", "validation")
        if (chosen := getattr(recipe.evaluate, name))
    }
    controls = tuple(replace(each, stages=tuple(map(of_stage, each.stages))) for each in recipe.controls)
    student = recipe.student
    # As a name on the Hub has one slash, too, a folder is one that is there.
    if (file.parent / student.model).is_dir() and "/" in student.model:
        student = replace(student, model=absolute(student.model))
    made = {field.name: getattr(recipe, field.name) for field in fields(Recipe)} | {
        "student": student,
        "stages": tuple(map(of_stage, recipe.stages)),
        "controls": controls,
        "evaluate": replace(recipe.evaluate, **sets),
    }
    return Ladder(**made, path=file, overrides=overrides)
