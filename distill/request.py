"""What is asked of a teacher, what comes back, and the key under which it is paid for once."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Literal, Protocol

from pydantic import Field

FinishReason = Literal["stop", "length", "error", "unknown"]


@dataclass(frozen=True)
class Message:
    """One turn of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Sampling:
    """How rollouts are drawn. `n` and `seed` are how many and which; the rest shapes each one.

    The bounds are those of a manifest; nothing checks them here.
    """

    n: Annotated[int, Field(ge=1, le=1024)] = 8
    """Rollouts per problem."""
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.6
    """0 always takes the likeliest token."""
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.95
    """Draws from the likeliest tokens that together have this share."""
    max_tokens: Annotated[int, Field(ge=1)] = 16384
    """Upper bound on completion tokens, reasoning included."""
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0
    """Mixed with prompt and index into one seed per rollout: one for all prompts triples the spread of pass rates."""


@dataclass(frozen=True)
class Request:
    """One rollout to be drawn: rendered messages, model and revision, sampling, index."""

    messages: tuple[Message, ...]
    model: str
    revision: str
    sampling: Sampling
    index: int
    """Which of the n rollouts of this prompt, from 0."""
    key: str = field(init=False)
    """32 hex digits over all of the above but `n`: asking for more rollouts asks only for the new indices."""

    def __post_init__(self) -> None:
        # vars, since asdict copies deeply: half the time of making a request.
        sampling = {name: value for name, value in vars(self.sampling).items() if name != "n"}
        messages = [[m.role, m.content] for m in self.messages]
        parts = [self.model, self.revision, messages, sampling, self.index]
        text = json.dumps(parts, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
        object.__setattr__(self, "key", hashlib.blake2b(text.encode(), digest_size=16).hexdigest())

    @property
    def seed(self) -> int:
        """31 bits of the key: differs by prompt and index, equal on every machine."""
        return int(self.key[:8], 16) & 0x7FFFFFFF


@dataclass(frozen=True)
class Reply:
    """What came back for one request, as it came: nothing is parsed away before it is stored."""

    key: str
    content: str
    """The text of the message; may hold `<think>` inline."""
    reasoning: str | None = None
    """The server's own reasoning field (`reasoning` or `reasoning_content`), where it has one."""
    finish_reason: FinishReason = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    """From asking to the reply; of a teacher with `shares_time`, its share of the time."""
    error: str | None = None
    """Why there is no text (finish_reason `error`): a short, redacted line."""


class TeacherError(RuntimeError):
    """The teacher cannot be reached or refuses to answer: says what to do."""


class Teacher(Protocol):
    """Anything that answers requests: a server, an engine in this process, a symbolic program.

    It may have more:
        in_flight: how many requests it takes on at once, from which plans tell how long many take.
        shares_time: True where the seconds of its replies add up to wall clock, as an engine in this process knows it.
        ready(): called before a build reads anything; raises TeacherError if it is sure that no request will be
            answered: a key that is not set, a library or a folder that is not there. It asks nobody and loads nothing.
    """

    @property
    def model(self) -> str:
        """Name under which rollouts are stored and credited."""

    @property
    def revision(self) -> str:
        """Commit, date or rate: what else decides the text. Part of every request's key; '' where unknown."""

    def ask(self, requests: Iterable[Request]) -> Iterator[Reply]:
        """Replies in any order, one per request, told apart by `key`. Pulls requests as it can take them on."""
