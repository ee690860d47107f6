"""The final answer of a response: the last box, tag, `####` or "the answer is"; else its closing sentence.

One pass over the end of the text: linear in its length, whatever it holds.
"""

import re
from typing import Literal, NamedTuple

from verify.normal import closing

Method = Literal["box", "boxes", "tag", "hashes", "phrase", "json", "bold", "sentence", "whole", "number"]
_TAIL = 6_000
_LONGEST = 40_000

_END_TOKEN = re.compile(
    r"<\|(?:im_start\|>\s*user|im_end\|>|endoftext\|>|eot_id\|>|end\|>)|<\/s>|<｜end▁of▁sentence｜>"
)
_HOPE = re.compile(r"\bI hope (?:it|this) (?:is correct|helps)[.!]?", re.IGNORECASE)
_PHRASE = re.compile(
    r"(?:\b(?:final\s+|correct\s+|right\s+|best\s+)?(?:answer|ans|result|option|choice)\b(?:\s+choice)?(?:\s+(?:to|of|for|in)\s[^.:\n]{1,80}?)?"
    r"(?:\*\*)?\s*(?:\bis\b|\bare\b|\bmust be\b|\bwould be\b|\bshould be\b|[:：=])(?:\s*(?:\bis\b|\bare\b|[:：=]))?"
    r"|(?:最终|正确)?(?:答案|结果|选项)\s*(?:应该是|应为|就是|是|为|选)?\s*[:：]?|\b(?:r[ée]ponse|respuesta|risposta|resposta|antwort|odpowiedź)\s+(?:est|es|è|é|ist|to)\b|\bответ\s*[:：—-]"
    r"|^\s*A\s*[:：])",
    re.IGNORECASE | re.MULTILINE,
)
_STRONG_PHRASE = re.compile(r"answer|答案", re.IGNORECASE)
_JSON = re.compile(r'"(?:final[_ ]?)?answer"\s*:\s*("(?:[^"\\]|\\.)*"|\[[^\]]*\]|[^,}\n]+)', re.IGNORECASE)
_MATH = re.compile(r"\$\$(.+?)\$\$|\\\[(.+?)\\\]|\\\((.+?)\\\)|(?<![\\$])\$(?!\$)([^$]+?)(?<!\\)\$", re.DOTALL)
_BOLD = re.compile(r"\*\*([^*\n]{1,200})\*\*|__([^_\n]{1,200})__")
_NUMBER = re.compile(
    r"(?<![A-Za-z\d_.])[-−]?\s?[$€£]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:\s?/\s?\d+)?\s?%?(?![A-Za-z\d_])(?!\.\d)"
)
_LOOSE_NUMBER = re.compile(r"(?<![A-Za-z_])[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:/\d+)?%?")
_VERB = re.compile(
    r"(?:\bis\b|\bare\b|\bequals?\b|\bbe\b|\bwas\b|\bwere\b|\bgives?\b|\bhas\b|\bhave\b|\bhad\b|\bget\b|\bgets\b|\bto\b|为|是|[:：]|\best\b|\bes\b|\bist\b)\s*(?:exactly|approximately|about|equal to|given by|simply)?\s*[:：]?\s*"
)
_SENTENCE = re.compile(r"(?<=[.!?。！？])\s+(?=\S)|\n+|(?<=[。！？])")
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{3,}")
_CONNECTIVE = re.compile(r"[,;、&和或及与]|\band\b|\bor\b|\\q?quad|\\\\|\n\s*(?:[-*•]|\d+[.)]|\([a-z\d]\))")
_BLOCK = re.compile(
    r"\b(?:so|thus|hence|therefore|then|wait|which|giv\w+|answers?|total|simplif\w+|equivalent\w*|but|not|because|since|means|actually|correct\w*|instead|rather|sum|get)\b"
    r"|=>|\\implies|\\Rightarrow|\\approx|\\to\b|[.!?。！？](?:\s|$)|\n\s*\n|所以|因此|不|等",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"^(?:your[ _]?)?(?:final[ _]?)?answer(?:[ _]here)?$|^\.\.\.$|^\\text\{.{0,6}answer.{0,6}\}$", re.IGNORECASE
)


