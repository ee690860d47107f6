"""A version small enough to train on in seconds, and the command that trains."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.train.small_version import sums, write_version


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with `sums@v1`: 160 training rows, 8 held out."""
    folder = tmp_path_factory.mktemp("data")
    write_version(folder, {"train": sums(160, seed=0), "heldout": sums(8, seed=1)})
    return folder


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What `datasets` keeps of the rows goes to a folder of the tests."""
    import datasets

    kept = datasets.config.HF_DATASETS_CACHE
    datasets.config.HF_DATASETS_CACHE = tmp_path_factory.mktemp("cache")
    yield
    datasets.config.HF_DATASETS_CACHE = kept


@pytest.fixture
def train(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The command `train` in this process: its exit code and all that it printed."""
    from typer.testing import CliRunner

    from train.cli import app

    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> tuple[int, str]:
        result = CliRunner().invoke(app, [str(word) for word in words], prog_name="train")
        return result.exit_code, result.output

    return run
