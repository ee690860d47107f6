"""The paper's data recipe, built as its manifests stand, from a Hub with the same columns and a teacher that counts."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

import curate
from curate.records import MESSAGES
from distill.families import PosedRow, pose_many
from distill.request import Message, Request, Sampling
from distill.teachers.tutor import Tutor
from tests.crash.counting_server import CountingServer
from tests.fakehub import FakeHub

HOUSE = Path(__file__).parent.parent
STAGES = ("midtrain", "sft", "dpo", "rl")
BENCHMARKS = (
    ("HuggingFaceH4/MATH-500", "problem", "test"),
    ("HuggingFaceH4/aime_2024", "problem", "train"),
    ("math-ai/aime25", "problem", "test"),
    ("math-ai/amc23", "question", "test"),
)
QUESTION = "How many letters has the name %s, its slash and its dashes and digits aside?"
BOXED = "Return your final response within \\boxed{}. "
TURNS = pa.list_(pa.struct([pa.field("from", pa.string()), pa.field("value", pa.string())]))


def traces(row: PosedRow, n: int) -> list[tuple[str, str]]:
    """Reasoning and response of n rollouts by the tutor, some of them wrong."""
    asked = (Message("user", row.problem),)
    requests = [Request(asked, "r1", "", Sampling(max_tokens=16384), i) for i in range(n)]
    parts = (reply.content.removeprefix("<think>").partition("</think>") for reply in Tutor(0.4).ask(requests))
    return [(reasoning.strip(), response.strip()) for reasoning, _, response in parts]


def parquet(rows: list[dict[str, Any]], schema: dict[str, pa.DataType]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, pa.schema(list(schema.items()))), sink)
    return sink.getvalue()


def card(license: str, configs: dict[str, str], split: str = "train") -> bytes:
    named = [{"config_name": name, "data_files": [{"split": split, "path": path}]} for name, path in configs.items()]
    return f"---\n{yaml.safe_dump({'license': license, 'configs': named})}---\n".encode()


def openr1(rows: list[PosedRow]) -> dict[str, bytes]:
    """14 columns; `correctness_llama` and `finish_reasons` are null in most rows."""
    texts = {name: pa.string() for name in ("problem", "solution", "answer", "problem_type", "question_type")}
    lists = {"is_reasoning_complete": pa.bool_(), "generations": pa.string(), "correctness_math_verify": pa.bool_()}
    lists |= {"correctness_llama": pa.bool_(), "finish_reasons": pa.string()}
    schema = {**texts, "source": pa.string(), "uuid": pa.string(), **{n: pa.list_(t) for n, t in lists.items()}}
    schema |= {"correctness_count": pa.int64(), "messages": MESSAGES}
    made = [
        {
            "problem": row.problem,
            "solution": row.solution,
            "answer": row.answer,
            "problem_type": "Algebra",
            "question_type": "math-word-problem",
            "source": "olympiads",
            "uuid": f"uuid-{place}",
            "is_reasoning_complete": [True] * n,
            "generations": [f"<think>\n{reasoning}\n</think>\n\n{said}" for reasoning, said in traces(row, n)],
            "correctness_math_verify": [row.answer in said for _, said in traces(row, n)],
            "finish_reasons": ["stop"] * n if place % 2 else None,
            "correctness_count": n,
        }
        for place, row in enumerate(rows)
        for n in [1 + place % 4]
    ]
    files = {"README.md": card("apache-2.0", {"default": "data/train-*", "extended": "extended/train-*"})}
    data = parquet(made, schema)
    return files | dict.fromkeys(("data/train-00000-of-00001.parquet", "extended/train-00000-of-00001.parquet"), data)


def openthoughts(rows: list[PosedRow]) -> dict[str, bytes]:
    """8 columns; code has no boxed gold."""
    names = ("problem", "deepseek_reasoning", "deepseek_solution", "ground_truth_solution", "domain", "source")
    made = []
    for row in rows:
        ((reasoning, said),) = traces(row, 1)
        gold = f"{row.solution} Hence \\boxed{{{row.answer}}}."
        made.append(dict(zip(names, (row.problem, reasoning, said, gold, "math", "numina_math"), strict=True)))
    code = ("Sort a list.", "Use sorted.", "```python\nsorted(x)\n```", "print(sorted(x))", "code", "apps")
    made.append(dict(zip(names, code, strict=True)))
    data = parquet(made, dict.fromkeys((*names, "test_cases", "starter_code"), pa.string()))
    plain = parquet([], {"system": pa.string(), "conversations": TURNS})
    return {
        "README.md": card("apache-2.0", {"default": "data/train-*", "metadata": "metadata/train-*"}),
        "data/train-00000-of-00001.parquet": plain,
        "metadata/train-00000-of-00001.parquet": data,
    }


def stratos(rows: list[PosedRow]) -> dict[str, bytes]:
    """A system text, and a conversation whose reply marks thought and solution in its own way."""
    made = []
    for row in rows:
        said = f"<|begin_of_thought|>\n\n{row.solution}\n\n<|end_of_thought|>\n\n"
        said += f"<|begin_of_solution|>\n\nHence $\\boxed{{{row.answer}}}$.\n\n<|end_of_solution|>"
        turns = [{"from": "user", "value": BOXED + row.problem}, {"from": "assistant", "value": said}]
        made.append({"system": "Your role as an assistant is to think.", "conversations": turns})
    data = parquet(made, {"system": pa.string(), "conversations": TURNS})
    return {"README.md": card("apache-2.0", {"default": "data/train-*"}), "data/train-00000-of-00001.parquet": data}


def gsm8k(rows: list[PosedRow]) -> dict[str, bytes]:
    made = [{"question": row.problem, "answer": f"{row.solution}\n#### {row.answer}"} for row in rows]
    data = parquet(made, dict.fromkeys(("question", "answer"), pa.string()))
    files = {"README.md": card("mit", {"main": "main/train-*", "socratic": "socratic/train-*"})}
    return files | dict.fromkeys(("main/train-00000-of-00001.parquet", "socratic/train-00000-of-00001.parquet"), data)


def competition(rows: list[PosedRow]) -> dict[str, bytes]:
    made = [
        {
            "problem": row.problem,
            "level": f"Level {1 + place % 5}",
            "solution": f"{row.solution} So $\\boxed{{{row.answer}}}$.",
            "type": "Algebra",
        }
        for place, row in enumerate(rows)
    ]
    data = parquet(made, dict.fromkeys(("problem", "level", "solution", "type"), pa.string()))
    return {"README.md": card("mit", {"default": "data/train-*"}), "data/train-00000-of-00001.parquet": data}


@dataclass(frozen=True)
class Built:
    """What four builds left behind."""

    folder: Path
    environment: dict[str, str]
    told: list[str]
    asked: list[int]
    """Rollouts that the teacher had been asked for after each build."""
    repeated: int
    """Rollouts that it was asked for more than once."""

    def version(self, number: int) -> Any:
        return curate.open(f"math@v{number}", self.folder / "data")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    folder = tmp_path_factory.mktemp("user")
    (folder / "manifests").symlink_to(HOUSE / "manifests")
    posed = pose_many(50, seed=5)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    told, asked = [], []
    with FakeHub() as hub, CountingServer(delay_s=0.0) as teacher:
        hub.put("open-r1/OpenR1-Math-220k", openr1(posed[:14]))
        hub.put("open-thoughts/OpenThoughts-114k", openthoughts(posed[14:22]))
        hub.put("bespokelabs/Bespoke-Stratos-17k", stratos(posed[22:28]))
        # The first question of GSM8K is one that OpenR1 has traces for.
        hub.put("openai/gsm8k", gsm8k([posed[0], *posed[28:38]]))
        hub.put("DigitalLearningGmbH/MATH-lighteval", competition(posed[38:]))
        for path, column, split in BENCHMARKS:
            row = {column: QUESTION % path, "answer": "1", "unique_id": "test/1.json"}
            data = parquet([row], dict.fromkeys(row, pa.string()))
            name = f"data/{split}-00000-of-00001.parquet"
            hub.put(path, {"README.md": card("mit", {"default": f"data/{split}-*"}, split), name: data})
        home = {"HF_ENDPOINT": hub.url, "HF_HOME": str(folder / "hf"), "HF_HUB_DISABLE_XET": "1"}
        for stage in STAGES:
            command = [sys.executable, "-m", "curate", "build", "--manifest", f"manifests/math_{stage}.yaml"]
            for place in ("rollouts", "verdicts.1"):
                command += ["--set", f"{place}.teacher.base_url={teacher.url}"]
            done = subprocess.run(
                command, cwd=folder, env={**kept, **home}, capture_output=True, text=True, timeout=300
            )
            assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-1000:]
            told.append(done.stderr + done.stdout)
            asked.append(sum(n for (prompt, _), n in teacher.asked.items() if "put your final answer" in prompt))
        again = sum(n > 1 for n in teacher.asked.values())
        yield Built(folder, {**kept, **home}, told, asked, again)


def test_each_stage_is_the_next_version_of_one_dataset_and_adds_its_view(built: Built) -> None:
    for number in range(1, 5):
        version = built.version(number)
        assert version.lock["version"] == number
        views = [name for name in STAGES if name in version.lock["tables"]]
        assert views == list(STAGES[:number])
        for name in views:
            assert version.lock["tables"][name]["train"]["rows"] > 0, name


def test_later_stages_reuse_what_earlier_ones_made(built: Built) -> None:
    first, last = built.version(1).lock, built.version(4).lock
    assert first["tables"]["rollouts"]["train"]["digest"] == last["tables"]["rollouts"]["train"]["digest"]
    assert first["tables"]["midtrain"]["train"]["digest"] == last["tables"]["midtrain"]["train"]["digest"]


def test_only_problems_without_traces_are_asked_and_no_rollout_twice(built: Built) -> None:
    # 10 of GSM8K and 12 of MATH, eight times each. The one that OpenR1 has traces for is not asked.
    assert built.asked == [22 * 8] * 4
    assert built.repeated == 0


def test_every_source_is_read_as_it_stands(built: Built) -> None:
    problems = built.version(1).problems.collect()
    rollouts = built.version(1).rollouts.collect()
    counted = dict(problems.group_by("source").len().iter_rows())
    assert counted == {
        "open-r1/OpenR1-Math-220k": 14,
        "open-thoughts/OpenThoughts-114k": 9,
        "bespokelabs/Bespoke-Stratos-17k": 6,
        "openai/gsm8k": 11,
        "DigitalLearningGmbH/MATH-lighteval": 12,
    }
    dropped = problems.filter(pl.col("drop_reason").is_not_null())
    assert sorted(dropped["drop_reason"]) == ["duplicate", "no_answer"]
    golds = {row.problem: row.answer for row in pose_many(50, seed=5)}
    for problem, answer in problems.filter(pl.col("answer").is_not_null()).select("problem", "answer").iter_rows():
        assert answer == golds[problem.removeprefix(BOXED)]
    by_source = rollouts.join(problems.select("source", problem_id="id"), on="problem_id")
    brought = by_source.filter(pl.col("sampling").is_null() & (pl.col("drop_reason").is_null()))
    assert dict(brought.group_by("source").len().iter_rows()) == {
        "open-r1/OpenR1-Math-220k": sum(1 + place % 4 for place in range(14)),
        "open-thoughts/OpenThoughts-114k": 8,
        "bespokelabs/Bespoke-Stratos-17k": 6,
    }
    assert (brought["reasoning"].str.len_chars() > 0).all()
    assert set(brought["teacher"]) == {"deepseek-ai/DeepSeek-R1"}
    licenses = dict(problems.select("source", "license").unique().iter_rows())
    assert licenses["openai/gsm8k"] == "mit"
    assert licenses["open-r1/OpenR1-Math-220k"] == "apache-2.0"


def test_the_four_manifests_differ_in_their_views_alone() -> None:
    read = {stage: yaml.safe_load((HOUSE / f"manifests/math_{stage}.yaml").read_text()) for stage in STAGES}
    views = [recipe.pop("views") for recipe in read.values()]
    assert all(recipe == read["midtrain"] for recipe in read.values())
    assert [list(view) for view in views] == [list(STAGES[: number + 1]) for number in range(4)]
    assert all(view[name] == views[-1][name] for view in views for name in view)


@pytest.mark.slow
def test_a_student_trains_on_the_version(built: Built) -> None:
    options = ["max_steps=3", "student.layers=1", "student.width=64", "student.inner=64", "logging_steps=1"]
    options += ["per_device_train_batch_size=2", "warmup_steps=1"]
    command = [sys.executable, "-m", "train", "sft", "--data", "v3", "--out", "run"]
    for option in options:
        command += ["--set", option]
    done = subprocess.run(command, cwd=built.folder, env=built.environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    written = json.loads((built.folder / "run" / "run.json").read_text())
    assert written["data"]["version"] == "math@v3"
    assert written["data"]["rows"] == built.version(3).lock["tables"]["sft"]["train"]["rows"]