class Extraction(NamedTuple):
    """The answer as the response has it, and how it was found."""

    answer: str
    method: Method


def extract(response: str) -> Extraction | None:
    """The final answer, or None where the response gives none.

    >>> extract("First \\\\boxed{12}. Wait, no. So \\\\boxed{17}.")
    Extraction(answer='17', method='box')
    """
    text = _visible(response)
    thought, _, said = text.rpartition("</think>")
    if said.strip():
        found = _strong(said) or _weak(said)
        return found or (_strong(thought) if thought else None)
    if "<think>" in text:
        return _strong(text)
    return _strong(text) or _weak(text)


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
        later = _phrased(text[max(at, len(text) - _TAIL) :], marked=True) if kind != "tag" else None
        return later or found
    if "<answer>" in text[-_TAIL:]:
        inside = text[text.rfind("<answer>") + 8 :].strip()
        if inside and len(inside) < 2_000:
            return _inner(inside, "tag")
    return _json(text)


def _boxed(text: str, at: int) -> Extraction | None:
    """The box at `at` with those right before it that make one answer; the box before where it is empty."""
    start, content = at, ""
    for _ in range(20):
        content = _content(text, start)
        if content.strip() and not _FILLER.match(content.strip()):
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


def _inner(inside: str, method: Method) -> Extraction:
    """A marked answer that may itself hold a box or a phrase."""
    if "\\boxed" in inside:
        return _boxed(inside, inside.rfind("\\boxed")) or Extraction(inside, method)
    if len(inside) > 150 and (found := _phrased(inside[-_TAIL:], marked=True)):
        return found
    return Extraction(inside, method)


def _hashed(text: str, at: int) -> Extraction | None:
    line = text[at + 4 :].lstrip("# ").strip().split("\n", 1)[0].strip()
    if not line or len(line) > 300:
        return None
    heading = _PHRASE.match(line)
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
    if bare := _bare(text):
        return Extraction(bare, "whole")
    tail = text[-_TAIL:]
    return _phrased(tail, marked=False) or _closing_sentence(tail)


def _bare(text: str) -> str | None:
    """The whole response where it is nothing but an answer."""
    if len(text) > 4_000 or "\n\n" in text:
        return None
    match = _MATH.fullmatch(text.rstrip(". "))
    if match and not _prose(inner := next(g for g in match.groups() if g is not None)):
        return inner
    outside = _MATH.sub(" ", text)
    if len(text) <= 200 and len(
        _WORD.findall(re.sub(r"\\(?:text|mbox|mathrm|textbf|mathbf|begin|end)\w*\s*\{[^{}]*\}", " ", outside))
    ) <= (1 if len(text) < 40 else 0):
        return text if not re.search(r"[.!?。]\s+\S", text) and not re.search("[一-鿿]", text) else None
    return None


def _prose(text: str) -> bool:
    """Whether a piece of formula is really running text between two dollar signs."""
    return (
        len(
            _WORD.findall(
                re.sub(r"\\(?:text|mbox|mathrm|textbf)\w*\s*\{[^{}]*\}|\\begin\{\w+\}|\\end\{\w+\}", " ", text)
            )
        )
        > 1
    )


def _phrased(tail: str, marked: bool) -> Extraction | None:
    """What follows the last "the answer is". `marked`: only a sure one counts, since a box was found before it."""
    matches = [m for m in _PHRASE.finditer(tail) if not marked or _STRONG_PHRASE.search(m.group())]
    for match in reversed(matches[-4:]):
        rest = tail[match.end() :].lstrip(" *:：\n")
        if marked and "\\boxed" in rest[:400]:
            return None
        found = _value_in(rest.split("\n\n", 1)[0][:1_000])
        if found and (not marked or re.search(r"[\d\\]", found)):
            return Extraction(found, "phrase")
    return None


