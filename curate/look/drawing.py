"""A chart as SVG for a page without scripts: vl-convert draws it, an allow-list lets through shapes and words only."""

import io
import re
from html import escape
from importlib.util import find_spec
from typing import Any
from xml.etree import ElementTree

from curate.look.plots import INK

_TAGS = frozenset({"svg", "g", "path", "rect", "line", "text", "tspan", "circle"})
_ATTRIBUTES = frozenset({
    "viewBox", "width", "height", "fill", "stroke", "stroke-width", "stroke-opacity", "fill-opacity", "opacity",
    "d", "x", "y", "x1", "y1", "x2", "y2", "dx", "dy", "transform", "text-anchor", "font-size", "font-family",
    "font-weight",
})  # fmt: skip
# Shapes, colours, numbers: no address fits (`url(` and `:` are not among the signs).
_VALUE = re.compile(r"(?!.*url)[A-Za-z0-9#,.()\s\"'%+-]*", re.DOTALL)


def svg(chart: Any, label: str) -> str | None:
    """The chart as inline SVG that takes the page's text colour; None where vl-convert is missing or fails.

    Args:
        label: what the picture shows, for those who do not see it.
    """
    if find_spec("vl_convert") is None:
        return None
    file = io.StringIO()
    chart.save(file, format="svg")
    try:
        drawn = _rebuilt(ElementTree.fromstring(file.getvalue()))
    except ElementTree.ParseError:  # vl-convert lets through signs that no XML may hold
        return None
    drawn = drawn.replace(f'fill="{INK}"', 'fill="currentColor"')
    return f'<figure role="img" aria-label="{escape(label)}">{drawn}</figure>'


def _rebuilt(element: ElementTree.Element) -> str:
    """The element written anew; what is not allowed is left out with all it holds."""
    tag = element.tag.rpartition("}")[2]
    if tag not in _TAGS:
        return ""
    kept = {k: v for k, v in element.attrib.items() if k in _ATTRIBUTES and _VALUE.fullmatch(v)}
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in kept.items())
    inner = "".join(_rebuilt(child) + escape(child.tail or "") for child in element)
    return f"<{tag}{attributes}>{escape(element.text or '')}{inner}</{tag}>"
