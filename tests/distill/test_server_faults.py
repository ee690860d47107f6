"""Facts about runs against bad servers: the same data as from a good one, bounded work, no secret in what is kept."""

import json
import socket
import threading
import time
import traceback
from collections.abc import Iterator

import polars as pl
import psutil
import pytest
from typer.testing import CliRunner

from curate.cli import app
from distill.request import Message, Request, Sampling, TeacherError
from distill.sample import sample
from distill.store import Store
from distill.teachers.openai_server import OpenaiServer
from tests.distill.hostile_server import ALWAYS, ONCE, HostileServer

HARMLESS = {"fine", "only reasoning", "reasoning_content", "parts", "three choices", "odd numbers", "duplicate ids"}
SLOW = ["drip", "hang", "hang in body"]
FAULTS = [*ONCE, *(set(ALWAYS) - HARMLESS), "307", "endless", "endless error", "400 MB", *SLOW]


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer() as running:
        yield running


def asks(scripts: list[str]) -> list[Request]:
    sampling = Sampling(temperature=0.5, max_tokens=100)
    return [Request((Message("user", f"{script}|{i}"),), "m", "", sampling, 0) for i, script in enumerate(scripts)]


@pytest.mark.timeout(120)
def test_with_30_percent_faults_of_every_kind_the_data_is_that_of_a_good_server(tmp_path, server):
    server.once = server.seeded = True
    # Bad requests stay bad: they are the only ones that may end without text.
    quick = sorted(set(FAULTS) - {"bad request"} - set(SLOW))
    kinds = quick * 6 + SLOW
    scripts = [kinds[i * 3 // 10 % len(kinds)] if i % 10 in (0, 4, 7) else "fine" for i in range(2_000)]
    assert sum(script != "fine" for script in scripts) == 600
    assert set(scripts) == {*kinds, "fine"}
    requests = asks(scripts)
    before, started = psutil.Process().memory_info().rss, time.monotonic()
    plug = OpenaiServer("m", base_url=server.url, timeout_s=1.0, backoff_s=0.02, in_flight=64)
    summary = sample(plug, requests, Store(tmp_path), retries=4)
    assert time.monotonic() - started < 60
    assert (summary.asked, summary.failed) == (2_000, 0)
    replies = Store(tmp_path).get([request.key for request in requests])
    assert [reply.content for reply in replies] == [f"answer {request.seed}" for request in requests]
    assert {reply.finish_reason for reply in replies} == {"stop"}
    assert psutil.Process().memory_info().rss - before < 100 << 20


def test_what_waits_for_a_slow_disk_and_what_is_in_flight_stay_below_the_bound(server):
    """Every reply is counted from its request's arrival at the server to the end of its writing."""
    written = most = 0
    over = threading.Event()

    def watch() -> None:
        nonlocal most
        while not over.wait(0.001):
            most = max(most, len(server.requests) - written)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for _ in OpenaiServer("m", base_url=server.url, in_flight=8).ask(asks(["fine"] * 60)):
            time.sleep(0.01)  # the disk
            written += 1
    finally:
        over.set()
        watcher.join()
    assert written == 60
    # One more may be counted between the taking of a reply and `written += 1`.
    assert 4 <= most <= 9


# Several servers.


def test_a_slow_server_gets_less_and_a_broken_one_costs_no_reply(server):
    with HostileServer() as slow, HostileServer() as broken:
        slow.delay_s, server.delay_s = 0.3, 0.01
        broken.rejects = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\ndown"
        plug = OpenaiServer("m", base_url=(broken.url, slow.url, server.url), in_flight=12, backoff_s=0.05)
        replies = list(plug.ask(asks(["fine"] * 150)))
        assert {reply.finish_reason for reply in replies} == {"stop"}
        assert slow.attempts.total() < 0.5 * server.attempts.total()
        assert len(broken.requests) < 40


def test_a_server_that_dies_leaves_the_work_to_the_others_and_the_last_one_ends_the_run(server):
    with HostileServer() as second:
        plug = OpenaiServer("m", base_url=(server.url, second.url), in_flight=8, backoff_s=0.02, tries=3)
        server.delay_s = second.delay_s = 0.005
        replies = plug.ask(asks(["fine"] * 400))
        for _ in range(20):
            next(replies)
        second.__exit__()
        answered = [next(replies).finish_reason for _ in range(60)]
        assert set(answered) == {"stop"}
        server.__exit__()
        with pytest.raises(TeacherError, match="cannot be reached"):
            list(replies)


# Secrets and hosts.

UNFIT = [
    "http://user:pw-canary@127.0.0.1/v1",
    "http://user-canary@127.0.0.1/v1",
    "http://127.0.0.1/v1?api_key=query-canary",
    "http://127.0.0.1/v1#fragment-canary",
    "http://169.254.169.254/latest/meta-data",
    "http://[fe80::1%25eth0]/v1",
    "http://[::ffff:169.254.169.254]/v1",
    "file:///etc/passwd",
    "ftp://127.0.0.1/v1",
    "127.0.0.1:8000/v1",
    "//127.0.0.1/v1",
    "http://127.0.0.1:99999/v1",
    "http:///v1",
    "http://127.0.0.1/v1\r\nX-Evil: 1",
    "",
]


@pytest.mark.parametrize("url", UNFIT)
def test_a_base_url_that_is_no_plain_server_is_refused_without_being_repeated(url):
    with pytest.raises(ValueError, match="base_url") as caught:
        OpenaiServer("m", base_url=url)
    assert "canary" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "host", ["2852039166", "0xA9FEA9FE", "169.254.43518", "0251.0376.0251.0376", "metadata.example"]
)
def test_a_name_or_number_that_means_a_link_local_address_is_refused_before_anything_is_sent(host, monkeypatch):
    real = socket.getaddrinfo
    link_local = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80))]
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda name, *a, **k: link_local if name == host else real(name, *a, **k)
    )
    with pytest.raises(TeacherError, match=r"link-local address .*169\.254\.169\.254"):
        list(OpenaiServer("m", base_url=f"http://{host}/v1").ask(asks(["fine"])))


