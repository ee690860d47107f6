"""A Hugging Face Hub in memory: enough of its HTTP interface to push, tag, list and read datasets without a network.

    with FakeHub() as hub:                                  # HF_ENDPOINT=hub.url, before huggingface_hub is imported
        hub.put("me/data", {"train.jsonl": b"..."})         # one commit

Set HF_HUB_DISABLE_XET=1. `polars` reads hf:// from the real Hub whatever HF_ENDPOINT says: use HfFileSystem.
"""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

Files = dict[str, bytes]

EMPTY = "0" * 40


@dataclass
class Repo:
    """One dataset repository."""

    commits: dict[str, Files] = field(default_factory=lambda: {EMPTY: {}})
    branches: dict[str, str] = field(default_factory=lambda: {"main": EMPTY})
    tags: dict[str, str] = field(default_factory=dict)
    private: bool = False
    gated: bool = False
    """Files are given out with an authorization only."""
    read_only: bool = False
    """No token may write here."""

    def commit_of(self, revision: str) -> str | None:
        """The commit that a branch, a tag or a commit's own id stands for."""
        named = {**self.branches, **self.tags}
        return named.get(revision) or (revision if revision in self.commits else None)

    def commit(self, branch: str, files: Files) -> str:
        """A new head of the branch, with exactly these files."""
        contents = sorted((path, hashlib.sha1(data).hexdigest()) for path, data in files.items())
        oid = hashlib.sha1(json.dumps([self.branches[branch], len(self.commits), contents]).encode()).hexdigest()
        self.commits[oid] = files
        self.branches[branch] = oid
        return oid


@dataclass(frozen=True)
class Call:
    """One request that arrived."""

    method: str
    path: str
    """With its query."""
    authorized: bool


class FakeHub:
    """Serves on 127.0.0.1 while the `with` block runs."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.blobs: dict[str, bytes] = {}
        self.calls: list[Call] = []
        self.fault: Callable[[Call], int | None] = lambda call: None
        """Asked before each request is handled: a status to fail with, 0 to hang up, -1 to do what is asked and hang up
        without an answer, None to go on."""
        self.served: Callable[[str, bytes], bytes] = lambda path, data: data
        """What a download of the file at this path gives."""
        self.validation_errors: list[str] = []
        hub = self

        class Handler(_Handler):
            fake = hub

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "FakeHub":
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def put(self, name: str, files: Files, *, gated: bool = False) -> str:
        """Adds the files to `main` of the repository, made if need be; the commit's id."""
        repo = self.repos.setdefault(name, Repo(gated=gated))
        return repo.commit("main", {**repo.commits[repo.branches["main"]], **files})


