"""Vectors of texts: a sentence-transformers model, or one that is fitted on the texts themselves; and who is near."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from curate.alike.tokens import tokens_of
from curate.alike.wording import MAX_CHARS, WORD, spelt
from curate.fingerprint import file_digest

LIBRARIES = ("sentence_transformers", "sklearn", "faiss")
"""Of the extra `semantic`: what is imported here."""

FITTED_ON = 50_000
"""Texts that the built-in encoder looks at, evenly spaced."""
FLAT_UNTIL = 50_000
"""Rows up to which every one is held against every other; beyond, cells of an inverted file are searched."""
PROBED = 16
ENCODED_AT_ONCE = 2_048


class ModelError(ValueError):
    """A model that is not there."""


def is_path(model: str) -> bool:
    """Whether a model's name is that of a folder: it begins with `.`, `/` or `~`."""
    return model.startswith((".", "/", "~"))


def check_model(model: str) -> None:
    """Passes if the name can be that of a model.

    Raises:
        ModelError: a folder that is not there; or neither a folder nor `organisation/name`.
    """
    if is_path(model):
        if not Path(model).expanduser().is_dir():
            raise ModelError(f"model: there is no folder {model!r}. Give the folder of a sentence-transformers model.")
    elif model.partition("@")[0].count("/") != 1:
        raise ModelError(
            f"model: {model!r} is neither a folder (./models/mine) nor a name on the Hub like organisation/name@commit."
        )


def revision_of(model: str) -> str:
    """The commit that a name on the Hub has today."""
    from httpx2 import HTTPError
    from huggingface_hub import HfApi

    name, _, revision = model.partition("@")
    try:
        found = HfApi().model_info(name, revision=revision or None).sha
    except (HTTPError, OSError) as fault:
        why = str(fault).partition("\n")[0]
        raise ModelError(f"model {name}: the Hub does not tell its commit ({why}). Name one, or a folder") from fault
    if found is None:
        raise ModelError(f"model: the Hub tells no commit of {name!r}")
    return found


def folder_digest(model: str) -> str:
    """sha256 over the names and bytes of a model's files."""
    folder, digest = Path(model).expanduser(), hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            digest.update(f"{file.relative_to(folder)}\n{file_digest(file)}\n".encode())
    return digest.hexdigest()


def model_state(model: str) -> dict[str, Any]:
    """What stands behind a model's name, wherever its folder lies: its commit, or the digest of its files."""
    if is_path(model):
        return {"name": Path(model).name, "state": {"sha256": folder_digest(model)}}
    name, _, revision = model.partition("@")
    return {"name": name, "state": {"revision": revision or revision_of(model)}}


def encode(asked: pl.Series, model: str | None, dimensions: int, seed: int) -> Any:
    """A vector of length 1 per text; zeros for a text without a word that is known.

    Args:
        asked: wording.plain; one at least.
        model: a folder, or `name@commit` on the Hub; None fits one on the texts.

    Raises:
        ModelError: the model cannot be loaded.
    """
    with _one_thread():
        from sentence_transformers import SentenceTransformer

        if model is None:
            read = _spelt(asked)
            encoder = SentenceTransformer(modules=[_fitted(read, dimensions, seed)], device="cpu")
        else:
            read, encoder = asked, _loaded(model)
        parts = [
            encoder.encode(read[low : low + ENCODED_AT_ONCE].to_list(), show_progress_bar=False)
            for low in range(0, len(read), ENCODED_AT_ONCE)
        ]
    vectors = (
        np.concatenate([np.zeros((0, dimensions), np.float32), *parts]) if len(asked) == 0 else np.concatenate(parts)
    )
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.maximum(lengths, 1e-9)).astype(np.float32)


def _loaded(model: str) -> Any:
    from sentence_transformers import SentenceTransformer

    name, _, revision = (str(Path(model).expanduser()), "", "") if is_path(model) else model.partition("@")
    try:
        return SentenceTransformer(name, revision=revision or None, trust_remote_code=False)
    except Exception as fault:  # whatever a folder that is no model brings it to
        raise ModelError(
            f"model {model}: cannot be loaded as a sentence-transformers model ({type(fault).__name__}: "
            f"{str(fault)[:300]})"
        ) from fault


