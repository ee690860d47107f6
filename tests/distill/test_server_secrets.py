"""Facts about keys and hosts: a key goes to its server and nowhere else, and no server sends us to another place."""

from collections.abc import Iterator

import pytest

from distill.request import TeacherError
from distill.sample import sample
from distill.store import Store
from distill.teachers.openai_server import OpenaiServer
from tests.distill.asking import asks, teacher
from tests.distill.hostile_server import HostileServer, response

KEY = "canary-1f9c2e77aa"


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer() as running:
        yield running


def test_the_key_goes_to_its_server_and_into_nothing_that_is_kept_or_said(tmp_path, server, monkeypatch, caplog):
    monkeypatch.setenv("TEACHER_KEY", KEY)
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Other-Key: other-canary\nAuthorization: Bearer other-canary")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-canary")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "admin-canary")
    plug = teacher(server, api_key_env="TEACHER_KEY", tries=2)
    sample(plug, asks("echo key in error", "echo key in content", "fine"), Store(tmp_path))
    assert all(f"authorization: bearer {KEY}" in head.lower() for head in server.headers)
    assert "canary" not in "".join(server.headers).replace(KEY, "")
    stored = str(list(Store(tmp_path).attempts()))
    assert "[redacted]" in stored
    assert KEY not in stored + caplog.text + repr(plug)


def test_a_refused_key_is_not_in_the_error_nor_in_its_traceback(server, monkeypatch):
    import traceback

    monkeypatch.setenv("TEACHER_KEY", KEY)
    server.rejects = response(f"invalid key {KEY}".encode(), "401 Unauthorized")
    with pytest.raises(TeacherError, match="set TEACHER_KEY to a valid key") as caught:
        list(teacher(server, api_key_env="TEACHER_KEY").ask(asks("fine")))
    assert KEY not in "".join(traceback.format_exception(caught.value))


def test_openais_own_key_is_not_sent_to_another_host(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert [reply.content for reply in teacher(server).ask(asks("fine"))] == ["4"]
    assert "authorization" not in server.headers[0].lower()
    with pytest.raises(TeacherError, match=r"OPENAI_API_KEY goes to api\.openai\.com only, not to 127\.0\.0\.1"):
        list(teacher(server, api_key_env="OPENAI_API_KEY").ask(asks("fine")))


def test_a_key_that_is_not_set_is_named(server):
    with pytest.raises(TeacherError, match=r"NO_SUCH_KEY .* is not set"):
        list(teacher(server, api_key_env="NO_SUCH_KEY").ask(asks("fine")))


@pytest.mark.parametrize("status", ["302", "307", "308"])
def test_no_redirect_is_followed(server, status, monkeypatch):
    monkeypatch.setenv("TEACHER_KEY", KEY)
    with HostileServer() as other:
        server.elsewhere = other.url
        list(teacher(server, api_key_env="TEACHER_KEY", tries=2).ask(asks(status)))
        assert other.headers == []


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/v1",
        "http://[fe80::1]/v1",
        "http://[::ffff:169.254.169.254]/v1",
        "http://user:pass@127.0.0.1/v1",
        "http://127.0.0.1/v1?key=1",
        "file:///etc/passwd",
        "ftp://127.0.0.1/v1",
        "127.0.0.1:8000/v1",
        "http://",
    ],
)
def test_a_base_url_that_is_no_plain_server_is_refused(url):
    with pytest.raises(ValueError, match="base_url"):
        OpenaiServer("m", base_url=url)


@pytest.mark.parametrize("url", ["http://2852039166/v1", "http://0xA9FEA9FE/v1", "http://169.254.43518/v1"])
def test_a_link_local_address_in_disguise_is_refused_before_anything_is_sent(url):
    with pytest.raises(TeacherError, match=r"link-local address .*169\.254\.169\.254"):
        list(OpenaiServer("m", base_url=url).ask(asks("fine")))
