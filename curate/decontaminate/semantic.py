"""Contaminated by meaning: problems whose vector lies close to that of a benchmark's question, with its numbers."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import polars as pl
from pydantic import Field

from curate.alike.copies import figures
from curate.alike.embedding import LIBRARIES, check_model, encode, is_path, model_state
from curate.alike.wording import question
from curate.plug import ModelName
from curate.reading.against import Against

RULE = "semantic"
SIZE = 256
"""Numbers in a vector of the built-in encoder."""
ROWS = 1024
"""Rows that are held against all questions at once."""
NEAREST = 4
"""Questions whose numbers are compared, per problem."""
CLOSE, CLOSE_OF_A_MODEL = 0.6, 0.9
WITHOUT_NUMBERS = 0.9
"""Where neither text has a number there is nothing but the vectors to tell two problems apart."""


@dataclass(frozen=True, kw_only=True)
class Semantic(Against):
    """Drop every problem that lies as close to a benchmark's question as `threshold` says, and has all its numbers.

    Vectors come from any sentence-transformers model, or from the built-in encoder, which is fitted on the problems and
    the questions, and downloads nothing. With other numbers it is another problem, however close: it stays. Finds what
    rules on words miss; stands well after `decontaminate.ngrams`, which says why in words.
    """

    writes: ClassVar = {
        "contaminated_by": pl.String,
        "contamination_rule": pl.String,
        "contamination_similarity": pl.Float64,
        "benchmark_question": pl.String,
    }
    drops = ("contaminated",)
    REV = 4
    INSTALLED = ("semantic", *LIBRARIES)

    model: ModelName | None = None
    """A folder (`./minilm`, `/models/minilm`), or a name on the Hub with its commit (`organisation/name@commit`).
    None: an encoder that is fitted on the problems and the questions."""
    threshold: Annotated[float, Field(gt=0, le=1)] | None = None
    """Cosine from which they are close; unless said 0.6 for the built-in encoder, 0.9 for a model."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.model is not None:
            check_model(self.model)
            if not is_path(self.model) and "@" not in self.model:
                raise ValueError(f"model: {self.model!r} may change; write {self.model}@COMMIT")

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The facts `contaminated_by`, the nearest question, and the cosine.

        Raises:
            SourceError: a benchmark cannot be read.
            ModelError: the model cannot be loaded.
        """
        asked = self.known()
        said, known = question(rows["problem"]), question(asked["problem"])
        vectors = encode(pl.concat([known, said]), self.model, SIZE, 0)
        places, cosines = nearest(vectors[len(known) :], vectors[: len(known)], NEAREST)
        close = self.threshold or (CLOSE if self.model is None else CLOSE_OF_A_MODEL)
        row, rank = np.nonzero(cosines >= close)
        near = {"row": row, "known": places[row, rank], "cosine": cosines[row, rank]}
        pairs = pl.DataFrame(near, schema={"row": pl.Int64, "known": pl.Int64, "cosine": pl.Float64})
        pairs = pairs.filter(_agree(pairs, said, known))
        found = pairs.unique("row", keep="first", maintain_order=True).join(asked, on="known", maintain_order="left")
        numbered = rows.select("id").with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
        marked = numbered.join(found, on="row", how="left", maintain_order="left")
        hit = pl.col("known").is_not_null()
        return marked.select(
            "id",
            contaminated_by="by",
            contamination_rule=pl.when(hit).then(pl.lit(RULE)),
            contamination_similarity=pl.col("cosine").clip(0, 1),
            benchmark_question="problem",
            drop=pl.when(hit).then(pl.lit("contaminated")),
        )

    def inputs(self) -> dict[str, Any]:
        """What stands behind `against` and `model`."""
        return super().inputs() | {"model": None if self.model is None else model_state(self.model)}


def nearest(ours: Any, theirs: Any, most: int) -> tuple[Any, Any]:
    """Of every vector of ours the places of its `most` nearest among theirs, nearest first, and their cosines."""
    most = min(most, len(theirs))
    places, cosines = [np.zeros((0, most), np.int64)], [np.zeros((0, most), np.float32)]
    for low in range(0, len(ours), ROWS):
        near = ours[low : low + ROWS] @ theirs.T
        top = np.sort(np.argpartition(-near, most - 1, axis=1)[:, :most], axis=1)
        order = np.argsort(-np.take_along_axis(near, top, 1), axis=1, kind="stable")
        places.append(np.take_along_axis(top, order, 1))
        cosines.append(np.take_along_axis(near, places[-1], 1))
    return np.concatenate(places), np.concatenate(cosines)


def _agree(pairs: pl.DataFrame, ours: pl.Series, theirs: pl.Series) -> pl.Series:
    """Whether the two texts of each pair have the same numbers; 0 and 1 aside."""
    near = pairs.with_columns(ours=ours.gather(pairs["row"]), theirs=theirs.gather(pairs["known"]))
    # A loop: pairs that are close are few.
    same = []
    for text, known, cosine in near.select("ours", "theirs", "cosine").iter_rows():
        numbers, wanted = _numbers(text), _numbers(known)
        same.append(numbers == wanted and (bool(numbers) or cosine >= WITHOUT_NUMBERS))
    return pl.Series(same, dtype=pl.Boolean)


def _numbers(asked: str) -> set[str]:
    return {figure for figure in figures(asked) if figure[0].isdigit()} - {"0", "1"}
