"""The part of the report that tells of runs: teachers, reinforcement learning, time, versions, machine, commands."""

import json
import os
import platform
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import fmean
from typing import Any

from train.ladder.blocks import Block, Code, Heading, Items, Table, Text
from train.ladder.plan import LADDER
from train.ladder.results import Results
from train.ladder.steps import Done
from train.ladder.teachers import truth_of
from train.ladder.told_scores import share
from train.run import METRICS

STEPS = ("build", "train", "eval")


def teacher_blocks(done: Sequence[Done]) -> Iterator[Block]:
    """How often the teachers err in truth, and how well the verdicts know it."""
    versions = {one.version.name: one.version for one in done}
    truths = [truth for version in versions.values() if (truth := truth_of(version))]
    if not truths:
        return
    yield Heading("The teacher, and the verifier that judged it")
    yield Text(
        "The tutor plants its errors and knows of each. Agreement: the share of rollouts whose verdict is the one that "
        "a perfect verifier gives."
    )
    rows = []
    for truth in truths:
        odd = ", ".join(f"{true} judged {given}: {n:,}" for (true, given), n in truth.confusions.items())
        rates = [share(truth.errors), f"{100 * truth.agreement:.2f}"]
        rows.append([truth.version, truth.teacher, truth.rollouts, *rates, odd or "none"])
    yield Table(["version", "teacher", "rollouts", "errs, %", "agreement, %", "disagreements"], rows)


def rl_blocks(done: Sequence[Done], found: Results) -> Iterator[Block]:
    """The course of every RL branch: reward, length, groups without variance, how far the seeds lie apart."""
    gathered: dict[str, list[Done]] = {}
    for one in done:
        if one.run.stage.trainer == "grpo":
            gathered.setdefault(one.run.branch, []).append(one)
    if not gathered:
        return
    yield Heading("Reinforcement learning")
    yield Text(
        "First and last: the mean over the first and the last fifth of the steps, then over seeds. No variance: the "
        "share of groups whose rewards are all equal. Fall: the largest fall of the share of correct rollouts, in "
        "points, between a fifth of the steps and a later one. Spread: the standard deviation of the final score "
        "between seeds."
    )
    rows = []
    for branch, runs in gathered.items():
        logs = [_logs(one) for one in runs]
        rung = found.rung(runs[0].run.stage.name if branch == LADDER else branch)
        spread = f"{100 * rung.score().spread:.1f}" if rung and len(runs) > 1 else "one seed"
        ends = [_ends(logs, name) for name in ("group/accuracy", "reward", "completions/mean_length")]
        flat = _mean(logs, "frac_reward_zero_std")
        falls = fmean(_fall(_course(log, "group/accuracy")) for log in logs)
        rows.append([branch, len(logs[0]), *ends, flat, f"{100 * falls:.1f}", spread])
    header = ["branch", "logs", "correct", "reward", "tokens", "no variance", "fall", "spread"]
    yield Table(header, rows)


def time_blocks(done: Sequence[Done], seconds: float) -> Iterator[Block]:
    """Time, tokens and memory by stage: sums over seeds."""
    yield Heading("Time and tokens")
    yield Text(
        "Seconds of wall clock by step, summed over seeds, the start of each process included; a step that an earlier "
        f"call had done has the time it took then. This call took {seconds / 60:.1f} minutes. Peak: the most memory of "
        "one process."
    )
    gathered: dict[tuple[str, str], list[Done]] = {}
    for one in done:
        gathered.setdefault((one.run.branch, one.run.stage.name), []).append(one)
    rows, total = [], 0.0
    for (branch, stage), runs in gathered.items():
        took = [sum(one.record["seconds"].get(step, 0.0) for one in runs) for step in STEPS]
        total += sum(took)
        results = [one.facts["result"] for one in runs]
        peak = max((peak for one in runs for peak in one.record["peak_mb"].values()), default=0)
        name = stage if branch == LADDER else f"{branch}: {stage}"
        counts = [sum(result[what] for result in results) for what in ("steps", "tokens")]
        rows.append([name, *(round(each) for each in took), *counts, results[0]["parameters"], peak])
    rows.append(["all", *(sum(int(row[i]) for row in rows) for i in range(1, 6)), "", max(int(row[7]) for row in rows)])
    header = ["stage", "build, s", "train, s", "eval, s", "steps", "tokens trained on", "parameters", "peak, MB"]
    yield Table(header, rows)


def provenance_blocks(done: Sequence[Done], found: Sequence[Results]) -> Iterator[Block]:
    """Versions, run records, digests, commands, machine and libraries."""
    yield Heading("What was run")
    rows: list[list[object]] = []
    for one in done:
        facts = one.facts
        data, digest = facts["data"], facts["data"]["row_digest"][:12]
        view = f"{data['view']}:{data['split']}, {data['rows']:,} rows"
        rows.append([one.run.name, one.folder.name, data["version"], view, digest, one.record["weights"][:12]])
    yield Table(["run", "run record", "version", "trained on", "row digest", "weights"], rows)
    for results in found:
        rung = results.rungs[0]
        digest = rung.version.digest[:12]
        yield Text(
            f"{results.name}: {rung.version.name}:{rung.split}, {rung.problems.height:,} problems, digest {digest}."
        )
    watched = {f"{name} {n:,}" for one in done for name, n in one.record.get("watched", {}).items() if n}
    said = f"held out there, and seen by a held-out loss at most: {', '.join(sorted(watched))}" if watched else "none"
    yield Text(f"Problems of these sets in versions that were trained on: none in training rows; {said}.")
    libraries = ", ".join(f"{name} {version}" for name, version in done[0].facts["libraries"].items() if version)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}"
    yield Items([f"Machine: {machine}, Python {platform.python_version()}", f"Libraries: {libraries}"])
    seed = done[0].run.seed
    yield Text(f"The commands of seed {seed}, each of which can be run by hand:")
    told = [command for one in done if one.run.seed == seed for command in _commands(one)]
    yield Code("\n".join(dict.fromkeys(told)))


def _commands(one: Done) -> list[str]:
    return [one.record["commands"][step] for step in STEPS if step in one.record["commands"]]


def _logs(one: Done) -> list[dict[str, Any]]:
    lines = (one.folder / METRICS).read_text(encoding="utf-8").splitlines()
    return [log for log in map(json.loads, lines) if "reward" in log]


def _course(log: list[dict[str, Any]], name: str) -> list[float]:
    return [entry[name] for entry in log if entry.get(name) is not None]


def _fifths(course: list[float]) -> list[float]:
    """The means of the five parts of a course, as equal as can be; of a shorter one, its values."""
    ends = [len(course) * part // 5 for part in range(6)]
    return [fmean(course[start:end]) for start, end in pairwise(ends) if start < end]


def _ends(logs: list[list[dict[str, Any]]], name: str) -> str:
    fifths = [_fifths(course) for log in logs if (course := _course(log, name))]
    if not fifths:
        return ""
    return f"{fmean(each[0] for each in fifths):.3g} to {fmean(each[-1] for each in fifths):.3g}"


def _mean(logs: list[list[dict[str, Any]]], name: str) -> str:
    courses = [course for log in logs if (course := _course(log, name))]
    return f"{fmean(fmean(course) for course in courses):.2f}" if courses else ""


def _fall(course: list[float]) -> float:
    """The largest fall from a fifth of the course to a later one; 0 where it never falls."""
    fifths = _fifths(course)
    return max((high - low for i, high in enumerate(fifths) for low in fifths[i:]), default=0.0)
