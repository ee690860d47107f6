"""What is asked afterwards is not trained on: checked by the texts of the problems, for every version of the ladder."""

from collections.abc import Mapping

import polars as pl

from curate.alike.leaks import LeakError
from curate.version import Version

Asked = Mapping[str, tuple[Version, str]]
"""Sets of problems by name: version and split."""


def asked_problems(version: Version, split: str) -> pl.DataFrame:
    """`id`, `prompt`, `level` and `content_hash` of the problems of a set, in order."""
    texts = version.table("problems").select("id", "content_hash")
    rows = version.table("rl", split).select("id", "prompt", "problem", "solution", "level", "domain")
    return rows.join(texts, on="id", how="left", maintain_order="left").collect()


def check_apart(version: Version, asked: Asked) -> dict[str, int]:
    """How many problems of each set stand among those that the version holds out: seen, by a held-out loss at most.

    Raises:
        LeakError: problems of a set may be trained on.
    """
    rows = version.table("problems").filter(pl.col("dropped_by").is_null()).select("content_hash", "split").collect()
    watched = {}
    for name, (of, split) in asked.items():
        texts = asked_problems(of, split)["content_hash"]
        common = rows.filter(pl.col("content_hash").is_in(texts.implode()))
        trained = common.filter(pl.col("split") == "train").height
        if trained:
            raise LeakError(
                f"{version.name} trains on {trained:,} of the {len(texts):,} problems of {name} ({of.name}:{split}). "
                "Give both manifests the same `seed` and `heldout`, and read the set's split heldout; or pose others"
            )
        watched[name] = common.height
    return watched
