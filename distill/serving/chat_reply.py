"""The body of a completion as Replies, whatever the server made of the format."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from distill.request import FinishReason, Reply

FINISH: dict[Any, FinishReason] = {"stop": "stop", "length": "length", "max_tokens": "length", "eos": "stop"}


class BadBodyError(ValueError):
    """The body is no completion: cut off, HTML, an error, no choice."""


class Usage(NamedTuple):
    """What the server counted for the whole body; zeros where it did not."""

    prompt_tokens: int
    completion_tokens: int


class Said(NamedTuple):
    """The text of one choice."""

    content: str
    reasoning: str | None
    finish: FinishReason
    error: str | None


def read_replies(keys: Sequence[str], body: bytes, seconds: float) -> list[Reply]:
    """One reply per key, in the order of the server's indexes; fewer where it made fewer choices.

    The reasoning is read from `reasoning_content`, `reasoning` (the name since 2026) or parts of the content, a text
    completion from `text`; text is kept as it came. A choice without any text is an error that was paid for. Choices
    beyond the keys are ignored. Sums are exact: the prompt's tokens stand with the first reply, those of the completion
    (ignored choices' too) and the seconds are shared out by length.

    Raises:
        BadBodyError: says what came instead.
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise BadBodyError(f"not JSON: {_head(body)}") from None
    choices = data.get("choices") if isinstance(data, dict) else None
    said = [_said(choice) for choice in _in_order(choices if isinstance(choices, list) else [])][: len(keys)]
    if not said:
        raise BadBodyError(f"no completion: {_head(body)}")
    usage = _usage(data.get("usage"))
    lengths = [len(one.content) + len(one.reasoning or "") for one in said]
    tokens = _shared(usage.completion_tokens, lengths)
    prompts = [usage.prompt_tokens] + [0] * (len(said) - 1)
    return [
        Reply(key, one.content, one.reasoning, one.finish, prompt, completion, seconds / len(said), one.error)
        for key, one, prompt, completion in zip(keys, said, prompts, tokens, strict=False)
    ]


def _in_order(choices: Iterable[Any]) -> list[dict[str, Any]]:
    """The choices that are some, by index if every one has its own.

    One that stands there twice, index and text, counts once; servers that give all of them index 0 mean their order.
    """
    usable: list[dict[str, Any]] = []
    for choice in choices:
        fits = isinstance(choice, dict) and (
            isinstance(choice.get("message"), dict) or isinstance(choice.get("text"), str)
        )
        if fits and choice not in usable:
            usable.append(choice)
    indexes = [choice.get("index") for choice in usable]
    if all(type(index) is int for index in indexes) and len(set(indexes)) == len(indexes):
        usable.sort(key=lambda choice: int(choice["index"]))
    return usable


def _said(choice: dict[str, Any]) -> Said:
    message = choice.get("message")
    message = message if isinstance(message, dict) else {"content": choice["text"]}
    content, inline = _texts(message.get("content"))
    field = message.get("reasoning_content") or message.get("reasoning")
    reasoning = field if isinstance(field, str) and field else inline or None
    finish = choice.get("finish_reason")
    if content.strip() or (reasoning or "").strip():
        return Said(content, reasoning, FINISH.get(finish if isinstance(finish, str) else None, "unknown"), None)
    return Said(content, None, "error", _why_empty(message, finish))


def _why_empty(message: dict[str, Any], finish: Any) -> str:
    refusal, calls = message.get("refusal"), message.get("tool_calls") or message.get("function_call")
    if isinstance(refusal, str) and refusal:
        return f"refused: {refusal}"
    if calls:
        return f"called a tool instead of answering: {json.dumps(calls)[:4096]}"
    return f"empty reply, finish_reason {finish!r}"


def _shared(total: int, weights: Sequence[int]) -> list[int]:
    """Whole numbers by weight whose sum is the total; what has a weight gets one at least, as far as they reach."""
    whole, parts, before = sum(weights) or 1, list[int](), 0
    for place, weight in enumerate(weights):
        part = total - sum(parts) if place == len(weights) - 1 else total * (before + weight) // whole - sum(parts)
        parts.append(part)
        before += weight
    for place, weight in enumerate(weights):
        # A reply of three letters beside a long one: no tokens at all would mean that the server does not count.
        if weight and not parts[place] and max(parts, default=0) > 1:
            parts[parts.index(max(parts))] -= 1
            parts[place] = 1
    return parts


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


def _usage(usage: Any) -> Usage:
    usage = usage if isinstance(usage, dict) else {}
    return Usage(_count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens")))


def _count(tokens: Any) -> int:
    return min(tokens, 2**53) if isinstance(tokens, int) and not isinstance(tokens, bool) and tokens > 0 else 0


def _head(body: bytes) -> str:
    # Longer than what is shown: what is cut before it is searched for keys may show half of one.
    return body[:4096].decode("utf-8", "replace")
