"""Rows of a source, in whatever columns they come, become Problems and Rollouts."""

import difflib
from dataclasses import dataclass, fields

import polars as pl

from curate.reading.columns_as_text import decoded, is_readable, question_of, text_of, texts_of
from curate.reading.gold import marked_answers
from curate.reading.reply_labels import finish_reason, verdict
from curate.records import LEVELS, PROBLEM, ROLLOUT, content_hash, empty, row_ids, text_lengths
from curate.texts.options import with_options
from distill.thinking import split_columns

UNREADABLE = {"id": pl.String, "reason": pl.String}
"""Where a row stands that is no problem (`file:line`), and why: one of REASONS."""

NO_TEXT = "no_problem_text"
REASONS = (
    "bad_json",  # a line that is no JSON object
    "bad_csv",  # a record with too many or too few fields, or no UTF-8
    "oversize",  # more than a row may weigh
    NO_TEXT,  # null or blank
    "misaligned",  # reasonings, labels, finish reasons or teachers, but not one for each reply: whose is whose?
)

_BESIDE = ("reasonings", "labels", "finish_reasons", "teachers")
"""Lists that hold one value for each reply, or none at all."""

_LATER = ("sampling", "prompt_tokens", "completion_tokens", "text_hash")
"""Columns of a rollout that no source brings: `text_hash` is written with the shards, the others stay null."""

_DERIVED = ("other_answers", "content_hash", "level", "source_level")
"""Columns of `records.PROBLEM` that no column of a source gives as it is."""


class SourceError(ValueError):
    """A source that cannot be read as the manifest says: what was given, what there is, what to do."""


@dataclass(frozen=True)
class Columns:
    """Which column of the source holds what: ours on the left, theirs on the right. What is not named is not read."""

    problem: str
    """The question: text, or a message list whose first user turn asks it."""
    answer: str | None = None
    """The gold answer."""
    answer_in: str | None = None
    """A text that marks the gold answer at its end, with a box or `####`: a worked solution, or a conversation that
    others have checked. Read where `answer` is null."""
    options: str | None = None
    """The options of a multiple-choice question, a list of texts: they are written below the question, with letters."""
    solution: str | None = None
    """A worked solution."""
    answer_type: str | None = None
    source: str | None = None
    """Where the row came from before; the source's own name where this is null."""
    source_id: str | None = None
    """What the source calls the row. Rollouts of one problem in several rows meet by it and by the problem's text."""
    license: str | None = None
    """The licence of the row; the source's own where this is null."""
    level: str | None = None
    """One of our five levels; any other text is kept as `source_level`."""
    domain: str | None = None
    rollouts: str | None = None
    """One reply, a list of replies, a message list, or a list of message lists (the assistant's text is taken).

    A null in a list, and a conversation with no reply or several, become an empty rollout that ended in `error`.
    What stands beside the replies (below) is one value for each, or nothing; else the row is unreadable.
    """
    reasoning: str | None = None
    """The reasoning of each reply, where the source keeps it apart."""
    labels: str | None = None
    """The source's own verdict on each reply: true or false, correct or wrong, or a score (1 and above is correct)."""
    finish_reasons: str | None = None
    """Why each reply ended."""
    teacher: str | None = None
    """Who wrote each reply; one name in a row stands for all its replies."""

    def named(self) -> tuple[str, ...]:
        """Every column of the source that is read, once."""
        return tuple(dict.fromkeys(name for f in fields(self) if (name := getattr(self, f.name)) is not None))


@dataclass(frozen=True)
class Intake:
    """One batch of a source, in its order."""

    problems: pl.DataFrame
    """Columns of `records.PROBLEM`. An id repeats where rows without rollouts repeat, or where the gold differs."""
    rollouts: pl.DataFrame
    """Columns of `records.ROLLOUT`, `index` all 0 and ids not yet told apart where a reply repeats."""
    unreadable: pl.DataFrame
    """Columns of UNREADABLE."""
    rows: int
    """Rows of the source that this batch accounts for, unreadable ones included."""


