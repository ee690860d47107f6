"""The final answer of a response: the last box, tag, `####` or "the answer is"; else its closing sentence.

One pass over the end of the text: linear in its length, whatever it holds.
"""

import re
from typing import NamedTuple

from verify import prose
from verify.negation import affirmed, denied
from verify.normal import closing
from verify.pattern import pattern

_TAIL = 6_000
_LONGEST = 40_000

_END_TOKEN = pattern(r"<\|(?:im_start\|>\s*user|im_end\|>|endoftext\|>|eot_id\|>|end\|>)|<\/s>|<｜end▁of▁sentence｜>")
_HOPE = pattern(r"\bI hope (?:it|this) (?:is correct|helps)[.!]?", re.IGNORECASE)
_JSON = pattern(r'"(?:final[_ ]?)?answer"\s*:\s*("(?:[^"\\]|\\.)*"|\[[^\]]*\]|[^,}\n]+)', re.IGNORECASE)
_CONNECTIVE = pattern(r"[,;、&和或及与]|\band\b|\bor\b|\\q?quad|\\\\|\n\s*(?:[-*•]|\d+[.)]|\([a-z\d]\))")
_BLOCK = pattern(
    r"\b(?:so|thus|hence|therefore|then|wait|which|giv\w+|answers?|total|simplif\w+|equivalent\w*|but|not|because|since|means|actually|correct\w*|instead|rather|sum|get)\b"
    r"|=>|\\implies|\\Rightarrow|\\approx|\\to\b|[.!?。！？](?:\s|$)|\n\s*\n|所以|因此|不|等",
    re.IGNORECASE,
)
_STRAY = pattern(r"\s*</?answer>\s*$")
# What stands in a box for an answer that is yet to come.
_FILLER = pattern(
    r"(?:your[ _]?)?(?:final[ _]?)?answer(?:[ _]here)?|\\text\{.{0,6}answer.{0,6}\}"
    r"|(?:\\(?:text|mathrm|mbox)\s*\{)?\s*(?:|\?+|\.{2,}|…|\\[lc]?dots[bco]?|_+|\{\s*\}|tbd|n/a|unknown|placeholder|\\s?quad)\s*\}?",
    re.IGNORECASE,
)
_EMPTY_BOX = pattern(rf"\\f?box(?:ed)?\s*\{{\s*(?:{_FILLER.pattern})\s*\}}|<answer>\s*</answer>", re.IGNORECASE)
MARKED = frozenset(["box", "boxes", "tag", "hashes", "json"])
"""The ways in which a response marks its answer itself."""


class Extraction(NamedTuple):
    """The answer as the response has it, and how it was found."""

    answer: str
    method: str
    """`box`, `boxes`, `tag`, `hashes`, `json`, `phrase`, `whole`; or a guess: `sentence`, `bold`, `last line`."""
    closing: str = ""
    """The last lines of the response where the answer was read out of prose."""


def extract(response: str) -> Extraction | None:
    """The final answer, or None where the response gives none.

    >>> extract("First \\\\boxed{12}. Wait, no. So \\\\boxed{17}.")
    Extraction(answer='17', method='box', closing='')
    """
    text = _visible(response)
    thought, _, said = text.rpartition("</think>")
    if said.strip():
        found = _said(_strong(said) or _weak(said))
        return found or (_said(_strong(thought)) if thought else None)
    if "<think>" in text:
        return _said(_strong(text))
    return _said(_strong(text) or _weak(text))


def _said(found: Extraction | None) -> Extraction | None:
    """None for what only holds the place of an answer."""
    return None if found is None or _FILLER.fullmatch(found.answer.strip()) else found


def _visible(response: str) -> str:
    text = response
    ended = _END_TOKEN.search(text, max(0, len(text) - _TAIL))
    if ended and ended.start() > 0:
        text = text[: ended.start()]
    tail = text[-400:]
    if "hope" in tail:
        text = text[:-400] + _HOPE.sub("", tail) if len(text) > 400 else _HOPE.sub("", tail)
    return text.strip()


def _strong(text: str) -> Extraction | None:
    """What is marked as the answer; of several marks the last."""
    marks = [
        (text.rfind("\\boxed"), "box"),
        (text.rfind("\\fbox"), "box"),
        (text.rfind("</answer>"), "tag"),
        (text.rfind("####"), "hashes"),
    ]
    for at, kind in sorted(marks, reverse=True):
        if at < 0:
            break
        found = _boxed(text, at) if kind == "box" else _tagged(text, at) if kind == "tag" else _hashed(text, at)
        if found is None:
            continue
        behind = max(_end(text, at) if kind == "box" else at, len(text) - _TAIL)
        later = prose.phrased(affirmed(text[behind:]), marked=True) if kind != "tag" else None
        return Extraction(later, "phrase") if later else found
    if "<answer>" in text[-_TAIL:]:
        inside = text[text.rfind("<answer>") + 8 :].strip()
        if inside and not inside.startswith("</answer>") and len(inside) < 2_000:
            return _inner(inside, "tag")
    return _json(text)


