"""`curate pull` from a Hub on 127.0.0.1: the same version or none; nothing that a stranger's lock says is believed."""

import copy
import json
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi

from curate.progress import Steps
from curate.share.foreign_lock import ForeignError, check_card, read_foreign_lock
from curate.share.hub import HubError, RefusedError, Remote, ShareError
from curate.share.plan import plan_push
from curate.share.pull import Pulled, pull, split_reference
from curate.share.push import push
from curate.version import Version, versions
from curate.versions.publish import BusyError, builder_lock
from tests.fakehub import FakeHub
from tests.tiny_versions import row, tiny_version, two_versions
from train.data import open_view

REPO = "me/tiny"
QUIET = Steps(quiet=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Version, Version]:
    return two_versions(tmp_path_factory.mktemp("versions"))


@pytest.fixture(scope="module")
def holder(made: tuple[Version, Version]) -> Iterator[FakeHub]:
    """Holds both versions."""
    with pytest.MonkeyPatch.context() as patch, FakeHub() as running:
        patch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
        patch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
        for version in made:
            push(plan_push(version, remote(running), False, ()), QUIET)
        yield running


@pytest.fixture
def hub(holder: FakeHub) -> Iterator[FakeHub]:
    """As it was before the last test."""
    repos = copy.deepcopy(holder.repos)
    holder.calls.clear()
    yield holder
    holder.repos, holder.fault, holder.served = repos, lambda call: None, lambda path, data: data


def remote(hub: FakeHub) -> Remote:
    return Remote(REPO, HfApi(endpoint=hub.url, token="hf_test"))


def pulled(hub: FakeHub, root: Path, tag: str = "v2") -> Pulled:
    return pull(remote(hub), tag, root, QUIET)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_pulled_version_is_the_one_that_was_pushed(
    hub: FakeHub, made: tuple[Version, Version], tmp_path: Path
) -> None:
    for version, tag in zip(made, ("v1", "v2"), strict=True):
        got = pulled(hub, tmp_path, tag)
        assert got.made
        assert got.version.path == tmp_path / "tiny" / tag
        assert contents(got.version.path) == contents(version.path)
        assert got.version.digest == version.digest
        got.version.check_files()
    assert [version.name for version in versions(tmp_path, "tiny")] == ["tiny@v1", "tiny@v2"]
    assert open_view("tiny@v2", "sft", tmp_path).facts["rows"] == made[1].lock["tables"]["sft"]["train"]["rows"]
    assert {file.stat().st_mode & 0o222 for file in (tmp_path / "tiny").rglob("*.parquet")} == {0}


def test_pulling_again_does_nothing_and_latest_is_the_newest(hub: FakeHub, tmp_path: Path) -> None:
    assert pulled(hub, tmp_path, "latest").version.name == "tiny@v2"
    before = len(hub.calls)
    assert pulled(hub, tmp_path, "latest").made is False
    assert [call.path for call in hub.calls[before:] if ".parquet" in call.path] == []


def test_a_version_that_stands_is_never_overwritten(hub: FakeHub, tmp_path: Path) -> None:
    mine = tiny_version(tmp_path, [row(n, " mine") for n in range(3)])
    before = contents(mine.path)
    with pytest.raises(RefusedError, match=r"tiny/v1 stands already and is another version than that of me/tiny"):
        pulled(hub, tmp_path / "data", "v1")
    assert contents(mine.path) == before


def test_a_dataset_that_is_being_built_is_left_alone(hub: FakeHub, tmp_path: Path) -> None:
    with builder_lock(tmp_path / "tiny"), pytest.raises(BusyError, match="tiny is being built"):
        pulled(hub, tmp_path)


@pytest.mark.parametrize("n", [1, 2, 3, 6, 9, 14])
def test_a_pull_that_breaks_off_shows_nothing_and_goes_on(hub: FakeHub, tmp_path: Path, n: int) -> None:
    down = chain([0], repeat(503)).__next__
    hub.fault = lambda call: down() if len(hub.calls) >= n else None
    with pytest.raises(HubError):
        pulled(hub, tmp_path)
    assert versions(tmp_path, "tiny") == []
    hub.fault = lambda call: None
    there = {file.name for file in tmp_path.rglob("*.parquet")}
    hub.calls.clear()
    pulled(hub, tmp_path).version.check_files()
    assert [path.name for path in (tmp_path / "tiny").iterdir() if path.name.startswith(".pulling")] == []
    again = [call.path for call in hub.calls if call.method == "GET" and ".parquet" in call.path]
    assert len(again) <= 6 - len(there)


