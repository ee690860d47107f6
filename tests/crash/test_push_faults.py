"""A push that is disturbed at each of its requests: the Hub goes down before it or after it, or the client is killed.

`main` shows the earlier version or the new one and nothing else, a tag stands on the new one's bytes only, and pushing
again ends well.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain, repeat
from queue import Empty, Queue

import pytest
from huggingface_hub import HfApi

from curate.progress import Steps
from curate.share.hub import HubError, RefusedError, Remote
from curate.share.plan import plan_push
from curate.share.push import push
from curate.version import Version
from tests.crash.trials import FULL
from tests.fakehub import Call, FakeHub
from tests.tiny_versions import two_versions

REPO = "me/tiny"
BEFORE, AFTER = 0, -1
"""The Hub hangs up and does nothing, or does what was asked and hangs up without an answer."""

# One interpreter, forked for every trial: it has imported all and used nothing yet.
PUSHER = """
import os, sys
from pathlib import Path
from huggingface_hub import HfApi
import huggingface_hub.hf_api, huggingface_hub._commit_api, huggingface_hub.file_download
from curate.progress import Steps
from curate.share.hub import Remote
from curate.share.plan import plan_push
from curate.share.push import push
from curate.version import Version
for line in sys.stdin:
    url, path = line.split()
    child = os.fork()
    if not child:
        remote = Remote("me/tiny", HfApi(endpoint=url, token="hf_test"))
        push(plan_push(Version(Path(path)), remote, False, ()), Steps(quiet=True))
        os._exit(0)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Version, Version]:
    return two_versions(tmp_path_factory.mktemp("versions"))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    with FakeHub() as running:
        yield running


def contents(version: Version) -> dict[str, bytes]:
    return {name: (version.path / name).read_bytes() for name in (*version.lock["files"], "lock.json")}


def pushed(hub: FakeHub, version: Version) -> None:
    remote = Remote(REPO, HfApi(endpoint=hub.url, token="hf_test"))
    push(plan_push(version, remote, False, ()), Steps(quiet=True))


def points(hub: FakeHub, old: Version | None, new: Version) -> list[int]:
    """Which requests of a push to disturb, from 1: all in a full run, else an upload, the commit and the tag."""
    anew(hub, old)
    hub.calls.clear()
    pushed(hub, new)
    paths = [call.path for call in hub.calls]
    telling = [next(n for n, path in enumerate(paths, 1) if part in path) for part in ("/lfs/", "/commit/", "/tag/")]
    return list(range(1, len(paths) + 1)) if FULL else telling


def anew(hub: FakeHub, old: Version | None) -> None:
    """A Hub that holds the old version alone."""
    hub.fault = lambda call: None
    hub.repos.clear()
    hub.blobs.clear()
    if old:
        pushed(hub, old)


def assert_whole(hub: FakeHub, old: Version | None, new: Version) -> None:
    """Every commit that `main` ever showed is whole, and the new tag stands on the new bytes."""
    if REPO not in hub.repos:
        return
    repo = hub.repos[REPO]
    allowed = [{}, contents(new), *([contents(old)] if old else [])]
    shown = [{n: d for n, d in files.items() if n != ".gitattributes"} for files in repo.commits.values()]
    assert [files.keys() for files in shown if files not in allowed] == []
    tag = f"v{new.lock['version']}"
    if tag in repo.tags:
        assert contents(new).items() <= repo.commits[repo.tags[tag]].items()


def from_request(hub: FakeHub, n: int, disturb: Callable[[], int]) -> Callable[[Call], int | None]:
    """Lets n - 1 requests pass from now on."""
    start = len(hub.calls)
    return lambda call: disturb() if len(hub.calls) - start >= n else None


@pytest.mark.parametrize("mode", [BEFORE, AFTER, *([503] if FULL else [])])
@pytest.mark.parametrize("update", [True, False])
def test_a_hub_that_goes_down_leaves_the_old_or_the_new(
    hub: FakeHub, versions: tuple[Version, Version], mode: int, update: bool
) -> None:
    old, new = (versions[0], versions[1]) if update else (None, versions[1])
    failed = 0
    for n in points(hub, old, new):
        anew(hub, old)
        hub.fault = from_request(hub, n, chain([mode], repeat(503)).__next__)
        try:
            pushed(hub, new)
        except (HubError, RefusedError):
            failed += 1
        assert_ends_well(hub, old, new)
    assert failed, "nothing was disturbed"


@pytest.mark.parametrize("mode", [BEFORE, AFTER])
def test_a_client_that_is_killed_leaves_the_old_or_the_new(
    hub: FakeHub, versions: tuple[Version, Version], mode: int
) -> None:
    old, new = versions
    tried = points(hub, old, new)
    pids: Queue[int] = Queue()  # told a moment after the child began
    killed = 0

    def kill() -> int:
        with suppress(Empty):  # of requests that were on their way together the first one kills
            os.kill(pids.get(timeout=1), signal.SIGKILL)
        return mode

    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    environment = {**kept, "HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, "-c", PUSHER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as pusher:
        assert pusher.stdin
        assert pusher.stdout
        for n in tried:
            anew(hub, old)
            hub.fault = from_request(hub, n, kill)
            print(hub.url, new.path, file=pusher.stdin, flush=True)
            pids.put(int(pusher.stdout.readline()))
            killed += os.waitstatus_to_exitcode(int(pusher.stdout.readline())) == -signal.SIGKILL
            assert_ends_well(hub, old, new)
        pusher.stdin.close()
    assert killed == len(tried)


def assert_ends_well(hub: FakeHub, old: Version | None, new: Version) -> None:
    """What is left is whole, and pushing again brings the new version."""
    assert_whole(hub, old, new)
    hub.fault = lambda call: None
    pushed(hub, new)
    assert_whole(hub, old, new)
    repo = hub.repos[REPO]
    assert repo.tags[f"v{new.lock['version']}"] == repo.branches["main"]
