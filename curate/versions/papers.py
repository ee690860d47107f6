"""The texts beside a version's tables: the card, the whole manifest with its defaults, the licences of its rows."""

from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import yaml

from curate.alike.hits import counts as counted_hits
from curate.alike.hits import hits
from curate.marking import KEPT
from curate.share.card import CardFacts, card
from curate.share.counts import Counts, count
from curate.share.front_matter import Config, Split
from curate.share.markdown import plain, table
from curate.versions.publish import Table, libraries, version_digest

if TYPE_CHECKING:
    from curate.flow import Flow

HIT_EXAMPLES = 5
"""Hits of decontamination that the card shows; `curate hits` lists them all."""


def papers(flow: "Flow", tables: dict[str, Table], facts: dict[str, Any], number: int) -> dict[str, str]:
    """README.md, manifest.yaml and LICENSES.md of the version with this number."""
    counts = count(flow.problems, flow.rollouts)
    recipe = yaml.safe_dump(facts["manifest"], sort_keys=False, allow_unicode=True, width=120)
    return {
        "README.md": card(_card_facts(flow, tables, facts, number, counts, recipe)),
        "manifest.yaml": recipe,
        "LICENSES.md": _licenses(counts),
    }


def _card_facts(
    flow: "Flow", tables: dict[str, Table], facts: dict[str, Any], number: int, counts: Counts, recipe: str
) -> CardFacts:
    manifest = flow.manifest
    teacher = manifest.rollouts.teacher if manifest.rollouts else None
    states = [
        f"{key} {value}" if key != value else value for s in facts["sources"] for key, value in s["state"].items()
    ]
    found = hits(flow.problems.lazy())
    names = [s["use"] for s in facts["sources"] for _ in s["state"]]
    return CardFacts(
        name=manifest.name,
        version=number,
        digest=version_digest(tables),
        description=manifest.description,
        language=manifest.language,
        license=manifest.license or _common_license(counts),
        configs=tuple(_config(name, made) for name, made in tables.items()),
        views=tuple(manifest.views),
        funnel=tuple(flow.ledger.entries),
        counts=counts,
        synthetic_problems=bool(flow.problems.filter(KEPT)["synthetic"].any()),
        symbolic_teacher=teacher.plug.model if teacher and getattr(teacher.plug, "symbolic", False) else None,
        sampling=facts["teacher"]["sampling"] if facts["teacher"] else None,
        source_states=tuple(zip(names, states, strict=True)),
        source_datasets=tuple(use.plug.path for use in manifest.sources if use.name == "hub"),
        libraries=libraries(),
        manifest=recipe,
        spending=tuple(facts["rollouts"]),
        view_facts=facts["views"],
        leaks=facts["leaks"],
        hits=tuple(counted_hits(found)),
        hit_examples=tuple(found.head(HIT_EXAMPLES).to_dicts()),
    )


def _config(name: str, made: Table) -> Config:
    first = next(file for part in made.parts.values() for file in part.files)
    schema = pq.read_schema(made.folder / first.path)
    return Config(name, schema, tuple(Split(split, part.rows, part.bytes) for split, part in made.parts.items()))


def _common_license(counts: Counts) -> str | None:
    licenses = {source.license for source in counts.sources}
    return licenses.pop() if len(licenses) == 1 else None


def _licenses(counts: Counts) -> str:
    rows = [(s.source, s.license or "not stated by the source", s.problems) for s in counts.sources]
    teachers = ", ".join(plain(t.teacher) for t in counts.teachers) or "none"
    return (
        "# Licences\n\nEvery row carries the licence of its source in the column `license`.\n\n"
        f"{table(('source', 'licence', 'problems'), rows)}\n\n"
        f"Teachers: {teachers}. The terms of a teacher may bind what is done with its rollouts.\n"
    )
