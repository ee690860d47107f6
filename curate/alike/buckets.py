"""Which rows are alike: signatures of their shingles (rensa's kernel), buckets of equal bands, and shares counted."""

import math
from array import array
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from curate.alike.hashes import distinct_sorted, mixed
from curate.alike.wording import form

BATCH_ROWS = 20_000
"""Rows whose words, or whose signatures, are in memory at once."""
BATCH_PAIRS = 100_000
MISSED = 0.01
"""Share of the pairs at the threshold that no band may find; more alike pairs are missed less often."""
ROUNDS = 6
"""Times that the rows of a bucket which are not like its first row are compared with the next one."""


@dataclass(frozen=True)
class Shingles:
    """The shingles of every row, one after the other."""

    hashes: Any
    """32 bits each; a row's are sorted and distinct."""
    starts: Any
    """By row: where its shingles begin; one more at the end."""

    def sizes(self) -> Any:
        return np.diff(self.starts)


def shingle(said: pl.DataFrame, unit: str, n: int, workers: int) -> Shingles:
    """Runs of n words or characters, numbers as 0.

    Args:
        said: `words`, `asked` of sameness.statements.
        unit: `words` or `characters`.
    """

    def cut(part: pl.DataFrame) -> tuple[Any, Any]:
        codes, starts = _words(part["words"]) if unit == "words" else _characters(part["asked"])
        return _distinct(*_runs(codes, starts, n), part.height)

    parts = _parallel(cut, said.iter_slices(BATCH_ROWS), workers)
    hashes, sizes = zip(*parts, strict=True) if parts else ((), ())
    starts = np.concatenate([np.zeros(1, np.int64), *sizes]).cumsum()
    return Shingles(np.concatenate([np.zeros(0, np.uint32), *hashes]), starts)


def bands(shingles: Shingles, permutations: int, threshold: float, seed: int, workers: int) -> Any:
    """By row and band a hash of the band: rows with one in common are candidates. Pairs at the threshold are found but
    for MISSED."""
    from rensa import RMinHash  # type: ignore[import-untyped]  # it has neither types nor stubs

    count, rows = cut_bands(permutations, threshold)

    def sign(part: tuple[int, int]) -> Any:
        first, last = part
        starts = shingles.starts[first : last + 1]
        hashes = mixed(shingles.hashes[starts[0] : starts[-1]])
        offsets = (starts - starts[0]).astype(np.uint64)
        signed = RMinHash.digest_matrix_from_flat_token_hashes(hashes, offsets, count * rows, seed)
        # The matrix has no buffer to read: its rows come as lists.
        flat = array("I")
        for row in signed.to_rows():
            flat.fromlist(row)
        grouped = np.frombuffer(flat, np.uint32).reshape(last - first, count, rows)
        bands = np.zeros((last - first, count), np.uint64)
        for at in range(rows):
            bands = mixed(bands + grouped[:, :, at])
        return bands

    total = len(shingles.starts) - 1
    parts = [(low, min(low + BATCH_ROWS, total)) for low in range(0, total, BATCH_ROWS)]
    return np.concatenate([np.zeros((0, count), np.uint64), *_parallel(sign, iter(parts), workers)])


def cut_bands(permutations: int, threshold: float) -> tuple[int, int]:
    """How many bands, and permutations to each: as many to a band as miss at most MISSED of the pairs that are just
    alike enough, and no more bands than that takes.

    Example:
        >>> cut_bands(128, 0.5), cut_bands(128, 0.8)
        ((35, 3), (16, 6))
    """

    # Of the pairs at the threshold, the share that a band of so many rows finds.
    found, rows = threshold, 1
    while found * threshold >= MISSED / permutations and _needed(found * threshold) * (rows + 1) <= permutations:
        found, rows = found * threshold, rows + 1
    return min(_needed(found), permutations), rows


def _needed(found: float) -> int:
    """Bands that miss at most MISSED of the pairs of which one finds so many."""
    return 1 if found >= 1 else math.ceil(math.log(MISSED) / math.log1p(-found))


def shares(shingles: Shingles, left: Any, right: Any) -> Any:
    """Of the shingles that either row of a pair has, the share that both have (Jaccard)."""
    found = [
        _shares(shingles, left[low : low + BATCH_PAIRS], right[low : low + BATCH_PAIRS])
        for low in range(0, len(left), BATCH_PAIRS)
    ]
    return np.concatenate([np.zeros(0), *found])


