"""Plugs: one file, one frozen dataclass. The folder is the registry; a plug is loaded when it is used."""

# Annotations stay text: `curate --help` and `curate check` reach this file, and polars alone takes a quarter second.
from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    from curate.reading.intake import Intake

Table = Literal["problems", "rollouts"]

ManifestPath = Annotated[str, "a path beside the manifest"]
"""The type of an option that names a file or a glob: `path: ManifestPath`, also inside a tuple or a dict.

The manifest's reader makes it absolute against the manifest's folder (`--set`: against the working directory); a plug
built in Python gets what it was given.
"""

BenchmarkName = Annotated[str, "a benchmark, or a path beside the manifest"]
"""The type of an option that names a benchmark (`math500`) or a file of questions, inside a tuple too.

What ends like a file (`mine.jsonl`) or has a slash is taken for a path, and made absolute as a `ManifestPath` is.
"""

VersionName = Annotated[str, "a version, or a path beside the manifest"]
"""The type of an option that names a version (`math@v1`) or the folder of one; what has a slash is a path."""

ModelName = Annotated[str, "a model, or a path beside the manifest"]
"""The type of an option that names a model on the Hub (`org/name@COMMIT`) or, where it begins with `.`, `/` or `~`, a
folder."""

TeacherPlug = Annotated[Any, "a teacher"]
"""The type of an option that is a teacher: `teacher: TeacherPlug`, written `{use: NAME, ...}` as under `rollouts`."""

# What a list in the manifest may name. `problems` are named by folder and file (`dedup.exact`), the others by file.
FOLDERS: dict[str, tuple[str, ...]] = {
    "sources": ("curate.sources",),
    "problems": ("curate.hygiene", "curate.dedup", "curate.decontaminate"),
    "teacher": ("distill.teachers",),
    "verdicts": ("curate.verdicts",),
    "tags": ("curate.tag",),
    "views": ("curate.views",),
    "engine": ("curate.machines",),
}


class PlugError(ValueError):
    """A name that no plug has."""


class Source(Protocol):
    """Reads questions, and rollouts where there are some."""

    def __call__(self) -> Iterator[Intake]:
        """Batches in the order of the source."""

    def state(self) -> dict[str, str]:
        """What would be read, without reading it into memory: content digests or a pinned revision. For the lock."""


@runtime_checkable
class Finds(Protocol):
    """A source or stage that needs what lies on this machine, and can say that it is not there or cannot be read."""

    def find(self) -> None:
        """Passes if all is there; looks at the first rows of files at most, and asks no Hub.

        For `curate check`, and for builds before they begin.

        Raises:
            SourceError: some is not; says which.
        """


class Stage(Protocol):
    """Marks rows; never deletes one.

    Class attributes beside the options:
        over: the table whose kept rows it is given.
        marks: the table whose ids it gives back; `over` unless said.
        scope: `row` if each row is judged by itself (runs shard by shard, in processes), else `table`.
        reads: columns it asks for. Over rollouts, columns of the rollout's problem may be named too.
        writes: the facts it adds, by name and polars type.
        drops: the few reasons it may give in the column `drop`.
        REV: raised when equal options give other marks than before.

    A stage that asks a language model has options `teacher` and `sampling` and a method `prompts(rows)`, which gives
    `id` and `prompt` (text) of the rows it asks about. It is then called with a column `reply`, null elsewhere.
    Where `teacher` is null it asks nobody. With the class attribute `several` it is given `replies` instead: a list of
    `sampling.n` replies to each question, null where one is missing.

    A table stage over rollouts that needs their texts has a class attribute `per_rollout`: a row stage that reads them.
    Its facts are columns of the rows that the stage is given, and stand in no table.

    A stage over problems that rewrites some has a method `children(rows, marks)`, which gives for every row that it
    dropped as `rewritten` its `id` and the child's texts (curate.rewrite). Later stages see the child in its place.
    """

    over: ClassVar[Table]
    marks: ClassVar[Table]
    scope: ClassVar[Literal["row", "table"]]
    reads: ClassVar[tuple[str, ...]]
    writes: ClassVar[dict[str, Any]]
    drops: ClassVar[tuple[str, ...]]
    REV: ClassVar[int]

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """One row per id in `rows`: `id`, every column of `writes`, and `drop` (a reason or null)."""


def asks(stage: Any) -> bool:
    """Whether the stage asks a language model; where its option `teacher` may be null, only if it has one."""
    return hasattr(stage, "prompts") and stage.teacher is not None


class View(Protocol):
    """Chooses what one training stage reads.

    Class attributes beside the options:
        unit: what its ledger counts, `rollouts` or `problems`.
        problem_columns, rollout_columns: what `choose` reads; never `reasoning` or `response`.
        drops: the few reasons for which a unit is left out.
        schema: the Arrow schema of its rows; a property where options decide it.

    The options that all views share, and how caps cut, stand in `curate.choices.selection`. A view may have a method
    `facts(picks)`: plain numbers about its picks, for the lock and the card.
    """

    unit: ClassVar[Table]
    problem_columns: ClassVar[tuple[str, ...]]
    rollout_columns: ClassVar[tuple[str, ...]]
    drops: ClassVar[tuple[str, ...]]
    schema: ClassVar[pa.Schema]
    REV: ClassVar[int]

    def choose(self, problems: pl.DataFrame, rollouts: pl.DataFrame, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        """From the kept rows: the fate of every unit (`id`, `drop`: a reason or null), and the picks.

        A pick has `problem_id` (all views), the ids of its rollouts (`rollout_id`, or `chosen_id` and
        `rejected_id`), and any fact decided here. Picks stand in the order of the problems. `problems` carries
        `taken`: whether a view of `disjoint_from` has the problem's cluster.
        """

    def render(self, picks: pl.DataFrame, problems: pl.DataFrame, rollouts: pl.DataFrame) -> pl.DataFrame:
        """Rows of `schema`, in the order of the picks, one per pick (or per problem, where rows hold lists).

        `problems` carries `prompt`: the message list that asks it; `rollouts` holds all rollouts,
        texts included, of the problems that are picked.
        """


def names(kind: str) -> list[str]:
    """Every plug that a list of this kind may name, sorted."""
    found = []
    for package in FOLDERS[kind]:
        folder = Path(__file__).parent.parent / package.replace(".", "/")
        prefix = f"{folder.name}." if kind == "problems" else ""
        found += [f"{prefix}{file.stem}" for file in folder.glob("*.py") if file.stem != "__init__"]
    return sorted(found)


def load(kind: str, name: str) -> type[Any]:
    """The one public frozen dataclass of the plug's file.

    Raises:
        PlugError: no plug has this name; says which there are.
    """
    if name not in names(kind):
        close = difflib.get_close_matches(name, names(kind), n=1)
        guess = f" Did you mean {close[0]!r}?" if close else ""
        raise PlugError(f"no {kind} plug is named {name!r}.{guess} There are: {', '.join(names(kind))}")
    package = f"curate.{name}" if kind == "problems" else f"{FOLDERS[kind][0]}.{name}"
    return plug_class(importlib.import_module(package))


def plug_class(module: Any) -> type[Any]:
    """The public dataclass with a method of a plug that the module defines itself."""
    classes = [
        member
        for member in vars(module).values()
        if inspect.isclass(member)
        and member.__module__ == module.__name__
        and is_dataclass(member)
        and not member.__name__.startswith("_")
        and any(hasattr(member, verb) for verb in ("__call__", "choose", "ask"))
    ]
    if len(classes) != 1:
        raise PlugError(f"{module.__file__}: a plug file holds one public plug dataclass; found {len(classes)}")
    return classes[0]