def neighbours(vectors: Any, count: int, threshold: float) -> tuple[Any, Any, Any]:
    """Pairs of rows whose cosine reaches the threshold, the earlier first, and the cosine; so many nearest per row."""
    if len(vectors) < 2:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    import faiss

    faiss.omp_set_num_threads(1)
    width = vectors.shape[1]
    flat = faiss.IndexFlatIP(width)
    index: Any = flat
    if len(vectors) > FLAT_UNTIL:
        index = faiss.IndexIVFFlat(flat, width, int(len(vectors) ** 0.5), faiss.METRIC_INNER_PRODUCT)
        index.train(vectors)
        index.nprobe = PROBED
    index.add(vectors)
    cosines, found = index.search(vectors, min(count + 1, len(vectors)))
    right = np.repeat(np.arange(len(vectors)), found.shape[1])
    left, cosines = found.reshape(-1), cosines.reshape(-1).astype(np.float64)
    near = (cosines >= threshold) & (left >= 0) & (left != right)
    low, high = np.minimum(left, right)[near], np.maximum(left, right)[near]
    _, once = np.unique(low * len(vectors) + high, return_index=True)
    return low[once], high[once], np.minimum(cosines[near][once], 1.0)


def _spelt(asked: pl.Series) -> pl.Series:
    """The words of every text, cut of their endings, without numbers: those are compared by themselves."""
    tokens = tokens_of(asked.str.slice(0, MAX_CHARS), WORD)
    told = spelt(tokens.words)
    said = pl.DataFrame({"row": tokens.texts(), "word": told.gather(tokens.codes)})
    said = said.filter(~pl.col("word").str.contains(r"^\d"))
    joined = said.group_by("row", maintain_order=True).agg(pl.col("word").str.join(" "))
    rows = pl.DataFrame({"row": pl.int_range(len(asked), eager=True)})
    return rows.join(joined, on="row", how="left", maintain_order="left")["word"].fill_null("")


def _fitted(read: pl.Series, dimensions: int, seed: int) -> Any:
    """A static embedding: each word's place in the truncated singular value decomposition of tf-idf, by its rarity."""
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from sklearn.decomposition import TruncatedSVD  # type: ignore[import-untyped]  # it has no stubs
    from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-untyped]  # no stubs

    sample = read.gather_every(max(1, len(read) // FITTED_ON)).to_list()
    counted = TfidfVectorizer(token_pattern=r"\S+", lowercase=False, sublinear_tf=True)
    try:
        weights = counted.fit_transform(sample)
    except ValueError:  # No text has a word.
        return StaticEmbedding(_tokenizer({"[UNK]": 0}), np.zeros((1, dimensions), np.float32))
    known = counted.get_feature_names_out()
    rank = min(dimensions, weights.shape[0] - 1, weights.shape[1] - 1)
    places = np.eye(len(known), dtype=np.float32)
    if rank >= 1:
        places = TruncatedSVD(rank, random_state=seed).fit(weights).components_.T
    table = np.vstack([np.zeros((1, places.shape[1])), places * counted.idf_[:, None]]).astype(np.float32)
    return StaticEmbedding(_tokenizer({"[UNK]": 0} | {word: at for at, word in enumerate(known, 1)}), table)


def _tokenizer(codes: dict[str, int]) -> Any:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit

    tokenizer = Tokenizer(WordLevel(codes, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    return tokenizer


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums in one order give the same vectors on any number of cores."""
    # Both come with scikit-learn, untyped. Only libraries that are loaded can be limited, and scipy has its own BLAS.
    import scipy.linalg  # type: ignore[import-untyped]  # noqa: F401  # no stubs; loads its own BLAS
    import torch
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # no stubs

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):  # of BLAS, which the decomposition rests on
            yield
    finally:
        torch.set_num_threads(before)
