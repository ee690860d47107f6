"""The schema that editors use says what the reader says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from curate import plug
from curate.manifest import read_manifest, schema
from curate.recipes.yaml_lines import parse

MANIFESTS = Path(__file__).parent.parent / "manifests"
SCHEMA = schema()
TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
WORDS = """
$schema $defs $ref type enum const anyOf oneOf properties required additionalProperties propertyNames items prefixItems
minItems maxItems uniqueItems minProperties minLength minimum maximum exclusiveMinimum exclusiveMaximum pattern
description default
"""


def fits(value: Any, node: dict[str, Any]) -> bool:
    """As a validator of JSON schemas would say, for the words that ours uses."""
    assert set(node) <= set(WORDS.split()), node
    if "$ref" in node and not fits(value, SCHEMA["$defs"][node["$ref"].removeprefix("#/$defs/")]):
        return False
    if "type" in node and (
        not isinstance(value, TYPES[node["type"]]) or isinstance(value, bool) != (node["type"] == "boolean")
    ):
        return False
    if ("const" in node and value != node["const"]) or ("enum" in node and value not in node["enum"]):
        return False
    if "anyOf" in node and not any(fits(value, member) for member in node["anyOf"]):
        return False
    if "oneOf" in node and sum(fits(value, member) for member in node["oneOf"]) != 1:
        return False
    if isinstance(value, dict):
        return _object_fits(value, node)
    if isinstance(value, list):
        return _array_fits(value, node)
    if isinstance(value, str):
        return bool(re.search(node.get("pattern", ""), value)) and len(value) >= node.get("minLength", 0)
    if isinstance(value, (int, float)):
        above = value >= node.get("minimum", value) and (
            "exclusiveMinimum" not in node or value > node["exclusiveMinimum"]
        )
        below = value <= node.get("maximum", value) and (
            "exclusiveMaximum" not in node or value < node["exclusiveMaximum"]
        )
        return above and below
    return True


def _object_fits(value: dict[str, Any], node: dict[str, Any]) -> bool:
    known, other = node.get("properties", {}), node.get("additionalProperties", True)
    return (
        set(node.get("required", [])) <= set(value)
        and len(value) >= node.get("minProperties", 0)
        and all(fits(entry, known[key]) for key, entry in value.items() if key in known)
        and all(fits(key, node.get("propertyNames", {})) for key in value)
        and (other is True or all(other and fits(entry, other) for key, entry in value.items() if key not in known))
    )


def _array_fits(value: list[Any], node: dict[str, Any]) -> bool:
    first = node.get("prefixItems", [])
    return (
        node.get("minItems", 0) <= len(value) <= node.get("maxItems", len(value))
        and all(fits(entry, member) for entry, member in zip(value, first, strict=False))
        and all(fits(entry, node.get("items", {})) for entry in value[len(first) :])
    )


@pytest.mark.parametrize("path", sorted(MANIFESTS.glob("*.yaml")), ids=lambda path: path.name)
def test_every_manifest_of_ours_is_read_and_fits_the_schema(path: Path) -> None:
    assert fits(parse(path.read_text()).data, SCHEMA)
    canonical = read_manifest(path).canonical()
    assert fits(json.loads(json.dumps(canonical)), SCHEMA)
    assert canonical["name"] in path.name or canonical["name"] == path.name.partition("_")[0]


@pytest.mark.parametrize(
    "change",
    [
        {"name": "No Name"},
        {"workers": 3},
        {"sources": []},
        {"heldout": 0.6},
        {"seed": True},
        {"problems": ["dedup.exat"]},
        {"problems": [{"use": "dedup.exact", "ignore_cse": True}]},
        {"problems": [{"ignore_case": True}]},
        {"sources": ["files"]},
        {"tags": [{"use": "difficulty", "by": "guess"}]},
        {"views": {"stf": {}}},
        {"views": {"sft": {"level": ["hard"]}}},
        {"views": {"sft": {"per_problem": 0}}},
        {"rollouts": {"sampling": {"n": 4}}},
        {"rollouts": {"teacher": "tutor", "sampling": {"n": 2000}}},
        {"rollouts": {"teacher": "tutor", "sampling": {"top_p": 0}}},
    ],
)
def test_what_the_reader_refuses_the_schema_refuses(change: dict[str, Any]) -> None:
    good = {"name": "x", "sources": [{"use": "files", "path": "q.jsonl", "columns": {"problem": "q"}}]}
    assert fits(good, SCHEMA)
    assert not fits(good | change, SCHEMA)


def test_every_plug_of_every_kind_is_in_the_schema_with_its_docs() -> None:
    for kind in plug.FOLDERS:
        for name in plug.names(kind):
            made = SCHEMA["$defs"][f"{kind}.{name}"]
            assert made["description"], name
            assert made["additionalProperties"] is False
            assert kind == "views" or made["properties"]["use"] == {"const": name}
    assert (
        SCHEMA["properties"]["heldout"]["description"] == "The share of problem clusters that is kept out of training."
    )
    assert SCHEMA["$defs"]["problems.dedup.exact"]["properties"]["ignore_case"]["default"] is True


def test_the_schema_beside_the_manifests_is_the_one_of_this_code() -> None:
    written = (MANIFESTS / "schema.json").read_text()
    assert written == json.dumps(SCHEMA, indent=2, ensure_ascii=False) + "\n", (
        "run: curate schema > manifests/schema.json"
    )


def test_manifests_name_the_schema_in_their_first_line() -> None:
    for path in MANIFESTS.glob("*.yaml"):
        assert path.read_text().startswith("# yaml-language-server: $schema=schema.json\n"), path.name
