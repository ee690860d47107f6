"""One dataset repository on the Hub as sharing sees it: its head, tags and files, and its errors in our words.

The Hub is huggingface.co, or the one that the environment variable HF_ENDPOINT names; the token comes from
`hf auth login` or HF_TOKEN. Neither is ever read from a manifest or a lock: the token goes wherever the endpoint says.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from curate.version import LOCK

if TYPE_CHECKING:
    from huggingface_hub import HfApi

REPO = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,95}/[A-Za-z0-9][A-Za-z0-9_.-]{0,95}", re.ASCII)
HOME = "https://huggingface.co"
LOCK_BYTES = 64_000_000
"""A longer lock is not read."""


class ShareError(ValueError):
    """Asked for in a way that cannot be: a name, a missing word."""


class RefusedError(ValueError):
    """Could be done, and would do harm: the text says which, and what to do instead."""


class HubError(RuntimeError):
    """The Hub cannot be reached, or does not let us. What was done stands; the same command goes on from there."""


@dataclass(frozen=True)
class RemoteFile:
    """One file at one commit, by the Hub's own listing."""

    size: int
    git_oid: str
    sha256: str | None
    """Of large files only; others are known by their git oid."""


@dataclass(frozen=True)
class State:
    """What the repository shows at one moment."""

    head: str
    private: bool
    tags: dict[str, str]
    """Commits by tag."""
    files: dict[str, RemoteFile]
    """Of the head of `main`, by path."""


@dataclass(frozen=True)
class Remote:
    """A dataset repository; every method asks the Hub and raises HubError where it does not answer."""

    repo: str
    """Organisation and name."""
    api: "HfApi"

    def __post_init__(self) -> None:
        if not REPO.fullmatch(self.repo) or ".." in self.repo or "--" in self.repo:
            raise ShareError(f"{self.repo!r} is no dataset of the Hub. Write organisation/name")

    @property
    def endpoint(self) -> str:
        """Where requests and the token go."""
        return str(self.api.endpoint)

    @cached_property
    def shown(self) -> str:
        """The repository for people, with the host where that is not the usual one."""
        return self.repo if self.endpoint == HOME else f"{self.repo} at {self.endpoint} (HF_ENDPOINT)"

    def state(self) -> State | None:
        """What is there now; None where there is no such repository, or none that we may see."""
        from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

        with self.told():
            try:
                info = self.api.dataset_info(self.repo, revision="main", timeout=30)
            except GatedRepoError:
                raise
            except RepositoryNotFoundError:
                return None
            return State(str(info.sha), bool(info.private), self.tags(), self.files(str(info.sha)))

    def tags(self) -> dict[str, str]:
        """Commits by tag."""
        with self.told():
            refs = self.api.list_repo_refs(self.repo, repo_type="dataset")
        return {tag.name: tag.target_commit for tag in refs.tags}

    def files(self, commit: str) -> dict[str, RemoteFile]:
        """Every file at the commit, by path."""
        from huggingface_hub.hf_api import RepoFile

        with self.told():
            tree = list(self.api.list_repo_tree(self.repo, recursive=True, revision=commit, repo_type="dataset"))
        return {
            entry.path: RemoteFile(entry.size, entry.blob_id, entry.lfs.sha256 if entry.lfs else None)
            for entry in tree
            if isinstance(entry, RepoFile)
        }

    def fetch(self, path: str, commit: str, folder: Path) -> Path:
        """The file at the commit, written below the folder; taken up again where an earlier call broke off."""
        with self.told():
            found = self.api.hf_hub_download(self.repo, path, repo_type="dataset", revision=commit, local_dir=folder)
        return Path(found)

    def lock(self, commit: str, files: dict[str, RemoteFile]) -> dict[str, Any] | None:
        """The lock at the commit as somebody wrote it; None where there is none that can be read."""
        if LOCK not in files or files[LOCK].size > LOCK_BYTES:
            return None
        with TemporaryDirectory() as folder:
            text = self.fetch(LOCK, commit, Path(folder)).read_bytes()
        try:
            lock = json.loads(text)
        except (ValueError, RecursionError):
            return None
        return lock if isinstance(lock, dict) else None

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turns the errors of huggingface_hub into HubError, in our words; its progress bars give way to ours.

        Raises:
            HubError: the only one that leaves, but for those of our own.
        """
        from httpx2 import HTTPError
        from huggingface_hub.errors import (
            FileMetadataError,
            HfHubHTTPError,
            LocalEntryNotFoundError,
            OfflineModeIsEnabled,
        )
        from huggingface_hub.utils.tqdm import (
            are_progress_bars_disabled,
            disable_progress_bars,
            enable_progress_bars,
        )

        quiet = are_progress_bars_disabled()
        disable_progress_bars()
        try:
            yield
        except OfflineModeIsEnabled as fault:
            raise HubError("HF_HUB_OFFLINE is set: the Hub is not asked. Unset it to share") from fault
        except HfHubHTTPError as fault:
            status = fault.response.status_code if fault.response is not None else 0
            raise HubError(self._refusal(status, fault)) from fault
        except (LocalEntryNotFoundError, FileMetadataError, HTTPError, ConnectionError, TimeoutError) as fault:
            cause = fault.__cause__ or fault
            raise HubError(
                f"cannot reach the Hub at {self.endpoint} ({_first_line(cause)}). The same command goes on from here"
            ) from fault
        except RuntimeError as fault:
            # So an upload that failed in a thread is told, with what went wrong as its cause.
            if not isinstance(fault.__cause__, HTTPError):
                raise
            raise HubError(
                f"{self.shown}: {_first_line(fault)} ({_first_line(fault.__cause__)}). The same command goes on"
            ) from fault
        finally:
            if not quiet:
                enable_progress_bars()

    def _refusal(self, status: int, fault: Exception) -> str:
        login = "hf auth login, or HF_TOKEN in the environment"
        match status:
            case 401:
                return f"{self.shown}: the Hub does not know you (401). Log in: {login}"
            case 403:
                return (
                    f"{self.shown}: your token may not do this (403). It needs write access to "
                    f"{self.repo.split('/')[0]}; make another one ({self.endpoint}/settings/tokens), then {login}"
                )
            case 404:
                return f"{self.shown}: not there, or private and not yours to see (404). Is the name right? {login}"
            case 409:
                return f"{self.shown}: exists already (409). Somebody was faster; the same command looks again"
            case 412:
                return f"{self.shown}: changed since we looked (412). Nothing was changed; the same command looks again"
            case 429:
                return f"{self.shown}: too many requests (429). Wait some minutes; the same command goes on from here"
            case _:
                return f"{self.shown}: the Hub answered {status} ({_first_line(fault)}). The same command goes on"


def dataset_remote(repo: str) -> Remote:
    """The repository at the Hub of this environment."""
    from huggingface_hub import HfApi

    return Remote(repo, HfApi())


def _first_line(fault: BaseException) -> str:
    line = (str(fault).strip() or type(fault).__name__).splitlines()[0]
    return line if len(line) <= 200 else f"{line[:200]} ..."
