"""datatrove's MinHash signatures as tasks of an engine: each signs a run of texts, and bands come back as a table."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

PART_TEXTS = 20_000
"""Texts of a task, at most; fewer where there are more workers than such parts."""

HERE_TEXTS = 1_000
"""Up to so many are signed in this process: a task takes longer to start."""

PAD = "\u2205"
"""Stands in for the words that a text shorter than a shingle lacks: datatrove signs nothing else of it."""


def signed_bands(words: pl.Series, n: int, bands: int, rows: int, seed: int, workers: int) -> Any:
    """By text and band a hash of the band, uint64.

    Args:
        words: of every text its words by number (sameness.statements).
        n: words in a shingle.
        rows: permutations in a band.
        workers: processes here, where no engine is at hand.

    Raises:
        RankError: tasks of the engine failed.
    """
    from curate.machines.local import Local  # none of these above: whoever lists the plugs needs none
    from curate.progress import Steps
    from curate.workers.crew import Crew
    from curate.workers.standing import standing_crew

    if words.is_empty():
        return np.zeros((0, bands), np.uint64)
    texts = _spaced(words, n).to_frame("text")
    task = {"does": "sign", "n": n, "bands": bands, "rows": rows, "seed": seed}
    with tempfile.TemporaryDirectory() as scratch:
        if texts.height <= HERE_TEXTS:
            return sign(texts["text"].to_list(), n, bands, rows, seed, Path(scratch)).to_numpy()
        here = Crew("local", Local(workers=workers), Path(scratch), Steps(quiet=True))
        crew = standing_crew() or here
        at_once = min(PART_TEXTS, -(-texts.height // crew.engine.workers))
        try:
            made = crew.tables("dedup.minhash_blocks", task, list(texts.iter_slices(at_once)))
        finally:
            here.close()
    return pl.concat(made).to_numpy()


def sign(texts: Sequence[str], n: int, bands: int, rows: int, seed: int, folder: Path) -> pl.DataFrame:
    """A table of one column per band, one row per text. Run by a task."""
    from datatrove.data import Document
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
    from datatrove.utils.text import TextNormConfig
    from datatrove.utils.word_tokenizers import WhitespaceTokenizer

    class Words(WhitespaceTokenizer):  # type: ignore[misc]  # datatrove is untyped
        """Words as they come, between spaces; its own needs spaCy for that."""

        def word_tokenize(self, text: str) -> list[str]:
            return text.split(" ")

    # The words are ours already: signs are words in mathematics, and datatrove would drop them.
    as_is = TextNormConfig(False, False, False, False, False, False, False)
    config = MinhashConfig(n, bands, rows, seed + 1, as_is)
    block = MinhashDedupSignature(str(folder), config, Words())
    block.run(Document(text=text, id=str(at)) for at, text in enumerate(texts))
    columns = {f"band_{band}": _band(folder, band, config, len(texts)) for band in range(bands)}
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.UInt64))


def _band(folder: Path, band: int, config: Any, texts: int) -> Any:
    """The hash of one band, by text."""
    (file,) = (folder / f"bucket_{band:03d}").glob("*.minhash.sig")
    kind = f"<u{config.hash_config.precision // 8}"
    records = np.fromfile(file, np.dtype([("hashes", kind, config.hashes_per_bucket), ("text", "<u4")]))
    if len(records) != texts:
        raise ValueError(f"datatrove signed {len(records):,} of {texts:,} texts")
    mixed = np.zeros(texts, np.uint64)
    for row in range(config.hashes_per_bucket):
        mixed = (mixed ^ records["hashes"][:, row].astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    by_text = np.empty(texts, np.uint64)
    by_text[records["text"]] = mixed
    return by_text


def _spaced(words: pl.Series, n: int) -> pl.Series:
    """The words of every text between single spaces, at least n of them."""
    lacking = pl.lit([PAD] * n, pl.List(pl.String)).list.head((n - pl.col("word").list.len().cast(pl.Int64)).clip(0))
    said = words.alias("word").cast(pl.List(pl.String)).to_frame()
    return said.select(pl.col("word").list.concat(lacking).list.join(" "))["word"]
