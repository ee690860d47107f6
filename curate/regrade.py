"""Judges a file of rollouts as it lies there: `curate verify FILE`, whatever its columns are called."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from curate.reading.intake import Columns, Intake, SourceError, intake
from curate.reading.readers import File, read_batches
from curate.records import to_arrow
from curate.verdicts.rule import Rule
from verify import Policy

ROW = "#row"
_TEXTS = "problem_id problem answer teacher reasoning response finish_reason source_verdict"
_MARKS = "extracted_answer verdict verdict_by verdict_detail"
JUDGED = pa.schema([pa.field(name, pa.string()) for name in f"{_TEXTS} {_MARKS}".split()])
"""The rows of the file that `--out` names."""

GUESSES = {
    "rollouts": ["rollout", "rollouts", "response", "responses", "generation", "generations", "completion", "text"],
    "answer": ["answer", "gold", "gold_answer", "expected_answer", "ground_truth", "target", "solution"],
    "problem": ("problem", "question", "prompt"),
    "labels": ["correct", "label", "is_correct", "ok", "correctness_math_verify"],
    "finish_reasons": ("finish_reason", "finish_reasons"),
    "teacher": ("model", "teacher", "generator"),
}
"""Names under which people publish them, the likeliest first."""


@dataclass
class Report:
    """What was found."""

    columns: Columns
    rollouts: int = 0
    unreadable: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    labels: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By the file's own label and our verdict."""
    disagreements: list[tuple[str, ...]] = field(default_factory=list)
    """label, verdict, who decided, gold, extracted; the first ones only."""

    def text(self) -> str:
        """For people."""
        lines = [f"{self.rollouts:,} rollouts in {self.columns.rollouts!r} against {self.columns.answer!r}"]
        lines += [f"{self.unreadable:,} rows could not be read"] if self.unreadable else []
        lines += [f"  {status:<16} {n:>9,}  {n / self.rollouts:6.1%}" for status, n in self.verdicts.most_common()]
        if self.labels:
            same, labelled = sum(n for (a, b), n in self.labels.items() if a == b), self.labels.total()
            lines.append(f"label {self.columns.labels!r}: {same:,} of {labelled:,} agree ({same / labelled:.2%})")
            lines += [f"  {theirs:<8} judged {ours:<16} {n:>9,}" for (theirs, ours), n in self.labels.most_common()]
        lines += ["", "label | verdict | by | gold | extracted"] if self.disagreements else []
        lines += [" | ".join(row) for row in self.disagreements]
        return "\n".join(lines)


def regrade(
    path: Path,
    named: dict[str, str],
    policy: Policy,
    out: Path | None,
    disagreements: int,
    done: Callable[[int], None],
) -> Report:
    """Every rollout of the file judged; with `out`, one row each in a new parquet file.

    Args:
        named: columns by our names (`answer`, `rollouts`, ...); the rest is guessed.

    Raises:
        SourceError: the file cannot be read, or a column that is needed is not there.
    """
    if not path.is_file():
        raise SourceError(f"no file {path}")
    file = File(path.name, lambda: path.open("rb"), path.name)
    report = Report(columns_of(file, named))
    writer: pq.ParquetWriter | None = None
    for batch in _rows(file, report.columns):
        gold = batch.problems.select("answer", "problem", problem_id="id")
        rows = batch.rollouts.join(gold, on="problem_id", how="left", maintain_order="left")
        marks = Rule(policy=policy)(rows)
        judged = pl.concat([rows.drop("id"), marks.drop("drop", "judge_verdict", "rule_verdict")], how="horizontal")
        _count(report, judged, batch.unreadable.height, disagreements)
        if out:
            table = to_arrow(judged, JUDGED)
            writer = writer or pq.ParquetWriter(out, JUDGED, compression="zstd")
            writer.write_table(table)
        done(rows.height)
    if writer:
        writer.close()
    return report


def _rows(file: File, columns: Columns) -> Iterator[Intake]:
    """The file's rows, each a problem of its own: its rollouts are judged by the gold answer beside them."""
    own = replace(columns, source_id=ROW)
    first = 0
    for batch in read_batches(file, columns):
        numbers = pl.int_range(first, first + batch.rows.height, eager=True).cast(pl.String).alias(ROW)
        read = intake(batch.rows.with_columns(numbers), own, source=file.source, where=batch.where)
        unreadable = pl.concat([batch.unreadable, read.unreadable])
        yield replace(read, unreadable=unreadable, rows=read.rows + batch.unreadable.height)
        first += batch.rows.height


def columns_of(file: File, named: dict[str, str]) -> Columns:
    """The columns as named, the others guessed from those the file has.

    Raises:
        SourceError: no column for the rollouts or the gold answers; says what there is.
    """
    wanted = dict(named)
    first = next(iter(read_batches(file, Columns(problem=""))), None)
    there = sorted(first.found) if first else []
    for ours, names in GUESSES.items():
        guess = next((name for name in names if name in there and name not in wanted.values()), None)
        if ours not in wanted and guess:
            wanted[ours] = guess
    for ours, option in (("rollouts", "--rollouts"), ("answer", "--answer")):
        if ours not in wanted:
            raise SourceError(
                f"{file.name}: which column holds the {ours}? Say {option} NAME. There are: {', '.join(there)}"
            )
    # Without questions the gold answers tell the problems apart; no unit can be looked up in them.
    return Columns(**{"problem": wanted["answer"], **wanted})


def _count(report: Report, judged: pl.DataFrame, unreadable: int, disagreements: int) -> None:
    report.rollouts += judged.height
    report.unreadable += unreadable
    report.verdicts.update(judged["verdict"].to_list())
    labelled = judged.filter(pl.col("source_verdict").is_not_null())
    report.labels.update(labelled.select("source_verdict", "verdict").iter_rows())
    odd = labelled.filter(pl.col("source_verdict") != pl.col("verdict"))
    room = max(disagreements - len(report.disagreements), 0)
    columns = ("source_verdict", "verdict", "verdict_by", "answer", "extracted_answer")
    report.disagreements += [tuple(_line(value) for value in row) for row in odd.select(columns).head(room).iter_rows()]


def _line(value: str | None) -> str:
    return " ".join((value or "-").split())[:80]
