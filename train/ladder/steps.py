"""The steps of one run: its version is built, the student trained on it and measured, each only where it is not yet.

A step that is done is known by what went into it: a version by its recipe, a run folder by the version, the settings
and the weights it started from, a measurement by the weights, the problems and how they were drawn.
"""

import json
import shutil
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import yaml

from curate.build import resolved
from curate.fingerprint import fingerprint
from curate.manifest import read_manifest
from curate.version import Version, versions
from curate.versions.lock import recipe as recipe_of
from distill.checkpoint import folder_digest
from train.evaluate import RESULT
from train.ladder.apart import check_apart
from train.ladder.file import Ladder
from train.ladder.plan import (
    LADDER,
    SETS,
    Run,
    build_overrides,
    build_words,
    eval_words,
    train_words,
    training_settings,
    typed,
)
from train.ladder.processes import Processes, StepError, Took
from train.run import RUN, last_checkpoint
from train.tiny import NAME as TINY

RECORDS, RUNS, LOGS = "records", "runs", "logs"
VIEWS = {"grpo": "rl"}
"""Views that are not called as their trainer is."""


@dataclass(frozen=True)
class Done:
    """A run with all its steps done."""

    run: Run
    folder: Path
    """The run folder: weights, run.json, `eval`."""
    version: Version
    record: dict[str, Any]
    """`commands`, `seconds` and `peak_mb` by step, as far as this or an earlier `train ladder` took them."""

    @property
    def facts(self) -> dict[str, Any]:
        """Its run.json."""
        facts: dict[str, Any] = json.loads((self.folder / RUN).read_text(encoding="utf-8"))
        return facts