def test_a_path_below_v1_is_kept_and_a_slash_at_its_end_is_not(server):
    list(OpenaiServer("m", base_url=server.url.replace("/v1", "/proxy/v1/")).ask(asks(["fine"])))
    assert server.headers[0].startswith("POST /proxy/v1/chat/completions ")


def test_a_cookie_is_not_sent_back(server):
    plug = OpenaiServer("m", base_url=server.url, tries=2, backoff_s=0.01, in_flight=1)
    assert len(list(plug.ask(asks(["echo headers", "fine"])))) == 2
    assert len(server.headers) == 3
    assert "cookie" not in "".join(server.headers).lower()


MANIFEST = """
name: leaks
sources: [{{use: files, path: rows.jsonl, columns: {{problem: q, answer: gold}}}}]
rollouts:
  teacher: {{use: openai_server, model: m, base_url: "{url}", api_key_env: TEACHER_KEY, tries: 2, backoff_s: 0.01}}
  sampling: {{n: 2, max_tokens: 100}}
verdicts: [rule]
heldout: 0.0
"""
CANARIES = {
    "TEACHER_KEY": "key-canary-0123456789abcdef",
    "OPENAI_API_KEY": "sk-canary0123456789",
    "OPENAI_ADMIN_KEY": "admin-canary-1",
    "OPENAI_ORG_ID": "org-canary-2",
    "OPENAI_PROJECT_ID": "project-canary-3",
    "OPENAI_CUSTOM_HEADERS": "X-Other: header-canary-4\nAuthorization: Bearer header-canary-5",
    "HF_TOKEN": "hf_canary67890123",
    "ANTHROPIC_API_KEY": "sk-ant-canary7",
    "AWS_SECRET_ACCESS_KEY": "aws-canary-8",
    "GITHUB_TOKEN": "ghp_canary901234567",
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("end", ["built", "refused", "no json"])
def test_no_secret_is_in_what_a_build_keeps_prints_or_traces(tmp_path, server, monkeypatch, end):
    """Ten in the environment, two more (a cookie, half the key) from the server, which echoes what it was sent."""
    for name, value in CANARIES.items():
        monkeypatch.setenv(name, value)
    scripts = ["echo key in error", "echo key in content", "echo headers", "half a key at the end", "fine", "fine"]
    rows = [{"q": f"{script}|{i} 2 + 2?", "gold": "4"} for i, script in enumerate(scripts)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "m.yaml").write_text(MANIFEST.format(url=server.url))
    key = CANARIES["TEACHER_KEY"]
    if end == "refused":
        server.rejects = f"HTTP/1.1 401 No\r\nContent-Length: {len(key)}\r\n\r\n{key}".encode()
    if end == "no json":
        page = f"<html>{key} {json.dumps(dict(CANARIES))}</html>".replace(CANARIES["AWS_SECRET_ACCESS_KEY"], "")
        server.rejects = f"HTTP/1.1 200 OK\r\nContent-Length: {len(page)}\r\n\r\n{page}".encode()
    command = ["build", "-m", str(tmp_path / "m.yaml"), "--root", str(tmp_path / "data"), "--debug"]
    result = CliRunner().invoke(app, command)
    said = result.output + "".join(traceback.format_exception(result.exception)) if result.exception else result.output
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    kept = b"".join(path.read_bytes() for path in files)
    kept += repr([pl.read_parquet(path).to_dicts() for path in files if path.suffix == ".parquet"]).encode()
    kept += (
        repr(list(Store(next((tmp_path / "data").rglob("lock")).parent).attempts())).encode() if end == "built" else b""
    )
    assert server.headers
    assert all(f"authorization: bearer {key}" in head.lower() for head in server.headers)
    assert not [name for name, value in CANARIES.items() if value in "".join(server.headers) and name != "TEACHER_KEY"]
    for text in (said.encode(), kept):
        assert not [name for name, value in CANARIES.items() if value.encode() in text]
        assert key[:12].encode() not in text
        assert b"cookie-canary" not in text
    if end == "built":
        assert b"redacted" in kept
