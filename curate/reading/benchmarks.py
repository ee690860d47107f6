"""Benchmarks by name: what a model is measured on, and what no training problem may resemble.

Each is a dataset of the Hub with its columns, or a file of one's own, or the problems of a version. A name is
resolved to a commit when it is first used; whoever uses it writes the commit down.
"""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from curate.reading.intake import NO_TEXT, Columns, Intake, SourceError
from curate.reading.version_questions import find_part, is_version

if TYPE_CHECKING:
    from curate.sources.files import Files
    from curate.sources.hub import Hub


_NOTHING_ASKED = "this benchmark has no questions"


@dataclass(frozen=True)
class Benchmark:
    """Where a benchmark lies on the Hub, and which of its columns hold what."""

    path: str
    problem: str = "problem"
    answer: str | None = "answer"
    config: str | None = None
    split: str = "test"
    source_id: str | None = None
    """What the benchmark calls a question, if its column is known."""
    samples: int = 8
    """Rollouts per problem that give a steady mean: 64 for the 30 problems of an AIME."""


NAMED = {
    "math500": Benchmark("HuggingFaceH4/MATH-500", source_id="unique_id"),
    "aime24": Benchmark("HuggingFaceH4/aime_2024", split="train", samples=64),
    "aime25": Benchmark("math-ai/aime25", samples=64),
    "amc23": Benchmark("math-ai/amc23", problem="question", samples=32),
    "gpqa_diamond": Benchmark(
        "Idavidrein/gpqa", problem="Question", answer="Correct Answer", config="gpqa_diamond", split="train"
    ),
    "olympiadbench": Benchmark("math-ai/olympiadbench", problem="question"),
    "minerva": Benchmark("math-ai/minervamath", problem="question"),
    "omni_math": Benchmark("KbsdJames/Omni-MATH"),
    "gsm8k": Benchmark("openai/gsm8k", problem="question", config="main"),
}
"""Those of arXiv 2504.21233 and of the reports around it."""

COLUMNS = ("id", "source_id", "problem", "answer")
IDS = ("id", "unique_id", "source_id", "question_id", "problem_id")
"""Names under which files say what they call a question."""


@dataclass(frozen=True)
class Questions:
    """The problems of one benchmark."""

    name: str
    problems: pl.DataFrame
    """`id`, `source_id` (what the benchmark calls it), `problem`, `answer`, in the benchmark's order; the second and
    the last are null where there is none."""
    state: dict[str, str]
    """What was read: a commit, digests of files, or a version and its digest."""
    samples: int
    """Rollouts per problem that give a steady mean."""


def is_file(reference: str) -> bool:
    """Whether a reference names a file (`mine.jsonl`, `data/mine.csv.gz`) rather than a benchmark of NAMED."""
    return bool(Path(reference).suffix) or "/" in reference


def named(reference: str) -> str:
    """What a benchmark, a file or a version is called in marks."""
    if is_version(reference):
        return reference.rpartition("/")[2]
    return Path(reference).name.split(".")[0] if is_file(reference) else reference.partition("@")[0]


def check_reference(reference: str) -> None:
    """Passes if this is a benchmark by name, with or without a commit, or looks like a version or a file.

    Raises:
        ValueError: no benchmark has this name; says which there are.
    """
    name = reference.partition("@")[0]
    if not is_version(reference) and not is_file(reference) and name not in NAMED:
        near = difflib.get_close_matches(name, NAMED, n=1)
        guess = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"no benchmark {name!r}.{guess} There are: {', '.join(NAMED)}; or name a file (mine.jsonl) or a version "
            "(math@v2, math@v2:heldout)"
        )


def state_of(reference: str, root: str | None = None) -> dict[str, str]:
    """What `read_benchmark` would read: a commit, the digest of a file, or a version with its digest.

    Asks the Hub unless a commit is named.

    Raises:
        SourceError: no such benchmark or file, or the Hub does not answer.
    """
    if is_version(reference):
        return find_part(reference, root).state()
    if is_file(reference):
        return _file_of(Path(reference)).state()
    return _hub_of(reference).state()


