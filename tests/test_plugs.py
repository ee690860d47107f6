"""One contract over every file of every plug folder: a new plug is tested before its author writes a test."""

import ast
import dataclasses
import importlib
import inspect
import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from curate import plug
from curate.records import FACTS, PROBLEM, ROLLOUT, empty
from distill.teachers.tutor import Tutor

MODULES = sorted(
    f"{package}.{file.stem}"
    for packages in plug.FOLDERS.values()
    for package in packages
    for file in (Path(plug.__file__).parent.parent / package.replace(".", "/")).glob("*.py")
    if file.stem != "__init__"
)
HEAVY = ("torch", "vllm", "datasets", "sympy", "sentence_transformers", "transformers", "math_verify", "faiss")

# Example options of plugs that cannot be made without any, and the module that one needs to run at all.
BENCHMARK = str(Path(__file__).parent / "fixtures/benchmark.jsonl")
OPTIONS: dict[str, dict[str, Any]] = {
    "curate.verdicts.judge": {"teacher": Tutor()},
    "curate.tag.rubric": {"teacher": Tutor()},
    "curate.decontaminate.ngrams": {"against": (BENCHMARK,)},
    "curate.decontaminate.ngrams_blocks": {"against": (BENCHMARK,)},
    "curate.decontaminate.semantic": {"against": (BENCHMARK,)},
    "curate.decontaminate.judge": {"against": (BENCHMARK,), "teacher": Tutor()},
}
NEEDS: dict[str, str] = {
    "curate.dedup.minhash_blocks": "datatrove",
    "curate.decontaminate.ngrams_blocks": "datatrove",
    "curate.decontaminate.semantic": "sentence_transformers",
}


def of_kind(*kinds: str) -> list[str]:
    return [name for name in MODULES if name.rpartition(".")[0] in {p for kind in kinds for p in plug.FOLDERS[kind]}]


STAGES = of_kind("problems", "verdicts", "tags")
ROW_STAGES = [name for name in STAGES if plug.plug_class(importlib.import_module(name)).scope == "row"]


def plug_of(module: str) -> type[Any]:
    return plug.plug_class(importlib.import_module(module))


def make(module: str) -> Any:
    """The plug with its defaults, and the example options where it needs some."""
    if module in NEEDS:
        pytest.importorskip(NEEDS[module], reason=f"{module} needs {NEEDS[module]}")
    return plug_of(module)(**OPTIONS.get(module, {}))


TEXTS = [
    "What is 2 + 2?",
    "what  is 2 + 2?",
    "Find $x$ with $x^2 = 4$, so that $x > 0$ and nothing else is asked of it.",
    "Find $x$ with $x^2 = 9$, so that $x > 0$ and nothing else is asked of it.",
    "求 3 的平方。",
    "\\frac{{{{ }} \\boxed{ \x00 �\u202e \U0001f600",
    "",
    None,
    "again and again and again. " * 300,
    "Prove that $\\sqrt{2}$ is irrational.",
]
ANSWERS = ["4", "4", "2", "3", "9", "\\boxed{", "", None, "again", "proof"]
FINISHED = ["stop", "stop", "length", "stop", "unknown", "error", "stop", None, "length", "stop"]
VERDICTS = ["correct", "wrong", "truncated", "correct", "no_answer", "error", "undecided", None, "timeout", "wrong"]


def rows(stage: Any, n: int = len(TEXTS)) -> pl.DataFrame:
    """The columns that the stage reads, over ten rows of three problems."""
    own, other = (ROLLOUT, PROBLEM) if stage.over == "rollouts" else (PROBLEM, ROLLOUT)
    ids = [f"{i:016x}" for i in range(n)]
    known: dict[str, list[Any]] = {
        "id": ids,
        "problem_id": [f"{i // 4:016x}" for i in range(n)],
        "index": [i % 4 for i in range(n)],
        "problem": TEXTS,
        "response": [text and f"{text} The answer is \\boxed{{4}}." for text in TEXTS],
        "reasoning": TEXTS,
        "answer": ANSWERS,
        "finish_reason": FINISHED,
        "verdict": VERDICTS,
        "rule_verdict": VERDICTS,
        "teacher": ["m@1"] * n,
        "source": ["s"] * n,
    }
    types = {**dict(zip(other.names, empty(other).dtypes, strict=True))} | dict(empty(own).schema) | FACTS
    # A stage that asks a teacher finds the replies beside what it reads; one that needs texts, what was read in them.
    asked = ("replies" if getattr(stage, "several", False) else "reply",) if hasattr(stage, "prompts") else ()
    reads = (*stage.reads, *asked, *(stage.per_rollout.writes if hasattr(stage, "per_rollout") else ()))
    known["reply"] = ["VERDICT: WRONG", "VERDICT: CORRECT", None, "?", *["VERDICT: CORRECT"] * 6]
    known["replies"] = [[reply, None, "7"] for reply in known["reply"]]
    types["replies"] = pl.List(pl.String)
    columns = {name: known.get(name, [None] * n)[:n] for name in reads}
    return pl.DataFrame(columns, schema={name: types.get(name, pl.String) for name in reads})


