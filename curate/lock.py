"""The lock: what made a version. A recipe's fingerprint says whether a build would make it again."""

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from curate.engine import identity
from curate.fingerprint import fingerprint as fingerprint_of
from curate.version import Version

if TYPE_CHECKING:
    from curate.flow import Flow
    from curate.manifest import Manifest, Use


def pinned(manifest: "Manifest", made: list[Version]) -> "Manifest":
    """The manifest with every source that names no revision pinned to that of the newest version, where it has one."""
    earlier = made[-1].lock["sources"] if made else []
    sources = []
    for use, locked in zip(manifest.sources, [*earlier, *[None] * len(manifest.sources)], strict=False):
        same = (
            locked is not None
            and locked["use"] == use.name
            and locked["options"] == located(identity(use.name, use.plug)[2])
        )
        if same and getattr(use.plug, "revision", "") is None and "revision" in locked["state"]:
            use = replace(use, plug=replace(use.plug, revision=locked["state"]["revision"]))
        sources.append(use)
    return replace(manifest, sources=tuple(sources))


def recipe(manifest: "Manifest", states: list[dict[str, str]]) -> str:
    """The fingerprint of all that decides the rows: options, inputs, teacher, revisions of the plugs' rules.

    Paths, machines, code and library versions are not in it.
    """
    kinds = {
        "problems": manifest.problems,
        "verdicts": manifest.verdicts,
        "tags": manifest.tags,
        "views": tuple(manifest.views.values()),
    }
    stages = {kind: [identity(use.name, use.plug) for use in uses] for kind, uses in kinds.items()}
    sources = [_source_identity(use, state) for use, state in zip(manifest.sources, states, strict=True)]
    rollouts = manifest.rollouts
    teacher = (
        [rollouts.teacher.plug.model, rollouts.teacher.plug.revision, asdict(rollouts.sampling)] if rollouts else None
    )
    return fingerprint_of(
        sources, stages, teacher, asdict(manifest.prompt), manifest.heldout, manifest.seed, manifest.name
    )


def find(made: list[Version], recipe: str) -> Version | None:
    """The newest version that this recipe made whole."""
    same = [v for v in made if v.lock["fingerprint"] == recipe and not v.lock["no_reply"]]
    return same[-1] if same else None


def located(options: dict[str, Any]) -> dict[str, Any]:
    """The options less those that only say where something lies on this machine."""
    return {name: value for name, value in options.items() if name not in ("path", "root")}


def _source_identity(use: "Use", state: dict[str, str]) -> list[Any]:
    name, rev, options = identity(use.name, use.plug)
    return [name, rev, located(options), state]


def lock_facts(flow: "Flow", states: list[dict[str, str]], fingerprint: str) -> dict[str, Any]:
    """What the lock says beside the tables and files: what made this version."""
    manifest = flow.manifest
    sources = [
        {"use": use.name, "options": located(identity(use.name, use.plug)[2]), "state": state}
        for use, state in zip(manifest.sources, states, strict=True)
    ]
    return {
        "name": manifest.name,
        "fingerprint": fingerprint,
        "manifest": manifest.canonical(),
        "sources": sources,
        "teacher": _teacher(manifest),
        "no_reply": flow.sampled.failed if flow.sampled else 0,
        "funnel": flow.ledger.funnel().to_dicts(),
    }


def _teacher(manifest: "Manifest") -> dict[str, Any] | None:
    if manifest.rollouts is None:
        return None
    teacher = manifest.rollouts.teacher
    return {
        "use": teacher.name,
        "model": teacher.plug.model,
        "revision": teacher.plug.revision,
        "sampling": asdict(manifest.rollouts.sampling),
        "prompt": fingerprint_of(asdict(manifest.prompt)),
    }
