"""LaTeX as MathML that is safe to show: made by latex2mathml, rebuilt from an allow-list, else shown as its source."""

import re
from functools import lru_cache
from html import escape, unescape
from xml.etree.ElementTree import Element

MAX_CHARS = 1_500
"""A longer formula is shown as its source. At this length latex2mathml takes 20 ms, 160 ms at worst."""
MAX_DEPTH = 40

# What MathML Core draws. No `maction`, no `annotation-xml`, no `semantics`: nothing that acts, links or holds HTML.
_TAGS = frozenset({
    "math", "mrow", "mi", "mn", "mo", "mtext", "ms", "mspace", "mfrac", "msqrt", "mroot", "msup", "msub", "msubsup",
    "munder", "mover", "munderover", "mtable", "mtr", "mtd", "mstyle", "menclose", "mpadded", "mphantom",
    "mmultiscripts", "mprescripts", "none",
})  # fmt: skip
_ATTRIBUTES = frozenset({
    "display", "displaystyle", "scriptlevel", "mathvariant", "stretchy", "fence", "separator", "form", "lspace",
    "rspace", "notation", "columnalign", "columnlines", "rowlines", "rowspacing", "columnspacing", "accent",
    "accentunder", "linethickness", "largeop", "movablelimits", "symmetric", "width", "height", "depth", "minsize",
    "maxsize",
})  # fmt: skip
# Words, and lengths of two digits: `\hspace{9999em}` would push the page aside.
_VALUE = re.compile(r"[A-Za-z][A-Za-z -]{0,30}|-?\d{0,2}(\.\d{1,4})?(em|ex|pt|px|mu|%)?")
_OPENS = re.compile(r"\\left\b|\\begin\b|\{")
_CLOSES = re.compile(r"\\right\b|\\end\b|\}")
_CHILDREN = {"mfrac": 2, "mroot": 2, "msup": 2, "msub": 2, "munder": 2, "mover": 2, "msubsup": 3, "munderover": 3}
"""A browser draws these with any other number of parts as an error."""
_TRIPS = (LookupError, ValueError, TypeError, AttributeError, RuntimeError, StopIteration)


@lru_cache(maxsize=4_096)
def formula(latex: str, block: bool = False) -> str:
    """HTML that draws the formula, offline and without a script; what cannot be drawn is its source in `<code>`."""
    drawn = _mathml(latex, block)
    return drawn if drawn else f'<code class="latex">{escape(latex)}</code>'


def _mathml(latex: str, block: bool) -> str | None:
    """MathML, or None where the library is missing or fails, or the formula is too long or too deep."""
    if not latex.strip() or len(latex) > MAX_CHARS or _depth(latex) > MAX_DEPTH:
        return None
    try:
        from latex2mathml import exceptions
        from latex2mathml.converter import convert_to_element
    except ImportError:
        return None
    # The library's own errors share no base class; on broken input it also trips over its lists and types.
    own = [kind for kind in vars(exceptions).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    broken: tuple[type[Exception], ...] = (*own, *_TRIPS)
    try:
        return _rebuilt(convert_to_element(latex, display="block" if block else "inline"))
    except broken:
        return None


def _rebuilt(element: Element) -> str | None:
    """The element written anew from allowed tags and attributes; None where it holds any other, or too few parts."""
    if element.tag not in _TAGS or len(element) != _CHILDREN.get(element.tag, len(element)):
        return None
    # The library writes signs as `&#x0003C;` in text and never escapes what it was given: undo, then escape once.
    parts = [escape(unescape(element.text or ""))]
    for child in element:
        inner = _rebuilt(child)
        if inner is None:
            return None
        parts += [inner, escape(unescape(child.tail or ""))]
    if element.tag == "mrow" and len(element) == 1 and not element.attrib and not element.text:
        return "".join(parts)  # a row of one is that one: half of all tags
    kept = {k: v for k, v in element.attrib.items() if k in _ATTRIBUTES and v and _VALUE.fullmatch(v)}
    attributes = "".join(f' {name}="{value}"' for name, value in kept.items())
    return f"<{element.tag}{attributes}>{''.join(parts)}</{element.tag}>"


def _depth(latex: str) -> int:
    """How deep braces, `\\left` and `\\begin` nest at most: the library calls itself as deep, as would a browser."""
    steps = sorted(
        [(m.start(), 1) for m in _OPENS.finditer(latex)] + [(m.start(), -1) for m in _CLOSES.finditer(latex)]
    )
    depth = deepest = 0
    for _, step in steps:
        depth += step
        deepest = max(deepest, depth)
    return deepest
