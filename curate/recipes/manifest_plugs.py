"""Plugs as a manifest names them: found by name, their options checked against the plug's own fields."""

import json
import os
from collections.abc import Hashable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from functools import cache
from typing import Any, get_args, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import core_schema

from curate import plug
from curate.recipes.manifest_faults import Faults, add_unknown_key, add_validation_faults, guess, shown
from curate.recipes.yaml_lines import Loc

_PATH_MARK = get_args(plug.ManifestPath)[1]
_BENCHMARK_MARK = get_args(plug.BenchmarkName)[1]
_MODEL_MARK = get_args(plug.ModelName)[1]
_VERSION_MARK = get_args(plug.VersionName)[1]
_TEACHER_MARK = get_args(plug.TeacherPlug)[1]


@dataclass(frozen=True)
class Use:
    """A plug with its options, as a manifest names it."""

    name: str
    """The plug's name in its list, such as `dedup.exact`; for a view, its key."""
    plug: Any
    """The plug itself. Options that are paths are absolute in it."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """The options as written."""

    def canonical(self) -> dict[str, Any]:
        """`use` and every option, defaults included, in plain values; paths as written."""
        options = {f.name: plain(getattr(self.plug, f.name)) for f in fields(self.plug) if f.init}
        kept = path_options(type(self.plug)) | teacher_options(type(self.plug))
        as_written = {name: self.options[name] for name in kept if name in self.options}
        return {"use": self.name, **options, **as_written}


@dataclass(frozen=True)
class PlugsOf:
    """Stands beside `Use` in an annotation: a plug of this kind, checked by itself against its own options."""

    kind: str

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.any_schema()

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {"plugs": self.kind}


def adapter(cls: Any, docs: bool = False) -> TypeAdapter[Any]:
    """Checks plain data against a plain dataclass: no unknown keys, nothing coerced.

    Args:
        docs: read the docstrings below the fields too; takes the source text, and is only of use for a schema.
    """
    # `| None`: pydantic takes a config for a union, and hands it down, but not for a dataclass that is none of its own.
    config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=docs)
    union: Any = cls | None
    return TypeAdapter(union, config=config)


@cache
def _adapter(cls: Hashable) -> TypeAdapter[Any]:
    return adapter(cls)


def validated(cls: Any, data: Any, at: Loc, faults: Faults) -> Any:
    """An instance of `cls`; None after a fault."""
    try:
        # As JSON, strictness still takes a list for a tuple.
        return _adapter(cls).validate_json(json.dumps(data))
    except ValidationError as error:
        add_validation_faults(faults, error, data, at, _adapter(cls).json_schema())
        return None


def use_of(kind: str, entry: Any, loc: Loc, faults: Faults, folder: str) -> Use | None:
    """The plug that an entry names, with its options; None after a fault."""
    if isinstance(entry, str) and kind != "views":
        return _named(kind, entry, {}, loc, loc, faults, folder)
    options = {} if entry is None and kind == "views" else entry
    if not isinstance(options, dict):
        example = "{option: value}" if kind == "views" else "{use: NAME, option: value}"
        faults.add(loc, f"{shown(entry)} is not a mapping. Write {example}.")
        return None
    if kind == "views":
        return _named(kind, str(loc[-1]), options, loc, loc, faults, folder)
    if "use" not in options:
        if misspelt := next((key for key in options if guess(key, ["use"])), None):
            add_unknown_key(faults, (*loc, misspelt), ["use"])
        else:
            faults.add((*loc, "use"), f"missing. Write 'use: NAME' here. {_choice(kind)}")
        return None
    rest = {name: value for name, value in options.items() if name != "use"}
    return _named(kind, options["use"], rest, loc, (*loc, "use"), faults, folder)


def _named(
    kind: str, name: Any, options: dict[str, Any], loc: Loc, name_at: Loc, faults: Faults, folder: str
) -> Use | None:
    there_are = plug.names(kind)
    if name not in there_are:
        faults.add(name_at, f"no plug is named {shown(name)}. {_meant(kind, name)}", at_key=kind == "views")
        return None
    cls = plug.load(kind, name)
    made = validated(cls, _with_paths(cls, options, loc, faults, folder), loc, faults)
    teachers = {
        option: use_of("teacher", options[option], (*loc, option), faults, folder)
        for option in teacher_options(cls) & set(options)
        # A teacher that may be null is written so in a version's manifest.yaml, which has every default.
        if options[option] is not None or option in _required(cls)
    }
    if made is None or None in teachers.values():
        return None
    return Use(name, replace(made, **{option: use.plug for option, use in teachers.items() if use}), options)


def _meant(kind: str, name: Any) -> str:
    """What to write instead of a name that no plug of this kind has."""
    for other in plug.FOLDERS:
        if other != kind and name in plug.names(other):
            return f"It goes under {other!r}."
    names = {known: known for known in plug.names(kind)}
    # `exact` for `dedup.exact` is a common slip.
    short_names = {known.rpartition(".")[2]: known for known in names}
    meant = guess(str(name), names) or guess(str(name), short_names)
    return f"Did you mean {(names | short_names)[meant]!r}?" if meant else _choice(kind)


def _choice(kind: str) -> str:
    return f"There are: {', '.join(plug.names(kind))}."


def path_options(cls: type[Any]) -> set[str]:
    """The options of a plug that are paths (`plug.ManifestPath`), or may be (`BenchmarkName`, `VersionName`, ...)."""
    marks = (_PATH_MARK, _BENCHMARK_MARK, _VERSION_MARK, _MODEL_MARK)
    return set[str]().union(*(_options_marked(cls, mark) for mark in marks))


def teacher_options(cls: type[Any]) -> set[str]:
    """The options of a plug that are teachers (`plug.TeacherPlug`)."""
    return _options_marked(cls, _TEACHER_MARK)


def _required(cls: type[Any]) -> set[str]:
    return {f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING}


def _options_marked(cls: type[Any], mark: str) -> set[str]:
    hints = get_type_hints(cls, include_extras=True)
    return {f.name for f in fields(cls) if _mentions(hints[f.name], mark)}


def _mentions(annotation: Any, mark: str) -> bool:
    marks = getattr(annotation, "__metadata__", ())
    return mark in marks or any(_mentions(arg, mark) for arg in get_args(annotation))


def _with_paths(cls: type[Any], options: dict[str, Any], loc: Loc, faults: Faults, folder: str) -> dict[str, Any]:
    """The options with every path absolute."""

    def absolute(value: Any, at: Loc) -> Any:
        if isinstance(value, list):
            return [absolute(entry, (*at, i)) for i, entry in enumerate(value)]
        if isinstance(value, dict):
            return {key: absolute(entry, (*at, key)) for key, entry in value.items()}
        if not isinstance(value, str) or "://" in value or not value:
            return value
        if "/" not in value and (
            at[len(loc)] in versions
            or (at[len(loc)] in named and ("@v" in value or "@latest" in value or not os.path.splitext(value)[1]))
        ):
            return value
        if at[len(loc)] in models and not value.startswith((".", "/", "~")):
            return value
        base = os.getcwd() if faults.override_at(at) else folder
        return os.path.normpath(os.path.join(base, os.path.expanduser(value)))

    paths = path_options(cls)
    named, versions, models = (_options_marked(cls, mark) for mark in (_BENCHMARK_MARK, _VERSION_MARK, _MODEL_MARK))
    return {name: absolute(value, (*loc, name)) if name in paths else value for name, value in options.items()}


def plain(value: Any) -> Any:
    """The value in what JSON knows: dataclasses as dicts, tuples as lists, sets sorted."""
    if isinstance(value, Use):
        return value.canonical()
    if is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value) if f.init}
    if isinstance(value, Mapping):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(plain(entry) for entry in value)
    return [plain(entry) for entry in value] if isinstance(value, (list, tuple)) else value
