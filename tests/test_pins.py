"""A Hub source without a revision is resolved by the first build and stays there; builds run as a user runs them."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.fakehub import FakeHub

MANIFEST = """
name: pinned
sources: [{{use: hub, path: {path}, columns: {{problem: q, answer: a}}}}]
views: {{rl: {{unsampled: true}}}}
heldout: 0.0
"""


def rows(*questions: str) -> dict[str, bytes]:
    text = "".join(json.dumps({"q": question, "a": "1"}) + "\n" for question in questions)
    return {"train.jsonl": text.encode()}


def build(folder: Path, hub: FakeHub, path: str = "me/one") -> str:
    (folder / "m.yaml").write_text(MANIFEST.format(path=path))
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    env = {**clean, "HF_ENDPOINT": hub.url, "HF_HOME": str(folder / "hf"), "HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, "-m", "curate", "build", "-m", "m.yaml"]
    run = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout.split(":")[0]


def test_a_moving_head_changes_nothing_until_the_source_itself_changes(tmp_path: Path) -> None:
    with FakeHub() as hub:
        hub.put("me/one", rows("1?"))
        hub.put("me/two", rows("2?"))
        assert build(tmp_path, hub) == "made pinned@v1"
        assert build(tmp_path, hub) == "nothing changed; it stands as pinned@v1"
        hub.put("me/one", rows("1?", "one more?"))
        assert build(tmp_path, hub) == "nothing changed; it stands as pinned@v1"
        assert build(tmp_path, hub, "me/two") == "made pinned@v2"
        assert build(tmp_path, hub, "me/two") == "nothing changed; it stands as pinned@v2"
    lock = json.loads((tmp_path / "data/pinned/v1/lock.json").read_text())
    assert lock["sources"][0]["options"]["path"] == "me/one"
    assert len(lock["sources"][0]["state"]["revision"]) == 40
