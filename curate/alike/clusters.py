"""Clusters: problems that are one problem, or forms of one, as stages have linked them."""

import polars as pl

from curate.alike.keeping import kept_of

LINKS = ("duplicate_of", "near_duplicate_of", "variant_of", "rewritten_from")
"""Columns that name another problem's id, where a stage writes them."""


def clusters(problems: pl.DataFrame) -> pl.Series:
    """For every problem the id of the first one in its cluster; its own where nothing links it.

    Links count both ways and over any number of steps: two variants of one problem stand on one side of the split.
    """
    place = pl.DataFrame({"id": problems["id"]}).with_row_index("place")
    links = [
        problems.select("id", other=link).filter(pl.col("other").is_not_null())
        for link in LINKS
        if link in problems.columns and problems.schema[link] == pl.String
    ]
    if not links:
        return problems["id"].alias("cluster")
    edges = (
        pl.concat(links)
        .join(place, on="id", maintain_order="left")
        .join(place, left_on="other", right_on="id", suffix="_other", maintain_order="left")
    )
    kept = kept_of(problems.height, (edges["place"].to_numpy(), edges["place_other"].to_numpy()))
    return problems["id"].gather(kept).alias("cluster")
