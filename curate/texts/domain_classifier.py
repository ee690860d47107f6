"""A classifier of problems' domains, learnt from the rows of the same table whose source tells theirs."""

from typing import Any

import polars as pl

from curate.alike.embedding import is_path
from curate.plug import PlugError
from curate.records import draws

LEAST_ROWS = 20
"""A domain with fewer labelled rows is not learnt."""

MOST_ROWS = 20_000
"""Labelled rows that are learnt from, drawn by id where there are more."""

_BATCH = 50_000


def by_classifier(labelled: pl.DataFrame, rows: pl.DataFrame, model: str | None) -> pl.DataFrame:
    """`id`, `domain` and `share` (its probability) of the rows; no rows where fewer than two domains can be learnt.

    Args:
        labelled: `id`, `problem`, `domain`.
        rows: `id`, `problem`.
        model: a sentence-transformers model by path or name; None takes the words (TF-IDF).

    Raises:
        PlugError: there is no such model.
    """
    labelled = labelled.drop_nulls().filter(pl.len().over("domain") >= LEAST_ROWS)
    labelled = labelled.with_columns(draws(labelled["id"], 0)).sort("draw").head(MOST_ROWS)
    nothing = pl.DataFrame(schema={"id": pl.String, "domain": pl.String, "share": pl.Float64})
    if labelled["domain"].n_unique() < 2 or rows.is_empty():
        return nothing
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # it has no stubs

    vectors = _Words(labelled["problem"]) if model is None else _Embeddings(model)
    learnt: Any = LogisticRegression(C=4.0, max_iter=300).fit(
        vectors.of(labelled["problem"]), labelled["domain"].to_list()
    )
    parts = [nothing]
    for part in rows.with_columns(pl.col("problem").fill_null("")).iter_slices(_BATCH):
        sure = learnt.predict_proba(vectors.of(part["problem"]))
        named = pl.Series("domain", [str(name) for name in learnt.classes_[sure.argmax(axis=1)]], dtype=pl.String)
        parts.append(part.select("id", named, share=pl.Series(sure.max(axis=1), dtype=pl.Float64)))
    return pl.concat(parts)


class _Words:
    """Words, pairs of words and LaTeX commands, weighed by how rare they are."""

    def __init__(self, texts: pl.Series) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-untyped]  # no stubs

        least = 2 if len(texts) >= 200 else 1
        self.words = TfidfVectorizer(
            token_pattern=r"\\?[A-Za-z]{2,}|\^|!",
            ngram_range=(1, 2),
            min_df=least,
            sublinear_tf=True,
            max_features=100_000,
        ).fit(texts.to_list())

    def of(self, texts: pl.Series) -> Any:
        return self.words.transform(texts.to_list())


class _Embeddings:
    """What an embedding model makes of the texts."""

    def __init__(self, model: str) -> None:
        from sentence_transformers import SentenceTransformer

        name, _, revision = (model, "", "") if is_path(model) else model.partition("@")
        try:
            self.model = SentenceTransformer(name, revision=revision or None, device="cpu", trust_remote_code=False)
        except (OSError, ValueError) as error:
            raise PlugError(f"tags.domain: no sentence-transformers model {model!r}: {error}") from error

    def of(self, texts: pl.Series) -> Any:
        return self.model.encode(texts.to_list(), normalize_embeddings=True, show_progress_bar=False)
