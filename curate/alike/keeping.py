"""Which problem of a cluster stays, by a stated rule; and the marks that say so."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import polars as pl

from curate.alike.golds import contradict, gold_numbers

Reason = Literal["answer", "rollouts", "order"]
"""What speaks for a problem: it has a gold answer; a source brought rollouts of it; it came first."""

WRITES = {
    "near_duplicate_of": pl.String,
    "variant_of": pl.String,
    "similarity": pl.Float64,
    "gold_differs": pl.Boolean,
}
"""Facts about duplicates. `gold_differs`: of one that goes, whether the one that stays has another number as gold."""

RULE: tuple[Reason, ...] = ("answer", "rollouts", "order")


def in_order(rows: pl.DataFrame, rule: tuple[Reason, ...]) -> pl.DataFrame:
    """The rows, those first that stay before others do; without `order` in the rule the smaller id decides.

    Args:
        rows: `id`; `answer` and `with_rollouts` (whether a source brought some), where they are known.
    """
    has = {
        "answer": pl.col("answer").cast(pl.String).str.strip_chars().fill_null("") != "",
        "rollouts": pl.col("with_rollouts").cast(pl.String).fill_null("false") == "true",
        "order": -pl.int_range(pl.len()),
    }
    column = {"answer": "answer", "rollouts": "with_rollouts", "order": "id"}
    known = [has[reason] for reason in rule if column[reason] in rows.columns]
    return rows.sort(*known, "id", descending=[*(True for _ in known), False])


def kept_of(rows: int, links: tuple[Any, Any]) -> Any:
    """For every place the smallest one that links lead to, over any number of steps; its own where none does."""
    first = list(range(rows))
    # A loop: links are few, and joining sets is no matter of columns.
    for left, right in zip(*(side.tolist() for side in links), strict=True):
        a, b = _root(first, left), _root(first, right)
        first[max(a, b)] = min(a, b)
    linked = np.unique(np.concatenate(links)).tolist()
    kept = np.arange(rows)
    kept[linked] = [_root(first, at) for at in linked]
    return kept


def who_stays(links: tuple[Any, Any], first: Any, fits: Callable[[Any, Any], Any]) -> tuple[Any, tuple[Any, Any]]:
    """For every place the one that stays for it; and links from those to the ones that did not fit them, and stay.

    Who goes must fit the one that stays for it, and not only those that led there. Who does not fit stays, or goes for
    another one that did not fit.

    Args:
        links: of places whose texts say the same.
        first: sameness.first_of_form; places of one form are linked, too.
        fits: of two arrays of places, whether the second may go for the first.
    """
    links = both(links, _next_of_form(first))
    joined = kept_of(len(first), links)
    kept = joined.copy()
    while True:
        gone = np.flatnonzero(kept != np.arange(len(kept)))
        unfit = gone[~fits(kept[gone], gone)]
        if not len(unfit):
            break
        among = np.isin(links[0], unfit) & np.isin(links[1], unfit)
        kept[unfit] = kept_of(len(kept), (links[0][among], links[1][among]))[unfit]
    apart = np.flatnonzero((kept == np.arange(len(kept))) & (joined != kept))
    return kept, (joined[apart], apart)


def both(some: tuple[Any, Any], others: tuple[Any, Any]) -> tuple[Any, Any]:
    """The links of both."""
    return np.concatenate([some[0], others[0]]), np.concatenate([some[1], others[1]])


def _next_of_form(first: Any) -> tuple[Any, Any]:
    """Links of every place with the next one of the same form."""
    order = np.argsort(first, kind="stable")
    same = first[order][1:] == first[order][:-1]
    return order[:-1][same], order[1:][same]


def nearest(rows: int, links: tuple[Any, Any], similarity: Any, drop: bool) -> tuple[Any, Any]:
    """For every place the most similar one that it is linked to, the first of equals; -1 and 0 where there is none.

    Args:
        drop: variants go: each place is told the one that stays for it instead.
    """
    left, right = links
    order = np.lexsort((left, -similarity, right))
    at, pick = np.unique(right[order], return_index=True)
    found, share = np.full(rows, -1), np.zeros(rows)
    found[at], share[at] = left[order][pick], similarity[order][pick]
    if drop:
        root = kept_of(rows, links)
        found = np.where(root != np.arange(rows), root, -1)
    return found, share


def fates(
    rows: pl.DataFrame, ordered: pl.DataFrame, kept: Any, variant: tuple[Any, Any], similarity: Any, drop_variants: bool
) -> pl.DataFrame:
    """The marks, one per row: `id`, every column of WRITES, `drop`.

    Args:
        rows: in the order in which marks are wanted.
        ordered: the rows in the order of the rule.
        kept: for every place the one that stays; its own where it stays.
        variant: for every place the one that it is a variant of, or -1; and how like it is.
        similarity: of every place and the one kept for it.
    """
    gone, other = kept != np.arange(len(kept)), variant[0] >= 0
    ids, golds = ordered["id"], gold_numbers(ordered)
    known = pl.DataFrame({"id": ids, "gone": gone, "other": other & ~gone, "same": similarity, "like": variant[1]})
    known = known.with_columns(contradicts=contradict(golds, golds.gather(kept)))
    reason = pl.lit("variant" if drop_variants else None, pl.String)
    known = known.select(
        "id",
        near_duplicate_of=pl.when("gone").then(ids.gather(kept)),
        variant_of=pl.when("other").then(ids.gather(np.maximum(variant[0], 0))),
        gold_differs=pl.when("gone").then("contradicts"),
        similarity=pl.when("gone").then("same").when("other").then("like").cast(pl.Float64),
        drop=pl.when("gone").then(pl.lit("near_duplicate")).when("other").then(reason),
    )
    return rows.select("id").join(known, on="id", how="left", maintain_order="left")


def _root(first: list[int], at: int) -> int:
    while first[at] != at:
        first[at] = at = first[first[at]]
    return at