def _value_in(rest: str) -> str | None:
    """The answer at the head of a text: its formulas with what joins them, an option letter, or its first sentence."""
    rest = rest.strip().lstrip("*\"'“ ")
    if not rest:
        return None
    if math := _formulas(rest):
        return math
    sentence = _SENTENCE.split(rest, maxsplit=1)[0].strip().rstrip(".。*\"'” ")
    if len(sentence) <= 60 and len(_WORD.findall(sentence)) <= 4:
        return sentence or None
    if match := re.match(r"[-−]?[$€£]?\d[\d,]*(?:\.\d+)?(?:\s?/\s?\d+)?%?", sentence):
        return match.group().rstrip(",")
    return _in_sentence(sentence)


def _formulas(text: str) -> str | None:
    """The formula that `text` starts with, and those tied to it by commas, `and`, `or`; with a short unit behind it."""
    match = _MATH.match(text)
    if match is None:
        return None
    parts = [next(g for g in match.groups() if g is not None)]
    if _prose(parts[0]):
        return None
    at = match.end()
    while len(parts) < 40:
        gap = re.compile(r"\s*(?:,|;|and|or|\band\b|、|和|或|以及)(?:\s*(?:and|or))?\s*").match(text, at)
        following = _MATH.match(text, gap.end()) if gap and gap.end() > at else None
        if following is None:
            break
        parts.append(next(g for g in following.groups() if g is not None))
        at = following.end()
    if len(parts) == 1 and (unit := re.match(r"\s*(%|[A-Za-z]+(?: [A-Za-z]+){0,2})\s*(?:[.。]|$)", text[at:])):
        return f"{parts[0]} \\text{{ {unit.group(1)}}}" if unit.group(1) != "%" else parts[0] + "\\%"
    return ", ".join(part.strip() for part in parts)


def _closing_sentence(tail: str) -> Extraction | None:
    sentences = [s.strip() for s in _SENTENCE.split(tail) if s and s.strip()]
    for sentence in reversed(sentences[-12:]):
        if not re.search(r"\d|\\[a-zA-Z]|\$", sentence):
            continue
        if found := _in_sentence(sentence):
            return Extraction(found, "sentence")
    bold = [m for m in _BOLD.finditer(tail)]
    if bold:
        return Extraction((bold[-1].group(1) or bold[-1].group(2)).strip(), "bold")
    numbers = _LOOSE_NUMBER.findall(tail[-2_000:])
    if numbers:
        return Extraction(numbers[-1], "number")
    last = sentences[-1] if sentences else ""
    return Extraction(last, "whole") if last and len(last) <= 60 and len(sentences) <= 2 else None


def _in_sentence(sentence: str) -> str | None:
    """Behind the last verb if a number or formula stands there; else the last bold, formula or number."""
    hidden = _MATH.sub(lambda m: "\x01" * len(m.group()), sentence)
    for verb in reversed(list(_VERB.finditer(hidden))):
        rest = sentence[verb.end() :].strip().lstrip("*").strip()
        if math := _formulas(rest):
            return math
        if match := _NUMBER.match(rest):
            number = match.group().strip()
            unit = re.match(r"\s?([A-Za-z°]+[²³]?)\s*[.。*]*$", rest[match.end() :])
            return f"{number} {unit.group(1)}" if unit else number
    if bold := list(_BOLD.finditer(sentence)):
        inside = (bold[-1].group(1) or bold[-1].group(2)).strip()
        if re.search(r"\d|\\", inside):
            return _value_in(inside) or inside
    formulas = [next(g for g in m.groups() if g is not None) for m in _MATH.finditer(sentence)]
    formulas = [f for f in formulas if not _prose(f)]
    if formulas:
        return formulas[-1]
    if re.search(r"\\[a-zA-Z]+", sentence) and (equal := sentence.rfind("=")) >= 0:
        return sentence[equal + 1 :].strip()
    numbers = _NUMBER.findall(sentence) or _LOOSE_NUMBER.findall(sentence)
    return numbers[-1].strip() if numbers else None
