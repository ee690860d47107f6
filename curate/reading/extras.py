"""Whether the libraries of an extra are here, told before a stage that needs them runs."""

from importlib.util import find_spec

from curate.reading.intake import SourceError


def check_installed(extra: str, *modules: str) -> None:
    """Passes if all modules can be imported; imports none.

    Raises:
        SourceError: some cannot; says which, and how to install the extra.
    """
    if missing := [module for module in modules if find_spec(module) is None]:
        raise SourceError(f"{' and '.join(missing)} not installed. pip install 'cotillion[{extra}]'")
