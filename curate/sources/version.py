"""Another version as a source: its problems, and the rollouts that were drawn and judged there."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import polars as pl
import pyarrow.parquet as pq

from curate.plug import ManifestPath, VersionName
from curate.reading.intake import UNREADABLE, Intake, SourceError
from curate.records import PROBLEM, ROLLOUT, empty
from curate.version import DigestError, VersionError, open_version
from curate.version import Version as Built

BATCH_ROWS = 1_000
"""Rollouts whose texts are in memory at once."""

KEPT = pl.col("dropped_by").is_null()

_COUNTED_ELSEWHERE = ("sampling", "prompt_tokens", "completion_tokens")


@dataclass(frozen=True)
class Version:
    """Brings the problems that a version kept, with their rollouts, under the ids that they have there.

    So the rollouts of several teachers meet: those of a version beside those that this manifest's own teacher draws.
    Verdicts and tags are given anew by this manifest. Rollouts come without their sampling and token counts: two
    teachers count in tokens of their own, and lengths that a view compares must be of one kind.

    Whether a problem is held out is drawn from its text and the manifest's `seed`: with the seed and the share
    (`heldout`) of that version, what was held out there is held out here. With others, take `split: train`.

    Example:
        >>> Version(of="math@v1", split="train").rollouts
        'kept'
    """

    of: VersionName
    """`math@v1`, or the path of a version's folder (with a slash in it)."""
    root: ManifestPath | None = None
    """Folder of the datasets; unless said COTILLION_DATA, else `data` where you stand."""
    split: Literal["train", "heldout"] | None = None
    """Only problems of this split; both unless said."""
    view: str | None = None
    """Only problems that this view of the version took."""
    rollouts: Literal["kept", "none"] = "kept"
    """`kept`: those that no stage dropped, whatever their verdict. `none`: the problems alone."""

    def __call__(self) -> Iterator[Intake]:
        """All problems first, then their rollouts, in batches.

        Raises:
            SourceError: no such version or view, or files that are not those of its lock.
        """
        version = self._opened()
        problems = self._problems(version)
        nothing = pl.DataFrame(schema=UNREADABLE)
        yield Intake(_in_schema(problems, empty(PROBLEM)), empty(ROLLOUT), nothing, problems.height)
        for rollouts in self._rollouts(version, problems["id"]):
            yield Intake(empty(PROBLEM), rollouts, nothing, 0)

    def state(self) -> dict[str, str]:
        """The digest over the version's rows."""
        return {"version": self._opened().digest}

    def find(self) -> None:
        """Passes if there is such a version; its files are not read.

        Raises:
            SourceError: there is none.
        """
        self._named()

    def _named(self) -> Built:
        try:
            return open_version(self.of, self.root)
        except VersionError as error:
            raise SourceError(f"of: {error}") from error

    def _opened(self) -> Built:
        version = self._named()
        try:
            version.check_files()
        except DigestError as error:
            raise SourceError(f"of: {error}") from error
        return version

    def _problems(self, version: Built) -> pl.DataFrame:
        rows = version.table("problems").filter(KEPT).collect()
        if self.split:
            rows = rows.filter(pl.col("split") == self.split)
        if self.view:
            rows = rows.filter(pl.col("id").is_in(self._taken(version, self.view).implode()))
        if rows.is_empty():
            raise SourceError(f"{version.name} has no problem that is asked for here ({self})")
        return rows

    def _taken(self, version: Built, view: str) -> pl.Series:
        """The ids of the problems that a view took."""
        views = [name for name in version.lock["manifest"]["views"] if name in version.lock["tables"]]
        if view not in views:
            raise SourceError(f"view: {version.name} has no view {view!r}. It has: {', '.join(views) or 'none'}")
        rows = version.table(view)
        name = "problem_id" if "problem_id" in rows.collect_schema().names() else "id"
        return rows.select(pl.col(name).unique()).collect().to_series()

    def _rollouts(self, version: Built, problems: pl.Series) -> Iterator[pl.DataFrame]:
        if self.rollouts == "none":
            return
        for file in version.lock["tables"]["rollouts"]["train"]["files"]:
            for batch in pq.ParquetFile(version.file(file["path"])).iter_batches(BATCH_ROWS):
                rows = pl.DataFrame(batch).filter(KEPT & pl.col("problem_id").is_in(problems.implode()))
                if rows.height:
                    yield _in_schema(rows.drop(_COUNTED_ELSEWHERE), empty(ROLLOUT))


def _in_schema(rows: pl.DataFrame, like: pl.DataFrame) -> pl.DataFrame:
    """The rows with exactly the columns of `like`; those that are missing are null."""
    missing = [pl.lit(None, kind).alias(name) for name, kind in like.schema.items() if name not in rows.columns]
    return rows.with_columns(missing).select(like.columns).cast(like.schema)