def test_a_file_that_comes_as_other_bytes_is_not_taken(hub: FakeHub, tmp_path: Path) -> None:
    hub.served = lambda path, data: data[:-9] + b"x" * 9 if path.startswith("rollouts/") else data
    with pytest.raises(HubError, match=r"rollouts/train-00000-of-00001.parquet: came as other bytes"):
        pulled(hub, tmp_path)
    assert versions(tmp_path, "tiny") == []


@pytest.mark.parametrize(
    "reference", ["v3", "me/tiny", "me/tiny@3", "me/tiny@v0", "me/../x@v3", "@v1", "me/tiny@v1/..", ""]
)
def test_what_names_no_version_is_refused(reference: str) -> None:
    with pytest.raises(ShareError, match=r"write org/name@v3"):
        split_reference(reference)


def test_a_tag_that_is_not_there_is_answered_with_those_that_are(hub: FakeHub, tmp_path: Path) -> None:
    with pytest.raises(ShareError, match=r"has no v7\. There are: v1, v2"):
        pulled(hub, tmp_path, "v7")


def test_a_repository_that_is_not_there_or_private_is_said(hub: FakeHub, tmp_path: Path) -> None:
    stranger = Remote(REPO, HfApi(endpoint=hub.url, token=False))
    with pytest.raises(HubError, match=r"does not know you \(401\)"):
        pull(stranger, "v1", tmp_path, QUIET)
    with pytest.raises(HubError, match=r"not there, or private and not yours to see \(404\)"):
        pull(Remote("me/none", HfApi(endpoint=hub.url, token="hf_test")), "v1", tmp_path, QUIET)


# Where a stranger would like to write or read. Each stands for a file's name, a table's name and a dataset's name.
PLACES = (
    "../outside",
    "..",
    "../../etc/passwd",
    "/etc/passwd",
    "/tmp/outside.parquet",
    "sft/../../outside.parquet",
    "sft/train-00000-of-00001.parquet/../../x",
    "sft\\..\\..\\outside.parquet",
    "C:\\outside.parquet",
    "CON",
    "sft/CON",
    "hf://datasets/me/other/x.parquet",
    "http://evil.example/x.parquet",
    "file:///etc/passwd",
    "sft/train\x00.parquet",
    "sft/train-00000-of-00001.parquet\n",
    "\u2024\u2024/outside",
    "\uff0e\uff0e/outside",
    "s\u0066t\u200b/train-00000-of-00001.parquet",
    "~/outside",
    "$HOME/outside",
    ".hidden",
    ".cache/huggingface/x",
    ".pulling-v2",
    "lock.json",
    "lock.json/x",
    "sft",
    "sft/",
    "sft//train-00000-of-00001.parquet",
    "./sft/train-00000-of-00001.parquet",
    "sft/train-0-of-1.parquet",
    "sft/train-\u0660\u0660\u0660\u0660\u0660-of-00001.parquet",
    "sft/evil-00000-of-00001.parquet",
    "sft/train-00000-of-00001.parquet.pkl",
    "x" * 300,
    "",
    " ",
    "%2e%2e/outside",
    "-rf",
    "a/b/c/train-00000-of-00001.parquet",
)


def in_files(lock: dict[str, Any], place: str) -> None:
    lock["files"][place] = lock["files"].pop("LICENSES.md")


def in_tables(lock: dict[str, Any], place: str) -> None:
    file = lock["tables"]["sft"]["train"]["files"][0]
    lock["files"][place] = lock["files"].pop(file["path"])
    file["path"] = place


def in_name(lock: dict[str, Any], place: str) -> None:
    lock["name"] = place


@pytest.mark.parametrize("put", [in_files, in_tables, in_name])
def test_no_lock_names_anything_outside(
    made: tuple[Version, Version], put: Callable[[dict[str, Any], str], None]
) -> None:
    taken = [place for place in PLACES if not refuses(made[1].lock, partial(_swapped, put, place))]
    # As names of datasets these two are plain folders below the root.
    assert taken == (["lock.json", "sft"] if put is in_name else [])


def _swapped(put: Callable[[dict[str, Any], str], None], place: str, lock: dict[str, Any]) -> None:
    put(lock, place)


def refuses(lock: dict[str, Any], change: Callable[[dict[str, Any]], Any], by: str = "") -> bool:
    """Whether the changed lock is refused, in one line."""
    changed = copy.deepcopy(lock)
    change(changed)
    try:
        read_foreign_lock(json.dumps(changed).encode(), 2)
    except ForeignError as fault:
        return "\n" not in str(fault) and by in str(fault)
    return False


