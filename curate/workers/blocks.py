"""datatrove's blocks as tasks of an engine: each works on a run of texts, and what it makes comes back as a table."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

PART_TEXTS = 20_000
"""Texts of a task, at most; fewer where there are more workers than such parts."""

HERE_TEXTS = 1_000
"""Up to so many are worked on in this process: a task takes longer to start."""

PAD = "\u2205"
"""Stands in for the words that a text shorter than a run lacks: datatrove makes nothing else of it."""


def signed_bands(words: pl.Series, n: int, bands: int, rows: int, seed: int, workers: int) -> Any:
    """By text and band a hash of the band, uint64: datatrove's MinhashDedupSignature.

    Args:
        words: of every text its words, as a list.
        n: words in a shingle.
        rows: permutations in a band.
        workers: processes here, where no engine is at hand.

    Raises:
        RankError: tasks of the engine failed.
    """
    if words.is_empty():
        return np.zeros((0, bands), np.uint64)
    options = {"n": n, "bands": bands, "rows": rows, "seed": seed}
    return _spread("dedup.minhash_blocks", "sign", spaced(words, n), options, pl.DataFrame(), workers).to_numpy()


def runs_in_common(words: pl.Series, known: pl.Series, n: int, workers: int) -> pl.Series:
    """Of every text the first run of n words that a known text has, or null: datatrove's NGramsDecontFilter.

    Args:
        words: of every text its words, as a list; one that has fewer than n is one run, with others that are the same.
        known: the same of what is looked for.

    Raises:
        RankError: tasks of the engine failed.
    """
    if words.is_empty() or known.is_empty():
        return pl.Series([None] * len(words), dtype=pl.String)
    beside = pl.DataFrame({"hash": _run_hashes(spaced(known, n), n)}, schema={"hash": pl.UInt64})
    return _spread("decontaminate.ngrams_blocks", "meet", spaced(words, n), {"n": n}, beside, workers)["run"]


def spaced(words: pl.Series, n: int) -> pl.Series:
    """The words of every text between single spaces, at least n of them."""
    if words.is_empty():  # polars makes no lists for nobody
        return pl.Series("word", dtype=pl.String)
    lacking = pl.lit([PAD] * n, pl.List(pl.String)).list.head((n - pl.col("word").list.len().cast(pl.Int64)).clip(0))
    said = words.alias("word").cast(pl.List(pl.String)).to_frame()
    return said.select(pl.col("word").list.concat(lacking).list.join(" "))["word"]


def sign(
    texts: Sequence[str], beside: pl.DataFrame, folder: Path, *, n: int, bands: int, rows: int, seed: int
) -> pl.DataFrame:
    """A table of one column per band, one row per text. Run by a task, which has nothing `beside`."""
    from datatrove.data import Document
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature

    config = MinhashConfig(n, bands, rows, seed + 1, _as_is())
    block = MinhashDedupSignature(str(folder), config, _words())
    block.run(Document(text=text, id=str(at)) for at, text in enumerate(texts))
    columns = {f"band_{band}": _band(folder, band, config, len(texts)) for band in range(bands)}
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.UInt64))


def meet(texts: Sequence[str], beside: pl.DataFrame, folder: Path, *, n: int) -> pl.DataFrame:
    """Column `run`: of every text the first run of n words whose `hash` stands in `beside`, or null. Run by a task."""
    from datatrove.data import Document
    from datatrove.pipeline.decont.n_grams import NGramsDecontConfig, NGramsDecontFilter

    # datatrove's indexer cannot be loaded without lighteval: this is the file that it writes.
    beside["hash"].to_numpy().tofile(folder / "known.index.hashes")
    block = NGramsDecontFilter(str(folder), NGramsDecontConfig(n, norm_config=_as_is()), language=_words())
    found = []
    for at, text in enumerate(texts):
        document = Document(text=text, id=str(at))
        block.filter(document)
        found.append(document.metadata.get("contaminated_ngram"))
    return pl.DataFrame({"run": found}, schema={"run": pl.String})


WORK: dict[str, Callable[..., pl.DataFrame]] = {"sign": sign, "meet": meet}
"""What a task does, by its name."""


def _spread(
    name: str, does: str, texts: pl.Series, options: dict[str, Any], beside: pl.DataFrame, workers: int
) -> pl.DataFrame:
    """What the tasks made of all texts, in order; the tasks of the engine at hand, else of processes here."""
    from curate.machines.local import Local  # none of these above: whoever lists the plugs needs none
    from curate.progress import Steps
    from curate.workers.crew import Crew
    from curate.workers.standing import standing_crew

    with tempfile.TemporaryDirectory() as scratch:
        if len(texts) <= HERE_TEXTS:
            _quiet()
            return WORK[does](texts.to_list(), beside, Path(scratch), **options)
        here = Crew("local", Local(workers=workers), Path(scratch), Steps(quiet=True))
        crew = standing_crew() or here
        at_once = min(PART_TEXTS, -(-len(texts) // crew.engine.workers))
        try:
            parts = list(texts.to_frame("text").iter_slices(at_once))
            return pl.concat(crew.tables(name, {"does": does, "options": options}, parts, beside))
        finally:
            here.close()


def _quiet() -> None:
    """datatrove says nothing on the terminal of the build."""
    from datatrove.utils.logging import logger

    logger.disable("datatrove")


def _run_hashes(texts: pl.Series, n: int) -> list[int]:
    """A hash of every run of n words, as datatrove has it."""
    from datatrove.utils.hashing import HashConfig, create_hash_func
    from datatrove.utils.text import ngrams

    hash_of = create_hash_func(HashConfig())
    # A loop: datatrove hashes one run at a time.
    return list({hash_of(" ".join(run)) for text in texts for run in ngrams(text.split(" "), n)})


def _as_is() -> Any:
    """Texts as they come: signs are words in mathematics, and datatrove would drop them."""
    from datatrove.utils.text import TextNormConfig

    return TextNormConfig(False, False, False, False, False, False, False)


def _words() -> Any:
    """Words as they come, between spaces; datatrove's own tokenizers need spaCy for that."""
    from datatrove.utils.word_tokenizers import WhitespaceTokenizer

    class Words(WhitespaceTokenizer):  # type: ignore[misc]  # datatrove is untyped
        def word_tokenize(self, text: str) -> list[str]:
            return text.split(" ")

    return Words()


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
