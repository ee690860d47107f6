"""Facts about `train sft`: what is learnt, what is written down, and how it fails."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.train.small_version import ROW_DIGESTS, sums, write_lock, write_version
from train.run import Run
from train.sft import Sft

SMALL = (
    *("student.layers=2", "student.width=64", "student.inner=64"),
    *("per_device_train_batch_size=8", "logging_steps=5", "warmup_steps=2"),
)


@pytest.fixture(scope="module")
def run(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A real run of 40 steps."""
    out = tmp_path_factory.mktemp("runs") / "sums"
    settings = (*SMALL, "max_steps=40", "save_strategy=steps", "save_steps=20")
    return Sft("sums@v1", root, out=out, overrides=settings, answers=2, say=lambda text: None)()


def test_training_lowers_the_loss(run: Run) -> None:
    logs = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    losses = [log["loss"] for log in logs if "loss" in log]
    assert len(losses) == 8
    assert losses[-1] < 0.5 * losses[0]
    assert run.facts["result"]["heldout_loss"] < losses[0]


def test_the_run_says_what_went_in(run: Run) -> None:
    written = json.loads((run.path / "run.json").read_text())
    assert written["status"] == "done"
    assert written["data"] == {
        "version": "sums@v1",
        "version_digest": "3" * 64,
        "view": "sft",
        "split": "train",
        "rows": 160,
        "row_digest": ROW_DIGESTS["train"],
    }
    assert written["config"]["learning_rate"] == 3e-3
    assert written["student_size"]["layers"] == 2
    assert written["libraries"]["trl"]
    assert written["started"] <= written["finished"]


def test_the_tokens_counted_are_those_of_the_rows_read(run: Run) -> None:
    # 40 steps of 8 rows are two epochs of 160.
    assert run.facts["result"]["tokens"] == 2 * run.facts["preflight"]["tokens"]


def test_the_folder_holds_safetensors_and_no_pickle(run: Run) -> None:
    present = {path.name for path in run.path.iterdir()}
    assert {"model.safetensors", "tokenizer.json", "config.json", "generation_config.json", "README.md"} <= present
    assert not list(run.path.glob("*.bin"))


def test_the_checkpoint_loads_and_stops_at_its_end_token(run: Run) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model, tokenizer = AutoModelForCausalLM.from_pretrained(run.path), AutoTokenizer.from_pretrained(run.path)
    assert model.config.model_type == "phi3"
    assert model.generation_config.eos_token_id == tokenizer.convert_tokens_to_ids("<|end|>")
    assert tokenizer.tokenize("<think>") == ["<think>"]


