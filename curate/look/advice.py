"""What a version's manifest leaves unused of what its sources told, said to whoever looks at it."""

import polars as pl

from curate.look.prose import seen
from curate.version import Version

SHOWN = 3
SHOWN_CHARS = 40


def advice(version: Version) -> list[str]:
    """A sentence each; none where nothing is left unused."""
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
