"""200 hostile texts in every place of a version: pages and notebook hold them as text, and nothing else."""

import re
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib
import pytest

from curate.look.page import style
from curate.look.prose import plain, prose
from curate.version import Version
from tests.hostile_texts import HOSTILE, MATHS, SCRIPTS

FRAME = ["html", "head", "meta", "title", "style", "body", "main"]
FLOW = [
    "h1",
    "h2",
    "p",
    "div",
    "span",
    "section",
    "article",
    "header",
    "nav",
    "details",
    "summary",
    "pre",
    "code",
    "strong",
    "em",
    "a",
    "ul",
    "li",
    "figure",
]
TABLE = ["table", "caption", "thead", "tbody", "tr", "th", "td", "colgroup"]
MATHML = [
    "math",
    "mrow",
    "mi",
    "mn",
    "mo",
    "mtext",
    "ms",
    "mspace",
    "mfrac",
    "msqrt",
    "mroot",
    "msup",
    "msub",
    "msubsup",
    "munder",
    "mover",
    "munderover",
    "mtable",
    "mtr",
    "mtd",
    "mstyle",
    "menclose",
    "mpadded",
    "mphantom",
    "mmultiscripts",
    "mprescripts",
    "none",
]
SVG = ["svg", "g", "path", "rect", "line", "text", "tspan", "circle"]
TAGS = {*FRAME, *FLOW, *TABLE, *MATHML, *SVG}
PLACE = re.compile(r"(\.\./)?((problems|lists)/)?(index|\d{4})\.html(#p\d+)?")
WIDTH = re.compile(r"width:\d+\.\d%")


def faults(tree: Element) -> list[str]:
    """What of the tree is not on the lists above."""
    found = []
    for element in tree.iter():
        tag = str(element.tag).rpartition("}")[2]
        if tag not in TAGS or not isinstance(element.tag, str):
            found.append(f"<{element.tag}>")
        for name, value in element.attrib.items():
            fine = {"href": PLACE.fullmatch(value), "style": WIDTH.fullmatch(value), "src": None}.get(name, True)
            spoken = name in ("aria-label", "content")
            if not fine or name.startswith("on") or ("script:" in value.lower() and not spoken):
                found.append(f"{tag} {name}={value[:80]}")
        if tag == "style" and (element.text or "").strip() != style().strip():
            found.append("a style that is not ours")
    return found


def test_every_page_holds_only_what_we_write(hostile_site: Path) -> None:
    pages = [
        hostile_site / "index.html",
        *sorted((hostile_site / "problems").iterdir()),
        *sorted((hostile_site / "lists").iterdir())[:40],
    ]
    assert len(pages) > 20
    for file in pages:
        parser = html5lib.HTMLParser(namespaceHTMLElements=False)
        tree = parser.parse(file.read_text(encoding="utf-8"))
        assert faults(tree) == [], file.name
        assert parser.errors == [], file.name
        assert file.stat().st_size < 2_000_000


def test_every_payload_is_there_to_be_read(hostile_site: Path) -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in sorted((hostile_site / "problems").iterdir()))
    for payload in SCRIPTS:
        assert plain(payload) in text


def test_no_page_has_a_script_or_an_address(hostile_site: Path) -> None:
    for file in hostile_site.rglob("*.html"):
        html = file.read_text(encoding="utf-8")
        assert html.count("Content-Security-Policy\" content=\"default-src 'none';") == 1
        assert html.lower().count("<script") == html.lower().count("<base") == html.lower().count("<link") == 0


def test_jupyter_gets_the_same_and_no_more(hostile: Version) -> None:
    outputs = [hostile._repr_html_(), *(hostile.problem(HOSTILE[i])._repr_html_() for i in range(0, 200, 20))]
    for html in outputs:
        parser = html5lib.HTMLParser(namespaceHTMLElements=False)
        tree = parser.parseFragment(html)
        assert [fault for fault in faults(tree) if fault != "<DOCUMENT_FRAGMENT>"] == []
        assert [error for error in parser.errors if error[1] != "unexpected-start-tag"] == []


@pytest.mark.parametrize("number", range(len(MATHS)))
def test_hostile_maths_is_drawn_or_shown(number: int) -> None:
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    tree = parser.parseFragment(prose(MATHS[number], 8_000))
    assert [fault for fault in faults(tree) if fault != "<DOCUMENT_FRAGMENT>"] == []


def test_a_check_of_a_page_can_fail() -> None:
    for broken in ("<script>x</script>", "<img src=x>", "<a href=http://x>", "<p onclick=x>", "<p style='color:red'>"):
        assert len(faults(html5lib.parseFragment(broken, namespaceHTMLElements=False))) > 1
