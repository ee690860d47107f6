"""The flow of one build: frames that stages mark, one after the other, with the ledger kept beside them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from curate.cache import Cache
from curate.engine import Pool, Shard, shard_marks, table_marks
from curate.ledger import Ledger, LedgerError
from curate.outputs import Outputs
from curate.plug import Stage
from curate.progress import Steps
from curate.publish import Table
from curate.questions import SourceRows, read_sources
from curate.records import TEXT_COLUMNS, draws
from curate.shards import Draw, gather
from distill.request import Message, Request, Teacher
from distill.sample import SampleSummary, sample
from distill.store import Store

if TYPE_CHECKING:
    from curate.manifest import Manifest

NO_DROPS = pl.DataFrame(schema={"id": pl.String, "drop": pl.String})

KEPT = pl.col("drop_reason").is_null()

NO_FATE = (pl.lit(None, pl.String).alias("dropped_by"), pl.lit(None, pl.String).alias("drop_reason"))


@dataclass
class Flow:
    """What stands after the steps taken so far. Take them in the order in which they are written here."""

    manifest: "Manifest"
    root: Path
    cache: Cache
    pool: Pool
    steps: Steps
    ledger: Ledger = field(default_factory=Ledger)
    problems: pl.DataFrame = field(default_factory=pl.DataFrame)
    """Columns of PROBLEM, facts, `ordinal`, `dropped_by`, `drop_reason`; later `cluster` and `split`."""
    rollouts: pl.DataFrame = field(default_factory=pl.DataFrame)
    """Columns of ROLLOUT but the texts, facts, `shard`, `dropped_by`, `drop_reason`."""
    shards: list[Shard] = field(default_factory=list)
    fragments: list[Path] = field(default_factory=list)
    sampled: SampleSummary | None = None

    def read(self, states: list[dict[str, str]]) -> None:
        """Problems, and the rollouts that came along, from all sources."""
        sources = [(f"{i}.{use.name}", use.plug) for i, use in enumerate(self.manifest.sources)]
        with self.steps.step("sources", None, "rows") as done:
            questions = read_sources(sources, states, self.cache, done)
        self.problems = questions.problems.with_columns(NO_FATE)
        self.fragments = questions.fragments
        for source in questions.sources:
            self._record_source(source)
        self.ledger.open("sources.all", "problems", questions.read - questions.merged, NO_DROPS)
        if questions.problems.height != questions.read - questions.merged:
            raise LedgerError(f"{questions.read:,} problems were read, but {questions.problems.height:,} are there")

    def mark_problems(self) -> None:
        """Hygiene, duplicates, decontamination; then clusters, and which of them are held out."""
        for use in self.manifest.problems:
            with self.steps.step(use.name, self.problems.filter(KEPT).height, "problems") as done:
                self._mark(use.name, use.plug)
                done(self.problems.filter(KEPT).height)
        original = pl.col("duplicate_of") if "duplicate_of" in self.problems.columns else pl.lit(None, pl.String)
        self.problems = self.problems.with_columns(cluster=pl.coalesce(original, "id"))
        # By the text of the cluster's first problem, so that a problem stays on its side in every version and source.
        texts = self.problems.select(cluster="id", text="content_hash")
        clusters = self.problems.select("cluster").join(texts, on="cluster", how="left", maintain_order="left")
        held_out = draws(clusters["text"], self.manifest.seed) < self.manifest.heldout
        split = pl.when(held_out).then(pl.lit("heldout")).otherwise(pl.lit("train"))
        self.problems = self.problems.with_columns(split=split)

    def to_draw(self) -> Draw | None:
        """What is asked of the teacher, if there is one."""
        if self.manifest.rollouts is None:
            return None
        teacher = self.manifest.rollouts.teacher.plug
        return Draw(teacher.model, teacher.revision, self.manifest.rollouts.sampling, self._asked())

    def draw(self) -> None:
        """The rollouts: what the sources brought and what the teacher gives, texts in shards."""
        draw, store = self.to_draw(), None
        if draw and self.manifest.rollouts:
            store = Store(self.root / ".rollouts")
            teacher = self.manifest.rollouts.teacher.plug
            self.sampled = self._sample(f"rollouts of {draw.model}", teacher, draw.requests, draw.total, store)
        with self.steps.step("rollouts by problem", None, "problems") as done:
            self.shards, rollouts = gather(self.problems, self.fragments, draw, store, self.cache, done)
        self.rollouts = rollouts.with_columns(NO_FATE)
        if self.manifest.rollouts:
            self._record_teacher(self.manifest.rollouts.teacher.name)
        self._drop_orphans("problems")

    def mark_rollouts(self) -> None:
        """Verdicts, then tags on rollouts and on the problems they tell of."""
        for kind, uses in (("verdicts", self.manifest.verdicts), ("tags", self.manifest.tags)):
            for use in uses:
                with self.steps.step(f"{kind}.{use.name}", self.rollouts.filter(KEPT).height, "rollouts") as done:
                    self._mark_rollouts(f"{kind}.{use.name}", use.plug, done)

    def tables(self) -> dict[str, Table]:
        """Every table of the version, written."""
        outputs = Outputs(self.manifest, self.problems, self.rollouts, self.shards, self.cache)
        tables = {}
        for name, use in self.manifest.views.items():
            with self.steps.step(f"view {name}", None, "rows") as done:
                problems, rollouts = self.problems.filter(KEPT), self.rollouts.filter(KEPT)
                fates, picks = use.plug.choose(problems, rollouts.drop("shard"), self.manifest.seed)
                units = rollouts if use.plug.unit == "rollouts" else problems
                self.ledger.record(f"views.{name}", use.plug.unit, units["id"], fates, use.plug.drops)
                tables[name] = outputs.view(use, picks)
                rows = sum(part.rows for part in tables[name].parts.values())
                done(rows)
            if not rows:
                self._say_why_empty(name)
        with self.steps.step("problems, rollouts, ledger", None, "rows") as done:
            tables |= {"problems": outputs.problem_table(), "rollouts": outputs.rollout_table()}
            tables |= {"ledger": outputs.ledger_table(self.ledger), "funnel": outputs.funnel_table(self.ledger)}
            done(self.problems.height + self.rollouts.height)
        return tables

    def _say_why_empty(self, view: str) -> None:
        entry = self.ledger.entries[-1]
        why = ", ".join(f"{reason} {n:,}" for reason, n in entry.dropped.items()) or f"there are no {entry.unit}"
        hint = " (reasoning: false takes rollouts without thinking)" if "no_reasoning" in entry.dropped else ""
        self.steps.say(f"WARNING: view {view} has no rows: {why}{hint}")

    def _asked(self) -> pl.DataFrame:
        """The kept problems as the teacher is asked: id, ordinal, prompt."""
        return self.problems.filter(KEPT).select(
            "id", "ordinal", prompt=self.manifest.prompt.messages(pl.col("problem"))
        )

    def _mark(self, name: str, stage: Stage) -> None:
        rows = self.problems.filter(KEPT)
        marks = table_marks(name, stage, rows.select(_columns(rows, stage)), self.cache)
        self.ledger.record(name, "problems", rows["id"], marks, stage.drops)
        self.problems = _marked(self.problems, marks, name)

    def _mark_rollouts(self, name: str, stage: Any, done: Any) -> None:
        marks_table = getattr(stage, "marks", stage.over)
        rows = self._rollout_rows(stage)
        if hasattr(stage, "prompts"):
            rows = rows.join(self._replies(name, stage, rows), on="id", how="left", maintain_order="left")
        if stage.scope == "row":
            marks = shard_marks(name, stage, rows, self.shards, self.cache, self.pool, done)
        else:
            marks = table_marks(name, stage, rows.drop("shard"), self.cache)
            done(rows.height)
        if marks_table == "rollouts":
            self.ledger.record(name, "rollouts", rows["id"], marks, stage.drops)
            self.rollouts = _marked(self.rollouts, marks, name)
            return
        problems = self.problems.filter(KEPT)["id"]
        marks = pl.DataFrame({"id": problems}).join(marks, on="id", how="left", maintain_order="left")
        self.ledger.record(name, "problems", problems, marks, stage.drops)
        self.problems = _marked(self.problems, marks, name)
        if marks["drop"].is_not_null().any():
            self._drop_orphans(name)

    def _rollout_rows(self, stage: Any) -> pl.DataFrame:
        """The kept rollouts with all that the stage reads but the texts, problem columns joined."""
        rows = self.rollouts.filter(KEPT)
        own = [c for c in _columns(rows, stage) if c in rows.columns]
        theirs = [c for c in stage.reads if c not in own and c not in TEXT_COLUMNS and c in self.problems.columns]
        rows = rows.select(*dict.fromkeys((*own, "problem_id", "shard")))
        return rows.join(
            self.problems.select(*theirs, problem_id="id"), on="problem_id", how="left", maintain_order="left"
        )

    def _sample(
        self, title: str, teacher: Teacher, requests: Callable[[], Iterator[Request]], total: int, store: Store
    ) -> SampleSummary:
        """Every request answered in the store."""
        with self.steps.step(title, total, "rollouts") as done:
            return sample(teacher, requests(), store, on_progress=done)

    def _replies(self, name: str, stage: Any, rows: pl.DataFrame) -> pl.DataFrame:
        """`id` and `reply` of every row that the stage asks its teacher about; equal questions are asked once."""
        asked: pl.DataFrame = stage.prompts(rows)
        model, revision = stage.teacher.model, stage.teacher.revision
        requests = [Request((Message("user", text),), model, revision, stage.sampling, 0) for text in asked["prompt"]]
        store = Store(self.root / ".rollouts")
        self._sample(f"{name} asks {model}", stage.teacher, lambda: iter(requests), len(requests), store)
        texts = [reply.content for reply in store.get([request.key for request in requests])]
        return asked.select("id", reply=pl.Series(texts, dtype=pl.String))

    def _drop_orphans(self, stage: str) -> None:
        """Rollouts leave with their problem."""
        rows = self.rollouts.filter(KEPT).select("id", "problem_id")
        gone = self.problems.filter(~KEPT)["id"]
        orphan = pl.col("problem_id").is_in(gone.implode())
        marks = rows.select("id", drop=pl.when(orphan).then(pl.lit("problem_dropped")))
        self.ledger.record(stage, "rollouts", rows["id"], marks, ("problem_dropped",))
        self.rollouts = _marked(self.rollouts, marks, stage)

    def _record_source(self, source: SourceRows) -> None:
        """Rows read and refused; and rollouts, where the source has some."""
        refused = source.unreadable.select("id", drop="reason")
        self.ledger.open(f"sources.{source.name}", "rows", source.rows, refused)
        if source.rollouts:
            self.ledger.open(f"sources.{source.name}", "rollouts", source.rollouts, refused.clear())

    def _record_teacher(self, name: str) -> None:
        rows = self.rollouts.filter(pl.col("sampling").is_not_null())
        failed = pl.col("finish_reason") == "error"
        marks = rows.select("id", drop=pl.when(failed).then(pl.lit("no_reply")))
        refused = marks.filter(pl.col("drop").is_not_null())
        self.ledger.open(f"teacher.{name}", "rollouts", rows.height, refused)
        self.rollouts = _marked(self.rollouts, marks, f"teacher.{name}")


def _columns(rows: pl.DataFrame, stage: Any) -> list[str]:
    """What the stage reads and the rows have, `id` first."""
    return [c for c in dict.fromkeys(("id", *stage.reads)) if c in rows.columns]


def _marked(rows: pl.DataFrame, marks: pl.DataFrame, stage: str) -> pl.DataFrame:
    """The rows with the marks joined by id; a later one that is not null replaces an earlier one of its name."""
    facts = [c for c in marks.columns if c not in ("id", "drop")]
    joined = rows.join(marks, on="id", how="left", maintain_order="left", suffix=":new")
    again = [c for c in facts if c in rows.columns]
    dropped = pl.col("drop").is_not_null()
    return joined.with_columns(
        *(pl.coalesce(f"{c}:new", c).alias(c) for c in again),
        dropped_by=pl.when(dropped).then(pl.lit(stage)).otherwise("dropped_by"),
        drop_reason=pl.coalesce("drop_reason", "drop"),
    ).drop("drop", *(f"{c}:new" for c in again))
