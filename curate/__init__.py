"""Manifest in, dataset version out. `curate.open("math@v3")` opens one."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from curate.version import Version

__all__ = ["open"]


def open(reference: str | Path, root: Path | str | None = None) -> "Version":
    """The version named `v3`, `math@v3`, `math@latest`, `latest`, or by its folder.

    Raises:
        VersionError: nothing of that name, or several that it could mean.
    """
    from curate.version import open_version  # polars takes a quarter of a second, `import curate` should not

    return open_version(reference, root)
