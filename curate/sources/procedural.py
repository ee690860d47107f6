"""Problems posed by programs: fourteen topics at five levels, each with its gold answer and a worked solution."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import ClassVar

import polars as pl

from curate.fingerprint import fingerprint
from curate.reading.intake import Columns, Intake, intake
from curate.records import Level
from distill.families import NAMED, PosedRow, pose_many

BATCH_ROWS = 10_000
SAMPLE_ROWS = 140
"""Two rounds over every topic and level."""

_COLUMNS = Columns(
    problem="problem",
    answer="answer",
    solution="solution",
    answer_type="answer_type",
    source_id="source_id",
    level="level",
    domain="domain",
)


@dataclass(frozen=True)
class Procedural:
    """Poses n problems, spread evenly over families and levels: the same for a seed on every machine.

    Example:
        >>> batch = next(Procedural(n=2, levels=("college",))())
        >>> batch.problems.select("source", "level", "synthetic").rows()
        [('procedural', 'college', True), ('procedural', 'college', True)]
    """

    REV: ClassVar[int] = 1

    n: int = 1000
    """Problems. Fewer are the first of more."""
    seed: int = 0
    """Another seed poses other problems."""
    families: tuple[str, ...] | None = None
    """Names of families; all unless said, but for the drills (`drill_modular`, ...): short chains for tiny students."""
    levels: tuple[Level, ...] | None = None
    """All five unless said."""

    def __post_init__(self) -> None:
        if self.n < 1:
            raise ValueError(f"n: at least one problem, got {self.n}")
        strange = sorted(set(self.families or ()) - NAMED.keys())
        if strange or self.families == ():
            raise ValueError(f"families: unknown {', '.join(strange) or '(none named)'}. There are: {', '.join(NAMED)}")
        if self.levels == ():
            raise ValueError("levels: name at least one, or leave them out for all five")

    def __call__(self) -> Iterator[Intake]:
        """All problems, in batches."""
        posed = pose_many(self.n, self.seed, self.families, self.levels)
        for start in range(0, self.n, BATCH_ROWS):
            rows = [
                {**asdict(row), "source_id": f"{row.family}-{row.level}-{number}"}
                for number, row in enumerate(posed[start : start + BATCH_ROWS], start)
            ]
            yield intake(
                pl.DataFrame(rows),
                _COLUMNS,
                source="procedural",
                license="apache-2.0",
                first_row=start + 1,
                synthetic=True,
            )

    def state(self) -> dict[str, str]:
        """The fingerprint of the first problems: it moves when a family is posed otherwise than before."""
        first: list[PosedRow] = pose_many(min(self.n, SAMPLE_ROWS), self.seed, self.families, self.levels)
        return {"first_rows": fingerprint([asdict(row) for row in first])}
