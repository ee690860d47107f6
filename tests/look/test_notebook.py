"""notebooks/inspect_version.ipynb runs from top to bottom, and what it shows is what Jupyter can draw."""

import json
from pathlib import Path

import pytest

nbclient = pytest.importorskip("nbclient", reason='the extra "notebook" is not installed')
nbformat = pytest.importorskip("nbformat", reason='the extra "notebook" is not installed')
pytest.importorskip("ipykernel", reason='the extra "notebook" is not installed')

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "inspect_version.ipynb"


def test_the_notebook_runs_and_draws(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COTILLION_DATA", str(root))
    monkeypatch.setenv("PYTHONPATH", str(NOTEBOOK.parents[1]))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    book = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(
        book, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    shown = [out["data"] for cell in book.cells if cell.cell_type == "code" for out in cell.outputs if "data" in out]
    html = [data["text/html"] for data in shown if "text/html" in data]
    assert "seen@v1" in html[0]
    assert any("<article" in text for text in html)
    charts = [data["image/svg+xml"] for data in shown if "image/svg+xml" in data]
    assert len(charts) == 3
    assert not any("http" in text.replace("http://www.w3.org/", "") for text in [*html, *charts])  # nothing is fetched


def test_the_notebook_is_stored_without_outputs() -> None:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in cells)
