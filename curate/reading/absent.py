"""What a manifest reads from this machine and what is not there, looked at without reading it."""

from typing import TYPE_CHECKING

from curate.reading.intake import SourceError

if TYPE_CHECKING:
    from curate.manifest import Manifest


def absent(manifest: "Manifest") -> list[str]:
    """Files and versions that are not there, each after the place in the manifest that names it; no Hub is asked."""
    faults = []
    places = [(f"sources.{place}", use) for place, use in enumerate(manifest.sources)]
    places += [(f"problems.{use.name}", use) for use in manifest.problems]
    for place, use in places:
        try:
            # A source or stage has `find` where it reads something that lies here.
            getattr(use.plug, "find", lambda: None)()
        except SourceError as error:
            faults.append(f"{place}: {error}")
    return faults
