"""Clusters: problems that are one problem, or forms of one, as stages have linked them."""

import polars as pl

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
    first = list(range(problems.height))
    # A loop: links are few, and joining sets is no matter of columns.
    for a, b in edges.select("place", "place_other").iter_rows():
        root, other = sorted((_root(first, a), _root(first, b)))
        first[other] = root
    roots = pl.Series([_root(first, at) for at in range(len(first))], dtype=pl.UInt32)
    return problems["id"].gather(roots).alias("cluster")


def _root(first: list[int], at: int) -> int:
    while first[at] != at:
        first[at] = at = first[first[at]]
    return at
