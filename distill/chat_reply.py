"""The body of a chat completion as a Reply, whatever the server made of the format."""

import json
from typing import Any

from distill.request import FinishReason, Reply

FINISH: dict[Any, FinishReason] = {"stop": "stop", "length": "length", "max_tokens": "length", "eos": "stop"}


class BadBodyError(ValueError):
    """The body is no chat completion: cut off, HTML, an error, no choice."""


def read_reply(key: str, body: bytes, seconds: float) -> Reply:
    """What the first choice says. A message without any text is an error that was paid for.

    The reasoning is read from `reasoning_content`, `reasoning` (the name since 2026) or parts of the content; text is
    kept as it came. Other choices are ignored: one is asked for.

    Raises:
        BadBodyError: says what came instead.
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise BadBodyError(f"not JSON: {_head(body)}") from None
    choices = data.get("choices") if isinstance(data, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise BadBodyError(f"no chat completion: {_head(body)}")
    content, inline = _texts(message.get("content"))
    field = message.get("reasoning_content") or message.get("reasoning")
    reasoning = field if isinstance(field, str) and field else inline or None
    finish = choice.get("finish_reason")
    usage = data.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    tokens = (_count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens")))
    if not content.strip() and not (reasoning or "").strip():
        refusal = message.get("refusal")
        why = (
            f"refused: {refusal}" if isinstance(refusal, str) and refusal else f"empty reply, finish_reason {finish!r}"
        )
        return Reply(key, content, None, "error", *tokens, seconds, why)
    return Reply(
        key, content, reasoning, FINISH.get(finish if isinstance(finish, str) else None, "unknown"), *tokens, seconds
    )


def _texts(content: Any) -> tuple[str, str]:
    """Content and reasoning of a message's content: a text, or a list of typed parts (Magistral's has `thinking`)."""
    if isinstance(content, str):
        return content, ""
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    said, thought = "", ""
    for part in parts:
        if isinstance(part.get("text"), str):
            said += part["text"]
        for inner in part["thinking"] if isinstance(part.get("thinking"), list) else ():
            thought += inner["text"] if isinstance(inner, dict) and isinstance(inner.get("text"), str) else ""
    return said, thought


def _count(tokens: Any) -> int:
    return min(tokens, 2**53) if isinstance(tokens, int) and not isinstance(tokens, bool) and tokens > 0 else 0


def _head(body: bytes) -> str:
    return body[:200].decode("utf-8", "replace")