@pytest.mark.parametrize("place", ["../outside", "/tmp/outside.parquet", ".hidden"])
@pytest.mark.parametrize("put", [in_files, in_tables, in_name])
def test_nothing_is_written_for_a_lock_that_leads_out(
    hub: FakeHub,
    made: tuple[Version, Version],
    tmp_path: Path,
    put: Callable[[dict[str, Any], str], None],
    place: str,
) -> None:
    lock = copy.deepcopy(made[1].lock)
    put(lock, place)
    serve(hub, lock, {place: b"planted"})
    with pytest.raises(ForeignError):
        pulled(hub, tmp_path / "root")
    assert list(tmp_path.iterdir()) == []


def serve(hub: FakeHub, lock: dict[str, Any], more: dict[str, bytes] | None = None) -> None:
    """The tag v2 stands for a commit with this lock."""
    hub.repos[REPO].tags["v2"] = hub.put(REPO, {**(more or {}), "lock.json": json.dumps(lock).encode()})


def test_a_lock_of_which_anything_was_changed_is_refused(
    hub: FakeHub, made: tuple[Version, Version], tmp_path: Path
) -> None:
    text = (made[1].path / "lock.json").read_text()
    repo = hub.repos[REPO]
    files = repo.commits[repo.tags["v2"]]
    changed = text.replace('"python": "3', '"python": "2').encode()
    repo.tags["v2"] = hub.put(REPO, {**files, "lock.json": changed})
    with pytest.raises(ForeignError, match="its seal does not fit"):
        pulled(hub, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_the_hub_does_not_list_at_its_size_is_not_asked_for(
    hub: FakeHub, made: tuple[Version, Version], tmp_path: Path
) -> None:
    lock = copy.deepcopy(made[1].lock)
    lock["files"]["README.md"]["bytes"] = 10**12
    serve(hub, lock)
    with pytest.raises(ForeignError, match=r"is not what its lock says: README\.md"):
        pulled(hub, tmp_path)


LIES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "another number": lambda lock: lock.update(version=7),
    "another digest": lambda lock: lock.update(digest="0" * 24),
    "other counts": lambda lock: lock["tables"]["sft"]["train"].update(rows=10**6),
    "a number of text": lambda lock: lock.update(version="2"),
    "no digest": lambda lock: lock.pop("digest"),
    "no tables": lambda lock: lock.update(tables={}),
    "a table too few": lambda lock: lock["tables"].pop("ledger"),
    "a size below none": lambda lock: lock["files"]["README.md"].update(bytes=-1),
    "no hash": lambda lock: lock["files"]["README.md"].update(sha256="f" * 63),
    "a file too many": lambda lock: lock["files"].update({"run.py": {"bytes": 1, "sha256": "f" * 64}}),
    "a file twice": lambda lock: lock["tables"]["sft"]["train"]["files"].append(
        lock["tables"]["sft"]["train"]["files"][0]
    ),
    "control characters": lambda lock: lock["manifest"].update(description="\x1b]0;title\x07\x1b[2J"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lock_that_does_not_fit_together_is_refused(made: tuple[Version, Version], lie: str) -> None:
    assert not refuses(made[1].lock, lambda lock: None)
    assert refuses(made[1].lock, LIES[lie], "lock.json")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"version": 1e999}',
        b'{"version": ' + b"9" * 9_999 + b"}",
    ],
)
def test_a_lock_that_is_none_is_refused(text: bytes) -> None:
    with pytest.raises(ForeignError, match=r"lock\.json is no lock of a version"):
        read_foreign_lock(text, 2)


@pytest.mark.parametrize(
    "path",
    [
        "../x/*.parquet",
        "/etc/*.parquet",
        "hf://datasets/me/gated/*.parquet",
        "https://evil.example/x.parquet",
        "~/x",
        "**",
    ],
)
@pytest.mark.parametrize(
    "form", ["configs:\n- config_name: a\n  data_files: {}", "configs:\n- data_files:\n  - path: [{}]"]
)
@pytest.mark.parametrize("frame", ["---\n{}\n---\n", "\n ---\r\n{}\r\n---\r\n", "---\r{}\r---\r"])
def test_no_card_leads_load_dataset_out_of_the_folder(tmp_path: Path, path: str, form: str, frame: str) -> None:
    card = tmp_path / "README.md"
    card.write_bytes(frame.format(form.format(json.dumps(path))).encode())
    with pytest.raises(ForeignError, match=r"README\.md: its front matter"):
        check_card(card)


def test_our_own_cards_pass(made: tuple[Version, Version]) -> None:
    check_card(made[1].path / "README.md")