def check_marks(stage: Any, given: pl.DataFrame) -> pl.DataFrame:
    """The stage's marks, after holding them against what the stage declares."""
    before = given.clone()
    marks: pl.DataFrame = stage(given)
    assert given.equals(before), "the input was changed"
    assert dict(marks.schema) == {"id": pl.String, **stage.writes, "drop": pl.String}
    ids = given["problem_id"] if (stage.over, stage.marks) == ("rollouts", "problems") else given["id"]
    assert marks["id"].to_list() == ids.unique(maintain_order=True).to_list()
    assert set(marks["drop"].drop_nulls()) <= set(stage.drops)
    return marks


@pytest.mark.parametrize("module", MODULES)
def test_a_plug_is_one_frozen_dataclass_with_every_option_documented(module: str) -> None:
    cls = plug_of(module)
    assert cls.__dataclass_params__.frozen
    # dataclass() writes the signature where there is no docstring.
    assert not (inspect.getdoc(cls) or "(").startswith((f"{cls.__name__}(", "("))
    tree = ast.parse(Path(inspect.getfile(cls)).read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "the file says what it is"
    options = {field.name for field in dataclasses.fields(cls) if field.init}
    documented = set().union(*(_documented(part) for part in cls.__mro__ if dataclasses.is_dataclass(part)))
    assert options <= documented, f"without a docstring below them: {sorted(options - documented)}"


def _documented(cls: type[Any]) -> set[str]:
    """Names with a text below them in the body of the class."""
    tree = ast.parse(Path(inspect.getfile(cls)).read_text(encoding="utf-8"))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == cls.__name__)
    return {
        node.target.id
        for node, after in itertools.pairwise(body)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and isinstance(after.value.value, str)
    }


@pytest.mark.parametrize("module", MODULES)
def test_options_are_plain_data(module: str) -> None:
    for field in dataclasses.fields(plug_of(module)):
        default = field.default_factory() if callable(field.default_factory) else field.default
        if default is not dataclasses.MISSING:
            value = dataclasses.asdict(default) if dataclasses.is_dataclass(default) else default
            assert json.dumps(value), field.name


def test_importing_every_plug_imports_nothing_heavy() -> None:
    script = f"import {', '.join(MODULES)}, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


@pytest.mark.parametrize("module", STAGES)
def test_a_stage_declares_what_it_reads_and_writes(module: str) -> None:
    stage = plug_of(module)
    assert stage.over in ("problems", "rollouts")
    assert getattr(stage, "marks", stage.over) in ("problems", "rollouts")
    assert stage.scope in ("row", "table")
    assert stage.REV >= 1
    assert not {"id", "drop"} & set(stage.writes)
    assert all(isinstance(reason, str) and reason for reason in stage.drops)
    names = {field.name for field in dataclasses.fields(stage)}
    assert not names & {"over", "marks", "scope", "reads", "writes", "drops", "REV"}, "declarations are no options"


@pytest.mark.parametrize("module", STAGES)
def test_a_stage_marks_each_row_once(module: str) -> None:
    stage = make(module)
    given = rows(stage)
    marks = check_marks(stage, given)
    assert marks.equals(stage(given)), "the same rows give the same marks"


@pytest.mark.parametrize("module", STAGES)
def test_a_stage_takes_no_rows_and_rows_without_text(module: str) -> None:
    stage = make(module)
    given = rows(stage)
    check_marks(stage, given.clear())
    keys = [name for name in ("id", "problem_id", "index") if name in given.columns]
    check_marks(
        stage,
        given.with_columns(pl.lit(None, dtype=kind).alias(n) for n, kind in given.schema.items() if n not in keys),
    )


@pytest.mark.parametrize("module", ROW_STAGES)
def test_a_row_stage_marks_a_row_the_same_in_any_batch(module: str) -> None:
    stage = make(module)
    given = rows(stage)
    whole = stage(given)
    for size in (1, 3, 7):
        assert pl.concat([stage(batch) for batch in given.iter_slices(size)]).equals(whole)


@pytest.mark.parametrize("module", of_kind("views"))
def test_a_view_declares_its_unit_reasons_and_schema(module: str) -> None:
    view = plug_of(module)
    assert view.unit in ("problems", "rollouts")
    assert isinstance(make(module).schema, pa.Schema)
    assert not {"reasoning", "response"} & set(view.rollout_columns), "a choice never reads the texts"
    assert view.REV >= 1
    assert view.drops
    for verb in ("choose", "render"):
        assert callable(getattr(view, verb))


@pytest.mark.parametrize(
    ("kind", "verbs"), [("sources", ("__call__", "state")), ("teacher", ("ask", "model", "revision"))]
)
def test_sources_and_teachers_have_their_verbs(kind: str, verbs: tuple[str, ...]) -> None:
    for module in of_kind(kind):
        cls = plug_of(module)
        options = {field.name for field in dataclasses.fields(cls)}
        assert all(hasattr(cls, verb) or verb in options for verb in verbs), module


def _names(load: Callable[[], Any]) -> str:
    with pytest.raises(plug.PlugError) as refused:
        load()
    return str(refused.value)


def test_a_wrong_name_is_answered_with_the_names_there_are() -> None:
    said = _names(lambda: plug.load("problems", "dedup.exactt"))
    assert "Did you mean 'dedup.exact'?" in said
    assert "hygiene.answerable" in said
    assert plug.load("views", "dpo").__name__ == "Dpo"
