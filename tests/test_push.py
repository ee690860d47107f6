"""`curate push` against a Hub on 127.0.0.1: what it plans, refuses, and leaves there."""

import json
import os
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi

from curate.manifest import ManifestError, read_manifest
from curate.progress import Steps
from curate.share.hub import HubError, RefusedError, Remote, ShareError
from curate.share.plan import plan_push
from curate.share.push import push
from curate.share.secret_scan import Found, kinds, scan, secrets_of
from curate.version import Version
from tests.fakehub import Call, FakeHub
from tests.hostile_texts import HOSTILE
from tests.tiny_versions import row, tiny_version, two_versions

REPO = "me/tiny"
QUIET = Steps(quiet=True)
WRITES = ("POST", "PUT", "DELETE")


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Version, Version]:
    return two_versions(tmp_path_factory.mktemp("versions"))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    with FakeHub() as running:
        yield running


def remote(hub: FakeHub, repo: str = REPO, token: str | bool = "hf_test") -> Remote:
    return Remote(repo, HfApi(endpoint=hub.url, token=token))


def pushed(hub: FakeHub, version: Version, public: bool = False) -> str:
    return push(plan_push(version, remote(hub), public, ()), QUIET).commit


def contents(version: Version) -> dict[str, bytes]:
    names = (*version.lock["files"], "lock.json")
    return {name: (version.path / name).read_bytes() for name in names}


def on_main(hub: FakeHub) -> dict[str, bytes]:
    repo = hub.repos[REPO]
    files = repo.commits[repo.branches["main"]]
    return {name: data for name, data in files.items() if name != ".gitattributes"}


def test_a_version_is_one_commit_and_a_tag_in_a_private_repository(
    hub: FakeHub, versions: tuple[Version, Version]
) -> None:
    commit = pushed(hub, versions[0])
    assert on_main(hub) == contents(versions[0])
    repo = hub.repos[REPO]
    assert (repo.private, repo.tags, len(repo.commits)) == (True, {"v1": commit}, 3)  # none, .gitattributes, ours
    assert all(call.authorized for call in hub.calls if "/api/" in call.path)


def test_the_next_version_replaces_the_files_and_the_old_tag_keeps_its_own(
    hub: FakeHub, versions: tuple[Version, Version]
) -> None:
    first = pushed(hub, versions[0])
    hub.put(REPO, {"notes.md": b"by hand", "sft/train-00007-of-00009.parquet": b"would be loaded as rows of ours"})
    plan = plan_push(versions[1], remote(hub), False, ())
    assert plan.holds == "tiny@v1"
    assert plan.removed == ("sft/train-00007-of-00009.parquet",)
    assert "main shows tiny@v1 now" in plan.text()
    second = push(plan, QUIET).commit
    assert on_main(hub) == {**contents(versions[1]), "notes.md": b"by hand"}
    assert hub.repos[REPO].tags == {"v1": first, "v2": second}
    kept = {n: d for n, d in hub.repos[REPO].commits[first].items() if n != ".gitattributes"}
    assert kept == contents(versions[0])


def test_a_plan_changes_nothing_and_says_what_would(hub: FakeHub, versions: tuple[Version, Version]) -> None:
    text = plan_push(versions[0], remote(hub), False, ()).text()
    assert [call for call in hub.calls if call.method in WRITES] == []
    assert f"tiny@v1 -> me/tiny at {hub.url} (HF_ENDPOINT), a new repository, private" in text
    assert f"your token goes to {hub.url}, as HF_ENDPOINT says" in text
    assert "10 new, 0 replaced, 0 removed, 0 there already" in text
    assert "  + sft/train-00000-of-00001.parquet\n" in text
    assert "rows: sft 12, rollouts 24\nlicence of the whole: cc0-1.0; of problems: cc0-1.0 12\n" in text
    assert "teachers (their terms may bind): some-model\nsecrets: none found in 10 files\n" in text
    assert text.endswith("one commit on main, then read back, then the tag v1")


def test_a_plan_gives_a_terminal_no_orders(hub: FakeHub, tmp_path: Path) -> None:
    version = tiny_version(tmp_path, [{**row(n), "m": f"{text[:99]} {n}"} for n, text in enumerate(HOSTILE)])
    hub.put(REPO, {"sft/train-\x1b]0;x\x07.parquet": b"", "lock.json": b'{"name": "tiny", "version": "\\u001b[2J"}'})
    text = plan_push(version, remote(hub), True, ()).text()
    assert len(text.splitlines()) == 9 + 11, "nine lines, and one for each file"
    harmless = "\n\t\u200c\u200d"  # line ends, tabs, and what joins the letters of some scripts
    assert [sign for sign in text if unicodedata.category(sign) in ("Cc", "Cf") and sign not in harmless] == []


