"""A version checked to the last bit and the last row: lock, files, schemas, row digests, ledger, views.

Nothing that the lock says is believed before it was looked at, and no table is decoded before its bytes are right.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from curate.changes.beside import key_of
from curate.fingerprint import add_rows
from curate.ledger import FUNNEL, LEDGER, OPENS, Entry, chain_fault, standing
from curate.look.show import RESERVED
from curate.records import PROBLEM, ROLLOUT
from curate.share.foreign_lock import ForeignError, check_card, read_foreign_lock
from curate.version import LOCK, DigestError, Version
from curate.versions.seal import lock_digest

BASE = {"problems": PROBLEM, "rollouts": ROLLOUT, "ledger": LEDGER, "funnel": FUNNEL}
"""What these tables begin with; facts of stages follow."""

MOST_FAULTS = 20

KEPT = pl.col("drop_reason").is_null()


@dataclass(frozen=True)
class Checked:
    """What was looked at, and found right."""

    files: int
    rows: int
    entries: int
    """Of the ledger."""

    def text(self) -> str:
        """For people."""
        return (
            f"{self.files:,} files are those of its lock, {self.rows:,} rows have its digests, "
            f"{self.entries:,} entries of its ledger balance, and its views hold nothing else"
        )


def check_version(version: Version, done: Callable[[int], None] = lambda rows: None) -> Checked:
    """Passes if everything in the version is what its build wrote.

    Args:
        done: told how many more rows were read.

    Raises:
        DigestError: with the faults of the first of these that has some: lock, files, tables, ledger and views.
    """
    _stop(version, _lock_faults(version))
    version.check_files()
    rows = 0
    faults: list[str] = []
    for table, splits in version.lock["tables"].items():
        for split, part in splits.items():
            faults += _part_faults(version, table, split, part, done)
            rows += part["rows"]
    _stop(version, faults)
    funnel = [_entry(row) for row in version.lock["funnel"]]
    _stop(version, [*_ledger_faults(version, funnel), *_view_faults(version, funnel)])
    return Checked(len(version.lock["files"]), rows, len(funnel))


def _stop(version: Version, faults: list[str]) -> None:
    if faults:
        more = [f"and {len(faults) - MOST_FAULTS:,} more"] if len(faults) > MOST_FAULTS else []
        listed = "\n  ".join([*faults[:MOST_FAULTS], *more])
        raise DigestError(
            f"{version.path} is not what a build wrote:\n  {listed}\nBuilding its manifest makes a new one."
        )


def _lock_faults(version: Version) -> list[str]:
    """The lock is the text that was written, and says only what a lock may say."""
    file = version.path / LOCK
    if file.is_symlink() or not file.is_file():
        return [f"{LOCK}: no file"]
    text = file.read_bytes()
    if lock_digest(text) is None:
        return [f"{LOCK}: not the bytes that were written (its seal does not fit)"]
    named = re.fullmatch(r"v([1-9][0-9]{0,8})", version.path.name)
    try:
        read_foreign_lock(text, int(named[1]) if named else version.lock["version"])
        check_card(version.path / "README.md")
    except ForeignError as fault:
        return [str(fault)]
    except FileNotFoundError:
        return []  # told with the files
    return []


def _part_faults(
    version: Version, table: str, split: str, part: dict[str, object], done: Callable[[int], None]
) -> Iterator[str]:
    """Schema, row counts and row digest of one split."""
    digest, rows = hashlib.sha256(), 0
    schemas: list[pa.Schema] = []
    for file in part["files"]:  # type: ignore[attr-defined]  # a list: read_foreign_lock has looked
        read = pq.ParquetFile(version.file(file["path"]))
        schemas.append(read.schema_arrow.remove_metadata())
        if read.metadata.num_rows != file["rows"]:
            yield f"{file['path']}: {read.metadata.num_rows:,} rows, the lock says {file['rows']:,}"
        for batch in read.iter_batches(1000):
            frame = pl.from_arrow(pa.Table.from_batches([batch]))
            assert isinstance(frame, pl.DataFrame)
            add_rows(digest, frame)
            rows += frame.height
            done(frame.height)
    if any(schema != schemas[0] for schema in schemas[1:]):
        yield f"{table} ({split}): its files differ in their columns"
    base = BASE.get(table)
    if (
        base is not None
        and schemas
        and [(f.name, f.type) for f in schemas[0]][: len(base)] != [(f.name, f.type) for f in base]
    ):
        yield f"{table} ({split}): does not begin with the columns {', '.join(base.names)}"
    if rows != part["rows"] or digest.hexdigest() != part["digest"]:
        yield f"{table} ({split}): {rows:,} rows with another digest than the lock's {part['rows']:,}"


def _entry(row: dict[str, object]) -> Entry:
    dropped = {drop["reason"]: drop["rows"] for drop in row["dropped"]}  # type: ignore[attr-defined]  # a list
    return Entry(row["stage"], row["unit"], row["seen"], row["kept"], dropped)  # type: ignore[arg-type]  # as written


def _ledger_faults(version: Version, funnel: list[Entry]) -> Iterator[str]:
    """In = kept + dropped, entry by entry, with the dropped rows behind every number."""
    if version.table("funnel").collect().to_dicts() != version.lock["funnel"]:
        yield "funnel: its rows are not those of the lock"
    counted = version.table("ledger").group_by("stage", "unit", "reason").len("rows").collect()
    behind = {(stage, unit, reason): rows for stage, unit, reason, rows in counted.iter_rows()}
    told = {(e.stage, e.unit, reason): rows for e in funnel for reason, rows in e.dropped.items()}
    for key in sorted({k for k in behind.keys() | told.keys() if behind.get(k) != told.get(k)}):
        yield f"ledger: {behind.get(key, 0):,} rows for {' '.join(key)}, the funnel says {told.get(key, 0):,}"
    for place, entry in enumerate(funnel):
        if entry.seen != entry.kept + sum(entry.dropped.values()):
            yield f"{entry.stage} ({entry.unit}): {entry.seen:,} seen are not {entry.kept:,} kept and those dropped"
        if fault := chain_fault(funnel[:place], entry):
            yield fault
    for table in ("problems", "rollouts"):
        yield from _fate_faults(version, table, funnel)


def _fate_faults(version: Version, table: str, funnel: list[Entry]) -> Iterator[str]:
    """The rows of a table bear the fates that the ledger tells, and the others were kept to the end."""
    rows = version.table(table)
    key = ["id", "stage", "reason"]
    marked = rows.filter(~KEPT).select("id", stage="dropped_by", reason="drop_reason")
    is_chain = (pl.col("unit") == table) & ~pl.col("stage").str.starts_with("views.")
    told = version.table("ledger").filter(is_chain).select(key)
    own = told.filter(~pl.any_horizontal(pl.col("stage").str.starts_with(name) for name in OPENS))
    for what, lost in (
        ("bear a fate the ledger does not tell", marked.join(told, on=key, how="anti")),
        ("of the ledger do not bear their fate", own.join(marked, on=key, how="anti")),
    ):
        if count := _height(lost):
            yield f"{table}: {count:,} rows {what}"
    expected = standing(funnel, table)
    if (kept := _height(rows.filter(KEPT))) != expected:
        yield f"{table}: {kept:,} rows are kept, the ledger says {expected:,}"
    if doubled := _height(rows.group_by("id").len().filter(pl.col("len") > 1)):
        yield f"{table}: {doubled:,} ids stand twice"


def _view_faults(version: Version, funnel: list[Entry]) -> Iterator[str]:
    """A view holds kept rows of its table, all that the ledger says, each on its problem's side of the split."""
    entries = {entry.stage.removeprefix("views."): entry for entry in funnel if entry.stage.startswith("views.")}
    views = [name for name in version.lock["tables"] if name not in RESERVED]
    if set(views) != set(entries):
        yield f"views: the ledger tells of {', '.join(entries) or 'none'}, there are {', '.join(views) or 'none'}"
        return
    owners = version.table("rollouts").filter(KEPT).select("id", "problem_id")
    sides = version.table("problems").filter(KEPT).select(problem_id="id", side="split")
    for name in views:
        known = (
            sides.with_columns(id="problem_id")
            if entries[name].unit == "problems"
            else owners.join(sides, on="problem_id")
        )
        count = 0
        for split in version.lock["tables"][name]:
            ids = _units(version.table(name, split), entries[name].unit).unique()
            placed = ids.join(known.select("id", "side"), on="id", how="left")
            placed = placed.select(
                pl.len(), strange=pl.col("side").is_null().sum(), other=(pl.col("side") != split).sum()
            )
            height, strange, other = placed.collect(engine="streaming").row(0)
            count += height
            if strange:
                yield f"{name} ({split}): {strange:,} ids are not among the kept {entries[name].unit}"
            if other:
                yield f"{name} ({split}): {other:,} ids are of problems on the other side of the split"
        if count != entries[name].kept:
            yield f"{name}: holds {count:,} {entries[name].unit}, the ledger says {entries[name].kept:,}"


def _units(view: pl.LazyFrame, unit: str) -> pl.LazyFrame:
    """The ids of what the view's ledger counts."""
    columns = view.collect_schema().names()
    if unit == "rollouts" and "rollout_ids" in columns:
        return view.select(id="rollout_ids").explode("id")
    key = key_of(view)
    return pl.concat([view.select(id=name) for name in key])


def _height(rows: pl.LazyFrame) -> int:
    return int(rows.select(pl.len()).collect(engine="streaming").item())