def intake(
    raw: pl.DataFrame,
    columns: Columns,
    *,
    source: str,
    license: str | None = None,
    teacher: str | None = None,
    where: pl.Series | None = None,
    first_row: int = 1,
    synthetic: bool = False,
) -> Intake:
    """Every row is a problem with its rollouts, or is unreadable for a stated reason.

    Args:
        raw: rows with at least the columns named.
        source: name of the source, for rows that name none.
        license: licence of rows that name none.
        teacher: author of rollouts that name none; else `unknown`.
        where: one text per row that finds it again; `source:number` unless given.
        first_row: number of the first row, from 1, where `where` is not given.
        synthetic: the problems were posed by a program.

    Raises:
        SourceError: a column that is not there, or can be no text.
    """
    check_columns(columns, raw.columns, source)
    if where is None:
        numbers = pl.int_range(first_row, first_row + raw.height, eager=True).cast(pl.String)
        where = pl.select(pl.format("{}:{}", pl.lit(source), numbers)).to_series()
    for name in columns.named():
        if not is_readable(raw.schema[name]):
            raise SourceError(f"{source}: column {name!r} holds {raw.schema[name]}, which is no text")
    raw = raw.with_columns(decoded(raw[name]) for name, dtype in raw.schema.items() if dtype == pl.Binary)
    rows = raw.select(
        where=where,
        problem=question_of(raw.schema, columns.problem),
        answer=text_of(raw.schema, columns.answer),
        solution=text_of(raw.schema, columns.solution),
        answer_type=text_of(raw.schema, columns.answer_type),
        source=text_of(raw.schema, columns.source).fill_null(source),
        source_id=text_of(raw.schema, columns.source_id),
        license=text_of(raw.schema, columns.license).fill_null(pl.lit(license, pl.String)),
        rewritten_from=pl.lit(None, pl.String),
        source_level=text_of(raw.schema, columns.level),
        domain=text_of(raw.schema, columns.domain),
        synthetic=pl.lit(synthetic),
        replies=texts_of(raw.schema, columns.rollouts),
        reasonings=texts_of(raw.schema, columns.reasoning),
        labels=texts_of(raw.schema, columns.labels),
        finish_reasons=texts_of(raw.schema, columns.finish_reasons),
        teachers=texts_of(raw.schema, columns.teacher),
    )
    if columns.options is not None:
        listed = raw.select(options=texts_of(raw.schema, columns.options)).to_series()
        rows = rows.with_columns(listed).with_columns(problem=with_options(pl.col("problem"), pl.col("options")))
    if columns.answer_in is not None:
        texts = raw.select(texts_of(raw.schema, columns.answer_in).list.first()).to_series()
        rows = rows.with_columns(answer=pl.coalesce("answer", marked_answers(texts)))
    rows = _with_one_teacher_for_all(_with_reasoning_only(rows))
    n = pl.col("replies").list.len().fill_null(0)
    misaligned = pl.any_horizontal((pl.col(name).list.len() > 0) & (pl.col(name).list.len() != n) for name in _BESIDE)
    reason = (
        pl.when(pl.col("problem").str.strip_chars().fill_null("") == "")
        .then(pl.lit(NO_TEXT))
        .when(misaligned)
        .then(pl.lit("misaligned"))
    )
    rows = rows.with_columns(row_ids(rows["source"], rows["source_id"], rows["problem"]), reason=reason)
    read = rows.filter(pl.col("reason").is_null())
    unreadable = rows.filter(pl.col("reason").is_not_null()).select("reason", id="where").select(list(UNREADABLE))
    return Intake(_problems(read), _rollouts(read, teacher), unreadable, rows.height)


def check_columns(columns: Columns, there: list[str], source: str) -> None:
    """Passes if every named column is there.

    Raises:
        SourceError: names all that are missing, what is there, and the nearest name.
    """
    missing = [name for name in columns.named() if name not in there]
    if not missing:
        return
    listed = ", ".join(there[:40]) + (", ..." if len(there) > 40 else "")
    faults = []
    for name in missing:
        close = difflib.get_close_matches(name, there, n=1)
        faults.append(f"no column {name!r}" + (f" (did you mean {close[0]!r}?)" if close else ""))
    raise SourceError(f"{source}: {'; '.join(faults)}. There are: {listed or 'no columns'}")


def _with_reasoning_only(rows: pl.DataFrame) -> pl.DataFrame:
    """A reply cut off before its response is all reasoning, and a reply all the same."""
    thoughts = pl.col("replies").is_null() & (pl.col("reasonings").list.len() == 1)
    return rows.with_columns(replies=pl.when(thoughts).then(pl.lit("").repeat_by(1)).otherwise("replies"))


def _with_one_teacher_for_all(rows: pl.DataFrame) -> pl.DataFrame:
    """The one teacher that a row names wrote all its replies."""
    each = pl.col("teachers").list.first().repeat_by(pl.col("replies").list.len().fill_null(0))
    one = pl.col("teachers").list.len() == 1
    return rows.with_columns(teachers=pl.when(one).then(each).otherwise("teachers"))


def _problems(read: pl.DataFrame) -> pl.DataFrame:
    """One row per problem: of those that share id and gold and bring rollouts the first, and every other row."""
    with_rollouts = (pl.col("replies").list.len() > 0).fill_null(False)
    first = pl.struct("id", "answer").is_first_distinct()
    rows = read.filter(~with_rollouts.any().over("id") | first)
    level = pl.col("source_level").str.strip_chars().str.to_lowercase()
    ours = level.is_in(LEVELS)
    return rows.select(
        *(name for name in PROBLEM.names if name not in _DERIVED),
        content_hash(rows["problem"]),
        other_answers=pl.lit(None, pl.List(pl.String)),
        level=pl.when(ours).then(level),
        source_level=pl.when(~ours).then("source_level"),
    ).select(PROBLEM.names)


def _rollouts(read: pl.DataFrame, teacher: str | None) -> pl.DataFrame:
    """One row per reply, in order."""
    n = pl.col("replies").list.len()
    nulls = pl.lit(None, pl.String).repeat_by(n)
    beside = [pl.when(pl.col(name).list.len() == n).then(name).otherwise(nulls).alias(name) for name in _BESIDE]
    each = (
        read.filter(n > 0)
        .select("replies", *beside, problem_id="id")
        .explode("replies", *_BESIDE)
        .with_columns(teacher=pl.coalesce("teachers", pl.lit(teacher, pl.String), pl.lit("unknown")))
    )
    nothing = pl.col("replies").is_null() & pl.col("reasonings").is_null()
    finished = each.select(finish_reason() == "stop").to_series()
    known = empty(ROLLOUT).schema
    return (
        each.select(
            row_ids(each["problem_id"], each["teacher"], each["reasonings"], each["replies"]),
            "problem_id",
            "teacher",
            *split_columns(each["replies"], each["reasonings"], finished).get_columns(),
            index=pl.lit(0),
            finish_reason=pl.when(nothing).then(pl.lit("error")).otherwise(finish_reason()),
            source_verdict=verdict(),
            **{name: pl.lit(None) for name in _LATER},
        )
        .with_columns(*text_lengths())
        .select(list(known))
        .cast(known)
    )
