"""The flow of one build: frames that stages mark, one after the other, with the ledger kept beside them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from curate.alike.clusters import clusters
from curate.asking.asker import Asker, check_offline
from curate.asking.draw import Draw, Settled
from curate.asking.goal_verdicts import GoalVerdicts
from curate.asking.lost_reasoning import check_reasoning
from curate.cache import Cache
from curate.choices.choosing import Choices, choose_views
from curate.choices.selection import check_mixes
from curate.engine import Pool, Shard, shard_marks, table_marks
from curate.ledger import Ledger, LedgerError
from curate.marking import KEPT, NO_DROPS, NO_FATE, columns_for, marked
from curate.plug import Stage
from curate.progress import Steps
from curate.reading.questions import SourceRows, owners, read_sources
from curate.recipes.order import goal_stage
from curate.records import TEXT_COLUMNS, draws
from curate.rewrite import children_of, with_children
from curate.shards import gather
from curate.version import ROLLOUTS
from curate.versions.outputs import Outputs
from curate.versions.publish import Table
from distill.store import Store

if TYPE_CHECKING:
    from curate.manifest import Manifest, Rollouts


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
    """Columns of PROBLEM, facts, `ordinal`, `with_rollouts` (a source brought some), `dropped_by`, `drop_reason`; later
    `cluster` and `split`."""
    rollouts: pl.DataFrame = field(default_factory=pl.DataFrame)
    """Columns of ROLLOUT but the texts, facts, `shard`, `dropped_by`, `drop_reason`."""
    shards: list[Shard] = field(default_factory=list)
    fragments: list[Path] = field(default_factory=list)
    offline: bool = False
    """Nobody is asked; what the store does not have is missing, and said so."""
    choices: Choices = field(default_factory=Choices)
    """What the views took."""
    asker: Asker = field(init=False)
    """Who asks the teachers, and keeps account of what that costs."""

    def __post_init__(self) -> None:
        self.asker = Asker(Store(self.root / ROLLOUTS), self.steps, self.offline)

    def read(self, states: list[dict[str, str]]) -> None:
        """Problems, and the rollouts that came along, from all sources."""
        sources = [(f"{i}.{use.name}", use.plug) for i, use in enumerate(self.manifest.sources)]
        with self.steps.step("sources", None, "rows") as done:
            questions = read_sources(sources, states, self.cache, done)
        self.fragments = questions.fragments
        brought = pl.col("id").is_in(owners(self.fragments).implode())
        self.problems = questions.problems.with_columns(*NO_FATE, with_rollouts=brought)
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
        self.problems = self.problems.with_columns(clusters(self.problems))
        # By the text of the cluster's first problem, so that a problem stays on its side in every version and source.
        texts = self.problems.select(cluster="id", text="content_hash")
        first = self.problems.select("cluster").join(texts, on="cluster", how="left", maintain_order="left")
        held_out = draws(first["text"], self.manifest.seed) < self.manifest.heldout
        split = pl.when(held_out).then(pl.lit("heldout")).otherwise(pl.lit("train"))
        self.problems = self.problems.with_columns(split=split)
        # Before a teacher is asked: replies would be paid for, and the build stop at the view.
        check_mixes({name: use.plug.mix for name, use in self.manifest.views.items()}, self.problems.filter(KEPT))

    def to_draw(self) -> Draw | None:
        """What is asked of the teacher, if there is one."""
        if self.manifest.rollouts is None:
            return None
        teacher = self.manifest.rollouts.teacher.plug
        sampling, cut_off = self.manifest.rollouts.sampling, self.manifest.rollouts.cut_off
        asked = self._asked()
        if self.manifest.rollouts.ask == "without_rollouts":
            asked = asked.filter(~pl.col("id").is_in(owners(self.fragments).implode()))
        first_round = asked.with_columns(start=pl.lit(0, pl.Int64), stop=pl.lit(sampling.n, pl.Int64))
        return Draw(teacher.model, teacher.revision, sampling, first_round, cut_off)

    def draw(self) -> None:
        """The rollouts: what the sources brought and what the teacher gives, texts in shards."""
        draw, rollouts = self.to_draw(), self.manifest.rollouts
        if draw and rollouts:
            draw = self.asker.rollouts(f"teacher.{rollouts.teacher.name}", rollouts, draw, self.goal_verdicts())
        with self.steps.step("rollouts by problem", None, "problems") as done:
            gathered = gather(self.problems, self.fragments, draw, self.asker.store, self.cache, done)
        self.shards, self.rollouts = gathered.shards, gathered.rollouts.with_columns(NO_FATE)
        if rollouts and gathered.settled:
            if self.offline:
                check_offline(rollouts.teacher.plug.model, gathered.settled.spent)
            self._record_teacher(f"teacher.{rollouts.teacher.name}", gathered.settled)
            self._check_reasoning(rollouts)
        self._drop_orphans("problems")

    def mark_rollouts(self) -> None:
        """Verdicts, then tags on rollouts and on problems."""
        for kind, uses in (("verdicts", self.manifest.verdicts), ("tags", self.manifest.tags)):
            for use in uses:
                unit = use.plug.over
                kept = (self.problems if unit == "problems" else self.rollouts).filter(KEPT).height
                with self.steps.step(f"{kind}.{use.name}", kept, unit) as done:
                    if unit == "problems":
                        self._tag_problems(f"{kind}.{use.name}", use.plug)
                        done(kept)
                    else:
                        self._mark_rollouts(f"{kind}.{use.name}", use.plug, done)

    def tables(self) -> dict[str, Table]:
        """Every table of the version, written."""
        outputs = Outputs(self.manifest, self.problems, self.rollouts, self.shards, self.cache)
        tables = {}
        problems, rollouts = self.problems.filter(KEPT), self.rollouts.filter(KEPT).drop("shard")
        self.choices = choose_views(self.manifest, problems, rollouts, self.ledger, self.steps)
        for name, use in self.manifest.views.items():
            with self.steps.step(f"view {name}", None, "rows") as done:
                tables[name] = outputs.view(use, self.choices.picks[name])
                done(sum(part.rows for part in tables[name].parts.values()))
        with self.steps.step("problems, rollouts, ledger", None, "rows") as done:
            tables |= {"problems": outputs.problem_table(), "rollouts": outputs.rollout_table()}
            tables |= {"ledger": outputs.ledger_table(self.ledger), "funnel": outputs.funnel_table(self.ledger)}
            done(self.problems.height + self.rollouts.height)
        return tables

    def _asked(self) -> pl.DataFrame:
        """The kept problems as the teacher is asked: id, ordinal, prompt."""
        return self.problems.filter(KEPT).select(
            "id", "ordinal", prompt=self.manifest.prompt.messages(pl.col("problem"))
        )

    def _mark(self, name: str, stage: Stage) -> None:
        rows = self.problems.filter(KEPT)
        rows = self.asker.with_replies(name, stage, rows.select(columns_for(rows, stage)))
        marks = table_marks(name, stage, rows, self.cache)
        self.ledger.record(name, "problems", rows["id"], marks, stage.drops)
        self.problems = marked(self.problems, marks, name)
        if hasattr(stage, "children"):
            children = children_of(name, stage, rows, marks, self.cache)
            self.ledger.open(f"rewrites.{name}", "problems", children.height, NO_DROPS)
            self.problems = with_children(self.problems, children)

    def _tag_problems(self, name: str, stage: Stage) -> None:
        kept = self.problems.filter(KEPT).height
        self._mark(name, stage)
        if self.problems.filter(KEPT).height < kept:
            self._drop_orphans(name)

    def _mark_rollouts(self, name: str, stage: Any, done: Any) -> None:
        marks_table = getattr(stage, "marks", stage.over)
        rows = self._rollout_rows(stage)
        if hasattr(stage, "per_rollout"):
            read = self._rollout_rows(stage.per_rollout)
            found = shard_marks(name, stage.per_rollout, read, self.shards, self.cache, self.pool, lambda rows: None)
            rows = rows.join(found.drop("drop"), on="id", how="left", maintain_order="left")
        rows = self.asker.with_replies(name, stage, rows)
        if stage.scope == "row":
            marks = shard_marks(name, stage, rows, self.shards, self.cache, self.pool, done)
        else:
            marks = table_marks(name, stage, rows.drop("shard"), self.cache)
            done(rows.height)
        if marks_table == "rollouts":
            self.ledger.record(name, "rollouts", rows["id"], marks, stage.drops)
            self.rollouts = marked(self.rollouts, marks, name)
            return
        problems = self.problems.filter(KEPT)["id"]
        marks = pl.DataFrame({"id": problems}).join(marks, on="id", how="left", maintain_order="left")
        self.ledger.record(name, "problems", problems, marks, stage.drops)
        self.problems = marked(self.problems, marks, name)
        if marks["drop"].is_not_null().any():
            self._drop_orphans(name)

    def _rollout_rows(self, stage: Any) -> pl.DataFrame:
        """The kept rollouts with all that the stage reads but the texts, problem columns joined."""
        rows = self.rollouts.filter(KEPT)
        own = [c for c in columns_for(rows, stage) if c in rows.columns]
        theirs = [c for c in stage.reads if c not in own and c not in TEXT_COLUMNS and c in self.problems.columns]
        rows = rows.select(*dict.fromkeys((*own, "problem_id", "shard")))
        return rows.join(
            self.problems.select(*theirs, problem_id="id"), on="problem_id", how="left", maintain_order="left"
        )

    def _drop_orphans(self, stage: str) -> None:
        """Rollouts leave with their problem."""
        rows = self.rollouts.filter(KEPT).select("id", "problem_id")
        gone = self.problems.filter(~KEPT)["id"]
        orphan = pl.col("problem_id").is_in(gone.implode())
        marks = rows.select("id", drop=pl.when(orphan).then(pl.lit("problem_dropped")))
        self.ledger.record(stage, "rollouts", rows["id"], marks, ("problem_dropped",))
        self.rollouts = marked(self.rollouts, marks, stage)

    def _record_source(self, source: SourceRows) -> None:
        """Rows read and refused; and rollouts, where the source has some."""
        refused = source.unreadable.select("id", drop="reason")
        self.ledger.open(f"sources.{source.name}", "rows", source.rows, refused)
        if source.rollouts:
            self.ledger.open(f"sources.{source.name}", "rollouts", source.rollouts, refused.clear())

    def goal_verdicts(self) -> GoalVerdicts | None:
        """Who says when a problem has the rollouts of the goal; None without one."""
        stage = goal_stage(self.manifest)
        if stage is None or not (self.manifest.rollouts and self.manifest.rollouts.goal):
            return None
        return GoalVerdicts(stage, self.problems, self.asker.store, self.cache, self.pool)

    def _record_teacher(self, stage: str, settled: Settled) -> None:
        """What was asked: rollouts, those without a reply, those not in the store, and replies drawn again longer."""
        self.asker.accounts[stage] = settled.spent
        self.asker.say_missing(stage)
        rows = self.rollouts.filter(pl.col("sampling").is_not_null())
        failed = pl.col("finish_reason") == "error"
        marks = rows.select("id", drop=pl.when(failed).then(pl.lit("no_reply")))
        refused = pl.concat([marks.filter(pl.col("drop").is_not_null()), settled.aside])
        self.ledger.open(stage, "rollouts", rows.height + settled.aside.height, refused)
        self.rollouts = marked(self.rollouts, marks, stage)

    def _check_reasoning(self, wanted: "Rollouts") -> None:
        """Raises LostReasoningError where too many of the teacher's rollouts have no reasoning."""

        def responses(few: pl.DataFrame) -> list[str | None]:
            return [
                pl.scan_parquet(self.shards[shard].path).filter(pl.col("id") == row).select("response").collect().item()
                for row, shard in few.select("id", "shard").iter_rows()
            ]

        rows = self.rollouts.filter(KEPT & pl.col("sampling").is_not_null())
        check_reasoning(wanted.teacher.plug.model, wanted.no_reasoning, rows, responses)
