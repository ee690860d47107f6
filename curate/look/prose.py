"""Foreign text as HTML: every sign shown as it is, formulas drawn, nothing in it able to become structure."""

import re
from html import escape

from curate.look.mathml import formula

LINE_CHARS = 200
MAX_HTML = 60_000
"""Characters of HTML that one text may become; its further formulas are left as they are written."""

# Control, direction and invisible characters, and lone surrogates: they are written out, since none can be seen.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\ufdd0-\ufdef\ufffe\uffff\U000e0000-\U000e0fff]"
)
_STACKED = re.compile("([\u0300-\u036f\u20d0-\u20ff]{3})[\u0300-\u036f\u20d0-\u20ff]+")

# As in pandoc: an opening `$` has no space after it, a closing one no space before and no digit after. So prices
# ("$5 and $10", "$5-$10") stay text. Lengths are bounded: nothing here is quadratic in the text.
_FORMULA = re.compile(
    r"(?<!\\)(?:"
    r"\$\$(?P<dollars>[^$]{1,1500}?)\$\$"
    r"|\\\[(?P<bracket>.{1,1500}?)\\\]"
    r"|\\\((?P<paren>.{1,1500}?)\\\)"
    r"|(?P<environment>\\begin\{(?P<kind>(?:align|aligned|equation|gather|cases|array|[bpvBV]?matrix)\*?)\}.{1,1500}?"
    r"\\end\{(?P=kind)\})"
    r"|\$(?P<dollar>(?!\s)(?:[^$\n\\]|\\.){1,1500}?)(?<!\s)\$(?!\d)"
    r")",
    re.DOTALL,
)
_BLOCKS = ("dollars", "bracket", "environment")


def seen(text: str) -> str:
    """The text with every unseen character written out (`\\u202e`), line ends as newlines, stacked accents cut."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _STACKED.sub(r"\1", _UNSEEN.sub(_written_out, lines))


def plain(value: object) -> str:
    """One value as text in HTML, in an element or a quoted attribute."""
    return escape(seen(str(value)))


def one_line(value: object) -> str:
    """The value on one line, cut where that would be long."""
    text = str(value)
    line = " ".join(text[: 4 * LINE_CHARS].split())
    return line if len(line) <= LINE_CHARS and len(text) <= 4 * LINE_CHARS else f"{line[:LINE_CHARS]} …"


def brief(value: object) -> str:
    """One short line of text in HTML, whatever the value."""
    return plain(one_line(value))


def cut(text: str, limit: int) -> tuple[str, str, int]:
    """Head and tail of the text, and how many characters were left out between them (0: the head is all)."""
    if len(text) <= limit:
        return text, "", 0
    tail = limit // 3
    return text[: limit - tail], text[-tail:], len(text) - limit


def prose(text: str, limit: int) -> str:
    """The text as HTML with its formulas drawn, its middle left out (and that said) beyond `limit` characters."""
    head, tail, left_out = cut(text, limit)
    if not left_out:
        return _drawn(head, MAX_HTML)
    return f"{_drawn(head, MAX_HTML * 2 // 3)}{_gap(left_out)}{_drawn(tail, MAX_HTML // 3)}"


def source(text: str, limit: int) -> str:
    """The text as it was written, for `<pre>`."""
    head, tail, left_out = cut(text, limit)
    return plain(head) + (f"{_gap(left_out)}{plain(tail)}" if left_out else "")


def has_formulas(text: str) -> bool:
    """Whether any part of the text would be drawn as a formula."""
    return _FORMULA.search(text) is not None


def _drawn(text: str, budget: int) -> str:
    parts, end, blank = [], 0, False
    for found in _FORMULA.finditer(text):
        if budget < 0:
            break
        name = next(name for name in (*_BLOCKS, "paren", "dollar") if found[name] is not None)
        block = name in _BLOCKS
        between, drawn = text[end : found.start()], formula(seen(found[name]), block)
        # A formula on lines of its own is one already: the newlines around it would be blank lines.
        between = between.removesuffix("\n") if block else between
        between = plain(between.removeprefix("\n") if blank else between)
        blank = block
        parts += [between, drawn]
        budget -= len(between) + len(drawn)
        end = found.end()
    rest = text[end:]
    return "".join([*parts, plain(rest.removeprefix("\n") if blank else rest)])


def _gap(left_out: int) -> str:
    return f'<span class="gap"> … {left_out:,} characters left out here … </span>'


def _written_out(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