def test_pushing_again_does_nothing(hub: FakeHub, versions: tuple[Version, Version]) -> None:
    pushed(hub, versions[0])
    hub.calls.clear()
    plan = plan_push(versions[0], remote(hub), False, ())
    assert plan.text().endswith("v1 stands there with the same rows: nothing to do")
    assert push(plan, QUIET).made is False
    assert [call for call in hub.calls if call.method in WRITES] == []


def test_a_tag_is_never_moved(hub: FakeHub, versions: tuple[Version, Version], tmp_path: Path) -> None:
    pushed(hub, versions[0])
    before = dict(hub.repos[REPO].tags), on_main(hub)
    other = tiny_version(tmp_path, [row(n, " more") for n in range(3)])
    with pytest.raises(RefusedError, match=r"has a tag v1 already, with other rows .* A tag is never moved"):
        plan_push(other, remote(hub), False, ())
    assert (hub.repos[REPO].tags, on_main(hub)) == before


def test_a_repository_of_another_dataset_is_refused(hub: FakeHub, versions: tuple[Version, Version]) -> None:
    hub.put(REPO, {"lock.json": b'{"name": "math", "version": 3}'})
    hub.repos[REPO].private = True
    with pytest.raises(RefusedError, match="holds math@v3, and tiny@v1 is another dataset"):
        plan_push(versions[0], remote(hub), False, ())


def test_an_open_repository_takes_a_word_and_none_is_ever_opened(
    hub: FakeHub, versions: tuple[Version, Version]
) -> None:
    hub.put(REPO, {})
    with pytest.raises(RefusedError, match=r"is public\. Say --public"):
        pushed(hub, versions[0])
    assert on_main(hub) == {}
    pushed(hub, versions[0], public=True)
    hub.repos.clear()
    pushed(hub, versions[0], public=True)
    assert hub.repos[REPO].private is False
    hub.repos.clear()
    pushed(hub, versions[0])
    assert "which is private and stays so" in plan_push(versions[1], remote(hub), True, ()).text()
    pushed(hub, versions[1], public=True)
    assert hub.repos[REPO].private is True


@pytest.mark.parametrize("name", ["rollouts/train-00000-of-00001.parquet", "lock.json"])
def test_bytes_that_come_back_changed_are_not_tagged(
    hub: FakeHub, versions: tuple[Version, Version], name: str
) -> None:
    hub.served = lambda path, data: data[:-9] + b"x" * 9 if path == name else data
    with pytest.raises(RefusedError, match=f"it was not tagged:\n  {name}: reads as other bytes"):
        pushed(hub, versions[1])
    assert hub.repos[REPO].tags == {}
    hub.served = lambda path, data: data
    pushed(hub, versions[1])
    assert list(hub.repos[REPO].tags) == ["v2"]


def test_damaged_files_are_not_pushed(hub: FakeHub, tmp_path: Path) -> None:
    version = tiny_version(tmp_path, [row(1)])
    (version.path / "README.md").write_text("# Edited by hand")
    with pytest.raises(ValueError, match=r"README.md: not the bytes that the lock names"):
        plan_push(version, remote(hub), False, ())


