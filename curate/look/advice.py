"""What a version's tables tell that its funnel does not, said to whoever looks at it."""

import polars as pl

from curate.look.prose import seen
from curate.version import Version

SHOWN = 3
SHOWN_CHARS = 40


def advice(version: Version) -> list[str]:
    """A sentence each; none where nothing asks for one."""
    return [*_unread_levels(version), *_other_golds(version)]


def _unread_levels(version: Version) -> list[str]:
    """What the manifest leaves unused of the levels that sources told."""
    if any(stage["use"] == "source_level" for stage in version.lock["manifest"]["tags"]):
        return []
    problems = version.table("problems")
    if not {"level", "source_level"} <= set(problems.collect_schema().names()):
        return []
    unread = problems.filter(pl.col("source_level").is_not_null() & pl.col("level").is_null())
    told = unread.group_by("source_level").len().sort("len", "source_level", descending=[True, False]).collect()
    if told.is_empty():
        return []
    words = seen(", ".join(repr(word[:SHOWN_CHARS]) for word in told["source_level"][:SHOWN]))
    return [
        f"{told['len'].sum():,} problems have a level in their source's own words ({words}), which no view knows: add "
        "source_level to tags"
    ]


def _other_golds(version: Version) -> list[str]:
    """Problems that went for another one of the same text whose gold is another number: one may be wrong."""
    problems = version.table("problems")
    if "gold_differs" not in problems.collect_schema().names():
        return []
    found = problems.filter(pl.col("gold_differs")).select("id").sort("id").collect()["id"]
    if found.is_empty():
        return []
    count = "1 problem was" if len(found) == 1 else f"{len(found):,} problems were"
    return [
        f"{count} dropped for one that asks the same and has another number as gold (column gold_differs). One of the "
        f"two may be wrong: curate explain {found[0]}"
    ]
