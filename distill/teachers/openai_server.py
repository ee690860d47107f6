"""Any server that speaks OpenAI's chat completions: vLLM, SGLang, llama.cpp, hosted ones.

The server is not trusted: it may be slow, broken, or somebody else's. Every request gets an outcome, nothing it sends
is kept without bound, it is sent nothing but its own key, and no key shows in what is stored or said.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from distill.background import Background
from distill.exchange import Exchange
from distill.http_guard import checked_url, host_of, key_for, refuse_link_local
from distill.request import Reply, Request, TeacherError

SECRET_NAME = re.compile(r"key|token$|secret|password|authorization", re.IGNORECASE)
OURS = frozenset(
    ("model", "messages", "stream", "n", "seed", "temperature", "top_p", "max_tokens", "max_completion_tokens")
)


@dataclass(frozen=True)
class OpenaiServer:
    """Asks a model behind an OpenAI-compatible server, many requests at once.

    One request per rollout, with its own seed: servers disagree on what `n` and a shared seed mean. Replies are not
    streamed token by token, and no reasoning parser is needed: `<think>` is split later, from what was stored.

    Example:
        >>> OpenaiServer("qwen3", base_url="http://127.0.0.1:8000/v1").in_flight
        64
    """

    model: Annotated[str, Field(min_length=1)]
    """The name the server knows it by."""
    base_url: str | tuple[str, ...] = "https://api.openai.com/v1"
    """Up to and with `/v1`; several for replicas of one model, asked in turn."""
    api_key_env: str | None = None
    """Environment variable with the key. OPENAI_API_KEY is the default for api.openai.com and goes nowhere else."""
    revision: str = ""
    """Commit or date of the model; part of every request's key. A hash of `extra_body` is added to it."""
    in_flight: Annotated[int, Field(ge=1, le=4096)] = 64
    """Most requests at once; fewer while the server refuses some (429, 503) or is too slow."""
    timeout_s: Annotated[float, Field(gt=0)] = 1200.0
    """Wall clock for one attempt from its first byte sent to its last received."""
    tries: Annotated[int, Field(ge=1, le=20)] = 6
    """Attempts per request where the server refuses or breaks off; a timeout is not tried again here, it was paid."""
    backoff_s: Annotated[float, Field(ge=0)] = 0.5
    """Wait before the second attempt; doubled each time, up to a minute. A server's Retry-After is obeyed."""
    max_tokens_name: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """What the server calls the limit; OpenAI's reasoning models take only the second."""
    extra_body: dict[str, Any] = field(default_factory=dict)
    """More fields of the request, such as `top_k` or `chat_template_kwargs`."""

    def __post_init__(self) -> None:
        if not self.urls:
            raise ValueError("base_url names no server")
        if secret := sorted(name for name in self.extra_body if SECRET_NAME.search(name)):
            raise ValueError(f"extra_body holds {', '.join(secret)}: it is published with the data. Use api_key_env")
        if taken := sorted(OURS & self.extra_body.keys()):
            raise ValueError(f"extra_body may not hold {', '.join(taken)}: set by the request itself")
        if self.extra_body:
            text = json.dumps(self.extra_body, sort_keys=True, ensure_ascii=True)
            mark = f"+body-{hashlib.blake2b(text.encode(), digest_size=4).hexdigest()}"
            object.__setattr__(self, "revision", self.revision.removesuffix(mark) + mark)

    @property
    def urls(self) -> tuple[str, ...]:
        """Every server that is asked.

        Raises:
            ValueError: a base_url that is none, or not a fit one.
        """
        return tuple(map(checked_url, (self.base_url,) if isinstance(self.base_url, str) else self.base_url))

    def ask(self, requests: Iterable[Request]) -> Iterator[Reply]:
        """Replies as they come, at most `in_flight` requests taken on and not yet yielded.

        A request that cannot be answered yields a reply with finish_reason `error`: `deadline`, `oversize`, or what
        the server said. After Ctrl-C the replies that had arrived are still yielded.

        Raises:
            TeacherError: no server is reached, the key or the model is refused, or every request is.
        """
        try:
            for url in self.urls:
                refuse_link_local(url)
            variable, key = key_for(self.api_key_env, map(host_of, self.urls))
        except ValueError as error:
            raise TeacherError(str(error)) from None
        exchange = Exchange(self, variable, key)
        with Background[Reply](exchange.close) as loop:
            source, pending = iter(requests), 0
            more = True
            try:
                while True:
                    while more and pending < self.in_flight:
                        request = next(source, None)
                        if request is None:
                            more = False
                        else:
                            loop.start(exchange.answer(request))
                            pending += 1
                    if not pending:
                        return
                    outcome = loop.next()
                    pending -= 1
                    if isinstance(outcome, BaseException):
                        raise outcome
                    yield outcome
            except KeyboardInterrupt:
                yield from loop.arrived()
                raise
