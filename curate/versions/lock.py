"""The lock: what made a version. A recipe's fingerprint says whether a build would make it again."""

import os
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from curate.engine import identity, source_identity
from curate.fingerprint import fingerprint as fingerprint_of
from curate.planning.accounting import bills
from curate.plug import load
from curate.recipes.manifest_plugs import path_options, teacher_options
from curate.version import Version
from distill.thinking import REV

if TYPE_CHECKING:
    from curate.flow import Flow
    from curate.manifest import Manifest, Rollouts, Use


def pinned(manifest: "Manifest", made: list[Version]) -> "Manifest":
    """The manifest with every source that names no revision pinned to that of the newest version, where it has one."""
    earlier = made[-1].lock["sources"] if made else []
    sources = []
    for use, locked in zip(manifest.sources, [*earlier, *[None] * len(manifest.sources)], strict=False):
        if locked and "revision" in locked["state"] and _revision(use) is None:
            known = source_identity(use.name, use.plug, locked["state"])
            use = _at(use, locked["state"]) if known == locked else use
        sources.append(use)
    return replace(manifest, sources=tuple(sources), problems=_stages_pinned(manifest, made))


def _stages_pinned(manifest: "Manifest", made: list[Version]) -> tuple["Use", ...]:
    """The stages on problems; those that read benchmarks at the commits of the newest version, else at today's."""
    earlier = made[-1].lock.get("decisions", {}).get("problems", []) if made else []
    return tuple(
        replace(use, plug=use.plug.pinned([stage for stage in earlier if stage.get("use") == use.name]))
        if hasattr(use.plug, "pinned")
        else use
        for use in manifest.problems
    )


def settled(manifest: "Manifest", states: list[dict[str, str]]) -> "Manifest":
    """The manifest with every source at the revision that its state has resolved: what is read is what is locked."""
    return replace(
        manifest, sources=tuple(_at(use, state) for use, state in zip(manifest.sources, states, strict=True))
    )


def _revision(use: "Use") -> str | None:
    return getattr(use.plug, "revision", "")


def _at(use: "Use", state: dict[str, str]) -> "Use":
    if _revision(use) is None and "revision" in state:
        return replace(use, plug=replace(use.plug, revision=state["revision"]))
    return use


def recipe(manifest: "Manifest", states: list[dict[str, str]]) -> str:
    """The fingerprint of all that decides the rows. Paths, machines, code and library versions are not in it."""
    return fingerprint_of(decisions(manifest, states))


def decisions(manifest: "Manifest", states: list[dict[str, str]]) -> dict[str, Any]:
    """All that decides the rows, by name: options, inputs, teacher, revisions of the plugs' rules (`REV`)."""
    rollouts = manifest.rollouts
    return {
        "name": manifest.name,
        "description": manifest.description,
        "license": manifest.license,
        "language": manifest.language,
        "sources": _identities(manifest, states),
        "problems": _decided(manifest.problems),
        "prompt": asdict(manifest.prompt),
        "rollouts": _drawn(rollouts) if rollouts else None,
        "verdicts": _decided(manifest.verdicts),
        "tags": _decided(manifest.tags),
        "views": dict(zip(manifest.views, _decided(tuple(manifest.views.values())), strict=True)),
        "heldout": manifest.heldout,
        "seed": manifest.seed,
        "thinking": {"REV": REV},
    }


def _decided(uses: tuple["Use", ...]) -> list[dict[str, Any]]:
    return [
        {"use": name, "REV": rev, **options} for name, rev, options in (identity(use.name, use.plug) for use in uses)
    ]


def _drawn(rollouts: "Rollouts") -> dict[str, Any]:
    """Which rollouts are drawn, and from whom."""
    teacher = rollouts.teacher.plug
    rules = {"goal": rollouts.goal, "cut_off": rollouts.cut_off}
    return {
        "teacher": {"model": teacher.model, "revision": teacher.revision},
        "sampling": asdict(rollouts.sampling),
        **{name: asdict(rule) for name, rule in rules.items() if rule},
    }


def find(made: list[Version], recipe: str) -> Version | None:
    """The newest version that this recipe made whole."""
    same = [v for v in made if v.lock["fingerprint"] == recipe and _answered(v) and v.seems_whole()]
    return same[-1] if same else None


def _answered(version: Version) -> bool:
    return not version.lock["no_reply"] and not version.lock.get("not_in_store")


def _identities(manifest: "Manifest", states: list[dict[str, str]]) -> list[dict[str, Any]]:
    return [source_identity(use.name, use.plug, state) for use, state in zip(manifest.sources, states, strict=True)]


def published(manifest: "Manifest") -> dict[str, Any]:
    """The whole recipe as others may see it: absolute paths, which name people and machines, are cut to their end."""
    recipe = manifest.canonical()
    for source, use in zip(recipe["sources"], manifest.sources, strict=True):
        _cut_paths(source, type(use.plug))
    stages = [
        (written, use)
        for kind, uses in (("problems", manifest.problems), ("verdicts", manifest.verdicts), ("tags", manifest.tags))
        for written, use in zip(recipe[kind], uses, strict=True)
    ]
    teachers = [written[option] for written, use in stages for option in teacher_options(type(use.plug)) & set(written)]
    if manifest.rollouts:
        teachers.append(recipe["rollouts"]["teacher"])
    for teacher in teachers:
        if isinstance(teacher, dict):
            _cut_paths(teacher, load("teacher", teacher["use"]))
    return recipe


def _cut_paths(written: dict[str, Any], cls: type[Any]) -> None:
    for option in path_options(cls) & set(written):
        written[option] = _without_folder(written[option])


def _without_folder(path: Any) -> Any:
    if isinstance(path, list):
        return [_without_folder(entry) for entry in path]
    return os.path.basename(path) if isinstance(path, str) and os.path.isabs(os.path.expanduser(path)) else path


def lock_facts(flow: "Flow", states: list[dict[str, str]], fingerprint: str) -> dict[str, Any]:
    """What the lock says beside the tables and files: what made this version."""
    manifest = flow.manifest
    return {
        "name": manifest.name,
        "fingerprint": fingerprint,
        "manifest": published(manifest),
        "decisions": decisions(manifest, states),
        "sources": _identities(manifest, states),
        "teacher": _teacher(manifest),
        "no_reply": sum(account.failed for account in flow.asker.accounts.values()),
        "not_in_store": sum(account.missing for account in flow.asker.accounts.values()),
        "rollouts": [bill.facts() for bill in bills(flow)],
        "views": flow.choices.facts,
        "leaks": flow.choices.leaks,
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
        "goal": asdict(manifest.rollouts.goal) if manifest.rollouts.goal else None,
        "cut_off": asdict(manifest.rollouts.cut_off) if manifest.rollouts.cut_off else None,
        "prompt": fingerprint_of(asdict(manifest.prompt)),
    }