def test_the_labels_are_the_reply_and_its_end(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import trl

    batches: list[Any] = []

    class Watched(trl.SFTTrainer):  # type: ignore[misc]  # trl is untyped here
        def compute_loss(self, model: Any, inputs: Any, *rest: Any, **more: Any) -> Any:
            batches.append({name: inputs[name].clone() for name in ("input_ids", "labels")})
            return super().compute_loss(model, inputs, *rest, **more)

    monkeypatch.setattr(trl, "SFTTrainer", Watched)
    run = Sft("v1", root, out=tmp_path / "r", overrides=(*SMALL, "max_steps=1"), answers=0, say=lambda text: None)()

    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(run.path)
    replies = {row[1]["content"] for row in (*sums(160, seed=0), *sums(8, seed=1))}
    labels = [row[row != -100] for batch in batches for row in batch["labels"]]
    assert len(labels) == 8 + 8  # one step of 8 rows, then the 8 held out
    for taught in labels:
        assert taught[-1] == tokenizer.eos_token_id
        assert tokenizer.decode(taught[:-1]) in replies


def test_the_next_run_starts_from_a_run_and_names_its_data(run: Run, root: Path, tmp_path: Path) -> None:
    settings = ("max_steps=1",)
    child = Sft("v1", root, str(run.path), tmp_path / "child", overrides=settings, answers=0, say=lambda text: None)()
    assert child.facts["student"] == "tiny"
    assert child.facts["preset"] == "tiny_sft"
    parent = dict(child.facts["parent"])
    digest = parent.pop("digest")
    assert len(digest) == 64
    assert parent == {"model": str(run.path)} | json.loads((run.path / "run.json").read_text())
    assert "Before: stage `sft` on `sums@v1`" in (child.path / "README.md").read_text()
    assert child.facts["parent"]["data"]["row_digest"] == ROW_DIGESTS["train"]
    assert child.facts["result"]["first_loss"] is None
    assert child.facts["result"]["tokens"] > 0  # though a run of one step logs none
    assert (
        child.facts["result"]["last_loss"]
        < 0.6 * json.loads((run.path / "metrics.jsonl").read_text().splitlines()[0])["loss"]
    )


def test_a_run_goes_on_from_its_checkpoint(run: Run, root: Path, tmp_path: Path) -> None:
    import shutil

    out = tmp_path / "half"
    shutil.copytree(run.path / "checkpoint-20", out / "checkpoint-20")
    shutil.copytree(run.path / "checkpoint-40", out / "checkpoint-40")
    (out / "checkpoint-40" / "trainer_state.json").unlink()  # torn by a kill: the state is written last
    whole = (run.path / "metrics.jsonl").read_text()
    (out / "metrics.jsonl").write_text(whole[: whole.index('"step": 35') + 20])  # killed in the middle of a line
    resumed = Sft(
        "v1", root, out=out, overrides=(*SMALL, "max_steps=40"), resume=True, answers=0, say=lambda text: None
    )()
    told = [[json.loads(line) for line in text.splitlines()] for text in (whole, (out / "metrics.jsonl").read_text())]
    once, again = ([(log["step"], log["loss"]) for log in logs if "loss" in log] for logs in told)
    assert again == [(step, pytest.approx(loss, rel=1e-4)) for step, loss in once]
    assert resumed.facts["result"]["tokens"] == run.facts["result"]["tokens"]
    assert resumed.facts["result"]["heldout_loss"] == pytest.approx(run.facts["result"]["heldout_loss"], rel=1e-3)


def test_a_run_goes_on_with_the_rows_it_began_with(
    run: Run, train: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    import shutil

    write_version(tmp_path / "other", {"train": sums(8, seed=0)}, name="more")
    shutil.copytree(run.path, tmp_path / "r")
    code, said = train("sft", "--root", tmp_path / "other", "--data", "v1", "--out", tmp_path / "r", "--resume")
    assert code == 2
    assert "was begun as stage sft on sums@v1" in said
    assert "this is stage sft on more@v1" in said


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("--data", "v9"), "sums has no v9. There are: v1"),
        (("--data", "v1:test"), "sft has no split 'test'. It has: train, heldout"),
        (("--data", "other@v1"), "no dataset 'other'"),
        (("--data", "v1", "--set", "learning_rat=1"), "Did you mean 'learning_rate'?"),
        (("--data", "v1", "--set", "lr_scheduler_type=straight"), "TRL refuses the settings"),
        (("--data", "v1", "--config", "none.yaml"), "none.yaml: cannot be read"),
        (("--data", "v1", "--accept", "all"), "expected any of cut, empty, split, endless"),
        (("--data", "v1", "--model", "./nowhere"), "--model ./nowhere: no tokenizer there"),
        (("--data", "v1", "--resume"), "holds no checkpoint to go on from"),
    ],
)
def test_a_wrong_wish_ends_with_2_and_says_what_there_is(
    words: tuple[str, ...], answer: str, train: Callable[..., tuple[int, str]], root: Path
) -> None:
    code, said = train("sft", "--root", root, *words)
    assert (code, "Traceback" in said) == (2, False)
    assert answer in said
    assert not Path("runs").exists()


