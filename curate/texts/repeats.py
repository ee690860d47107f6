"""What a text says again: runs of tokens that stood in it before, word for word, and what comes round in them.

A token is a word, a digit, a sign, or a character that is not ASCII; white space is none. Every n tokens in a row are a
number (a hash that rolls over the bytes), and the numbers of many texts are sorted in one go: equal neighbours are the
same n tokens said again. Time is linear in the text but for that sort.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import polars as pl

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

MAX_BYTES = 1 << 20
"""Of a longer text the last million bytes are read: a loop stands at the end."""

PASSAGE = {
    "row": pl.Int64,
    "chars": pl.Int64,
    "times": pl.Float64,
    "start": pl.Int64,
    "at": pl.Int64,
    "end": pl.Int64,
}

_CHUNK_BYTES = 1 << 18  # the arrays of a chunk stay in the processor's cache
_PLACE_BITS = np.uint64(21)  # a chunk and one text more: fewer tokens than this
_PLACES = np.uint64((1 << 21) - 1)
_STEP, _TOKEN_STEP, _ROW_STEP = (
    np.uint64(0x9E3779B97F4A7C15),
    np.uint64(0xD6E8FEB86659FD93),
    np.uint64(0xA24BAED4963EE407),
)
_LONG, _PIECE = 64, 16
_SPACE, _LETTER, _OTHER, _INNER = range(4)  # _INNER: second and later bytes of a character


def _kinds() -> npt.NDArray[np.uint8]:
    kinds = np.full(256, _OTHER, np.uint8)
    kinds[list(b" \t\r\n\f\v")] = _SPACE
    kinds[list(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")] = _LETTER
    kinds[0x80:0xC0] = _INNER
    return kinds


_KIND = _kinds()
_VALUE: Hashes = np.random.Generator(np.random.PCG64(7)).integers(1, 1 << 63, 256, dtype=np.uint64)
_VALUE[_KIND == _SPACE] = 0


@lru_cache(maxsize=2)
def _powers(base: int) -> Hashes:
    powers = np.full(2 * MAX_BYTES, base, np.uint64)
    powers[0] = 1
    return np.cumprod(powers)


def repeats(texts: pl.Series, n: int) -> tuple[npt.NDArray[np.float64], pl.DataFrame]:
    """Per text the share of its runs of n tokens that stood in it before, and every passage of them, in order.

    A passage is a stretch of tokens in which every n in a row stood in the text before: nothing new is said. Columns:
    `row` of the text; `chars` it is long (bytes, to be exact); `times` it comes round: its length over the distance to
    where it stood before, and one; `start`, where it stood before; `at`, where it is said again; `end` of what is said
    again, once. Places are bytes of the text, as are those of `cut`.

    Args:
        texts: no nulls.
        n: tokens, two or more.
    """
    data = [text.encode()[-MAX_BYTES:] for text in texts]
    sizes = np.array([len(text) for text in data], dtype=np.int64)
    shares = np.zeros(len(data))
    found = [pl.DataFrame(schema=PASSAGE)]
    first = size = 0
    for row in range(len(data)):
        size += int(sizes[row])
        if size >= _CHUNK_BYTES or row == len(data) - 1:
            part, passages = _chunk(b"".join(data[first : row + 1]), sizes[first : row + 1], n)
            shares[first : row + 1] = part
            found.append(passages.with_columns(pl.col("row") + first))
            first, size = row + 1, 0
    return shares, pl.concat(found)


def cut(text: str, start: int, end: int) -> tuple[int, str]:
    """Where bytes from `start` to `end` of what was read of a text stand: the character they begin at, and they."""
    whole = text.encode()
    unread = max(0, len(whole) - MAX_BYTES)
    before = whole[: unread + start].decode("utf-8", "ignore")
    return len(before), whole[unread + start : unread + end].decode("utf-8", "ignore")


def _chunk(data: bytes, sizes: Ints, n: int) -> tuple[npt.NDArray[np.float64], pl.DataFrame]:
    ends = np.cumsum(sizes)
    starts, first = _tokens(np.frombuffer(data, np.uint8), ends - sizes, sizes)
    edges = np.append(starts, len(data))
    counts = np.diff(np.append(first, len(starts)))
    texts = np.repeat(np.arange(len(sizes)), counts)
    runs = np.maximum(counts - n + 1, 0)
    back = _distances(_hashes(data, edges, n), texts, first + runs, n)
    said = back > 0
    shares = np.bincount(texts[said], minlength=len(sizes)) / np.maximum(runs, 1)

    flips = np.flatnonzero(np.diff(np.concatenate(([False], said, [False])).view(np.int8)))
    begin, last = flips[::2], flips[1::2] - 1
    # The mean: in a loop all are one and the same, in a passage said again some turns of phrase are said more often.
    total = np.append(0, np.cumsum(back))
    distance = (total[last + 1] - total[begin]) / (last + 1 - begin)
    tokens = last - begin + n
    row, offset = texts[begin], (ends - sizes)[texts[begin]]
    stop = np.minimum(edges[last + n], ends[row])
    passages = {
        "row": row,
        "chars": stop - starts[begin],
        "times": 1 + np.maximum(tokens / distance, 1.0),
        "start": starts[begin - back[begin]] - offset,
        "at": starts[begin] - offset,
        "end": np.minimum(edges[begin + np.minimum(tokens, back[begin])], stop) - offset,
    }
    return shares, pl.DataFrame(passages, schema=PASSAGE)


def _tokens(data: npt.NDArray[np.uint8], offsets: Ints, sizes: Ints) -> tuple[Ints, Ints]:
    """Where each token starts, and per text the number of its first one."""
    kind = _KIND[data]
    letter = kind == _LETTER
    starts = kind == _OTHER
    starts[1:] |= letter[1:] & ~letter[:-1]
    heads = offsets[sizes > 0]
    starts[heads] |= letter[heads]
    places = np.flatnonzero(starts)
    edges = np.append(places, len(data))
    words = np.flatnonzero(np.diff(edges) > _LONG)
    for word in words:
        # A word of hundreds of letters is cut into short ones, lest `hahaha...` be one token.
        starts[edges[word] : edges[word + 1] : _PIECE] = True
    places = np.flatnonzero(starts) if len(words) else places
    return places, np.searchsorted(places, offsets)


def _hashes(data: bytes, edges: Ints, n: int) -> Hashes:
    """One number for each n tokens in a row, the same wherever they stand."""
    size, count = len(data), len(edges) - 1
    step, back = _powers(int(_STEP)), _powers(pow(int(_STEP), -1, 1 << 64))
    rolled = np.zeros(size + 1, np.uint64)
    np.cumsum(_VALUE[np.frombuffer(data, np.uint8)] * step[:size], out=rolled[1:])
    tokens = np.diff(rolled[edges]) * back[edges[:-1]] * _TOKEN_STEP
    rows = np.zeros(count + 1, np.uint64)
    np.cumsum(tokens * step[:count], out=rows[1:])
    runs = max(0, count - n + 1)
    hashes: Hashes = (rows[n:] - rows[:runs])[:runs] * back[:runs]
    return hashes


def _distances(hashes: Hashes, texts: Ints, ends: Ints, n: int) -> Ints:
    """Per token how many tokens before it the same n last began; 0 where they did not.

    Args:
        ends: per text the first token with which no n of its tokens begin.
    """
    distances = np.zeros(len(texts), np.int64)
    places = np.arange(len(hashes))
    places = places[places < ends[texts[: len(hashes)]]]
    # The place stands in the low bits, so that sorting the numbers alone says where each came from.
    keys = (hashes[places] + texts[places].astype(np.uint64) * _ROW_STEP) * _TOKEN_STEP
    keys = (keys & ~_PLACES) | places.astype(np.uint64)
    keys.sort()
    same = np.flatnonzero((keys[1:] >> _PLACE_BITS) == (keys[:-1] >> _PLACE_BITS))
    sorted_places = (keys & _PLACES).astype(np.int64)
    distances[sorted_places[same + 1]] = sorted_places[same + 1] - sorted_places[same]
    return distances
