"""One run's talk with an OpenAI-compatible server: attempts, waiting, what a refusal means, what is read at most."""

import asyncio
import random
import time
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from distill.chat_reply import BadBodyError, read_reply
from distill.http_guard import SENT_HEADERS, host_of, redacted
from distill.request import Reply, Request, TeacherError
from distill.throttle import Throttle

if TYPE_CHECKING:
    import httpx2

    from distill.teachers.openai_server import OpenaiServer

TRANSIENT = frozenset((408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529))
OVERLOADED = frozenset((408, 429, 503, 504, 524, 529))

FIRST_FAILURES = 8
"""So many failed requests, and all in flight, before the first reply: the recipe is wrong, not the prompts."""
LONGEST_WAIT_S = 600.0
"""A server that asks for more patience than this stops the run; it goes on where it stood another time."""


class Exchange:
    """One run's clients, throttle and facts; lives in the event loop's thread."""

    def __init__(self, teacher: "OpenaiServer", variable: str | None, key: str | None) -> None:
        self.teacher, self.variable, self.key = teacher, variable, key
        self.secrets = (key,) if key else ()
        self.throttle = Throttle(teacher.in_flight)
        self.http: httpx2.AsyncClient | None = None
        self.clients: list[Any] = []
        self.answered = self.failed = 0

    async def answer(self, request: Request) -> Reply:
        """The outcome of one request, after as many attempts as it may have."""
        started, before = time.monotonic(), self.answered
        trouble, unreachable = _Trouble(""), True
        for attempt in range(self.teacher.tries):
            url = (request.seed + attempt) % len(self.teacher.urls)
            try:
                async with self.throttle.slot():
                    reply = await self._attempt(request, url)
                self.answered += 1
                self.throttle.went_well()
                return reply
            except _Trouble as error:
                trouble = error
                unreachable &= error.unreachable
            if trouble.final or (unreachable and not self.answered and attempt >= max(2, len(self.teacher.urls))):
                break
            if attempt + 1 < self.teacher.tries:
                patience = min(60.0, self.teacher.backoff_s * 2**attempt) * random.uniform(0.5, 1.0)
                await asyncio.sleep(max(patience, trouble.wait_s))
        text = redacted(trouble.text, self.secrets)
        if unreachable and self.answered == before:
            raise TeacherError(f"{text}. Is the server up? Start it, or correct base_url; what was answered is kept")
        self.failed += 1
        if not self.answered and self.failed >= max(FIRST_FAILURES, self.teacher.in_flight):
            raise TeacherError(f"none of the first {self.failed} requests was answered. The last: {text}")
        return Reply(request.key, "", finish_reason="error", seconds=time.monotonic() - started, error=text)

    async def _attempt(self, request: Request, url: int) -> Reply:
        import httpx2
        import openai

        if self.http is None:
            self._connect()
        host, started = host_of(self.teacher.urls[url]), time.monotonic()
        try:
            async with asyncio.timeout(self.teacher.timeout_s):
                call = self.clients[url].chat.completions.with_streaming_response.create(**self._body(request))
                async with call as response:
                    body = await _bounded(
                        response.iter_bytes(), max(1 << 20, 8 * request.sampling.max_tokens + (64 << 10))
                    )
            reply = read_reply(request.key, body, time.monotonic() - started)
        except TimeoutError:
            self.throttle.overloaded()
            raise _Trouble(
                f"deadline: no whole reply from {host} in {self.teacher.timeout_s:g} s", final=True
            ) from None
        except _RefusedError as refusal:
            raise self._refusal(refusal, host) from None
        except BadBodyError as error:
            raise _Trouble(f"{host}: {error}") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, openai.OpenAIError, OSError) as error:
            cause = error.__cause__ or error
            unreachable = isinstance(cause, (httpx2.ConnectError, httpx2.ConnectTimeout))
            said = f"{host} {'cannot be reached' if unreachable else 'broke off'}: {type(cause).__name__} {cause}"
            raise _Trouble(said, unreachable=unreachable) from None
        return self._without_key(reply)

    def _connect(self) -> None:
        import httpx2
        import openai

        # The wall clock of an attempt is asyncio's; httpx's own times are per read and a drip never trips them.
        self.http = httpx2.AsyncClient(
            follow_redirects=False,
            timeout=httpx2.Timeout(None, connect=min(10.0, self.teacher.timeout_s)),
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=self.teacher.in_flight),
            event_hooks={"request": [self._sent], "response": [_screened]},
        )
        self.clients = [
            openai.AsyncOpenAI(api_key=self.key or "none", base_url=url, max_retries=0, http_client=self.http)
            for url in self.teacher.urls
        ]

    async def _sent(self, request: "httpx2.Request") -> None:
        """Headers from the environment (organization, custom ones with other keys) stay here."""
        for name in list(request.headers):
            # The client reads its own x-stainless marks again when the reply comes.
            if name not in SENT_HEADERS and not name.startswith("x-stainless-"):
                del request.headers[name]
        request.headers["accept-encoding"] = "identity"
        if self.key:
            request.headers["authorization"] = f"Bearer {self.key}"
        else:
            request.headers.pop("authorization", None)

    def _body(self, request: Request) -> dict[str, Any]:
        sampling = request.sampling
        return {
            "model": self.teacher.model,
            "messages": [{"role": m.role, "content": m.content} for m in request.messages],
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            self.teacher.max_tokens_name: sampling.max_tokens,
            "seed": request.seed,
            "extra_body": self.teacher.extra_body,
        }

    def _refusal(self, refusal: "_RefusedError", host: str) -> "_Trouble":
        """What a status means: the run stops, this request fails, or it is tried again."""
        status, said = refusal.status, redacted(f"{host} answered {refusal.status}: {refusal.text}", self.secrets)
        advice = {
            401: f"set {self.variable} to a valid key" if self.variable else "name the key's variable in api_key_env",
            402: "the account has no credit left",
            403: "this key may not use this model",
            404: f"is {self.teacher.model!r} the model's name there, and does base_url end in /v1?",
        }.get(status)
        if "insufficient_quota" in refusal.text:
            advice = "the account's quota is spent"
        if advice:
            raise TeacherError(f"{said} ({advice}). What was answered is kept") from None
        wait_s = _seconds(refusal.retry_after)
        if wait_s > LONGEST_WAIT_S:
            raise TeacherError(
                f"{said}. It asks to wait {wait_s:.0f} s: run again later; what was answered is kept"
            ) from None
        if status in OVERLOADED:
            self.throttle.overloaded(wait_s)
        return _Trouble(said, final=status not in TRANSIENT, wait_s=wait_s)

    def _without_key(self, reply: Reply) -> Reply:
        texts = (reply.content, reply.reasoning or "", reply.error or "")
        if not self.key or not any(self.key in text for text in texts):
            return reply
        content, reasoning, error = (text.replace(self.key, "[redacted]") for text in texts)
        return replace(reply, content=content, reasoning=reasoning or None, error=error or None)

    async def close(self) -> None:
        """Connections are closed."""
        if self.http is not None:
            await self.http.aclose()


