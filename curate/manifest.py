"""The manifest: one strict YAML file in, a typed recipe with its plugs out, or every fault at once."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from curate.choices.view_order import add_view_faults
from curate.recipes.manifest_faults import SECRET, Faults, ManifestError
from curate.recipes.manifest_plugs import Use, plain, use_of, validated
from curate.recipes.manifest_schema import schema
from curate.recipes.overrides import apply_override
from curate.recipes.recipe import Prompt, Recipe, Rollouts
from curate.recipes.yaml_lines import Loc, YamlError, line_column, parse, read_text

__all__ = ["Manifest", "ManifestError", "Prompt", "Recipe", "Rollouts", "Use", "read_manifest", "schema"]

_LISTS = ("sources", "problems", "verdicts", "tags")


@dataclass(frozen=True)
class Manifest(Recipe):
    """A recipe that was read: its plugs are loaded, its options checked."""

    manifest_text: str = ""
    """The file as it stands."""
    overrides: tuple[str, ...] = ()
    """What was laid over it, such as `rollouts.sampling.n=16`."""

    def canonical(self) -> dict[str, Any]:
        """The whole recipe, defaults included, in plain values that are a manifest again; paths as written.

        Without the engine: where the work was done says nothing about the rows.
        """
        recipe = {f.name: plain(getattr(self, f.name)) for f in fields(Recipe) if f.name != "engine"}
        for options in recipe["views"].values():
            del options["use"]
        return recipe


def read_manifest(path: str | os.PathLike[str], overrides: Sequence[str] = ()) -> Manifest:
    """The manifest with its plugs loaded and every option checked. Nothing is read but this file.

    Args:
        path: the file; paths in it are relative to its folder.
        overrides: `--set` items such as `rollouts.sampling.n=16` or `sources.0.path=/x/*.jsonl`; paths in them are
            relative to the working directory.

    Raises:
        ManifestError: all faults, one line each.
    """
    faults, data, text = _read(os.fspath(path))
    for override in overrides:
        apply_override(data, override, faults)
    _check_secrets(data, text, faults)
    recipe = validated(Recipe, data, (), faults)
    folder = os.path.dirname(os.path.abspath(path))
    uses = {loc: use_of(kind, entry, loc, faults, folder) for loc, kind, entry in _entries(data)}
    views = {str(loc[1]): use for loc, use in uses.items() if loc[0] == "views"}
    add_view_faults(faults, {name: use.plug.disjoint_from if use else () for name, use in views.items()})
    faults.stop_if_any()
    assert recipe is not None
    return _assembled(recipe, uses, text, tuple(overrides))


def _read(file: str) -> tuple[Faults, dict[str, Any], str]:
    try:
        text = read_text(Path(file))
        document = parse(text)
    except OSError as error:
        raise ManifestError(
            [f"{file}: {error.strerror}. Name a manifest, such as manifests/quickstart.yaml."]
        ) from None
    except YamlError as error:
        raise ManifestError([f"{file}:{error.line}:{error.column}  {error.text}"]) from None
    faults = Faults(file, document.places)
    for loc, at, fault in document.faults:
        faults.add(loc, fault, at=at)
    if not isinstance(document.data, dict):
        faults.add((), "not a manifest. Begin with 'name: ...' and 'sources: ...'.")
        faults.stop_if_any()
    return faults, document.data, text


def _check_secrets(data: Any, text: str, faults: Faults) -> None:
    """A manifest is published beside the data: it may name a secret, never hold one."""
    advice = "looks like a secret. Put it in an environment variable, and write the name of that here."
    told = set()
    for loc, value in _scalars(data, ()):
        if secrets := [found.group() for found in SECRET.finditer(value)]:
            told.update(secrets)
            faults.add(loc, advice)
        elif str(loc[-1]).endswith("_env") and not re.fullmatch(r"[A-Z_][A-Z0-9_]{0,127}", value):
            name = "no name of an environment variable. Write one such as TEACHER_KEY, never the key itself."
            faults.add(loc, name)
    for found in SECRET.finditer(text):
        if found.group() not in told:
            faults.add_comment(*line_column(text, found.start()), advice)


def _scalars(data: Any, loc: Loc) -> Iterator[tuple[Loc, str]]:
    if isinstance(data, str):
        yield loc, data
    for step, value in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield from _scalars(value, (*loc, step))


def _entries(data: dict[str, Any]) -> Iterator[tuple[Loc, str, Any]]:
    """Where, of which kind, and what: everything that should name a plug."""
    for kind in _LISTS:
        if isinstance(entries := data.get(kind), list):
            yield from (((kind, i), kind, entry) for i, entry in enumerate(entries))
    if isinstance(rollouts := data.get("rollouts"), dict) and "teacher" in rollouts:
        yield ("rollouts", "teacher"), "teacher", rollouts["teacher"]
    if data.get("engine") is not None:
        yield ("engine",), "engine", data["engine"]
    if isinstance(views := data.get("views"), dict):
        yield from ((("views", name), "views", options) for name, options in views.items())


def _assembled(recipe: Recipe, uses: Mapping[Loc, Any], text: str, overrides: tuple[str, ...]) -> Manifest:
    """The recipe with its plugs in the place of their entries."""
    plugs: dict[str, Any] = {kind: tuple(uses[kind, i] for i in range(len(getattr(recipe, kind)))) for kind in _LISTS}
    views = {name: uses["views", name] for name in recipe.views}
    rollouts = recipe.rollouts and replace(recipe.rollouts, teacher=uses["rollouts", "teacher"])
    return Manifest(
        **vars(recipe) | plugs | {"views": views, "rollouts": rollouts, "engine": uses.get(("engine",))},
        manifest_text=text,
        overrides=overrides,
    )
