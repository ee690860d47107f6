"""The front matter of a card: what makes `load_dataset(folder, "sft")` work, locally and from the Hub."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from huggingface_hub import DatasetCardData

MIXED_LICENSE: dict[str, Any] = {
    "license": "other",
    "license_name": "mixed-see-licenses",
    "license_link": "LICENSES.md",
}

_SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000)
_SIZE_NAMES = ("1K", "10K", "100K", "1M", "10M", "100M", "1B")


@dataclass(frozen=True)
class Split:
    """One split of a table."""

    name: str
    rows: int
    bytes: int
    """In memory, as Arrow."""


@dataclass(frozen=True)
class Config:
    """One table of the version: a configuration of `load_dataset`."""

    name: str
    schema: pa.Schema
    splits: tuple[Split, ...]


def front_matter(
    title: str,
    language: str,
    license: str | None,
    configs: Sequence[Config],
    views: Sequence[str],
    source_datasets: Sequence[str],
    synthetic: bool,
) -> str:
    """The YAML between the `---` lines, from a fixed list of fields. The first config with rows is the default one.

    Splits without rows are not named: `load_dataset` (datasets 5.2) fails on them instead of giving no rows.

    Args:
        license: one for the whole; None writes `other`, with a link to LICENSES.md.
        views: names of the configs whose rows give the size category; all, if none is named.
        source_datasets: Hub repositories.
    """
    rows = sum(split.rows for config in configs for split in config.splits if config.name in views or not views)
    filled = [
        Config(config.name, config.schema, splits)
        for config in configs
        if (splits := tuple(split for split in config.splits if split.rows))
    ]
    known = license is not None and re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,63}", license.lower())
    terms: dict[str, Any] = {"license": str(license).lower()} if known else MIXED_LICENSE
    tags = ["cotillion", "reasoning", "chain-of-thought", "distillation", *(["synthetic"] if synthetic else [])]
    data = DatasetCardData(
        language=[language],
        pretty_name=title,
        size_categories=[size_category(rows)],
        task_categories=["text-generation"],
        annotations_creators=["machine-generated"],
        source_datasets=list(source_datasets) or None,
        tags=tags,
        configs=[
            {"config_name": config.name, **({"default": True} if not place else {}), "data_files": _files(config)}
            for place, config in enumerate(filled)
        ],
        dataset_info=[
            {"config_name": config.name, "features": features(config.schema), "splits": _split_sizes(config)}
            for config in filled
        ],
        **terms,
    )
    return data.to_yaml()


def size_category(rows: int) -> str:
    """The Hub's word for so many rows: `n<1K`, `1K<n<10K`, ..."""
    place = sum(rows >= size for size in _SIZES)
    if place == 0:
        return "n<1K"
    return "n>1B" if place == len(_SIZES) else f"{_SIZE_NAMES[place - 1]}<n<{_SIZE_NAMES[place]}"


def features(schema: pa.Schema) -> list[dict[str, Any]]:
    """The schema as `dataset_info.features` of a card: a column of nulls keeps its type with it."""
    return [{"name": field.name, **_feature(field.type)} for field in schema]


def _feature(kind: pa.DataType) -> dict[str, Any]:
    if pa.types.is_struct(kind):
        return {"struct": [{"name": field.name, **_feature(field.type)} for field in kind]}
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        item = _feature(kind.value_type)
        return {"list": next(iter(item.values()))} if set(item) != {"list"} else {"list": item}
    names = {"double": "float64", "float": "float32"}
    return {"dtype": names.get(str(kind), str(kind))}


def _files(config: Config) -> list[dict[str, str]]:
    return [{"split": split.name, "path": f"{config.name}/{split.name}-*.parquet"} for split in config.splits]


def _split_sizes(config: Config) -> list[dict[str, Any]]:
    return [{"name": split.name, "num_bytes": split.bytes, "num_examples": split.rows} for split in config.splits]
