"""Facts about the connections: kept while they are whole, never trusted between two requests, and the same by proxy."""

import asyncio
import shutil
import ssl
import subprocess
import time

import pytest

from distill.serving import connections as module
from distill.serving.connections import BrokenOffError, Connections, OversizeError, RefusedError, UnreachableError
from distill.serving.proxied import ProxiedConnections, is_proxied


def against(answers: list[bytes], story, *, then_closes: bool = False):
    """What the story gives, told against a server whose n-th request, over whichever connection, gets the n-th answer.

    Args:
        story: an async function of the connections, the requests seen so far and the server's ends of the connections.
    """

    async def run():
        seen: list[bytes] = []
        doors: list[asyncio.StreamWriter] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            doors.append(writer)
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r")[0])
                seen.append(head + await reader.readexactly(length))
                writer.write(answers[len(seen) - 1])
                await writer.drain()
                if then_closes:
                    writer.close()
                    return

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        line = Connections(f"http://127.0.0.1:{port}/v1/chat/completions", "key", 5.0)
        try:
            return await story(line, seen, doors)
        finally:
            await line.close()
            server.close()

    return asyncio.run(run())


def ok(body: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers]) + b"\r\n\r\n" + body


async def two_posts(line, seen, doors):
    return await line.post(b"{}", 100), await line.post(b"{1}", 100), len(doors), seen


def test_a_connection_is_used_again_and_each_request_says_just_what_it_must():
    first, second, doors, seen = against([ok(b"one"), ok(b"two", b"Set-Cookie: a=b")], two_posts)
    assert (first, second, doors) == (b"one", b"two", 1)
    names = {line.split(b":")[0].lower() for line in seen[1].split(b"\r\n\r\n")[0].split(b"\r\n")[1:]}
    sent = {b"host", b"content-type", b"accept-encoding", b"user-agent", b"authorization", b"content-length"}
    assert names == sent
    assert seen[1].endswith(b"\r\n\r\n{1}")


@pytest.mark.parametrize(
    "first", [ok(b"one", b"Connection: close"), b"HTTP/1.0 200 OK\r\n\r\none", ok(b"one") + b"HTTP/1.1 200 OK\r\n"]
)
def test_one_that_the_server_ends_or_that_says_more_than_was_asked_is_not_used_again(first):
    async def story(line, seen, doors):
        task = asyncio.create_task(line.post(b"{}", 100))
        await asyncio.sleep(0.05)
        if b"1.0" in first:
            doors[0].close()
        return await task, await line.post(b"{}", 100), len(doors)

    assert against([first, ok(b"two")], story) == (b"one", b"two", 2)


def test_what_comes_between_two_requests_is_no_answer_to_the_second():
    async def story(line, seen, doors):
        first = await line.post(b"{}", 100)
        doors[0].write(ok(b"evil"))
        await asyncio.sleep(0.05)
        return first, await line.post(b"{}", 100), len(doors)

    assert against([ok(b"one"), ok(b"two")], story) == (b"one", b"two", 2)


def test_one_that_the_server_closed_in_the_meantime_is_noticed():
    async def story(line, seen, doors):
        first = await line.post(b"{}", 100)
        await asyncio.sleep(0.05)
        return first, await line.post(b"{}", 100), len(doors)

    assert against([ok(b"one"), ok(b"two")], story, then_closes=True) == (b"one", b"two", 2)


def test_interim_answers_are_passed_over_and_chunks_are_put_together():
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\non\r\n1\r\ne\r\n0\r\n\r\n"
    first, second, doors, _ = against([b"HTTP/1.1 102 Processing\r\n\r\n" + chunks, ok(b"two")], two_posts)
    assert (first, second, doors) == (b"one", b"two", 1)


def test_a_refusal_read_to_its_end_leaves_the_connection_and_any_other_fault_closes_it():
    async def story(line, seen, doors):
        said = []
        for _ in range(5):
            try:
                await line.post(b"{}", 10)
            except (RefusedError, OversizeError, BrokenOffError) as error:
                said.append((type(error).__name__, len(doors)))
        return said

    answers = [
        b"HTTP/1.1 429 Slow\r\nContent-Length: 2\r\n\r\nno",
        ok(b"x" * 11),
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        ok(b"zipped", b"Content-Encoding: gzip"),
    ]
    assert against(answers, story) == [
        ("RefusedError", 1),
        ("OversizeError", 1),
        ("BrokenOffError", 2),
        ("RefusedError", 3),
        ("RefusedError", 3),
    ]


def test_a_task_that_is_cancelled_leaves_no_half_used_connection():
    async def story(line, seen, doors):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await line.post(b"{}", 100)
        return await line.post(b"{}", 100), len(doors)

    assert against([ok(b"one")[:-1], ok(b"two")], story) == (b"two", 2)


def test_a_name_that_turned_link_local_after_the_check_is_met_with_nothing(monkeypatch):
    monkeypatch.setattr(module, "is_link_local", lambda address: address == "127.0.0.1")

    async def story(line, seen, doors):
        with pytest.raises(UnreachableError, match="link-local address"):
            await line.post(b"{}", 100)
        return seen

    assert against([], story) == []


def test_behind_a_proxy_the_same_is_sent_there_and_read_from_there(monkeypatch):
    async def story(line, seen, doors):
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{line.port}")
        monkeypatch.setenv("no_proxy", "localhost")
        assert is_proxied("http://teacher.example/v1")
        assert not is_proxied("http://localhost/v1")
        by_proxy = ProxiedConnections("http://teacher.example/v1/chat/completions", "key", 5.0)
        try:
            reply = await by_proxy.post(b"{}", 100)
            with pytest.raises(OversizeError):
                await by_proxy.post(b"{}", 2)
            with pytest.raises(RefusedError):
                await by_proxy.post(b"{}", 100)
        finally:
            await by_proxy.close()
        return reply, seen[0].split(b"\r\n")[0]

    answers = [ok(b"one"), ok(b"two"), b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"]
    reply, request = against(answers, story)
    assert reply == b"one"
    assert request == b"POST http://teacher.example/v1/chat/completions HTTP/1.1"


def test_nobody_there_is_said_at_once():
    async def story() -> None:
        line = Connections("http://127.0.0.1:9/v1", None, 5.0)
        with pytest.raises(UnreachableError, match="ConnectionRefusedError"):
            await line.post(b"{}", 100)

    started = time.monotonic()
    asyncio.run(story())
    assert time.monotonic() - started < 2


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs the openssl command to make a certificate")
def test_over_tls_a_known_certificate_is_asked_and_an_unknown_one_is_not(tmp_path, monkeypatch):
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    made = ["-addext", "subjectAltName=DNS:localhost", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"]
    subprocess.run([*command.split(), *made], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for body in (b"one", b"two"):
            seen.append(await reader.readuntil(b"{}"))
            writer.write(ok(body))

    async def story() -> tuple[bytes, bytes]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        url = f"https://localhost:{server.sockets[0].getsockname()[1]}/v1"
        stranger = Connections(url, "key", 5.0)
        with pytest.raises(UnreachableError, match="CERTIFICATE_VERIFY_FAILED"):
            await stranger.post(b"{}", 100)
        assert seen == []
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        line = Connections(url, "key", 5.0)
        replies = await line.post(b"{}", 100), await line.post(b"{}", 100)
        await line.close()
        server.close()
        return replies

    assert asyncio.run(story()) == (b"one", b"two")
    assert len(seen) == 2