@dataclass(frozen=True)
class _Answer:
    status: int
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)

    def data(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def _error(status: int, code: str) -> _Answer:
    """As the Hub says it: huggingface_hub tells errors apart by the header X-Error-Code."""
    return _Answer(status, {"error": code}, {"X-Error-Code": code, "X-Error-Message": code})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    fake: FakeHub

    def do_GET(self) -> None:
        self._respond()

    do_POST = do_PUT = do_DELETE = do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on stderr."""

    @property
    def host(self) -> str:
        return f"http://{self.headers['Host']}"

    def _respond(self) -> None:
        call = Call(self.command, self.path, "authorization" in self.headers)
        body = self._body()
        self.fake.calls.append(call)
        fault = self.fake.fault(call)
        if fault == 0:
            self._hang_up()
            return
        answer = _Answer(fault, {"error": "fault"}) if fault and fault > 0 else self._answer(body)
        if fault == -1:
            self._hang_up()
            return
        data = answer.data()
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(data)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):  # the other side may be gone
            self.connection.shutdown(SHUT_RDWR)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, body: bytes) -> _Answer:
        path = urlsplit(self.path).path
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        if path == "/api/whoami-v2":
            return _Answer(200, {"name": "me", "type": "user", "orgs": []})
        if path == "/api/validate-yaml":
            errors = [{"message": message} for message in self.fake.validation_errors]
            return _Answer(400 if errors else 200, {"errors": errors, "warnings": []})
        if path.endswith(".git/info/lfs/objects/batch"):
            return self._lfs_batch(json.loads(body))
        if path.startswith("/lfs/"):
            oid = path.removeprefix("/lfs/")
            if hashlib.sha256(body).hexdigest() != oid:  # a client that died while it sent
                return _Answer(400, {"error": "other bytes than announced"})
            self.fake.blobs[oid] = body
            return _Answer(200)
        if match := re.fullmatch(r"/api/datasets/([^/]+/[^/]+)(?:/([\w-]+)(?:/(.*))?)?", path):
            return self._dataset(match[1], match[2] or "revision", unquote(match[3] or ""), body)
        if match := re.fullmatch(r"/datasets/([^/]+/[^/]+)/resolve/([^/]+)/(.*)", path):
            return self._resolve(match[1], unquote(match[2]), unquote(match[3]))
        return _error(404, "EntryNotFound")

    def _create(self, asked: dict[str, Any]) -> _Answer:
        name = f"{asked.get('organization') or 'me'}/{asked['name']}"
        url = f"{self.host}/datasets/{name}"
        if name in self.fake.repos:
            return _Answer(409, {"error": "You already created this dataset repo", "url": url})
        if "authorization" not in self.headers:
            return _Answer(401, {"error": "Unauthorized"})
        private = bool(asked.get("private")) or asked.get("visibility") == "private"
        repo = self.fake.repos[name] = Repo(private=private)
        repo.commit("main", {".gitattributes": b"*.parquet filter=lfs diff=lfs merge=lfs -text\n"})
        return _Answer(200, {"url": url})

    def _lfs_batch(self, asked: dict[str, Any]) -> _Answer:
        objects = [{"oid": o["oid"], "size": o["size"]} for o in asked["objects"]]
        for entry in objects:
            if entry["oid"] not in self.fake.blobs:
                entry["actions"] = {"upload": {"href": f"{self.host}/lfs/{entry['oid']}", "header": {}}}
        return _Answer(200, {"transfer": "basic", "objects": objects})

    def _dataset(self, name: str, action: str, rest: str, body: bytes) -> _Answer:
        repo = self.fake.repos.get(name)
        if repo is None or (repo.private and "authorization" not in self.headers):
            return _error(401 if "authorization" not in self.headers else 404, "RepoNotFound")
        if action in ("preupload", "commit", "tag", "branch") and repo.read_only:
            return _Answer(403, {"error": "Forbidden"})
        if action == "revision":
            return self._info(name, repo, rest or "main")
        if action == "preupload":
            return _Answer(200, {"files": [_upload_mode(file["path"]) for file in json.loads(body)["files"]]})
        if action == "commit":
            return self._commit(name, repo, rest, body)
        if action == "tag":
            return self._tag(repo, rest, body)
        if action == "branch":
            repo.branches[rest] = repo.branches["main"]
            return _Answer(200, {})
        if action == "refs":
            return _Answer(200, _refs(repo))
        if action in ("tree", "paths-info"):
            return self._listing(repo, action, rest or "main", body)
        return _error(404, "EntryNotFound")

    def _info(self, name: str, repo: Repo, revision: str) -> _Answer:
        commit = repo.commit_of(revision)
        if commit is None:
            return _error(404, "RevisionNotFound")
        info: dict[str, Any] = {
            "id": name,
            "sha": commit,
            "private": repo.private,
            "gated": "manual" if repo.gated else False,
            "disabled": False,
            "tags": [],
            "downloads": 0,
            "likes": 0,
            "lastModified": "2026-01-01T00:00:00.000Z",
            "cardData": _front_matter(repo.commits[commit].get("README.md", b"")),
            "siblings": [{"rfilename": path} for path in sorted(repo.commits[commit])],
        }
        return _Answer(200, info)

    def _commit(self, name: str, repo: Repo, branch: str, body: bytes) -> _Answer:
        head = repo.branches.get(branch)
        if head is None:
            return _error(404, "RevisionNotFound")
        files = dict(repo.commits[head])
        for line in body.splitlines():
            operation = json.loads(line)
            kind, value = operation["key"], operation["value"]
            if kind == "header" and value.get("parentCommit") not in (None, head):
                return _Answer(412, {"error": "A commit has happened since. Please refresh and try again."})
            if kind == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif kind == "lfsFile":
                if value["oid"] not in self.fake.blobs:
                    return _Answer(400, {"error": f"{value['path']} was not uploaded"})
                files[value["path"]] = self.fake.blobs[value["oid"]]
            elif kind == "deletedFile":
                files.pop(value["path"], None)
            elif kind == "deletedFolder":
                files = {path: data for path, data in files.items() if not path.startswith(value["path"])}
        oid = repo.commit(branch, files)
        url = f"{self.host}/datasets/{name}/commit/{oid}"
        return _Answer(200, {"success": True, "commitOid": oid, "commitUrl": url, "hookOutput": ""})

    def _tag(self, repo: Repo, rest: str, body: bytes) -> _Answer:
        if self.command == "DELETE":
            repo.tags.pop(rest, None)
            return _Answer(200, {})
        tag, commit = json.loads(body)["tag"], repo.commit_of(rest or "main")
        if commit is None:
            return _error(404, "RevisionNotFound")
        if tag in repo.tags:
            return _Answer(409, {"error": "Tag reference exists already"})
        repo.tags[tag] = commit
        return _Answer(200, {})

    def _listing(self, repo: Repo, action: str, rest: str, body: bytes) -> _Answer:
        # A revision may hold slashes (refs/pr/1): the longest known one wins.
        names = sorted([*repo.branches, *repo.tags, *repo.commits], key=len, reverse=True)
        revision = next((name for name in names if rest == name or rest.startswith(f"{name}/")), None)
        if revision is None:
            return _error(404, "RevisionNotFound")
        files = repo.commits[repo.commit_of(revision) or EMPTY]
        if action == "paths-info":
            asked = json.loads(body)["paths"] if body[:1] == b"{" else parse_qs(body.decode()).get("paths", [])
            return _Answer(200, [entry for entry in _entries(files) if entry["path"] in asked])
        folder = rest.removeprefix(revision).strip("/")
        recursive = parse_qs(urlsplit(self.path).query).get("recursive", ["false"])[0].lower() in ("true", "1")
        below = f"{folder}/" if folder else ""
        inside = [entry for entry in _entries(files) if entry["path"].startswith(below)]
        if folder and not inside:
            return _error(404, "EntryNotFound")
        return _Answer(200, [entry for entry in inside if recursive or "/" not in entry["path"][len(below) :]])

    def _resolve(self, name: str, revision: str, path: str) -> _Answer:
        repo = self.fake.repos.get(name)
        if repo is None:
            return _error(401 if "authorization" not in self.headers else 404, "RepoNotFound")
        if repo.gated and "authorization" not in self.headers:
            return _error(401, "GatedRepo")
        if repo.private and "authorization" not in self.headers:
            return _error(401, "RepoNotFound")
        commit = repo.commit_of(revision)
        if commit is None:
            return _error(404, "RevisionNotFound")
        data = repo.commits[commit].get(path)
        if data is None:
            return _error(404, "EntryNotFound")
        data = self.fake.served(path, data)
        headers = {"ETag": f'"{_git_oid(data)}"', "X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range") or "")
        if asked is None or self.command != "GET":
            return _Answer(200, data, headers)
        first, last = _range(asked[1], asked[2], len(data))
        headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
        return _Answer(206, data[first : last + 1], headers)


def _range(first: str, last: str, size: int) -> tuple[int, int]:
    if not first:
        return max(size - int(last), 0), size - 1
    return int(first), min(int(last) if last else size - 1, size - 1)


def _front_matter(card: bytes) -> dict[str, Any]:
    match = re.match(rb"---\n(.*?)\n---", card, re.DOTALL)
    return yaml.safe_load(match[1]) if match else {}


def _upload_mode(path: str) -> dict[str, Any]:
    return {"path": path, "uploadMode": "lfs" if path.endswith(".parquet") else "regular", "shouldIgnore": False}


def _refs(repo: Repo) -> dict[str, list[dict[str, str]]]:
    def listed(kind: str, refs: dict[str, str]) -> list[dict[str, str]]:
        return [{"name": name, "ref": f"refs/{kind}/{name}", "targetCommit": oid} for name, oid in refs.items()]

    return {"branches": listed("heads", repo.branches), "tags": listed("tags", repo.tags), "converts": []}


def _entries(files: Files) -> Iterator[dict[str, Any]]:
    """Folders, then files, as the tree endpoint lists them."""
    folders = {path[:i] for path in files for i, letter in enumerate(path) if letter == "/"}
    for folder in sorted(folders):
        yield {"type": "directory", "path": folder, "size": 0, "oid": hashlib.sha1(folder.encode()).hexdigest()}
    for path, data in sorted(files.items()):
        large = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
        lfs = {"lfs": large} if path.endswith(".parquet") else {}
        yield {"type": "file", "path": path, "size": len(data), "oid": _git_oid(data), **lfs}


def _git_oid(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
