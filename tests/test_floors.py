"""The floors of the house: imports only point down, and heavy libraries stay out of the way."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent
MAY_IMPORT = {
    "verify": {"verify"},
    "distill": {"distill"},
    "curate": {"curate", "distill", "verify"},
    "train": {"train", "curate", "distill", "verify"},
}
HEAVY = ("torch", "vllm", "datasets", "sympy", "sentence_transformers", "transformers", "trl", "math_verify")


def imported(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("floor", MAY_IMPORT)
def test_imports_only_point_down(floor: str) -> None:
    files = list((HOUSE / floor).rglob("*.py"))
    assert len(files) > 1
    for file in files:
        ours = {name.split(".")[0] for name in imported(file)} & set(MAY_IMPORT)
        assert ours <= MAY_IMPORT[floor], f"{file.relative_to(HOUSE)} imports {ours - MAY_IMPORT[floor]}"


def test_the_core_imports_nothing_heavy() -> None:
    modules = "curate, curate.cli, curate.build, curate.manifest, distill.sample, verify, train, train.cli"
    code = f"import sys, {modules}; print([m for m in {HEAVY!r} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=HOUSE)
    assert run.stdout.strip() == "[]"


def test_nothing_in_the_tree_unpickles_or_evaluates() -> None:
    banned = {"pickle", "dill", "joblib", "marshal", "shelve"}
    for floor in MAY_IMPORT:
        for file in (HOUSE / floor).rglob("*.py"):
            assert not banned & {name.split(".")[0] for name in imported(file)}, file
            calls = [n.func for n in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)]
            # The Name `eval`, not a method: polars' `list.eval` evaluates its own expressions only.
            named = {call.id for call in calls if isinstance(call, ast.Name)}
            assert not named & {"eval", "exec", "sympify", "parse_expr"}, file
