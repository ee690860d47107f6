"""The connections to one server: what is sent, and how much of what comes back is read."""

from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

    import httpx2

# The pool of httpcore looks through all its connections at every request: with 512 in flight a request costs 3.9 ms of
# CPU in one pool and 1.0 ms in pools of 16.
POOL = 16
SAID = 4096
"""Bytes of a refusal that are read."""


class RefusedError(Exception):
    """A status other than 200, with the first bytes of what was said."""

    def __init__(self, status: int, retry_after: str, text: str) -> None:
        self.status, self.retry_after, self.text = status, retry_after, text


class OversizeError(Exception):
    """The reply is longer than one may be."""


class Connections:
    """Posts to one URL. Sends no header from the environment and no cookie, and follows no redirect."""

    def __init__(self, url: str, key: str | None, connect_s: float, context: "ssl.SSLContext") -> None:
        self.url, self.connect_s, self.context = url, connect_s, context
        # A compressed reply could be a bomb, so none is asked for.
        self.headers = {"content-type": "application/json", "accept-encoding": "identity", "user-agent": "cotillion"}
        if key:
            self.headers["authorization"] = f"Bearer {key}"
        self._pools: list[httpx2.AsyncClient] = []
        self._free: list[httpx2.AsyncClient] = []

    async def post(self, body: bytes, most: int) -> bytes:
        """The body of the reply, at most so many bytes.

        Raises:
            RefusedError: any status but 200, a redirect too, or a compressed reply.
            OversizeError: more bytes.
            httpx2.HTTPError: no connection, or it broke off.
        """
        # The last that was given back: its connection is open.
        pool = self._free.pop() if self._free else self._more()
        try:
            async with pool.stream("POST", self.url, content=body, headers=self.headers) as response:
                if response.status_code != 200:
                    raise await _refusal(response)
                if response.headers.get("content-encoding", "identity") != "identity":
                    raise RefusedError(200, "", "a compressed reply, though none was asked for")
                return await _bounded(response, most)
        finally:
            self._free.append(pool)

    async def close(self) -> None:
        """Connections are closed."""
        for pool in self._pools:
            await pool.aclose()

    def _more(self) -> "httpx2.AsyncClient":
        import httpx2

        # The wall clock of an attempt is the caller's; httpx's own times are per read and a drip never trips them.
        pool = httpx2.AsyncClient(
            follow_redirects=False,
            timeout=httpx2.Timeout(None, connect=self.connect_s),
            limits=httpx2.Limits(max_connections=POOL, max_keepalive_connections=POOL),
            verify=self.context,
        )
        pool.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._pools.append(pool)
        self._free += [pool] * (POOL - 1)
        return pool


async def _refusal(response: "httpx2.Response") -> RefusedError:
    retry_after = response.headers.get("retry-after", "")
    if response.is_redirect:
        return RefusedError(response.status_code, retry_after, "a redirect, which is not followed; correct base_url")
    said = b""
    async for chunk in response.aiter_raw():
        said += chunk[:SAID]
        if len(said) >= SAID:
            break
    return RefusedError(response.status_code, retry_after, said[:SAID].decode("utf-8", "replace"))


async def _bounded(response: "httpx2.Response", most: int) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > most:
            raise OversizeError(f"oversize: more than {most} bytes")
    return bytes(body)
