"""Facts about `train eval` and `train compare`: real rollouts of the noisy teacher, drawn once."""

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tests.train.small_version import sum_prompts, write_views

NOISY = Path(__file__).parents[1] / "fixtures" / "noisy_teacher"
SHORT = ("--max-tokens", "200", "--temperature", "1", "--top-p", "1", "-k", "4")


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    """A data folder with `asked@v1`: eight held-out sums."""
    write_views(tmp_path / "data", {"rl": {"train": sum_prompts(4, 0), "heldout": sum_prompts(8, 1)}}, "asked")
    return tmp_path / "data"


def test_a_model_is_measured_on_heldout_prompts_and_nothing_is_drawn_twice(
    train: Callable[..., tuple[int, str]], asked: Path, tmp_path: Path
) -> None:
    words = ("eval", NOISY, "--on", "v1:heldout", "--root", asked, "--out", tmp_path / "e", *SHORT)
    code, said = train(*words)
    assert code == 0, said
    result = json.loads((tmp_path / "e" / "asked-v1-heldout" / "result.json").read_text())
    # The noisy teacher's pass rate is 0.741 at temperature 1; 32 rollouts have a standard error of 0.08.
    assert 0.45 < result["scores"]["average"]["mean"] <= 1.0
    assert (result["scores"]["problems"], result["scores"]["k"]) == (8, 4)
    assert str(tmp_path) not in json.dumps(result)
    before = pl.read_parquet(tmp_path / "e" / "asked-v1-heldout" / "rollouts.parquet")
    stored = {path: path.stat().st_size for path in (asked / ".rollouts").rglob("*") if path.is_file()}
    assert train(*words)[0] == 0
    assert stored == {path: path.stat().st_size for path in (asked / ".rollouts").rglob("*") if path.is_file()}
    assert before.equals(pl.read_parquet(tmp_path / "e" / "asked-v1-heldout" / "rollouts.parquet"))


def test_two_models_are_compared_problem_by_problem(
    train: Callable[..., tuple[int, str]], asked: Path, tmp_path: Path
) -> None:
    for name, temperature in (("a", "1"), ("b", "0")):
        words = ("--on", "v1:heldout", "--root", asked, "--out", tmp_path / name, "--max-tokens", "200", "-k", "2")
        assert train("eval", NOISY, *words, "--temperature", temperature)[0] == 0
    code, said = train("compare", tmp_path / "a", tmp_path / "b")
    assert code == 0
    assert "asked-v1-heldout" in said
    assert "b - a, 95 % interval" in said
    assert "drawn differently: temperature 1.0 and 0.0\n" in said


def test_a_file_of_problems_is_a_benchmark(train: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    (tmp_path / "mine.jsonl").write_text('{"question": "What is 3 + 4?", "answer": "7"}\n')
    words = ("--on", tmp_path / "mine.jsonl", "--root", tmp_path / "d", "--out", tmp_path / "e", *SHORT)
    code, said = train("eval", NOISY, *words)
    assert code == 0, said
    assert json.loads((tmp_path / "e" / "mine" / "result.json").read_text())["scores"]["problems"] == 1


def test_a_prompt_longer_than_the_context_is_no_wrong_answer(
    train: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    rows = [{"question": question, "answer": "7"} for question in ("What is 3 + 4?", "What is 3 + 4? " * 400)]
    (tmp_path / "mine.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    words = ("--on", tmp_path / "mine.jsonl", "--root", tmp_path / "d", "--out", tmp_path / "e", *SHORT)
    code, said = train("eval", NOISY, *words)
    assert code == 0, said
    assert "rollouts could not be drawn or judged and count neither way" in said
    assert "error 4" in said
    drawn = pl.read_parquet(tmp_path / "e" / "mine" / "rollouts.parquet").filter(pl.col("verdict") == "error")
    assert all("the context holds" in error for error in drawn["error"])


@pytest.mark.parametrize(
    ("words", "code", "answer"),
    [
        (("--on", "maths500"), 2, "no benchmark 'maths500'. Did you mean 'math500'?"),
        (("--on", "none.jsonl"), 2, "none.jsonl"),
        (("--on", "v9:heldout"), 2, "no v9"),
        (("--on", "v1:heldout", "--engine", "magic"), 2, "expected transformers, vllm, or a server's URL"),
        (("--on", "v1:heldout", "--engine", "http://127.0.0.1:9/v1"), 4, "Is the server up?"),
    ],
)
def test_what_cannot_be_measured_is_told(
    words: tuple[str, ...], code: int, answer: str, train: Callable[..., tuple[int, str]], asked: Path
) -> None:
    got, said = train("eval", NOISY, "--root", asked, *words)
    assert (got, "Traceback" in said) == (code, False)
    assert answer in said


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("runs/none", "--on", "v1:heldout"), "runs/none: no such folder"),
        ((NOISY, "--on", ","), "expected one or more sets"),
        ((NOISY, "--on", "v1:heldout,v1:heldout"), "each once"),
    ],
)
def test_a_wrong_model_or_set_is_told(
    words: tuple[object, ...], answer: str, train: Callable[..., tuple[int, str]], asked: Path
) -> None:
    code, said = train("eval", *words, "--root", asked)
    assert (code, "Traceback" in said) == (2, False)
    assert answer in said


def test_nothing_to_compare_is_told(train: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    code, said = train("compare", tmp_path, tmp_path)
    assert code == 2
    assert "nothing was evaluated there" in said
