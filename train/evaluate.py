"""Evaluation: a model's rollouts on held-out problems, judged, with intervals.

Rollouts are drawn through `distill` into the rollout store, so an evaluation that was killed goes on where it stood,
and one that is asked for twice costs nothing. Defaults are those of the careful re-evaluation of
Phi-4-mini-reasoning: temperature 0.6, top-p 0.95, 64 rollouts per AIME problem and 8 elsewhere.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from distill.request import Message, Request, Sampling, Teacher
from train.scores import UNJUDGED, Scores, scores
from train.settings import SettingsError

RESULT, ROLLOUTS = "result.json", "rollouts.parquet"
ALL = 1 << 60


@dataclass(frozen=True)
class Evaluate:
    """A model measured on sets of problems; calling it gives the scores by set.

    Example:
        >>> Evaluate("runs/math-v1-sft-tiny-1", on=("v1:heldout",)).temperature
        0.6
    """

    model: str
    """A run folder, a folder of weights, a model on the Hub (`org/name@COMMIT`), or the name a server knows it by."""

    on: tuple[str, ...]
    """`math500`, `aime24`, ... (curate.reading.benchmarks), a file of problems, or the held-out prompts of a version
    (`v3:heldout`)."""

    k: int | None = None
    """Rollouts per problem; None means the set's own: 64 for AIME, 8 elsewhere."""

    engine: str = "transformers"
    """`transformers`, `vllm`, or the base URL of an OpenAI-compatible server."""

    temperature: float = 0.6
    top_p: float = 0.95
    max_tokens: int = 32_768
    """Most tokens of a reply; where the model's context holds less, that."""

    limit: int | None = None
    """Only the first so many problems of each set."""

    seed: int = 0
    """Of the rollouts: another one draws others."""

    batch: int = 64
    """Rollouts drawn together by transformers."""

    root: Path | None = None
    """Folder of the datasets and of the rollout store; None means COTILLION_DATA, else `data`."""

    out: Path | None = None
    """Where the results go; None means `eval` in the run folder, else `evals/NAME`."""

    say: Callable[[str], None] = print
    """Where the table goes."""

    def __call__(self) -> dict[str, Scores]:
        """Each set has a folder with result.json and rollouts.parquet.

        Raises:
            SourceError, VersionError: no such set.
            SettingsError: no set, a set twice, or a model without a commit.
            TeacherError: the model or the server cannot be asked.
        """
        if not self.on or len(set(self.on)) < len(self.on):
            raise SettingsError(f"--on {','.join(self.on)}: expected one or more sets, each once")
        teacher = self._teacher()
        folder = self.out or (Path(self.model) / "eval" if Path(self.model).is_dir() else Path("evals") / teacher.model)
        found = {}
        for reference in self.on:
            name, problems, facts, samples = self._problems(reference)
            rollouts = self._judged(teacher, problems, self.k or samples)
            found[name] = scores(rollouts)
            self._write(folder / name, rollouts, found[name], facts | _made(self, teacher))
        self.say(table(found))
        self.say(str(folder))
        return found

    def _teacher(self) -> Teacher:
        here = Path(self.model).is_dir()
        if self.engine.startswith(("http://", "https://")):
            from distill.teachers.openai_server import OpenaiServer

            return OpenaiServer(self.model, base_url=self.engine)
        name, _, commit = self.model.partition("@")
        if not here and not re.fullmatch("[0-9a-f]{40}", commit):
            raise SettingsError(
                f"{self.model}: no such folder. A model on the Hub is named with its commit (org/name@40 hex digits): "
                "without one its rollouts could be another's tomorrow"
            )
        where: dict[str, Any] = {"path": self.model} if here else {"model": name, "commit": commit}
        if self.engine == "transformers":
            from distill.teachers.transformers_local import TransformersLocal

            return TransformersLocal(**where, batch_size=self.batch)
        if self.engine == "vllm":
            from distill.teachers.vllm_engine import VllmEngine

            return VllmEngine(**where)
        raise SettingsError(f"--engine {self.engine}: expected transformers, vllm, or a server's URL (http://...)")

    def _problems(self, reference: str) -> tuple[str, pl.DataFrame, dict[str, Any], int]:
        """Name, `id`, `prompt` and `answer` of every problem, what was read, and the set's own k."""
        if ":" in reference and not Path(reference).exists():
            from train.data import open_view

            view = open_view(reference, "rl", self.root)
            rows = pl.read_parquet(view.files).select("id", "prompt", answer="solution").head(self.limit or ALL)
            name = f"{view.version.name.replace('@', '-')}-{view.split}"
            return name, rows, {"version": view.version.name, "row_digest": view.facts["digest"]}, 8
        from curate.reading.benchmarks import read_benchmark
        from curate.recipes.recipe import Prompt

        asked = read_benchmark(reference)
        prompt = Prompt().messages(pl.col("problem"))
        rows = asked.problems.filter(pl.col("answer").is_not_null()).select("id", "answer", prompt=prompt)
        return asked.name, rows.head(self.limit or ALL), {"benchmark": reference, "read": asked.state}, asked.samples

    def _judged(self, teacher: Teacher, problems: pl.DataFrame, k: int) -> pl.DataFrame:
        """Every rollout with its verdict, drawn now or before."""
        from curate.progress import Steps
        from curate.version import ROLLOUTS, data_root
        from distill.sample import sample
        from distill.store import Store
        from distill.thinking import split_columns
        from verify import grade_many

        sampling = Sampling(k, self.temperature, self.top_p, self.max_tokens, self.seed)

        def requests() -> Iterator[Request]:
            for turns in problems["prompt"]:
                messages = tuple(Message(**turn) for turn in turns)
                for index in range(k):
                    yield Request(messages, teacher.model, teacher.revision, sampling, index)

        store = Store(data_root(self.root) / ROLLOUTS)
        with Steps().sampling(f"rollouts of {teacher.model}", problems.height * k) as pace:
            sample(teacher, requests(), store, on_progress=pace.done, watches=[pace])
        replies = store.get([request.key for request in requests()])
        finished = [reply.finish_reason for reply in replies]
        contents, reasonings = [reply.content for reply in replies], [reply.reasoning for reply in replies]
        texts = split_columns(contents, reasonings, [reason == "stop" for reason in finished])
        golds = [gold for gold in problems["answer"] for _ in range(k)]
        verdicts = grade_many(texts["response"].fill_null("").to_list(), golds, finish_reasons=finished)
        # A request that failed is no reply of the model's: it counts neither way, and the next run asks again.
        statuses = [
            "error" if reply.finish_reason == "error" else verdict.status
            for reply, verdict in zip(replies, verdicts, strict=True)
        ]
        return pl.DataFrame(
            {
                "problem_id": [row for row in problems["id"] for _ in range(k)],
                "index": list(range(k)) * problems.height,
                "answer": golds,
                "reasoning": texts["reasoning"],
                "response": texts["response"],
                "finish_reason": finished,
                "completion_tokens": [reply.completion_tokens for reply in replies],
                "verdict": statuses,
                "extracted_answer": [verdict.answer for verdict in verdicts],
                "error": pl.Series([reply.error for reply in replies], dtype=pl.String),
            }
        )

    def _write(self, folder: Path, rollouts: pl.DataFrame, found: Scores, facts: dict[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        rollouts.write_parquet(folder / ROLLOUTS, compression="zstd")
        written = json.dumps({**facts, "scores": found.facts()}, indent=1, ensure_ascii=False)
        aside = folder / f".{RESULT}"
        aside.write_text(written + "\n", encoding="utf-8")
        aside.replace(folder / RESULT)


def table(found: dict[str, Scores]) -> str:
    """The scores of one model by set, for people."""
    lines = [f"{'set':24} {'problems':>8} {'k':>3}  avg@k, 95 % interval    pass@k   maj@k  cut off  no answer  tokens"]
    for name, got in found.items():
        lines.append(
            f"{name:24} {got.problems:8,} {got.k:3} {got.average.text():24} {got.any_of_k.mean:7.1%} "
            f"{got.majority.mean:7.1%} {got.truncated:8.1%} {got.boxless:10.1%} {got.mean_tokens:7,.0f}"
        )
        if got.unjudged:
            kinds = ", ".join(f"{kind} {got.verdicts[kind]:,}" for kind in UNJUDGED if kind in got.verdicts)
            lines.append(f"  {got.unjudged:,} rollouts could not be drawn or judged and count neither way: {kinds}")
    return "\n".join(lines)


def _made(options: Evaluate, teacher: Teacher) -> dict[str, Any]:
    from train.run import library_versions

    return {
        "model": teacher.model,
        "revision": teacher.revision,
        "engine": options.engine,
        "temperature": options.temperature,
        "top_p": options.top_p,
        "max_tokens": options.max_tokens,
        "seed": options.seed,
        "libraries": library_versions(),
    }
