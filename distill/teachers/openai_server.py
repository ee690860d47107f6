"""Any server that speaks OpenAI's chat or text completions: vLLM, SGLang, llama.cpp, hosted ones.

The server is not trusted: it may be slow, broken, or somebody else's. Every request gets an outcome, nothing it sends
is kept without bound, it is sent nothing but its own key, and no key shows in what is stored or said.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from pydantic import Field

from distill.request import Reply, Request, TeacherError
from distill.serving.background import Background
from distill.serving.exchange import Exchange
from distill.serving.http_guard import checked_url, host_of, key_for, refuse_link_local

SECRET_NAME = re.compile(r"key|token$|secret|password|authorization", re.IGNORECASE)
OURS = frozenset(
    (
        "model",
        "messages",
        "prompt",
        "stream",
        "n",
        "seed",
        "temperature",
        "top_p",
        "max_tokens",
        "max_completion_tokens",
    )
)


@dataclass(frozen=True)
class OpenaiServer:
    """Asks a model behind an OpenAI-compatible server, many requests at once.

    One request per rollout, with its own seed, unless `n_per_request` says otherwise: servers disagree on what `n` and
    a shared seed mean. Replies are not streamed token by token, and no reasoning parser is needed: `<think>` is split
    later, from what was stored.

    Example:
        >>> OpenaiServer("qwen3", base_url="http://127.0.0.1:8000/v1").in_flight
        64
    """

    model: Annotated[str, Field(min_length=1)]
    """The name the server knows it by."""
    base_url: str | tuple[str, ...] = "https://api.openai.com/v1"
    """Up to and with `/v1`; several for replicas of one model: the one with the least in flight is asked next.

    A replica that is slow or refuses gets less, one that is down a request now and then; when all are down, the run
    stops."""
    api_key_env: str | None = None
    """Environment variable with the key. OPENAI_API_KEY is the default for api.openai.com and goes nowhere else."""
    revision: str = ""
    """Commit or date of the model; part of every request's key. A hash of what else decides the text is added to it:
    `extra_body`, `omit`, `endpoint` and `template`, where they are set."""
    endpoint: Literal["chat", "completions"] = "chat"
    """`completions` sends bare text, for base models and servers without a chat template."""
    template: str = "{user}"
    """The text that `completions` sends: `{user}`, and `{system}` where there is one, are the texts of the messages.
    No chat template of the model is applied; write its marks here if it needs them."""
    n_per_request: Annotated[int, Field(ge=1, le=128)] = 1
    """Rollouts of one problem asked as one request, so that the server reads the prompt once.

    Above 1 they share one seed, and which of them gets which index is the server's choice: runs are then not
    repeatable by seed. A server that makes fewer choices is asked one by one from then on."""
    omit: tuple[Literal["temperature", "top_p", "seed", "max_tokens"], ...] = ()
    """Fields that the server does not take; it then uses its own values."""
    in_flight: Annotated[int, Field(ge=1, le=4096)] = 64
    """Most requests at once, over all servers; fewer while one refuses some (429, 503) or is too slow."""
    requests_per_minute: Annotated[int, Field(ge=1)] | None = None
    """What the account allows, over all servers; attempts count. Evenly paced."""
    tokens_per_minute: Annotated[int, Field(ge=1)] | None = None
    """What the account allows, prompt and completion; a request counts as the mean so far until its reply tells."""
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
        if self.endpoint == "chat" and self.template != "{user}":
            raise ValueError("template is for endpoint: completions; a chat's template is the server's")
        if "{user}" not in self.template:
            raise ValueError("template has no {user}, the place of the question")
        if decides := self._decides():
            text = json.dumps(decides, sort_keys=True, ensure_ascii=True)
            mark = f"+body-{hashlib.blake2b(text.encode(), digest_size=4).hexdigest()}"
            object.__setattr__(self, "revision", self.revision.removesuffix(mark) + mark)

    def _decides(self) -> Any:
        """What decides the text besides the request; empty if nothing is set."""
        others: dict[str, Any] = {"omit": sorted(set(self.omit) - {"seed"})} if set(self.omit) - {"seed"} else {}
        if self.endpoint != "chat":
            others |= {"endpoint": self.endpoint, "template": self.template}
        # A list keeps them apart from fields of the same name; without them the mark is that of earlier releases.
        return [self.extra_body, others] if others else self.extra_body

    @property
    def urls(self) -> tuple[str, ...]:
        """Every server that is asked.

        Raises:
            ValueError: a base_url that is none, or not a fit one.
        """
        return tuple(map(checked_url, (self.base_url,) if isinstance(self.base_url, str) else self.base_url))

    def ready(self) -> None:
        """Raises TeacherError if the key that it needs is not set, or belongs to another host. Asks nobody."""
        self._key()

    def ask(self, requests: Iterable[Request]) -> Iterator[Reply]:
        """Replies as they come. At most `in_flight` requests are taken on and not yet yielded, in flight or waiting to
        be taken: a slow disk slows the sending. (With `n_per_request`, so many times `n_per_request`.)

        A request that cannot be answered yields a reply with finish_reason `error`: `deadline`, `oversize`, or what
        the server said. After Ctrl-C the replies that had arrived are still yielded.

        Raises:
            TeacherError: no server is reached, the key, the model or a field is refused, or every request is.
        """
        try:
            for url in self.urls:
                refuse_link_local(url)
        except ValueError as error:
            raise TeacherError(str(error)) from None
        exchange = Exchange(self, *self._key())
        with Background[tuple[list[Reply], Sequence[Request]]](exchange.close) as loop:
            groups, room = _groups(requests, self.n_per_request), self.in_flight * self.n_per_request
            try:
                while True:
                    while room >= self.n_per_request and (group := next(groups, None)):
                        loop.start(exchange.answer(group))
                        room -= len(group)
                    if room == self.in_flight * self.n_per_request:
                        return
                    outcome = loop.next()
                    if isinstance(outcome, BaseException):
                        raise outcome
                    replies, one_by_one = outcome
                    for request in one_by_one:
                        loop.start(exchange.answer([request]))
                    yield from replies
                    room += len(replies)
            except KeyboardInterrupt:
                for replies, _ in loop.arrived():
                    yield from replies
                raise

    def _key(self) -> tuple[str | None, str | None]:
        try:
            return key_for(self.api_key_env, map(host_of, self.urls))
        except ValueError as error:
            raise TeacherError(str(error)) from None


def _groups(requests: Iterable[Request], most: int) -> Iterator[list[Request]]:
    """Neighbours that differ by index only, so many at most."""
    if most == 1:
        yield from ([request] for request in requests)  # none is held back to look at the next
        return
    group: list[Request] = []
    for request in requests:
        if group and (len(group) == most or not _alike(group[0], request)):
            yield group
            group = []
        group.append(request)
    if group:
        yield group


def _alike(one: Request, other: Request) -> bool:
    return (one.messages, one.model, one.revision) == (other.messages, other.model, other.revision) and (
        replace(one.sampling, n=1) == replace(other.sampling, n=1)
    )
