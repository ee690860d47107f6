"""Plain scalars of YAML: what stands for what, and which are read in two ways by readers of 1.1 and 1.2."""

import math
import re
from typing import Any

_TRAPS = (
    (r"(?i:yes|no|on|off)", "text to some readers of YAML. Write {meant}, or '{text}' for text."),
    (r"[-+]?0[0-9_]+", "octal to some readers of YAML. Write {meant}, or '{text}' for text."),
    (
        r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?",
        "a number in base 60 to some readers of YAML. Write '{text}' for text.",
    ),
    (r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?", "a date to some readers of YAML. Write '{text}' for text."),
    (
        r"[-+]?[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?|[-+]?0[ob][0-7_]+|0x[0-9a-fA-F_]*_[0-9a-fA-F_]*",
        "a number to some readers of YAML only. Write it in plain digits, or '{text}' for text.",
    ),
    (r"(?i:[-+]?\.inf|\.nan)", "not a finite number. Write one, or '{text}' for text."),
)


def read_plain(text: str) -> tuple[Any, str | None]:
    """The value of a scalar without quotes, and what to write instead if readers of YAML disagree about it."""
    if text in ("", "~", "null", "Null", "NULL"):
        return None, None
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return text.lower() == "true", None
    for pattern, advice in _TRAPS:
        if re.fullmatch(pattern, text):
            return text, f"{short(text)} is {advice.format(text=short(text), meant=short(_meant(text)))}"
    if len(text) <= 40 and re.fullmatch(r"[-+]?[0-9]+", text):
        return int(text), None
    if re.fullmatch(r"0x[0-9a-fA-F]{1,16}", text):
        return int(text, 16), None
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", text):
        if math.isinf(number := float(text)):
            return text, f"{short(text)} is too large for a number. Put it in quotes for text."
        return number, None
    return text, None


def short(text: str) -> str:
    """The text, or its first 40 characters and dots."""
    return text if len(text) <= 40 else f"{text[:40]}..."


def _meant(text: str) -> str:
    """What was probably meant by a word for yes or no, or by a number that begins with 0."""
    if text.lower() in ("yes", "on", "no", "off"):
        return "true" if text.lower() in ("yes", "on") else "false"
    return "-" * text.startswith("-") + (text.replace("_", "").lstrip("+-0") or "0")
