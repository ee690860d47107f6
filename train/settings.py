"""Settings: TRL's own config fields, from a preset, a YAML file and `--set`; the later one wins."""

import dataclasses
import difflib
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import yaml

PRESETS = Path(__file__).parent / "presets"

GROUPS = {
    "student": "only `--model tiny` has a size to choose",
    "lora": "this trainer takes no adapter",
    "rl": "only `train grpo` has these",
}
"""Keys with a dot that are ours, and what is said where a trainer does not have them."""


class SettingsError(ValueError):
    """A setting that does not exist, or has a value it cannot have."""


@dataclass(frozen=True)
class Settings:
    """What a trainer is told."""

    fields: dict[str, Any]
    """Fields of TRL's config class, as given: what is not here has TRL's own default."""
    groups: dict[str, dict[str, Any]]
    """Keys below `student` (train.tiny.Tiny), `lora` (peft.LoraConfig), `rl` (train.rlvr.Fixes); what was given."""
    preset: str
    """Name of the preset below all."""


def read_settings(
    preset: str,
    config: Path | None,
    overrides: tuple[str, ...],
    fields: type[Any],
    **groups: type[Any],
) -> Settings:
    """The preset, then the YAML file, then each `key=value`.

    Args:
        fields: TRL's config dataclass; its fields are the keys there are.
        groups: `student=Tiny` allows the keys `student.layers` and so on, which are the fields of Tiny.

    Raises:
        SettingsError: an unknown key, a value of another type, or unreadable YAML; says where.
    """
    known = {"": _kinds(fields)} | {name: _kinds(kind) for name, kind in groups.items()}
    layers = [_read(PRESETS / f"{preset}.yaml")]
    if config:
        layers.append(_read(config))
    layers.append([("--set", key, value) for key, value in map(_split, overrides)])
    values: dict[str, dict[str, Any]] = {group: {} for group in ("", *GROUPS)}
    for where, key, value in (setting for layer in layers for setting in layer):
        group, name = _group_of(key)
        values[group][name] = _checked(where, key, value, known)
    return Settings(fields=values.pop(""), groups=values, preset=preset)


def _group_of(key: str) -> tuple[str, str]:
    group, _, name = key.rpartition(".")
    return (group, name) if group in GROUPS else ("", key)


def _read(path: Path) -> list[tuple[str, str, Any]]:
    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not YAML: {error}") from error
    if not isinstance(given or {}, dict):
        raise SettingsError(f"{path}: expected lines of `field: value`, found {type(given).__name__}")
    flat = []
    for key, value in (given or {}).items():
        if key in GROUPS and isinstance(value, dict):
            flat += [(str(path), f"{key}.{name}", inner) for name, inner in value.items()]
        elif key == "chat_template_path" and (path.parent / str(value)).is_file():
            flat.append((str(path), key, str(path.parent / value)))  # relative to the file that names it
        else:
            flat.append((str(path), str(key), value))
    return flat


def _split(override: str) -> tuple[str, Any]:
    key, equals, value = override.partition("=")
    if not equals or not key:
        raise SettingsError(f"--set {override}: expected key=value, as in --set learning_rate=1e-4")
    try:
        return key, yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise SettingsError(f"--set {override}: the value is not YAML: {error}") from error


def _kinds(config: type[Any]) -> dict[str, set[Any]]:
    # The types that each field may have: {float}, {int, NoneType}, ...
    hints = get_type_hints(config)
    return {field.name: set(_flat(hints[field.name])) for field in dataclasses.fields(config) if field.init}


def _flat(hint: Any) -> list[Any]:
    if get_origin(hint) in (Union, types.UnionType):
        return [kind for part in get_args(hint) for kind in _flat(part)]
    return [get_origin(hint) or hint]


def _checked(where: str, key: str, value: Any, known: dict[str, dict[str, set[Any]]]) -> Any:
    group, name = _group_of(key)
    if key == "output_dir":
        raise SettingsError(f"{where} output_dir: the run folder is chosen with --out")
    if group not in known:
        raise SettingsError(f"{where} {key}: {GROUPS[group]}")
    if name not in known[group]:
        close = difflib.get_close_matches(name, known[group], n=1)
        guess = f" Did you mean {key.removesuffix(name) + close[0]!r}?" if close else ""
        raise SettingsError(f"{where} {key}: unknown key.{guess}")
    kinds = known[group][name]
    if value is False and bool not in kinds:
        return "no"  # YAML 1.1 reads save_strategy=no as false
    plain = kinds & {int, float, bool}
    if not plain or str in kinds or kinds - {int, float, bool, type(None)}:
        return value  # TRL's to judge
    if value is None and type(None) in kinds:
        return None
    if isinstance(value, bool) == (bool in plain) and isinstance(
        value, tuple(plain | ({int} if float in plain else set()))
    ):
        return value
    if float in plain and isinstance(value, str):
        try:
            return float(value)  # YAML 1.1 reads 1e-4, without a dot, as text
        except ValueError:
            pass
    expected = " or ".join(sorted(kind.__name__ for kind in plain))
    raise SettingsError(f"{where}  {key}: expected {expected}, found {value!r}")
