"""The build: sources -> problems -> rollouts -> verdicts -> tags -> views -> version, one way, on columns."""

from dataclasses import dataclass
from pathlib import Path

from curate.asking.ready import check_ready, unready
from curate.cache import Cache
from curate.changes.frozen import check_drift, check_standing, check_tables
from curate.engine import worker_pool
from curate.flow import Flow
from curate.manifest import Manifest
from curate.progress import Steps
from curate.reading.absent import check_there
from curate.recipes.order import check_order
from curate.version import Version, versions
from curate.versions.gc import STAGES, close_journal, fresh_journal, stages_in_use
from curate.versions.lock import find, lock_facts, pinned, recipe, settled
from curate.versions.papers import papers
from curate.versions.publish import builder_lock, publish, version_digest
from curate.workers.crew import crew_of
from curate.workers.standing import standing


@dataclass(frozen=True)
class Outcome:
    """The version that the manifest names now."""

    version: Version
    made: bool
    """False if it stood already."""
    latest: str
    """The dataset's newest version, which another recipe may have made since."""

    def text(self) -> str:
        """For people."""
        if self.made:
            return f"made {self.version.name}"
        if self.version.name != self.latest:
            return f"made before as {self.version.name} (the latest is {self.latest})"
        return f"nothing changed; it stands as {self.version.name}"


def build(
    manifest: Manifest,
    root: Path,
    steps: Steps,
    workers: int | None = None,
    offline: bool = False,
    frozen: Version | None = None,
) -> Outcome:
    """The version of the dataset that this manifest makes; a new one only if something changed.

    Args:
        offline: asks no teacher; what the rollout store does not have is missing, and the ledger says so.
        frozen: makes the rows that this version's lock names, or nothing.

    Raises:
        BusyError: another process builds this dataset.
        EngineError: the engine that the manifest names cannot run it here.
        RankError: tasks of the engine failed.
        DriftError: the recipe, the sources, the teacher, the libraries or the rows are not those of `frozen`.
        OrderError: a stage reads what none before it writes.
        LedgerError: a stage lost or invented rows.
        SourceError, TeacherError: a source or the teacher cannot be read, or the budget is spent.
        LostReasoningError: the teacher's reasoning does not arrive.
    """
    check_order(manifest)
    crew = crew_of(manifest, root, steps)
    folder = root / manifest.name
    with builder_lock(folder), stages_in_use(root), worker_pool(workers, crew) as pool:
        made = versions(root, manifest.name)
        if not made:
            check_there(manifest)  # before files are digested and names resolved
        manifest, states = resolved(manifest, [frozen] if frozen else made)
        if frozen:
            check_drift(frozen, manifest, states)
        fingerprint = recipe(manifest, states)
        if same := find(made, fingerprint):
            if frozen:
                check_standing(frozen, same)
            return Outcome(same, made=False, latest=made[-1].name)
        if made:
            check_there(manifest)  # not above: a version that stands needs none of it
        if not offline and not made:
            check_ready(manifest)
        elif not offline:
            # Of a dataset that was built before, the store may well hold all that is asked.
            for fault in unready(manifest):
                steps.say(f"WARNING: {fault}. Only what the rollout store has can be used")
        cache = Cache(root / STAGES, fresh_journal(folder))
        cache.sweep()
        flow = Flow(manifest, root, cache, pool, steps, offline=offline)
        flow.asker.crew = crew
        flow.read(states)
        with standing(crew):
            flow.mark_problems()
        flow.draw()
        flow.mark_rollouts()
        tables = flow.tables()
        if frozen:
            check_tables(frozen, tables)
        if made and (made[-1].lock["fingerprint"], made[-1].digest) == (fingerprint, version_digest(tables)):
            return Outcome(
                made[-1], made=False, latest=made[-1].name
            )  # what had failed was asked again, and failed again
        facts = lock_facts(flow, states, fingerprint)
        version = publish(folder, tables, lambda number: papers(flow, tables, facts, number), facts)
        close_journal(folder, version)
        return Outcome(version, made=True, latest=version.name)


def resolved(manifest: Manifest, made: list[Version]) -> tuple[Manifest, list[dict[str, str]]]:
    """The manifest with every source at a fixed revision, and what each source would read."""
    manifest = pinned(manifest, made)
    states = [use.plug.state() for use in manifest.sources]
    return settled(manifest, states), states