def test_a_version_without_the_view_says_which_it_has(train: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    path = write_version(tmp_path, {"train": sums(3, seed=0)})
    lock = json.loads((path / "lock.json").read_text())
    lock["tables"] = {"midtrain": lock["tables"]["sft"]}
    write_lock(path, lock)
    code, said = train("sft", "--root", tmp_path, "--data", "v1")
    assert code == 2
    assert "sums@v1 has no view 'sft' to train on. It has: midtrain" in said


def test_changed_rows_are_not_trained_on(train: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    path = write_version(tmp_path, {"train": sums(3, seed=0)})
    file = path / "sft" / "train-00000-of-00001.parquet"
    file.write_bytes(file.read_bytes() + b"x")
    code, said = train("sft", "--root", tmp_path, "--data", "v1")
    assert code == 3
    assert "not the bytes that the lock names" in said


def test_a_folder_in_use_is_not_written_to(train: Callable[..., tuple[int, str]], root: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "notes.txt").write_text("mine")
    code, said = train("sft", "--root", root, "--data", "v1", "--out", tmp_path / "taken")
    assert code == 2
    assert "is not empty" in said


def test_an_interrupted_run_says_so(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import trl

    def stop(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(trl.SFTTrainer, "training_step", stop)
    with pytest.raises(KeyboardInterrupt, match="no checkpoint to go on from"):
        Sft("v1", root, out=tmp_path / "r", overrides=SMALL, say=lambda text: None)()
    assert json.loads((tmp_path / "r" / "run.json").read_text())["status"] == "interrupted"


def test_a_full_disk_is_said_and_leaves_no_half_a_run(root: Path, tmp_path: Path) -> None:
    # No file may grow beyond 400 kB: the rows fit, the weights do not.
    script = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (400_000,) * 2); import train.cli as c"
    words = ["sft", "--root", str(root), "--data", "v1", "--out", str(tmp_path / "r"), "--max-steps", "1"]
    done = subprocess.run(
        [sys.executable, "-c", f"{script}; c.app({words!r}, prog_name='train')"],
        env={**os.environ, "HF_DATASETS_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads((tmp_path / "r" / "run.json").read_text())["status"] == "failed"


def test_help_names_what_can_be_accepted(train: Callable[..., tuple[int, str]]) -> None:
    from train import preflight, preflight_pairs, preflight_prompts

    there = {"midtrain": preflight, "sft": preflight, "dpo": preflight_pairs, "grpo": preflight_prompts}
    for stage, findings in there.items():
        said = " ".join(train(stage, "--help")[1].split())
        assert f"of the preflight: {', '.join(findings.ACCEPTS)}." in said


def test_help_needs_no_torch() -> None:
    script = (
        "import sys; from typer.testing import CliRunner; from train.cli import app\n"
        "assert CliRunner().invoke(app, ['sft', '--help']).exit_code == 0\n"
        "heavy = {'torch', 'transformers', 'trl', 'datasets', 'polars', 'sympy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_library_starts_without_torch() -> None:
    begun = time.monotonic()
    modules = "train.sft, train.data, train.preflight, train.run, train.settings, train.tiny, train.answers"
    script = f"import sys, {modules}; assert not {{'torch', 'transformers', 'trl', 'datasets'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)
    assert time.monotonic() - begun < 20


def test_a_model_from_elsewhere_trains_with_the_published_settings(run: Run, root: Path, tmp_path: Path) -> None:
    import shutil

    model = tmp_path / "elsewhere"
    shutil.copytree(run.path, model, ignore=shutil.ignore_patterns("run.json", "checkpoint-*"))
    on_a_cpu = ("use_cpu=true", "gradient_accumulation_steps=2", "max_steps=1")
    child = Sft("v1", root, str(model), tmp_path / "r", overrides=on_a_cpu, say=lambda text: None)()
    assert child.facts["preset"] == "phi4_mini_sft"
    assert child.facts["parent"].keys() == {"model", "digest"}
    assert "heldout_answered" not in child.facts["result"]
