"""What a manifest reads from this machine and what is not there, looked at without reading it."""

from typing import TYPE_CHECKING

from curate.plug import Finds
from curate.reading.intake import SourceError

if TYPE_CHECKING:
    from curate.manifest import Manifest


def absent(manifest: "Manifest") -> list[str]:
    """Files and versions that are not there, each after the place in the manifest that names it; no Hub is asked."""
    faults = []
    for kind, uses in (("sources", manifest.sources), ("problems", manifest.problems)):
        for place, use in enumerate(uses):
            if isinstance(use.plug, Finds):
                try:
                    use.plug.find()
                except SourceError as error:
                    faults.append(f"{kind}.{place} ({use.name}): {error}")
    return faults
