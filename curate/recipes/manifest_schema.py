"""The JSON schema of manifests, for editors: every plug there is, with the docs of its options."""

from dataclasses import fields, is_dataclass
from typing import Any

from curate import plug
from curate.recipes.manifest_plugs import adapter, teacher_options
from curate.recipes.recipe import Recipe


def schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of a manifest. Loads every plug."""
    plugs = {kind: {name: _object(plug.load(kind, name)) for name in plug.names(kind)} for kind in plug.FOLDERS}
    for kind, objects in plugs.items():
        for name, made in objects.items():
            if kind != "views":
                made["properties"] = {"use": {"const": name}, **made["properties"]}
                made["required"] = ["use", *made["required"]]
    defs = {f"{kind}.{name}": made for kind, objects in plugs.items() for name, made in objects.items()}
    unions = {kind: _entry(kind, objects) for kind, objects in plugs.items() if kind != "views"}
    recipe = _object(Recipe)
    recipe["properties"]["views"]["properties"] = {
        name: {"anyOf": [{"$ref": f"#/$defs/views.{name}"}, {"type": "null"}]} for name in plugs["views"]
    }
    recipe["properties"]["views"]["additionalProperties"] = False
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **recipe, "$defs": unions | defs}


def _entry(kind: str, objects: dict[str, Any]) -> dict[str, Any]:
    """A plug with its options, told apart by `use`; its bare name where no option is required."""
    bare = [name for name, made in objects.items() if made["required"] == ["use"]]
    mappings: list[dict[str, Any]] = [{"$ref": f"#/$defs/{kind}.{name}"} for name in objects]
    return {"oneOf": [*mappings, {"enum": bare}] if bare else mappings}


def _object(cls: type[Any]) -> dict[str, Any]:
    """The schema of a dataclass, whole in itself; its teachers are named as under `rollouts`."""
    written = adapter(cls, docs=True).json_schema()
    made: dict[str, Any] = _inlined(written["anyOf"][0], written["$defs"])
    # The docs of options that a base of the plug has stand in the base's own source.
    for base in (base for base in cls.__mro__[1:] if is_dataclass(base)):
        for option, told in _object(base)["properties"].items():
            made["properties"][option].setdefault("description", told["description"])
    for hidden in (f.name for f in fields(cls) if not f.init):
        made["properties"].pop(hidden, None)
    for teacher in teacher_options(cls):
        # One that may be null is null in a version's manifest.yaml, which has every default.
        named: list[dict[str, Any]] = [{"$ref": "#/$defs/teacher"}]
        made["properties"][teacher].pop("anyOf", None)
        optional = next(f.default is None for f in fields(cls) if f.name == teacher)
        made["properties"][teacher] |= {"anyOf": [*named, {"type": "null"}]} if optional else named[0]
    return {"type": "object", "required": [], "properties": {}, **made}


def _inlined(node: Any, defs: dict[str, Any]) -> Any:
    """Without references (two plugs may each have a `Columns`), and without titles, which only repeat the names."""
    if isinstance(node, list):
        return [_inlined(member, defs) for member in node]
    if not isinstance(node, dict):
        return node
    if "plugs" in node:
        return {"$ref": f"#/$defs/{node['plugs']}"}
    if "$ref" in node:
        rest = {key: value for key, value in node.items() if key != "$ref"}
        node = defs[node["$ref"].rpartition("/")[2]] | rest
    inlined = {
        key: _inlined(value, defs) for key, value in node.items() if key not in ("title", "properties", "default")
    }
    if "properties" in node:
        inlined["properties"] = {name: _inlined(option, defs) for name, option in node["properties"].items()}
    if "default" in node:
        inlined["default"] = node["default"]
    if "description" in node:
        inlined["description"] = node["description"].partition("\n\nExample:")[0]
    return inlined