class _Trouble(Exception):
    """Why an attempt gave no reply, and whether another may."""

    def __init__(self, text: str, *, final: bool = False, unreachable: bool = False, wait_s: float = 0.0) -> None:
        self.text, self.final, self.unreachable, self.wait_s = text, final, unreachable, wait_s


class _RefusedError(Exception):
    """A status other than 200, with the first bytes of what was said."""

    def __init__(self, status: int, retry_after: str, text: str) -> None:
        self.status, self.retry_after, self.text = status, retry_after, text


async def _screened(response: "httpx2.Response") -> None:
    """Only an uncompressed 200 is read on. A redirect is a refusal: the prompt and the key go nowhere else."""
    if response.status_code == 200 and response.headers.get("content-encoding", "identity") == "identity":
        return
    said = b""
    if response.status_code != 200:
        async for chunk in response.aiter_raw():
            said += chunk[:4096]
            if len(said) >= 4096:
                break
    else:
        said = b"a compressed reply, though none was asked for"
    text = said[:4096].decode("utf-8", "replace")
    if response.is_redirect:
        text = "a redirect, which is not followed; correct base_url"
    raise _RefusedError(response.status_code, response.headers.get("retry-after", ""), text)


async def _bounded(chunks: Any, most: int) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > most:
            raise _Trouble(f"oversize: more than {most} bytes", final=True)
    return bytes(body)


def _seconds(retry_after: str) -> float:
    """Retry-After as seconds from now: a number or an HTTP date; 0 where it is neither."""
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
