"""What a manifest needs of this machine and what is not there, looked at before anything is read."""

from typing import TYPE_CHECKING

from curate.plug import Finds
from curate.reading.intake import SourceError

if TYPE_CHECKING:
    from curate.manifest import Manifest


def check_there(manifest: "Manifest") -> None:
    """Passes if a build can begin.

    Raises:
        SourceError: all that is not there.
    """
    if faults := absent(manifest):
        raise SourceError("\n".join(faults))


def absent(manifest: "Manifest") -> list[str]:
    """Files, versions and libraries that are not there, each after the place in the manifest that needs it."""
    faults = []
    kinds = (("sources", manifest.sources), ("problems", manifest.problems), ("tags", manifest.tags))
    for kind, uses in kinds:
        for place, use in enumerate(uses):
            if isinstance(use.plug, Finds):
                try:
                    use.plug.find()
                except SourceError as error:
                    faults.append(f"{kind}.{place} ({use.name}): {error}")
    return faults