def _boxed(text: str, at: int) -> Extraction | None:
    """The box at `at` with those right before it that make one answer; the box before where it is empty."""
    start, content = at, ""
    for _ in range(20):
        content = _content(text, start)
        if content.strip() and not _FILLER.fullmatch(content.strip()) and not denied(text, start, _end(text, start)):
            break
        start = text.rfind("\\boxed", 0, start)
        if start < 0:
            return None
    parts = [content]
    while len(parts) < 64:
        before = text.rfind("\\boxed", 0, start)
        if before < 0:
            break
        end = closing(text[: start + 1], text.find("{", before)) if text[before + 6 : before + 7] in ("{", " ") else -1
        if end < 0 or end > start:
            break
        gap = text[end + 1 : start]
        if len(gap) > 120 or not _CONNECTIVE.search(gap) or _BLOCK.search(gap):
            break
        inside = _content(text, before)
        start = before
        if inside.strip():
            parts.append(inside)
    parts.reverse()
    distinct = list(dict.fromkeys(part.strip() for part in parts))
    return Extraction(", ".join(distinct), "boxes" if len(distinct) > 1 else "box")


def _end(text: str, at: int) -> int:
    """Where the box at `at` closes; its start where it does not."""
    brace = text.find("{", at, at + 12)
    end = closing(text[: brace + _LONGEST], brace) if brace >= 0 else -1
    return end + 1 if end >= 0 else at


def _content(text: str, at: int) -> str:
    """What stands in the box at `at`; up to the end of its line where the box is never closed."""
    after = at + text[at : at + 8].find("d") + 1 if text.startswith("\\boxed", at) else at + 5
    rest = text[after : after + _LONGEST]
    stripped = rest.lstrip()
    if not stripped.startswith("{"):
        match = re.match(r"\s*(\\frac\{[^{}]*\}\{[^{}]*\}|[^\s$\\]+)", rest)
        return match.group(1).rstrip(".,;") if match else ""
    offset = len(rest) - len(stripped)
    end = closing(rest, offset)
    if end >= 0:
        return rest[offset + 1 : end]
    line = rest[offset + 1 :].lstrip().split("\n", 1)[0]
    return re.split(r"\$|\\\)|\\\]", line)[0].rstrip(" .")


def _tagged(text: str, at: int) -> Extraction | None:
    start = text.rfind("<answer>", 0, at)
    if start < 0:
        return None
    inside = text[start + 8 : at].strip()
    return _inner(inside, "tag") if inside else None


def _inner(inside: str, method: str) -> Extraction:
    """A marked answer that may itself hold a box or a phrase."""
    if "\\boxed" in inside:
        return _boxed(inside, inside.rfind("\\boxed")) or Extraction(inside, method)
    long = len(inside) > 150
    if (long or "answer is" in inside) and (found := prose.phrased(inside[-_TAIL:], marked=long)):
        return Extraction(found, "phrase")
    return Extraction(inside, method)


def _hashed(text: str, at: int) -> Extraction | None:
    line, _, rest = text[at + 4 :].lstrip("# ").strip().partition("\n")
    line = line.strip()
    if not line or len(line) > 300 or len(rest) > 400:  # with a page behind it, it is the heading of a section
        return None
    heading = prose.PHRASE.match(line)
    return Extraction(line[heading.end() :].strip() if heading else line, "hashes") if line else None


def _json(text: str) -> Extraction | None:
    tail = text[-_TAIL:]
    if '"' not in tail or "{" not in tail:
        return None
    last = None
    for match in _JSON.finditer(tail):
        last = match
    if last is None:
        return None
    value = last.group(1).strip()
    if value.startswith('"'):
        value = re.sub(
            r"\\(.)",
            lambda m: {"n": "\n", "t": " ", "\\": "\\", '"': '"', "/": "/"}.get(m[1], "\\" + m[1]),
            value[1:-1],
        )
    return _inner(value, "json") if value else None


def _weak(text: str) -> Extraction | None:
    """No mark: a bare answer, "the answer is", or the closing sentence that holds a number or a formula."""
    tail = text[-_TAIL:]
    said = affirmed(_EMPTY_BOX.sub("", tail) if "box" in tail or "<answer>" in tail else tail)
    if said != tail:
        if not re.search(r"[\d\\$]", said):
            return None
        text = said
    text = text[:-40] + _STRAY.sub("", text[-40:])
    said = said[:-40] + _STRAY.sub("", said[-40:])
    if found := prose.bare(text.strip()):
        return Extraction(found[0], "whole", found[1])
    told, tail = prose.without_money(said), prose.without_money(tail)
    if phrased := prose.phrased(told, marked=False):
        return Extraction(phrased, "phrase", prose.closing_lines(tail))
    closing_words = prose.closing_sentence(told)
    return Extraction(*closing_words, prose.closing_lines(tail)) if closing_words else None
