"""Which rows are alike: signatures of their shingles (rensa's kernel), buckets of equal bands, and shares counted."""

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from curate.alike.wording import NUMBERS, WORD, form

BATCH_ROWS = 20_000
"""Rows whose words, or whose signatures, are in memory at once."""
BATCH_PAIRS = 100_000
MISSED = 0.01
"""Share of the pairs at the threshold that no band may find; more alike pairs are missed less often."""
ROUNDS = 6
"""Times that the rows of a bucket which are not like its first row are compared with the next one."""

TOKEN = WORD + "|[-+=^*/÷<>≤≥]"
"""Signs count as words: formulas have few others."""

_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Shingles:
    """The shingles of every row, one after the other."""

    hashes: Any
    """32 bits each; a row's are sorted and distinct."""
    starts: Any
    """By row: where its shingles begin; one more at the end."""

    def sizes(self) -> Any:
        return np.diff(self.starts)


def shingle(texts: pl.Series, unit: str, n: int, workers: int) -> Shingles:
    """Runs of n words or characters, numbers as 0.

    Args:
        texts: wording.plain.
        unit: `words` or `characters`.
    """

    def cut(part: pl.Series) -> tuple[Any, Any]:
        codes, starts = _words(part) if unit == "words" else _characters(part)
        return _distinct(*_runs(codes, starts, n), len(part))

    parts = _parallel(cut, (texts[low : low + BATCH_ROWS] for low in range(0, len(texts), BATCH_ROWS)), workers)
    hashes, sizes = zip(*parts, strict=True) if parts else ((), ())
    starts = np.concatenate([np.zeros(1, np.int64), *sizes]).cumsum()
    return Shingles(np.concatenate([np.zeros(0, np.uint32), *hashes]), starts)


def bands(shingles: Shingles, permutations: int, threshold: float, seed: int, workers: int) -> Any:
    """By row and band a hash of the band: rows with one in common are candidates. Pairs at the threshold are found but
    for MISSED."""
    from rensa import RMinHash  # type: ignore[import-untyped]  # it has neither types nor stubs

    rows = band_rows(permutations, threshold)
    count = permutations // rows

    def sign(part: tuple[int, int]) -> Any:
        first, last = part
        starts = shingles.starts[first : last + 1]
        hashes = shingles.hashes[starts[0] : starts[-1]].astype(np.uint64) * _MIX
        offsets = (starts - starts[0]).astype(np.uint64)
        signed = RMinHash.digest_matrix_from_flat_token_hashes(hashes, offsets, permutations, seed)
        # The matrix has no buffer to read: its rows come as lists.
        flat = np.fromiter(itertools.chain.from_iterable(signed.to_rows()), np.uint32, (last - first) * permutations)
        grouped = flat.reshape(last - first, permutations)[:, : count * rows].reshape(last - first, count, rows)
        mixed = np.zeros((last - first, count), np.uint64)
        for at in range(rows):
            mixed = (mixed ^ grouped[:, :, at]) * _MIX
            mixed ^= mixed >> np.uint64(29)
        return mixed

    total = len(shingles.starts) - 1
    parts = [(low, min(low + BATCH_ROWS, total)) for low in range(0, total, BATCH_ROWS)]
    return np.concatenate([np.zeros((0, count), np.uint64), *_parallel(sign, iter(parts), workers)])


def band_rows(permutations: int, threshold: float) -> int:
    """Permutations to a band: as many as miss at most MISSED of the pairs that are just alike enough."""
    fit = [r for r in range(1, permutations + 1) if (1 - threshold**r) ** (permutations // r) <= MISSED]
    return max(fit, default=1)


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
        pairs = np.setdiff1d(np.concatenate([np.zeros(0, np.int64), *tried]), heads)
        if not len(pairs):
            break
        heads = np.union1d(heads, pairs)
        left, right = pairs // last, pairs % last
        good = alike(left, right)
        found.append((left[good], right[good]))
        # First rows of their buckets are through: all that came after them were held against them.
        still = still[np.isin(rows[still], np.setdiff1d(right, right[good]))]
    return tuple(np.concatenate(side) for side in zip(*found, strict=True))


def _words(texts: pl.Series) -> tuple[Any, Any]:
    """Hashes of the words of all texts, one after the other, and where each text's begin."""
    found = texts.to_frame("text").select(pl.col("text").str.extract_all(TOKEN))["text"]
    sizes = found.list.len().to_numpy()
    word = found.explode(empty_as_null=False).to_frame("word")
    code = (
        pl.when(pl.col("word").str.contains(r"^\d") | pl.col("word").is_in(list(NUMBERS)))
        .then(pl.lit("0"))
        .otherwise("word")
        .hash()
    )
    return word.select(code).to_series().to_numpy(), np.concatenate([[0], sizes]).cumsum()


def _characters(texts: pl.Series) -> tuple[Any, Any]:
    """The same of the characters of the texts' forms; bytes, to be exact."""
    bare = texts.to_frame("text").select(form(pl.col("text")).str.replace_all(r"\d+(?:·\d+)?", "0"))["text"]
    sizes = bare.str.len_bytes().to_numpy()
    joined = "".join(bare).encode()
    codes = pl.Series(np.frombuffer(joined, np.uint8)).cast(pl.UInt64).hash().to_numpy()
    return codes, np.concatenate([[0], sizes]).cumsum()


def _runs(codes: Any, starts: Any, n: int) -> tuple[Any, Any]:
    """A hash of every run of n codes within a text; the whole text where it has fewer."""
    owner = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    run = np.zeros(len(codes), np.uint64)
    for at in range(n):
        run = run * _MIX
        run[: len(codes) - at] += np.where(owner[at:] == owner[: len(codes) - at], codes[at:], 0).astype(np.uint64)
        run ^= run >> np.uint64(31)
    ends = starts[1:][owner]
    inside = (np.arange(len(codes)) + n <= ends) | (np.arange(len(codes)) == starts[:-1][owner])
    return (run[inside] >> np.uint64(32)).astype(np.uint32), owner[inside]


def _distinct(hashes: Any, owner: Any, rows: int) -> tuple[Any, Any]:
    """Sorted and distinct by text, and how many each has."""
    keys = np.unique(owner.astype(np.uint64) << np.uint64(32) | hashes)
    return (keys & np.uint64(0xFFFFFFFF)).astype(np.uint32), np.bincount(
        (keys >> np.uint64(32)).astype(np.int64), minlength=rows
    )


def _shares(shingles: Shingles, left: Any, right: Any) -> Any:
    sides = [_gathered(shingles, side) for side in (left, right)]
    keys = np.concatenate(sides)
    keys.sort()
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