def alike_pairs(rows: Any, keys: list[Any], alike: Callable[[Any, Any], Any]) -> tuple[Any, Any]:
    """Pairs of a row and an earlier one that have a key in common and are alike; as two arrays, the earlier first.

    In every bucket all rows are held against its first one; those that are like none are held against the first of
    those, and so on, ROUNDS times. So a bucket of a hundred thousand rows costs some hundred thousand comparisons.

    Args:
        rows: numbers of rows, rising: the earlier a row, the better.
        keys: arrays beside `rows`; two rows with equal values in one of them share a bucket.
        alike: of two arrays of rows, which of the pairs are alike.
    """
    found = [(np.zeros(0, np.int64), np.zeros(0, np.int64))]
    last = int(rows[-1]) + 1 if len(rows) else 1
    still = np.arange(len(rows))
    heads: Any = np.zeros(0, np.int64)
    for _ in range(ROUNDS):
        tried = []
        for key in keys:
            first = pl.DataFrame({"row": rows[still], "key": key[still]}).select(pl.col("row").first().over("key"))
            pair = first["row"].to_numpy() * last + rows[still]
            tried.append(pair[first["row"].to_numpy() != rows[still]])
        pairs = _without(distinct_sorted(np.concatenate([np.zeros(0, np.int64), *tried])), heads)
        if not len(pairs):
            break
        heads = np.sort(np.concatenate([heads, pairs]), kind="stable")
        left, right = pairs // last, pairs % last
        good = alike(left, right)
        found.append((left[good], right[good]))
        # First rows of their buckets are through: all that came after them were held against them.
        unlike = _without(distinct_sorted(right), distinct_sorted(right[good]))
        still = np.searchsorted(rows, unlike)
    return tuple(np.concatenate(side) for side in zip(*found, strict=True))


def _without(values: Any, others: Any) -> Any:
    """Those of the values that are none of the others; both sorted."""
    if not len(others):
        return values
    return values[others[np.minimum(np.searchsorted(others, values), len(others) - 1)] != values]


def _words(words: pl.Series) -> tuple[Any, Any]:
    """The words of all texts, one after the other, and where each text's begin."""
    flat = words.explode(empty_as_null=False, keep_nulls=False)
    return flat.to_numpy().astype(np.uint64), np.concatenate([[0], words.list.len().to_numpy()]).cumsum()


def _characters(texts: pl.Series) -> tuple[Any, Any]:
    """The same of the characters of the texts' forms; bytes, to be exact."""
    bare = form(texts).str.replace_all(r"\d+(?:·\d+)?", "0")
    sizes = bare.str.len_bytes().to_numpy()
    joined = "".join(bare).encode()
    codes = pl.Series(np.frombuffer(joined, np.uint8)).cast(pl.UInt64).hash().to_numpy()
    return codes, np.concatenate([[0], sizes]).cumsum()


def _runs(codes: Any, starts: Any, n: int) -> tuple[Any, Any]:
    """A hash of every run of n codes within a text; the whole text where it has fewer."""
    owner = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    run = np.zeros(len(codes), np.uint64)
    for at in range(min(n, len(codes))):
        run[: len(codes) - at] += np.where(owner[at:] == owner[: len(codes) - at], codes[at:], 0).astype(np.uint64)
        run = mixed(run)
    ends = starts[1:][owner]
    inside = (np.arange(len(codes)) + n <= ends) | (np.arange(len(codes)) == starts[:-1][owner])
    return (run[inside] >> np.uint64(32)).astype(np.uint32), owner[inside]


def _distinct(hashes: Any, owner: Any, rows: int) -> tuple[Any, Any]:
    """Sorted and distinct by text, and how many each has."""
    keys = distinct_sorted(owner.astype(np.uint64) << np.uint64(32) | hashes)
    return (keys & np.uint64(0xFFFFFFFF)).astype(np.uint32), np.bincount(
        (keys >> np.uint64(32)).astype(np.int64), minlength=rows
    )


def _shares(shingles: Shingles, left: Any, right: Any) -> Any:
    sides = [_gathered(shingles, side) for side in (left, right)]
    keys = np.concatenate(sides)
    keys.sort(kind="stable")  # merges what is in order already, as both sides are: a tenth of the time
    both = np.bincount((keys[1:][keys[1:] == keys[:-1]] >> np.uint64(32)).astype(np.int64), minlength=len(left))
    sizes = shingles.sizes()
    either = sizes[left] + sizes[right] - both
    return np.where(either > 0, both / np.maximum(either, 1), 0.0)


def _gathered(shingles: Shingles, rows: Any) -> Any:
    """The shingles of the rows, each below the place of its row."""
    start, size = shingles.starts[rows], shingles.sizes()[rows]
    place = np.repeat(np.arange(len(rows)), size)
    at = np.arange(len(place)) - np.repeat(size.cumsum() - size, size) + np.repeat(start, size)
    return place.astype(np.uint64) << np.uint64(32) | shingles.hashes[at]


def _parallel(work: Callable[[Any], Any], parts: Iterator[Any], workers: int) -> list[Any]:
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(work, parts))
