"""The build: sources -> problems -> rollouts -> verdicts -> tags -> views -> version, one way, on columns."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from curate.cache import Cache
from curate.engine import Pool, Shard, shard_marks, table_marks, worker_pool
from curate.ledger import Ledger
from curate.manifest import Manifest, Use
from curate.outputs import Rows, problem_table, render_view, rollout_table, table_of
from curate.ledger import FUNNEL, LEDGER
from curate.lock import facts_of, find, pinned, recipe, source_states
from curate.progress import Steps
from curate.publish import Table, builder_lock, publish, version_digest
from curate.questions import read_sources
from curate.records import draws
from curate.shards import Draw, gather
from curate.version import Version, versions
from distill.sample import sample
from distill.store import Store


@dataclass(frozen=True)
class Outcome:
    """The version that the manifest names now."""

    version: Version
    made: bool
    """False if it stood already."""


def build(manifest: Manifest, root: Path, steps: Steps, workers: int | None = None) -> Outcome:
    """The version of the dataset that this manifest makes; a new one only if something changed.

    Raises:
        BusyError: another process builds this dataset.
        LedgerError: a stage lost or invented rows.
        SourceError, TeacherError: a source or the teacher cannot be read.
    """
    folder = root / manifest.name
    with builder_lock(folder), worker_pool(workers) as pool:
        made = versions(root, manifest.name)
        manifest = pinned(manifest, made)
        states = source_states(manifest)
        same = find(made, recipe(manifest, states))
        if same:
            return Outcome(same, made=False)
        cache = Cache(root / ".stages")
        cache.sweep()
        flow = Flow(manifest, root, cache, pool, steps)
        flow.read(states)
        flow.mark_problems()
        flow.draw()
        flow.mark_rollouts()
        tables = flow.tables()
        if made and made[-1].digest == version_digest(tables) and made[-1].lock["fingerprint"] == recipe(manifest, states):
            return Outcome(made[-1], made=False)
        facts, texts = facts_of(flow, states, tables, len(made))
        return Outcome(publish(folder, tables, texts, facts), made=True)
