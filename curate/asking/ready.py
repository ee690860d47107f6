"""Whether the teachers of a manifest can be asked at all, looked at before a build reads or spends anything."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from curate.plug import asks
from distill.request import TeacherError

if TYPE_CHECKING:
    from curate.manifest import Manifest


def check_ready(manifest: "Manifest") -> None:
    """Passes if no teacher is sure that it cannot answer.

    Raises:
        TeacherError: every one that is, and which stage would ask it.
    """
    if faults := unready(manifest):
        raise TeacherError("\n".join([*faults, "Nothing was read or asked yet; curate build --offline asks nobody"]))


def unready(manifest: "Manifest") -> list[str]:
    """Why teachers cannot be asked here, each after the stage that would ask it."""
    faults = []
    for stage, teacher in _asked(manifest):
        try:
            # A teacher has `ready` where it has something to say (distill.request.Teacher).
            getattr(teacher, "ready", lambda: None)()
        except TeacherError as error:
            faults.append(f"{stage}: {error}")
    return faults


def _asked(manifest: "Manifest") -> Iterator[tuple[str, Any]]:
    if manifest.rollouts:
        yield f"teacher.{manifest.rollouts.teacher.name}", manifest.rollouts.teacher.plug
    for kind, uses in (("problems", manifest.problems), ("verdicts", manifest.verdicts), ("tags", manifest.tags)):
        yield from ((f"{kind}.{use.name}", use.plug.teacher) for use in uses if asks(use.plug))
