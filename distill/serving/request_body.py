"""What a server is sent for a request: the fields of a chat or text completion, and which of them it refused."""

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from distill.request import Message, Request, TeacherError

if TYPE_CHECKING:
    from distill.teachers.openai_server import OpenaiServer

OMITTABLE = ("temperature", "top_p", "seed", "max_tokens")

_REFUSES_A_FIELD = re.compile(
    r"unsupported|not support|unrecogni[sz]ed|unknown (?:name|field|param|arg|key)|unexpected|extra_forbidden"
    r"|extra (?:inputs|fields)|not permitted|not allowed|cannot both|deprecated",
    re.IGNORECASE,
)
_SAYS_N = re.compile(r"""['"`]n['"`]|(?<![A-Za-z0-9_\\])n ?(?:=|>|must|should|has to|is not)""")


def request_body(teacher: "OpenaiServer", group: Sequence[Request]) -> bytes:
    """The JSON that asks for one choice per request of the group; they differ by index only.

    Raises:
        TeacherError: a text completion cannot say these messages.
    """
    first = group[0]
    fields: dict[str, Any] = {"model": teacher.model}
    if teacher.endpoint == "chat":
        fields["messages"] = [{"role": message.role, "content": message.content} for message in first.messages]
    else:
        fields["prompt"] = prompt_text(first.messages, teacher.template)
    sampling = first.sampling
    values = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
        "seed": first.seed,
    }
    for name, value in values.items():
        if name not in teacher.omit:
            chat_limit = name == "max_tokens" and teacher.endpoint == "chat"
            fields[teacher.max_tokens_name if chat_limit else name] = value
    if len(group) > 1:
        fields["n"] = len(group)
    return json.dumps(fields | teacher.extra_body).encode()


def prompt_text(messages: Sequence[Message], template: str) -> str:
    """The template with the user's text, and the system's where it has a place for that.

    Raises:
        TeacherError: a message has no place in it.
    """
    texts: dict[str, list[str]] = {}
    for message in messages:
        texts.setdefault(message.role, []).append(message.content)
    if homeless := sorted(role for role in texts if f"{{{role}}}" not in template):
        raise TeacherError(f"the prompt has a message of the {homeless[0]}; put {{{homeless[0]}}} into template")
    # In one pass: a question that holds "{system}" is a question.
    return re.sub(r"\{(user|system|assistant)\}", lambda found: "\n\n".join(texts.get(found[1], [])), template)


def advice_on_field(teacher: "OpenaiServer", said: str) -> str | None:
    """What to set where a server says that it does not know or want one of the fields; None where it says no such."""
    if not _REFUSES_A_FIELD.search(said):
        return None
    limit = teacher.max_tokens_name if teacher.endpoint == "chat" else "max_tokens"
    sent = [limit if name == "max_tokens" else name for name in OMITTABLE if name not in teacher.omit]
    named = [(found.start(), name) for name in [*sent, *teacher.extra_body] if (found := _named(name, said))]
    if not named:
        return None
    name = min(named)[1]
    if name in teacher.extra_body:
        return f"take {name} out of extra_body"
    if name == limit and teacher.endpoint == "chat":
        other = "max_completion_tokens" if limit == "max_tokens" else "max_tokens"
        return f"set max_tokens_name: {other}"
    return f"set omit: [{', '.join([*teacher.omit, name])}]"


def refuses_n(said: str) -> bool:
    """Whether the error is about asking for several choices."""
    return _SAYS_N.search(said) is not None


def _named(name: str, said: str) -> re.Match[str] | None:
    return re.search(rf"(?<![A-Za-z0-9_]){re.escape(name)}(?![A-Za-z0-9_])", said)