def read_benchmark(reference: str, root: str | None = None) -> Questions:
    """The problems of a benchmark (`math500`, `math500@COMMIT`), a file (`mine.jsonl`, .csv, .gz) or a version.

    A file's columns are guessed (`problem` or `question`, `answer`). Of a version (`math@v2`) those it kept, or the
    held-out ones (`math@v2:heldout`), or those of a view (`math@v2:sft`).

    Args:
        root: folder of the datasets; None means COTILLION_DATA, else `data` where you stand.

    Raises:
        SourceError: no such benchmark or file, no questions in it, or the Hub does not give it.
    """
    if is_version(reference):
        part = find_part(reference, root)
        return _asked(reference, Questions(part.name, part.problems(), part.state(), 8))
    if is_file(reference):
        files = _file_of(Path(reference))
        return _asked(reference, Questions(named(reference), _problems(files(), reference), files.state(), 8))
    hub = _hub_of(reference)
    name, state = reference.partition("@")[0], hub.state()
    at = replace(hub, revision=state["revision"])
    return _asked(reference, Questions(name, _problems(at(), reference), state, NAMED[name].samples))


def check_file(reference: str) -> None:
    """Passes if a benchmark's file has a question; reads no further than that.

    Raises:
        SourceError: there is no such file, or no question in it.
    """
    if not any(batch.problems.height for batch in _file_of(Path(reference))()):
        raise SourceError(f"{reference}: {_NOTHING_ASKED}")


def _asked(reference: str, questions: Questions) -> Questions:
    if questions.problems.is_empty():
        raise SourceError(f"{reference}: {_NOTHING_ASKED}")
    return questions


def _hub_of(reference: str) -> "Hub":
    from curate.sources.hub import Hub

    try:
        check_reference(reference)
    except ValueError as fault:
        raise SourceError(str(fault)) from fault
    name, _, revision = reference.partition("@")
    known = NAMED[name]
    columns = Columns(problem=known.problem, answer=known.answer, source_id=known.source_id)
    return Hub(known.path, columns, config=known.config, split=known.split, revision=revision or None)


def _file_of(path: Path) -> "Files":
    from curate.regrade import GUESSES
    from curate.sources.files import Files

    if not path.is_file():
        raise SourceError(f"{path} is a folder; name its files" if path.is_dir() else f"no file {path}")
    columns: dict[str, Any] = {}
    there = _columns_there(path)
    for ours in ("problem", "answer"):
        columns[ours] = next((name for name in GUESSES[ours] if name in there), None)
    columns["source_id"] = next((name for name in IDS if name in there), None)
    if not there:
        raise SourceError(f"{path}: {_NOTHING_ASKED}")
    if columns["problem"] is None:
        raise SourceError(f"{path}: which column holds the problem? Expected one of {', '.join(GUESSES['problem'])}")
    return Files(path=str(path), columns=Columns(**columns))


def _columns_there(path: Path) -> set[str]:
    from curate.reading.readers import File, read_batches
    from curate.regrade import GUESSES

    fault = None
    for guess in ("", *GUESSES["problem"]):  # a table with a header refuses a column that it does not have
        batches = read_batches(File(path.name, lambda: path.open("rb"), path.name), Columns(problem=guess))
        try:
            first = next(iter(batches), None)
        except SourceError as refused:
            fault = fault or refused
            if ": no column " not in str(refused):
                raise
            continue
        return set(first.found) if first else set()
    raise SourceError(
        f"{path}: which column holds the problem? Expected one of {', '.join(GUESSES['problem'])}"
    ) from fault


def _problems(batches: Iterator[Intake], reference: str) -> pl.DataFrame:
    taken, refused = [], pl.Series(dtype=pl.String)
    for batch in batches:
        taken.append(batch.problems.select(COLUMNS))
        refused = refused.append(batch.unreadable["reason"].cast(pl.String))
    if len(lost := refused.filter(refused != NO_TEXT)):
        raise SourceError(
            f"{reference}: {len(lost):,} of its rows cannot be read ({', '.join(sorted(lost.unique()))}), and what is "
            "not read is not found. Mend or remove them"
        )
    schema = dict.fromkeys(COLUMNS, pl.String)
    return pl.concat(taken).unique("id", keep="first", maintain_order=True) if taken else pl.DataFrame(schema=schema)
