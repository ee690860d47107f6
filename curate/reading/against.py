"""What a stage is held against: benchmarks, files and versions, read when it runs, known by commit or digest."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import polars as pl
from pydantic import Field

from curate.plug import BenchmarkName, ManifestPath
from curate.reading.benchmarks import Questions, check_file, check_reference, is_file, read_benchmark, state_of
from curate.reading.extras import check_installed
from curate.reading.intake import SourceError
from curate.reading.version_questions import find_part, is_version

QUOTED_CHARS = 5_000
"""Of a question, kept beside the problem. The longest of 11,000 benchmark questions has 4,300 characters."""

_ID = r"^[^:\s\p{C}]{1,80}$"
"""What a benchmark may call a question, to be told in a mark; of any other our own id is told."""


@dataclass(frozen=True, kw_only=True)
class Against:
    """What stages that compare problems with benchmarks have in common: what they read, options, what they tell."""

    over = "problems"
    marks = "problems"
    scope = "table"
    reads = ("id", "problem")
    INSTALLED: ClassVar[tuple[str, ...]] = ("core",)
    """An extra, and the libraries of it that are needed."""

    against: Annotated[tuple[BenchmarkName, ...], Field(min_length=1)]
    """Benchmarks by name (`math500`, or `math500@COMMIT`), files of one's own (`mine.jsonl`), and other versions: all
    that one kept (`math@v2`), its held-out problems (`math@v2:heldout`), or those of a view (`math@v2:sft`). A name
    without a commit is resolved by the first build, and pinned in the lock; a version is pinned by its digest."""
    root: ManifestPath | None = None
    """Folder of the datasets whose versions are named; unless said COTILLION_DATA, else `data` where you stand."""

    def __post_init__(self) -> None:
        for reference in self.against:
            check_reference(reference)

    def find(self) -> None:
        """Passes if libraries and versions are there, and the files have questions; the Hub is not asked.

        Raises:
            SourceError: some are not; says which.
        """
        faults = []
        try:
            check_installed(*self.INSTALLED)
        except SourceError as fault:
            faults.append(str(fault))
        for reference in self.against:
            try:
                if is_version(reference):
                    find_part(reference, self.root)
                elif is_file(reference):
                    check_file(reference)
            except SourceError as fault:
                faults.append(f"against: {fault}")
        if faults:
            raise SourceError("; ".join(faults))

    def benchmarks(self) -> list[Questions]:
        """The questions of every benchmark.

        Raises:
            SourceError: a benchmark has no questions, or the Hub, a file or a version does not give it.
        """
        return [read_benchmark(reference, self.root) for reference in self.against]

    def known(self) -> pl.DataFrame:
        """Every question in order: `known` (0, 1, ...), `by` (`benchmark:its id there`), `problem`."""
        theirs = pl.when(pl.col("source_id").str.contains(_ID)).then("source_id").otherwise("id")
        asked = [b.problems.select("problem", by=pl.lit(f"{b.name}:") + theirs) for b in self.benchmarks()]
        return pl.concat(asked).with_row_index("known").with_columns(pl.col("known").cast(pl.Int64))

    def inputs(self) -> dict[str, Any]:
        """What stands behind `against`: commits and digests, by name. Where it lies decides nothing."""
        return {"against": [{"name": _name(r), "state": state_of(r, self.root)} for r in self.against], "root": None}

    def pinned(self, earlier: list[dict[str, Any]]) -> Self:
        """The stage with every name at a commit, and `latest` at a number: what `inputs` told earlier, or today's.

        Args:
            earlier: what an earlier build knew of its stages of this kind.
        """
        names = [_name(reference) for reference in self.against]
        told = [stage["against"] for stage in earlier if "against" in stage]
        same = next((entries for entries in told if [entry["name"] for entry in entries] == names), None)
        # Two references may have one name (math@latest, math@v2): what was told is theirs only in the same places.
        known = {entry["name"]: entry["state"] for entries in told for entry in entries}
        once = {name: known.get(name, {}) if names.count(name) == 1 else {} for name in names}
        states = [entry["state"] for entry in same] if same else [once[name] for name in names]
        return replace(self, against=tuple(map(self._at, self.against, states)))

    def _at(self, reference: str, told: dict[str, str]) -> str:
        if is_version(reference):
            latest = "@latest" in reference and "/" not in reference
            return (told.get("version") or state_of(reference, self.root)["version"]) if latest else reference
        if is_file(reference) or "@" in reference:
            return reference
        return f"{reference}@{told.get('revision') or state_of(reference)['revision']}"


def _name(reference: str) -> str:
    """The same for a name and for what it is pinned to: without commit or number, and without folders."""
    if is_version(reference):
        return re.sub(r"@[^:]*", "", Path(reference).name)
    return Path(reference).name if Path(reference).suffix else reference.partition("@")[0]
