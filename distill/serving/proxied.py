"""The same connections through a proxy that the environment names (HTTPS_PROXY, NO_PROXY), by httpx2."""

from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from distill.serving.connections import SAID, BrokenOffError, OversizeError, UnreachableError, screen, sent_headers

if TYPE_CHECKING:
    import httpx2


def is_proxied(url: str) -> bool:
    """Whether requests there go through a proxy."""
    parts, proxies = urlsplit(url), getproxies()
    return (parts.scheme in proxies or "all" in proxies) and not proxy_bypass(parts.hostname or "")


class ProxiedConnections:
    """As `Connections`, at some more CPU per request."""

    def __init__(self, url: str, key: str | None, connect_s: float) -> None:
        import httpx2

        self.url, self.headers = url, sent_headers(key)
        # The wall clock of an attempt is the caller's; httpx's own times are per read and a drip never trips them.
        self.http = httpx2.AsyncClient(
            follow_redirects=False,
            timeout=httpx2.Timeout(None, connect=connect_s),
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=64),
        )
        self.http.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))

    async def post(self, body: bytes, most: int) -> bytes:
        """As `Connections.post`."""
        import httpx2

        try:
            async with self.http.stream("POST", self.url, content=body, headers=self.headers) as response:
                refused = response.status_code != 200
                said = await _read(response, SAID if refused else most, cut=refused)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError) as error:
            raise UnreachableError(f"{type(error).__name__} {error}") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError) as error:
            raise BrokenOffError(f"{type(error).__name__} {error}") from None
        headers = response.headers
        screen(response.status_code, headers.get("content-encoding", ""), headers.get("retry-after", ""), said)
        return said

    async def close(self) -> None:
        """Connections are closed."""
        await self.http.aclose()


async def _read(response: "httpx2.Response", most: int, *, cut: bool) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > most:
            if cut:
                break
            raise OversizeError(f"oversize: more than {most} bytes")
    return bytes(body[:most])
