"""Overrides: `--set rollouts.sampling.n=16` laid over what a manifest says."""

import re
from typing import Any

from yaml.reader import Reader

from curate.recipes.manifest_faults import Faults, shown
from curate.recipes.yaml_lines import MAX_DEPTH, Loc, YamlError, parse
from curate.recipes.yaml_scalars import read_plain


def apply_override(data: dict[str, Any], override: str, faults: Faults) -> None:
    """Sets the value that a dotted key names, in place; entries of a list are counted from 0.

    What stands between is made where it is missing. Text is read as a YAML scalar, and as YAML where it begins with a
    quote or a bracket.
    """
    dotted, equals, text = override.partition("=")
    steps = dotted.split(".")
    if not equals or not all(steps) or len(steps) > MAX_DEPTH:
        faults.add_override(override, "not key=value. Write, for example, --set rollouts.sampling.n=16.")
        return
    loc: Loc = ()
    holder: Any = data
    for step in steps:
        if isinstance(holder, list):
            if not (step.isdigit() and int(step) < len(holder)):
                _add(faults, override, (*loc, step), f"no such entry. There are {len(holder)}, counted from 0.")
                return
            loc = (*loc, int(step))
        elif isinstance(holder, dict):
            loc = (*loc, step)
        else:
            _add(faults, override, (*loc, step), f"{'.'.join(map(str, loc))} is {shown(holder)} and has no keys.")
            return
        if len(loc) < len(steps):
            holder = _child(holder, loc, override, faults)
    value, trap = _read(text)
    holder[loc[-1]] = value
    for place in [place for place in faults.places if place[: len(loc)] == loc]:
        del faults.places[place]
    _add(faults, override, loc, trap)


def _add(faults: Faults, override: str, loc: Loc, trap: str | None) -> None:
    faults.overrides.pop(loc, None)
    faults.overrides[loc] = override
    if trap:
        faults.add(loc, trap)


def _child(holder: Any, loc: Loc, override: str, faults: Faults) -> Any:
    """What the next step looks into."""
    step: Any = loc[-1]
    child = holder[step] if isinstance(holder, list) else holder.get(step)
    if child is None:
        child = {}
        if loc not in faults.places:
            faults.overrides.setdefault(loc, override)
    elif isinstance(child, str) and (isinstance(holder, list) or step in ("teacher", "engine")):
        child = {"use": child}  # a plug by its bare name
    holder[step] = child
    return child


def _read(text: str) -> tuple[Any, str | None]:
    if odd := Reader.NON_PRINTABLE.search(text):
        return "", f"holds the character U+{ord(odd.group()):04X}, which is no text. Remove it."
    if not re.match(r"\s*[\[{\"']", text):
        return read_plain(text.strip())
    try:
        document = parse(text)
    except YamlError as error:
        return text, error.text
    return document.data, document.faults[0][2] if document.faults else None