COMMIT = f"/api/datasets/{REPO}/commit/main"
FAULTS = {
    "unknown": ("/api/repos/create", 401, "does not know you (401). Log in: hf auth login"),
    "forbidden": (COMMIT, 403, "may not do this (403). It needs write access to me; make another one"),
    "gone": (COMMIT, 404, "not there, or private and not yours to see (404)"),
    "faster": (f"/api/datasets/{REPO}/tag/", 409, "exists already (409). Somebody was faster"),
    "moved": (COMMIT, 412, "changed since we looked (412). Nothing was changed"),
    "paced": (COMMIT, 429, "too many requests (429). Wait some minutes"),
    "broken": (COMMIT, 500, "the Hub answered 500"),
    "cut": (COMMIT, 0, "cannot reach the Hub at http://127.0.0.1"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_the_hub_refuses_is_said_in_words(hub: FakeHub, versions: tuple[Version, Version], case: str) -> None:
    path, status, text = FAULTS[case]
    hub.fault = lambda call: status if call.path.startswith(path) else None
    with pytest.raises(HubError) as told:
        pushed(hub, versions[0])
    assert text in str(told.value)
    assert "\n" not in str(told.value)
    hub.fault = lambda call: None
    pushed(hub, versions[0])
    assert on_main(hub) == contents(versions[0])


def test_a_commit_of_somebody_else_stops_ours(hub: FakeHub, versions: tuple[Version, Version]) -> None:
    pushed(hub, versions[0])

    def meddle(call: Call) -> None:
        if "/commit/" in call.path:
            hub.put(REPO, {f"{len(hub.calls)}.md": b"by somebody"})

    hub.fault = meddle
    with pytest.raises(HubError, match="changed since we looked"):
        pushed(hub, versions[1])
    assert on_main(hub)["lock.json"] == contents(versions[0])["lock.json"]
    hub.fault = lambda call: None
    pushed(hub, versions[1])
    assert contents(versions[1]).items() <= on_main(hub).items()


def test_a_hub_that_is_not_there_is_said(hub: FakeHub, versions: tuple[Version, Version]) -> None:
    nobody = Remote(REPO, HfApi(endpoint="http://127.0.0.1:9", token="hf_test"))
    with pytest.raises(HubError, match=r"cannot reach the Hub at http://127.0.0.1:9 .* goes on from here"):
        plan_push(versions[0], nobody, False, ())


def test_offline_is_said(hub: FakeHub, versions: tuple[Version, Version], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(HubError, match="HF_HUB_OFFLINE is set: the Hub is not asked"):
        plan_push(versions[0], remote(hub), False, ())
    assert hub.calls == []


def test_what_was_uploaded_is_not_sent_again(hub: FakeHub, versions: tuple[Version, Version]) -> None:
    hub.fault = lambda call: 503 if call.path == COMMIT else None
    with pytest.raises(HubError):
        pushed(hub, versions[0])
    assert [call.method for call in hub.calls].count("PUT") == 6  # tables; the papers travel with the commit
    hub.fault = lambda call: None
    hub.calls.clear()
    pushed(hub, versions[0])
    assert "PUT" not in [call.method for call in hub.calls]


@pytest.mark.parametrize(
    "name",
    ["tiny", "a/b/c", "../me/tiny", "me/..", "/me/tiny", "me/ti ny", "http://x/y", "me/tiny\n", "", "me/-x", "é/x"],
)
def test_names_that_are_no_repository_are_refused_before_anything_is_asked(hub: FakeHub, name: str) -> None:
    with pytest.raises(ShareError, match="is no dataset of the Hub"):
        remote(hub, name)


def test_no_manifest_says_where_the_token_goes(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(
        "name: m\nsources: [{use: hub, path: a/b, columns: {problem: q}, endpoint: 'http://evil.example'}]\n"
        "views: {sft: {}}\nendpoint: http://evil.example\n"
    )
    with pytest.raises(ManifestError) as told:
        read_manifest(tmp_path / "m.yaml")
    assert str(told.value).count("endpoint: unknown key") == 2


# One of every form, as each service draws them; none opens anything.
CANARIES = {
    "sk-": "sk-proj-4fG7hJ2kL9qW3eR5tY8u",
    "hf_": "hf_" + "aB3dE6gH9jK2mN5pQ8sT",
    "ghp_": "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1",
    "github_pat_": "github_pat_" + "11ABCDE0a1B2c3D4e5F6g7",
    "AKIA": "AKIA" + "Z7Q2M4X9P1L8K3J6",
    "xoxb-": "xoxb-" + "123456789012-abcDEF",
    "AIza": "AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q",
    "Bearer": "Bearer eyJhbGciOiJIUzI1NiJ9.e30.x9",
    "-----BEGIN": "-----BEGIN RSA PRIVATE KEY-----",
}
HARMLESS = (
    "a task-oriented-dialogue-2024 system",
    "write sk-your-key-goes-here-please",
    "hf_hub_download_of_files",
    "the bearer of responsibilities and Bearer authentication",
    "disk-usage-of-1234567890123456",
    "$AKIA + x_{12}$",
)


def test_keys_are_found_by_form_with_their_place_and_never_told(tmp_path: Path, hub: FakeHub) -> None:
    rows = [row(n, f" {said}.") for n, said in enumerate((*CANARIES.values(), *HARMLESS))]
    version = tiny_version(tmp_path, rows)
    found = tuple(scan(version, {}))
    wanted = {
        f"rollouts/train-00000-of-00001.parquet, id {id}, column reasoning"
        for id, said in version.rollouts.select("id", "reasoning").collect().iter_rows()
        if any(canary in said for canary in CANARIES.values())
    }
    assert len(wanted) == len(CANARIES)
    assert {f.place for f in found if f.place.startswith("rollouts/")} == wanted
    in_view = [f.place for f in found if f.place.startswith("sft/")]
    assert len(in_view) == len(CANARIES)
    assert all(place.endswith(", column messages") for place in in_view), "texts in lists of structs are read, too"
    plan = plan_push(version, remote(hub), False, found)
    with pytest.raises(RefusedError, match=rf"holds {len(found)} secret\(s\); nothing was pushed") as told:
        push(plan, QUIET)
    for text in (str(told.value), plan.text()):
        assert [canary for canary in CANARIES.values() if canary in text] == []
    assert [call for call in hub.calls if call.method in WRITES] == []


@pytest.mark.parametrize(("form", "canary"), CANARIES.items())
def test_every_form_is_named(form: str, canary: str) -> None:
    assert kinds(f"see {canary}, there", {})[0].startswith("looks like a key (" + form[:3])
    assert kinds(f"see{canary[0].upper()}{canary}", {}) == [] or form.startswith("-")


def test_values_of_this_environment_are_found_whatever_their_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEACHER_KEY", "plain words")
    monkeypatch.setenv("OTHER_API_KEY", "correct horse battery")
    monkeypatch.setenv("SHORT_TOKEN", "none")
    secrets = secrets_of({"rollouts": {"teacher": {"api_key_env": "TEACHER_KEY"}}}, "token-of-the-hub")
    assert {"TEACHER_KEY", "OTHER_API_KEY", "the token of the Hub"} <= set(secrets)
    assert "SHORT_TOKEN" not in secrets
    said = ["plain words", "correct horse battery", "token-of-the-hub", "none"]
    version = tiny_version(tmp_path, [row(n, f" {text}") for n, text in enumerate(said)])
    told = {(f.place.partition("/")[0], f.kind) for f in scan(version, secrets)}
    assert {kind for place, kind in told if place == "rollouts"} == {
        "the value of TEACHER_KEY",
        "the value of OTHER_API_KEY",
        "the value of the token of the Hub",
    }


def test_keys_in_papers_are_found_by_line(tmp_path: Path) -> None:
    version = tiny_version(tmp_path, [row(1)])
    lines = (version.path / "README.md").read_text().splitlines()
    (version.path / "README.md").write_text("\n".join([*lines, f"key {CANARIES['hf_']}"]))
    assert list(scan(version, {})) == [Found(f"README.md, line {len(lines) + 1}", "looks like a key (hf_...)")]


RUN = """
import json, sys
from pathlib import Path
from typer.testing import CliRunner
from curate.cli import app
root, other, logged_in = sys.argv[1:]
said = {}
def run(name, *words):
    ran = CliRunner().invoke(app, [*words, "--root", other if words[0] == "pull" else root])
    said[name] = [ran.exit_code, ran.output]
push = ("push", "tiny@v2", "--to", "me/tiny")
run("dry", *push, "--dry-run")
run("unasked", *push)
run("push", *push, "--yes")
if logged_in:
    from datasets import load_dataset
    from train.data import open_view
    configs = ("sft", "rollouts", None)
    said["rows"] = [load_dataset("me/tiny", name, revision="v2", split="train").num_rows for name in configs]
    run("pull", "pull", "me/tiny@v2")
    run("no such", "pull", "me/tiny@v9")
    said["trains on"] = open_view("tiny@v2", "sft", Path(other)).facts["rows"]
print(json.dumps(said))
"""


def by_command_line(hub: FakeHub, version: Version, folder: Path, token: str) -> dict[str, Any]:
    """Exit code and output of each command, in a fresh process: huggingface_hub reads HF_ENDPOINT once."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    environment = {**kept, "HF_ENDPOINT": hub.url, "HF_HOME": str(folder / "home"), "HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, "-c", RUN, str(version.path.parents[1]), str(folder / "other"), token]
    environment |= {"HF_TOKEN": token} if token else {}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    said: dict[str, Any] = json.loads(ran.stdout)
    return said


def test_a_pushed_version_loads_and_comes_back_and_trains(
    hub: FakeHub, versions: tuple[Version, Version], tmp_path: Path
) -> None:
    version = versions[1]
    said = by_command_line(hub, version, tmp_path, "hf_test")
    train = version.lock["tables"]["sft"]["train"]["rows"]
    codes = {name: told[0] for name, told in said.items() if name not in ("rows", "trains on")}
    assert codes == {"dry": 0, "unasked": 2, "push": 0, "pull": 0, "no such": 2}, said
    assert "nobody is at the terminal to ask: --yes pushes without" in said["unasked"][1]
    assert f"tiny@v2 stands at {hub.url}/datasets/me/tiny/tree/v2" in said["push"][1]
    assert f"digest {version.digest}\n" in said["pull"][1]
    assert "has no v9. There are: v2" in said["no such"][1]
    assert (said["rows"], said["trains on"]) == ([train, 32, train], train)


def test_without_a_token_nothing_is_written(hub: FakeHub, versions: tuple[Version, Version], tmp_path: Path) -> None:
    said = by_command_line(hub, versions[1], tmp_path, "")
    assert [told[0] for told in said.values()] == [0, 4, 4]
    assert f"not logged in to {hub.url}. hf auth login, or HF_TOKEN in the environment" in said["push"][1]
    assert hub.repos == {}
