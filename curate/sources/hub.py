"""Problems, and rollouts where there are some, from a dataset on the Hugging Face Hub, read as a stream."""

import difflib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, cast

from pydantic import Field

from curate.reading.intake import Columns, Intake, SourceError
from curate.reading.readers import File, read_files

if TYPE_CHECKING:
    from huggingface_hub import DatasetInfo

NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
COMMIT = re.compile(r"[0-9a-f]{40}")
BLOCK_BYTES = 4_000_000


@dataclass(frozen=True)
class Hub:
    """Reads one split, file by file as it comes over the network; nothing is downloaded first, no code is run.

    The Hub is huggingface.co or the one that HF_ENDPOINT names; the token is that of `hf auth login` or HF_TOKEN.
    """

    path: str
    """Organisation and name: `open-r1/OpenR1-Math-220k`."""
    columns: Columns
    """Which column holds what: ours on the left, theirs on the right."""
    config: str | None = None
    """Which of its configurations, where it has several."""
    split: str = "train"
    """One split, whole."""
    revision: str | None = None
    """Commit, tag or branch. Unless said, the head of `main` when first built; the lock then pins it."""
    license: str | None = None
    """SPDX identifier, for rows that name none; what the dataset's card says unless said."""
    teacher: str | None = None
    """Who wrote the rollouts, where no column says it."""
    source: str | None = None
    """What the rows are from; the path unless said."""
    limit: Annotated[int, Field(ge=1)] | None = None
    """Read at most this many rows."""

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.path):
            raise ValueError(f"path: {self.path!r} is no dataset of the Hub. Write organisation/name")

    def __call__(self) -> Iterator[Intake]:
        """All rows of the split, in the order of its files.

        Raises:
            SourceError: no such dataset, revision, config, split or column; no access; no network; a damaged file.
        """
        from httpx2 import HTTPError

        info = self._info()
        named = [
            File(name, partial(_open, url), self.source or self.path)
            for name, url in self._files(info.id, str(info.sha)).items()
        ]
        license = self.license or _license(info)
        try:
            yield from read_files(named, self.columns, license=license, teacher=self.teacher, limit=self.limit)
        except HTTPError as fault:
            raise SourceError(f"{self.path}: the Hub stopped answering ({fault}). Build again to go on") from fault

    def state(self) -> dict[str, str]:
        """The commit that is read, as `revision`. Asks the Hub unless the revision is a commit already."""
        if self.revision is not None and COMMIT.fullmatch(self.revision):
            return {"revision": self.revision}
        return {"revision": str(self._info().sha)}

    def _info(self) -> "DatasetInfo":
        from httpx2 import HTTPError
        from huggingface_hub import HfApi
        from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

        api = HfApi()
        try:
            return api.dataset_info(self.path, revision=self.revision, timeout=30)
        except GatedRepoError as fault:
            raise SourceError(self._no_access(api.endpoint)) from fault
        except RepositoryNotFoundError as fault:
            raise SourceError(
                f"{self.path}: no such dataset at {api.endpoint}, or it is private and you are not logged in "
                "(hf auth login)"
            ) from fault
        except RevisionNotFoundError as fault:
            raise SourceError(
                f"{self.path}: no revision {self.revision!r}. Name a commit, a tag or a branch"
            ) from fault
        except (HTTPError, OSError) as fault:
            raise SourceError(f"{self.path}: cannot reach the Hub at {api.endpoint} ({_first_line(fault)})") from fault

    def _files(self, name: str, revision: str) -> dict[str, str]:
        """The hf:// address of every file of the split, by its path in the repository."""
        from datasets import load_dataset_builder
        from huggingface_hub import constants

        try:
            # Resolves the card's configs and the naming rules of files, and reads no data.
            builder = load_dataset_builder(name, self.config, revision=revision)
        except FileNotFoundError as fault:
            gated = "gated" in str(fault)
            text = self._no_access(constants.ENDPOINT) if gated else f"{self.path}: {_first_line(fault)}"
            raise SourceError(text) from fault
        except OSError as fault:
            raise SourceError(
                f"{self.path}: cannot reach the Hub at {constants.ENDPOINT} ({_first_line(fault)})"
            ) from fault
        except (ValueError, ImportError, RuntimeError) as fault:
            raise SourceError(f"{self.path}: {self._config_fault(revision, fault)}") from fault
        splits: dict[str, Any] = {str(split): urls for split, urls in (builder.config.data_files or {}).items()}
        if self.split not in splits:
            raise SourceError(f"{self.path}: no split {self.split!r}.{_guess(self.split, list(splits))}")
        root = f"hf://datasets/{name}@{revision}/"
        urls = [str(url) for url in splits[self.split]]
        # The card of a dataset may name files anywhere; only those of the pinned commit are read.
        strange = [url for url in urls if not url.startswith(root) or ".." in url.split("/")]
        if strange:
            raise SourceError(f"{self.path}: its card names a file outside the dataset: {strange[0]}")
        return {url.removeprefix(root): url for url in urls}

    def _no_access(self, endpoint: str) -> str:
        return f"{self.path}: gated. Ask for access at {endpoint}/datasets/{self.path}, then log in (hf auth login)"

    def _config_fault(self, revision: str, fault: Exception) -> str:
        from datasets import get_dataset_config_names

        text = str(fault)
        if "Config name is missing" not in text and "BuilderConfig" not in text:
            return _first_line(fault)
        names = [str(name) for name in get_dataset_config_names(self.path, revision=revision)]
        if self.config is None:
            return f"has several configs. Set config to one of: {', '.join(names)}"
        return f"no config {self.config!r}.{_guess(self.config, names)}"


def _open(url: str) -> BinaryIO:
    from huggingface_hub import HfFileSystem

    stream = HfFileSystem().open(url, "rb", block_size=BLOCK_BYTES)
    return io.BufferedReader(cast("io.RawIOBase", stream), BLOCK_BYTES)


def _license(info: "DatasetInfo") -> str | None:
    said = info.card_data.license if info.card_data is not None else None
    return ", ".join(said) if isinstance(said, list) else said


def _guess(given: str, there: list[str]) -> str:
    close = difflib.get_close_matches(given, there, n=1)
    return (f" Did you mean {close[0]!r}?" if close else "") + f" There are: {', '.join(there)}"


def _first_line(fault: BaseException) -> str:
    line = (str(fault).strip() or type(fault).__name__).splitlines()[0]
    return line if len(line) <= 200 else f"{line[:200]} ..."
