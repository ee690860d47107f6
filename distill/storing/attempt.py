"""One attempt as the rollout store keeps it: a line of JSON with the reply, when it came, and what was asked."""

import json
import time
from dataclasses import fields
from typing import Any

from distill.request import Reply, Request

REPLY_FIELDS = tuple(field.name for field in fields(Reply))


def as_row(reply: Reply, request: Request | None) -> dict[str, Any]:
    """The reply's fields, `at` (now, seconds since 1970), and `request` where it is given."""
    if not 0 < len(reply.key.encode()) <= 32:
        raise ValueError(f"the key of a reply has 1 to 32 characters, not {reply.key!r}")
    row = {"at": time.time(), **vars(reply)}
    if request is not None:
        row["request"] = {
            "model": request.model,
            "revision": request.revision,
            "sampling": {name: value for name, value in vars(request.sampling).items() if name != "n"},
            "index": request.index,
            "messages": [vars(message) for message in request.messages],
        }
    return row


def as_line(row: dict[str, Any]) -> bytes:
    """The row as it is written; what is no Unicode becomes a question mark."""
    return json.dumps(row, ensure_ascii=False).encode("utf-8", "replace")


def as_reply(row: dict[str, Any]) -> Reply:
    """The reply of a stored row, of an older release too."""
    return Reply(**{name: row[name] for name in REPLY_FIELDS if name in row})
