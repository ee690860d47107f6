"""Markdown that shows foreign text as it is: nothing in it can become a heading, a link, a fence or HTML."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

BAR_CELLS = 24

# Signs of structure; `_` at the edge of a word; what opens a list or a rule at the start of a line; bare addresses.
_RISKY = re.compile(
    r"[&<>\\`*\[\]#|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^[-+=]|^\d+(?=[.)](?:\s|$))|(?i:(?<=\bwww))\.|:(?=//)|@"
)

_UNSEEN = ("Cc", "Cf", "Cs")  # control, direction and joining characters, lone surrogates


def plain(text: str) -> str:
    """One line of text that Markdown and HTML show as it is: no structure, no control or direction characters."""
    visible = "".join(sign if unicodedata.category(sign) not in _UNSEEN else " " for sign in text)
    line = " ".join(visible.split())
    return _RISKY.sub(lambda found: "".join(f"&#{ord(sign)};" for sign in found[0]), line)


def fenced(text: str, language: str = "") -> str:
    """The text as a code block, in a fence longer than any inside."""
    shown = "".join(sign if sign == "\n" or unicodedata.category(sign) not in _UNSEEN else " " for sign in text)
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{shown.rstrip()}\n{fence}"


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table; numbers to the right, with thousands apart. Texts in cells are made plain."""
    cells = [[f"{cell:,}" if isinstance(cell, int) else plain(str(cell)) for cell in row] for row in rows]
    numeric = [all(isinstance(cell, int) for cell in column) for column in zip(*rows, strict=True)] if cells else []
    rule = ["---:" if n else "---" for n in numeric] or ["---"] * len(header)
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, rule, *cells))


def bars(header: tuple[str, str], counts: Mapping[str, int]) -> str:
    """A table of counts with a bar for each, the longest full."""
    most = max(counts.values(), default=0)
    lines = [(name, n, "█" * round(BAR_CELLS * n / most) if most else "") for name, n in counts.items()]
    return table((*header, ""), lines)
