"""The faults of a run: which tasks failed and of what, in the words of the tasks, and what was kept all the same."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curate.asking.lost_reasoning import LostReasoningError
from curate.engine import WorkerError
from curate.workers.launch import DIED
from distill.request import TeacherError

SHOWN = 5


class RankError(WorkerError):
    """Tasks of an engine failed; what the others made is kept."""

    resumable = True


def faults_of(ended: list[dict[str, Any] | None]) -> list[tuple[int, dict[str, str]]]:
    """Every fault, with the task that told it.

    Args:
        ended: what each task said at its end; None of one that said nothing.
    """
    silent = {"what": "", "kind": DIED, "text": "ended without a word: killed, or its machine was lost"}
    return [
        (rank, fault | ({"what": f"{fault['what']} on {said['host']}".strip()} if said else {}))
        for rank, said in enumerate(ended)
        for fault in (said["faults"] if said else [silent])
    ]


def failure(
    name: str, engine: str, run: Path, ended: list[dict[str, Any] | None], kept: str, lacking: Sequence[str] = ()
) -> Exception:
    """The error to raise: a `RankError`, or what a task said of its teacher.

    Args:
        name: of the stage.
        engine: its name.
        ended: what each task said at its end.
        kept: what was done all the same, as a sentence.
        lacking: shards without whole marks.
    """
    faults = faults_of(ended)
    told = [f"  task {rank}: {_said(fault)}" for rank, fault in faults[:SHOWN]]
    told += [f"  and {len(faults) - SHOWN} more"] if len(faults) > SHOWN else []
    if not faults:
        told.append(f"  all tasks ended well, but shards {', '.join(lacking[:SHOWN])} have no whole marks here")
    if all(said is None for said in ended):
        told.append(f"  no task left a word: do all workers see {run.absolute()}?")
        told += [f"  {fault}" for fault in [_launch_fault(run)] if fault]
    bad = len({rank for rank, _ in faults})
    text = "\n".join(
        [
            f"{name}: {bad} of {len(ended)} tasks failed on engine {engine}. {kept}",
            *told,
            f"  logs: {run.absolute() / 'logs'}, {run.parent.absolute() / 'launch.log'}",
        ]
    )
    kinds = {"TeacherError": TeacherError, "LostReasoningError": LostReasoningError}
    return next((kinds[fault["kind"]](text) for _, fault in faults if fault["kind"] in kinds), RankError(text))


def _said(fault: dict[str, str]) -> str:
    kind = "" if fault["kind"] == DIED else f"{fault['kind']}: "
    where = f" ({fault['what']})" if fault["what"] else ""
    return f"{kind}{fault['text'][:500]}{where}"


def _launch_fault(run: Path) -> str | None:
    over = run / "over.json"
    fault: str | None = json.loads(over.read_text(encoding="utf-8"))["fault"] if over.exists() else None
    return fault
