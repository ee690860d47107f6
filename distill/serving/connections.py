"""The connections to one server: what is sent, and how much of what comes back is read.

HTTP/1.1 by h11 on asyncio's own transports. The general clients cost five times as much: per request of 2 KB and with
256 in flight, 0.2 ms of CPU here, 1.0 ms in httpx2 (which checks its pool's idle sockets at each) and 4 ms in openai's.
"""

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import h11

from distill.serving.http_guard import LINK_LOCAL, is_link_local

if TYPE_CHECKING:
    import ssl

SAID = 4096
"""Bytes of a refusal that are read."""


class RefusedError(Exception):
    """A status other than 200, with the first bytes of what was said."""

    def __init__(self, status: int, retry_after: str, text: str) -> None:
        self.status, self.retry_after, self.text = status, retry_after, text


class OversizeError(Exception):
    """The reply is longer than one may be."""


class UnreachableError(Exception):
    """Nobody listens there, or not to us."""


class BrokenOffError(Exception):
    """The connection ended before the reply did, or what came was not HTTP."""


class Connections:
    """Posts to one URL. Sends no header from the environment and no cookie, and follows no redirect."""

    def __init__(self, url: str, key: str | None, connect_s: float) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        self.target, self.connect_s = parts.path, connect_s
        self.headers = [("host", parts.netloc), *sent_headers(key).items()]
        self.tls = _tls() if parts.scheme == "https" else None
        self._idle: list[_Line] = []

    async def post(self, body: bytes, most: int) -> bytes:
        """The body of the reply, at most so many bytes.

        Raises:
            RefusedError: any status but 200, a redirect too, or a compressed reply.
            OversizeError: more bytes.
            UnreachableError: no connection.
            BrokenOffError: it broke off.
        """
        line = await self._line()
        try:
            reply = await line.post(self.target, [*self.headers, ("content-length", str(len(body)))], body, most)
        finally:
            # Anything but a whole reply leaves the line in the middle of one, and it is closed.
            if line.ready():
                self._idle.append(line)
            else:
                line.close()
        return reply

    async def close(self) -> None:
        """Connections are closed."""
        for line in self._idle:
            line.close()

    async def _line(self) -> "_Line":
        while self._idle:
            line = self._idle.pop()
            if line.ready():  # the server may have closed it meanwhile
                return line
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.connect_s):
                transport, line = await loop.create_connection(
                    _Line, self.host, self.port, ssl=self.tls, happy_eyeballs_delay=0.25
                )
        except TimeoutError:
            raise UnreachableError(f"no connection in {self.connect_s:g} s") from None
        except OSError as error:
            raise UnreachableError(f"{type(error).__name__} {error}") from None
        # The name was looked up before the run, too; it may mean something else by now.
        address = str((transport.get_extra_info("peername") or ("",))[0])
        if is_link_local(address):
            line.close()
            raise UnreachableError(LINK_LOCAL.format(f"{self.host} ({address})"))
        return line


class _Line(asyncio.Protocol):
    """One connection, for one request at a time."""

    def __init__(self) -> None:
        self.http = h11.Connection(h11.CLIENT)
        self.open = False
        self._ended = False
        self._waiter: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is there."""
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.open = transport, True

    def data_received(self, data: bytes) -> None:
        """Bytes for the request that is on; nobody asked for those that come between two."""
        if self.ready():
            self.close()
        else:
            self.http.receive_data(data)
            self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        """It is gone."""
        self.open = False
        self._wake()

    def ready(self) -> bool:
        """Whether a request may be sent."""
        return self.open and self.http.our_state is h11.IDLE and self.http.their_state is h11.IDLE

    def close(self) -> None:
        """Nothing more is read, and what was not sent is dropped."""
        if self.open:
            self.open = False
            self.transport.abort()

    async def post(self, target: str, headers: list[tuple[str, str]], body: bytes, most: int) -> bytes:
        """As `Connections.post`; afterwards the line is ready, or of no more use."""
        try:
            head = self.http.send(h11.Request(method="POST", target=target, headers=headers)) or b""
            self.transport.writelines((head, self.http.send(h11.Data(data=body)) or b""))
            self.http.send(h11.EndOfMessage())
            response = await self._event()
            while isinstance(response, h11.InformationalResponse):
                response = await self._event()
            if not isinstance(response, h11.Response):
                raise BrokenOffError("no reply")
            known = {name: value.decode("latin-1") for name, value in response.headers}
            refused = response.status_code != 200
            said = await self._read(SAID if refused else most, cut=refused)
        except h11.RemoteProtocolError as error:
            raise BrokenOffError(f"no HTTP: {error}") from None
        screen(response.status_code, known.get(b"content-encoding", ""), known.get(b"retry-after", ""), said)
        return said

    async def _read(self, most: int, *, cut: bool) -> bytes:
        """The body; where it is longer its beginning if `cut`."""
        body = bytearray()
        while isinstance(event := await self._event(), h11.Data):
            body += event.data
            if len(body) > most:
                if cut:
                    return bytes(body[:most])
                raise OversizeError(f"oversize: more than {most} bytes")
        whole = self.http.our_state is h11.DONE and self.http.their_state is h11.DONE
        if whole and not self.http.trailing_data[0]:
            self.http.start_next_cycle()
        return bytes(body)

    async def _event(self) -> Any:
        while (event := self.http.next_event()) is h11.NEED_DATA:
            if not self.open:
                self._end()
                continue
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        if isinstance(event, h11.ConnectionClosed):
            raise BrokenOffError("closed without a reply")
        return event

    def _end(self) -> None:
        """h11 is told of the end of the data: some replies end so."""
        if self._ended:
            raise BrokenOffError("closed in the middle")
        self._ended = True
        self.http.receive_data(b"")

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def sent_headers(key: str | None) -> dict[str, str]:
    """All that is sent beside what HTTP itself needs."""
    # A compressed reply could be a bomb, so none is asked for.
    headers = {"content-type": "application/json", "accept-encoding": "identity", "user-agent": "cotillion"}
    return headers | ({"authorization": f"Bearer {key}"} if key else {})


def screen(status: int, encoding: str, retry_after: str, said: bytes) -> None:
    """Only an uncompressed 200 is a reply. A redirect is a refusal: the prompt and the key go nowhere else.

    Raises:
        RefusedError: it is something else.
    """
    if 300 <= status < 400:
        raise RefusedError(status, retry_after, "a redirect, which is not followed; correct base_url")
    if status != 200:
        raise RefusedError(status, retry_after, said[:SAID].decode("utf-8", "replace"))
    if encoding.lower() not in ("", "identity"):
        raise RefusedError(status, retry_after, "a compressed reply, though none was asked for")


def _tls() -> "ssl.SSLContext":
    import httpx2

    return httpx2.create_ssl_context()  # the system's trust store; SSL_CERT_FILE is honoured
