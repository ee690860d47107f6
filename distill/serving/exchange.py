"""One run's talk with OpenAI-compatible servers: attempts, waiting, what a refusal means, what is read at most."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from distill.request import Reply, Request, TeacherError
from distill.serving.chat_reply import BadBodyError, read_replies
from distill.serving.connections import BrokenOffError, Connections, OversizeError, RefusedError, UnreachableError
from distill.serving.http_guard import redacted
from distill.serving.proxied import ProxiedConnections, is_proxied
from distill.serving.rate_limit import RateLimit
from distill.serving.replicas import Replica, Replicas
from distill.serving.request_body import advice_on_field, refuses_n, request_body

if TYPE_CHECKING:
    from distill.teachers.openai_server import OpenaiServer

TRANSIENT = frozenset((408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529))
OVERLOADED = frozenset((408, 429, 503, 504, 524, 529))

FIRST_FAILURES = 8
"""So many failed requests, and all in flight, before the first reply: the recipe is wrong, not the prompts."""
FIRST_TRIALS = 3
"""Of every server, before the first reply: then none is up."""
LONGEST_WAIT_S = 600.0
"""Servers that all ask for more patience than this stop the run; it goes on where it stood another time."""


class Exchange:
    """One run's connections, limits and facts; lives in the event loop's thread."""

    def __init__(self, teacher: "OpenaiServer", variable: str | None, key: str | None) -> None:
        self.teacher, self.variable, self.key = teacher, variable, key
        self.secrets = (key,) if key else ()
        self.replicas = Replicas(teacher.urls, teacher.in_flight, teacher.backoff_s)
        self.limits = RateLimit(teacher.requests_per_minute, teacher.tokens_per_minute)
        self.connections: dict[str, Connections | ProxiedConnections] = {}
        self.answered = self.failed = 0

    async def answer(self, group: Sequence[Request]) -> tuple[list[Reply], Sequence[Request]]:
        """The outcomes of a group that differs by index only, and those of it that are to be asked one by one.

        It is one HTTP request, with as many attempts as it may have. What a server that made fewer choices did not
        answer comes back, instead of being asked for here: what is answered is paid for, and must not wait to be kept.
        """
        replies = await self._ask(group)
        return replies, group[len(replies) :]

    async def _ask(self, group: Sequence[Request]) -> list[Reply]:
        started, attempts = time.monotonic(), 0
        last: Replica | None = None
        while True:
            async with self.replicas.turn(avoid=last) as last:
                if len(group) > 1 and not last.honours_n:
                    return []
                try:
                    replies = await self._attempt(group, last)
                    self.answered += len(replies)
                    last.went_well()
                    return replies
                except _OneByOneError:
                    last.honours_n = False
                    return []
                except _NobodyThereError as error:
                    self._missing(last, error.text)
                    continue  # not the request's fault, and the server rests
                except _Trouble as error:
                    trouble = error
                if trouble.final:
                    break
                self.replicas.failed(last)
            attempts += 1
            if attempts >= self.teacher.tries:
                break
            await asyncio.sleep(min(60.0, self.teacher.backoff_s * 2 ** (attempts - 1)) * random.uniform(0.5, 1.0))
        text = redacted(trouble.text, self.secrets)
        self.failed += len(group)
        if not self.answered and self.failed >= max(FIRST_FAILURES, self.teacher.in_flight):
            raise TeacherError(f"none of the first {self.failed} requests was answered. The last: {text}")
        seconds = (time.monotonic() - started) / len(group)
        return [Reply(request.key, "", finish_reason="error", seconds=seconds, error=text) for request in group]

    async def _attempt(self, group: Sequence[Request], replica: Replica) -> list[Reply]:
        body, limit = request_body(self.teacher, group), group[0].sampling.max_tokens
        most = max(1 << 20, len(group) * (8 * limit + (64 << 10)))
        counted = await self.limits.spend(sum(len(m.content) for m in group[0].messages), len(group), limit)
        connections = self._connected(replica)
        started, timeout_s = time.monotonic(), self.teacher.timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                said = await connections.post(body, most)
            replies = read_replies([request.key for request in group], said, time.monotonic() - started)
        except TimeoutError:
            self._overloaded(replica)
            raise _Trouble(f"deadline: no whole reply from {replica.host} in {timeout_s:g} s", final=True) from None
        except RefusedError as refusal:
            self.limits.correct(counted, 0, 0, 0)
            raise self._refusal(refusal, replica, len(group)) from None
        except OversizeError as error:
            raise _Trouble(str(error), final=True) from None
        except BadBodyError as error:
            raise _Trouble(f"{replica.host}: {error}") from None
        except UnreachableError as error:
            self.limits.correct(counted, 0, 0, 0)
            raise _NobodyThereError(f"{replica.host} cannot be reached: {error}") from None
        except (BrokenOffError, OSError) as error:
            raise _Trouble(f"{replica.host} broke off: {error}") from None
        prompt, completion = (sum(getattr(reply, name) for reply in replies) for name in _TOKENS)
        if prompt or completion:
            self.limits.correct(counted, prompt, completion, len(replies))
        if len(replies) < len(group):
            replica.honours_n = False
        return [self._without_key(reply) for reply in replies]

    def _connected(self, replica: Replica) -> Connections | ProxiedConnections:
        if replica.url not in self.connections:
            url = replica.url + ("/chat/completions" if self.teacher.endpoint == "chat" else "/completions")
            kind = ProxiedConnections if is_proxied(url) else Connections
            self.connections[replica.url] = kind(url, self.key, min(10.0, self.teacher.timeout_s))
        return self.connections[replica.url]

    def _missing(self, replica: Replica, text: str) -> None:
        """The server gets a rest; the run ends when no server was there for a while."""
        self.replicas.missing(replica)
        trials = self.teacher.tries if self.answered else min(FIRST_TRIALS, self.teacher.tries)
        if self.replicas.unreachable(trials):
            said = redacted(text, self.secrets)
            raise TeacherError(f"{said}. Is the server up? Start it, or correct base_url")

    def _overloaded(self, replica: Replica, wait_s: float = 0.0) -> None:
        """It gets less for a while, and nothing for so long."""
        replica.overloaded(asyncio.get_running_loop().time(), wait_s)

    def _refusal(self, refusal: RefusedError, replica: Replica, choices: int) -> "_Trouble":
        """What a status means: the run stops, this request fails, it is asked one by one, or it is tried again."""
        status = refusal.status
        said = redacted(f"{replica.host} answered {status}: {refusal.text}", self.secrets)
        if advice := self._advice(refusal):
            raise TeacherError(f"{said} ({advice})") from None
        if status in (400, 422) and choices > 1 and refuses_n(refusal.text):
            raise _OneByOneError from None
        if status in (400, 422) and not self.answered and (advice := advice_on_field(self.teacher, refusal.text)):
            raise TeacherError(f"{said} ({advice})") from None
        wait_s = _seconds(refusal.retry_after)
        if status in OVERLOADED:
            self._overloaded(replica, wait_s)
        elif status in TRANSIENT:
            replica.pause(asyncio.get_running_loop().time(), wait_s)
        if (pause_s := self.replicas.shortest_pause()) > LONGEST_WAIT_S:
            raise TeacherError(f"{said}. It asks to wait {pause_s:.0f} s: run again later") from None
        return _Trouble(said, final=status not in TRANSIENT)

    def _advice(self, refusal: RefusedError) -> str | None:
        """What to do about a refusal that every request would get."""
        if "insufficient_quota" in refusal.text:
            return "the account's quota is spent"
        return {
            401: f"set {self.variable} to a valid key" if self.variable else "name the key's variable in api_key_env",
            402: "the account has no credit left",
            403: "this key may not use this model",
            404: f"is {self.teacher.model!r} the model's name there, and does base_url end in /v1?",
        }.get(refusal.status)

    def _without_key(self, reply: Reply) -> Reply:
        if reply.error:
            reply = replace(reply, error=redacted(reply.error, self.secrets))
        texts = (reply.content, reply.reasoning or "")
        if not self.key or not any(self.key in text for text in texts):
            return reply
        content, reasoning = (text.replace(self.key, "[redacted]") for text in texts)
        return replace(reply, content=content, reasoning=reasoning or None)

    async def close(self) -> None:
        """Connections are closed."""
        for connections in self.connections.values():
            await connections.close()


_TOKENS = ("prompt_tokens", "completion_tokens")


class _Trouble(Exception):
    """Why an attempt gave no reply, and whether another may."""

    def __init__(self, text: str, *, final: bool = False) -> None:
        self.text, self.final = text, final


class _NobodyThereError(_Trouble):
    """Nobody listens there."""


class _OneByOneError(Exception):
    """The server does not take `n`."""


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