@dataclass
class Steps:
    """Takes the steps of runs, in any thread; a parent's before its child's."""

    ladder: Ladder
    root: Path
    out: Path
    on: tuple[str, ...]
    """Which of the sets are asked: `heldout`, `validation`."""
    processes: Processes
    again: frozenset[str] = frozenset()
    """Names of runs that are trained anew though they are done."""
    sets: dict[str, Version] = field(default_factory=dict)
    """The versions of the sets, by name; those that are not asked are built, too, to keep their problems apart."""
    say: Callable[[str], None] = print
    """Told of every command as it starts."""
    _building: defaultdict[str, Lock] = field(default_factory=lambda: defaultdict(Lock))

    def build_sets(self) -> None:
        """The problems that are asked after every stage are there."""
        for name in SETS:
            if chosen := getattr(self.ladder.evaluate, name):
                self.sets[name] = self.built(chosen.manifest, (), {}, name)

    def take(self, run: Run, before: Done | None) -> Done:
        """The run with all its steps done.

        Raises:
            StepError: a command failed.
            LeakError: the stage would train on problems that are asked afterwards.
        """
        student = str(before.folder) if before else self.ladder.student.model
        record: dict[str, Any] = {"run": run.name, "commands": {}, "seconds": {}, "peak_mb": {}}
        chain = {} if before is None else before.record["versions"]
        overrides = build_overrides(run, self._folder(student), {stage: Path(path) for stage, path in chain.items()})
        version = self.built(run.stage.manifest, overrides, record, run.name)
        record["watched"] = check_apart(version, {name: self._asked(name) for name in self.sets})
        record["versions"] = {**chain, run.stage.name: str(version.path.absolute())}
        folder, record = self._trained(run, student, version, record)
        self._measured(run, folder, record)
        return Done(run, folder, version, record)

    def built(self, manifest: str, overrides: tuple[str, ...], record: dict[str, Any], log: str) -> Version:
        """The version that the manifest names now; built only if it is not there."""
        words = build_words(manifest, overrides, self.root)
        record.setdefault("commands", {})["build"] = typed(words)
        read = read_manifest(manifest, overrides)
        with self._building[read.name]:
            found = self._find(manifest, overrides)
            if found is None:
                took = self._run(words, f"{log}.build")
                _note(record, "build", asdict(took))
                found = self._find(manifest, overrides)
        if found is None:
            raise StepError(
                f"{typed(words)}\nwas built, but is not found: a source or the program changed meanwhile. Run it again",
                1,
            )
        return found

    def reference(self, name: str) -> str:
        """How `train eval --on` names the set."""
        return f"{self.sets[name].path}:{getattr(self.ladder.evaluate, name).split}"

    def _asked(self, name: str) -> tuple[Version, str]:
        return self.sets[name], getattr(self.ladder.evaluate, name).split

    def _find(self, manifest: str, overrides: tuple[str, ...]) -> Version | None:
        """The newest version of this recipe; one with replies that failed counts, as the build has done what it can."""
        read = read_manifest(manifest, overrides)
        made = versions(self.root, read.name)
        fixed, states = resolved(read, made)
        wanted = recipe_of(fixed, states)
        same = [version for version in made if version.lock["fingerprint"] == wanted and version.seems_whole()]
        return same[-1] if same else None

    def _folder(self, student: str) -> str | None:
        # A folder of that name where the user stands is not the tiny student.
        return student if student != TINY and Path(student).is_dir() else None

    def _trained(self, run: Run, student: str, version: Version, record: dict[str, Any]) -> tuple[Path, dict[str, Any]]:
        """The run folder, whole, and the record with what its training took."""
        weights = folder_digest(student) if self._folder(student) else student
        config = run.stage.config and yaml.safe_load(Path(run.stage.config).read_text(encoding="utf-8"))
        settings = [list(setting) for setting in training_settings(run, self.ladder)]
        how = [run.stage.trainer, run.stage.view, config, settings, sorted(run.stage.accept)]
        view = version.lock["tables"].get(run.stage.view or VIEWS.get(run.stage.trainer, run.stage.trainer), {})
        rows = {split: part["digest"] for split, part in view.items()}
        made_of = fingerprint("ladder run", rows, weights, how)
        folder = self.out / RUNS / f"{run.name}-{made_of[:8]}"
        kept = None if run.name in self.again else self._read_record(folder)
        if kept and _is_done(folder):
            weights = folder_digest(str(folder))
            if kept.get("weights", weights) == weights:  # without: killed after the training, before the note
                return folder, _joined(kept, record | {"weights": weights})
        # Without a record, anew on request, or done with other weights than were noted: it begins anew.
        resume = kept is not None and not _is_done(folder) and last_checkpoint(folder) is not None
        if not resume:
            shutil.rmtree(folder, ignore_errors=True)
        told = (run, self.ladder, student, str(version.path), folder, self.root)
        record["commands"]["train"] = typed(train_words(*told))
        self._write_record(folder, record)
        took = self._run(train_words(*told, resume), f"{folder.name}.train")
        _note(record, "train", asdict(took))
        record["weights"] = folder_digest(str(folder))
        self._write_record(folder, record)
        return folder, record

    def _measured(self, run: Run, folder: Path, record: dict[str, Any]) -> None:
        """The sets are asked and judged, a control only the first of them; nothing is drawn twice."""
        asked = [name for name in SETS if name in self.on and name in self.sets]
        asked = asked if run.branch == LADDER else asked[:1]
        missing = [name for name in asked if not self.is_measured(folder, name)]
        if missing:
            words = eval_words(self.ladder, folder, [self.reference(name) for name in missing], self.root)
            record["commands"]["eval"] = typed(words)
            took = self._run(words, f"{folder.name}.eval")
            _note(record, "eval", asdict(took))
            self._write_record(folder, record)

    def is_measured(self, folder: Path, name: str) -> bool:
        """Whether the set was asked of these weights, drawn as the ladder says."""
        version, split = self._asked(name)
        told: dict[str, Any] = {}
        with suppress(OSError, ValueError):
            told = json.loads((measured_in(folder, version, split) / RESULT).read_text(encoding="utf-8"))
        asked = self.ladder.evaluate.sampling
        wanted = {
            "row_digest": version.lock["tables"]["rl"][split]["digest"],
            "revision": f"sha256-{folder_digest(str(folder))[:16]}",
            "engine": self.ladder.evaluate.engine,
            **{key: getattr(asked, key) for key in ("temperature", "top_p", "max_tokens", "seed")},
        }
        return {key: told.get(key) for key in wanted} == wanted and told["scores"]["k"] == asked.n

    def _run(self, words: list[str], name: str) -> Took:
        log = self.out / LOGS / f"{name}.log"
        self.say(f"{words[0]} {words[1]}: {log}")
        return self.processes.run(words, log)

    def _read_record(self, folder: Path) -> dict[str, Any] | None:
        try:
            told: dict[str, Any] = json.loads((self.out / RECORDS / f"{folder.name}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return told

    def _write_record(self, folder: Path, record: dict[str, Any]) -> None:
        place = self.out / RECORDS / f"{folder.name}.json"
        place.parent.mkdir(parents=True, exist_ok=True)
        aside = place.with_name(f".{place.name}")
        aside.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        aside.replace(place)


def measured_in(folder: Path, version: Version, split: str) -> Path:
    """Where `train eval` keeps what a run replied to a set."""
    return folder / "eval" / f"{version.name.replace('@', '-')}-{split}"


def _is_done(folder: Path) -> bool:
    with suppress(OSError, ValueError):
        return bool(json.loads((folder / RUN).read_text(encoding="utf-8"))["status"] == "done")
    return False


def _joined(kept: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:
    """The record of an earlier climb with what this one did."""
    return {**kept, **record, **{key: kept.get(key, {}) | record[key] for key in ("commands", "seconds", "peak_mb")}}


def _note(record: dict[str, Any], step: str, took: dict[str, Any]) -> None:
    for what, amount in took.items():
        record.setdefault(what, {})[step] = amount
