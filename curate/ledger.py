"""The ledger: for every stage and every view, in = kept + dropped(reason). A row that vanishes stops the build."""

from dataclasses import dataclass, field
from typing import Literal

import polars as pl
import pyarrow as pa

Unit = Literal["rows", "problems", "rollouts"]

LEDGER = pa.schema(
    [
        pa.field("unit", pa.string(), nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("stage", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
    ]
)
"""One row for every row that a stage dropped or a view left out."""

FUNNEL = pa.schema(
    [
        pa.field("stage", pa.string(), nullable=False),
        pa.field("unit", pa.string(), nullable=False),
        pa.field("seen", pa.int64(), nullable=False),
        pa.field("kept", pa.int64(), nullable=False),
        pa.field("dropped", pa.list_(pa.struct([pa.field("reason", pa.string()), pa.field("rows", pa.int64())]))),
    ]
)
"""One row per stage and view, in their order."""


OPENS = ("sources.", "teacher.", "rewrites.")
"""Stages that bring rows in; `views.` leave rows out of themselves only. All others stand in a chain."""


class LedgerError(RuntimeError):
    """Rows do not add up: a stage lost, doubled or invented some, or gave a reason it had not declared."""


@dataclass(frozen=True)
class Entry:
    """What one stage or view did."""

    stage: str
    unit: Unit
    seen: int
    kept: int
    dropped: dict[str, int]
    """Rows by reason, most frequent first."""


@dataclass
class Ledger:
    """Entries in the order of the flow, and the dropped rows behind them."""

    entries: list[Entry] = field(default_factory=list)
    _drops: list[pl.DataFrame] = field(default_factory=list)

    def record(self, stage: str, unit: Unit, seen: pl.Series, marks: pl.DataFrame, reasons: tuple[str, ...]) -> Entry:
        """Checks the marks (`id`, `drop`) against the ids that the stage was given, and notes what it dropped.

        Args:
            seen: ids of the rows that the stage was given.
            reasons: those that the stage declared.

        Raises:
            LedgerError: not one mark for each row seen; an undeclared reason; rows that no earlier stage kept.
        """
        self._check_ids(stage, unit, seen, marks["id"])
        dropped = marks.filter(pl.col("drop").is_not_null()).select("id", reason="drop")
        strange = set(dropped["reason"].unique()) - set(reasons)
        if strange:
            raise LedgerError(f"{stage}: dropped {unit} for {sorted(strange)}, but declares only {list(reasons)}")
        entry = self._entry(stage, unit, len(seen), dropped)
        self._check_chain(entry)
        return self._note(entry, dropped)

    def open(self, stage: str, unit: Unit, brought: int, refused: pl.DataFrame) -> Entry:
        """Notes what a source, the teacher or a rewrite brought in, and what of it could not be used (`id`, `drop`)."""
        dropped = refused.select("id", reason="drop")
        return self._note(self._entry(stage, unit, brought, dropped), dropped)

    def rows(self) -> pl.DataFrame:
        """Every dropped row: unit, id, stage, reason."""
        schema = dict.fromkeys(LEDGER.names, pl.String)
        return pl.concat([pl.DataFrame(schema=schema), *self._drops])

    def funnel(self) -> pl.DataFrame:
        """The entries as rows of FUNNEL."""
        rows = [
            {
                "stage": entry.stage,
                "unit": entry.unit,
                "seen": entry.seen,
                "kept": entry.kept,
                "dropped": [{"reason": reason, "rows": rows} for reason, rows in entry.dropped.items()],
            }
            for entry in self.entries
        ]
        frame = pl.from_arrow(pa.Table.from_pylist(rows, schema=FUNNEL))
        assert isinstance(frame, pl.DataFrame)
        return frame

    def _entry(self, stage: str, unit: Unit, seen: int, dropped: pl.DataFrame) -> Entry:
        counts = dropped.group_by("reason").len().sort(["len", "reason"], descending=[True, False])
        return Entry(stage, unit, seen, seen - dropped.height, dict(counts.iter_rows()))

    def _note(self, entry: Entry, dropped: pl.DataFrame) -> Entry:
        self.entries.append(entry)
        self._drops.append(dropped.select(unit=pl.lit(entry.unit), id="id", stage=pl.lit(entry.stage), reason="reason"))
        return entry

    def _check_ids(self, stage: str, unit: Unit, seen: pl.Series, marked: pl.Series) -> None:
        lost = seen.filter(~seen.is_in(marked.implode()))
        invented = marked.filter(~marked.is_in(seen.implode()))
        doubled = marked.filter(marked.is_duplicated()).unique()
        for what, ids in (("lost", lost), ("invented", invented), ("marked twice", doubled)):
            if len(ids):
                some = ", ".join(ids.head(3).to_list())
                raise LedgerError(
                    f"{stage}: {len(ids):,} of {len(seen):,} {unit} {what} (such as {some}). "
                    "The stage must give back one mark for each row it was given; nothing was written."
                )

    def _check_chain(self, entry: Entry) -> None:
        if fault := chain_fault(self.entries, entry):
            raise LedgerError(fault)


def chain_fault(before: list[Entry], entry: Entry) -> str | None:
    """What is wrong with the rows that an entry saw: a stage sees what the one before it kept.

    What sources, the teacher and stages that rewrite brought since then comes on top.
    """
    if entry.stage.startswith(OPENS) or not any(e.unit == entry.unit for e in before):
        return None
    expected = standing(before, entry.unit)
    if entry.seen == expected:
        return None
    return f"{entry.stage}: saw {entry.seen:,} {entry.unit}, but {expected:,} had been kept before it"


def standing(entries: list[Entry], unit: str) -> int:
    """How many rows of the unit are kept after these entries."""
    rows = 0
    for entry in entries:
        if entry.unit == unit and not entry.stage.startswith("views."):
            rows = entry.kept + (rows if entry.stage.startswith(OPENS) else 0)
    return rows
