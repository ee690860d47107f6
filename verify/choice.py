"""Option letters: when the gold answer is one, and which one a response settles on."""

import re
from functools import lru_cache

from verify.extract import Extraction
from verify.normal import key, plain_number, tidy
from verify.verdict import Verdict
from verify.words import same_words

_GOLD = re.compile(r"(?:\\text(?:bf)?\s*\{|\\mathrm\s*\{|\\mathbf\s*\{)?\s*[(\[]?\s*([A-J])\s*[)\].:]?\s*\}?")
_GOLD_WITH_CONTENT = re.compile(r"[(\[]([A-J])[)\]][.:]?\s+\S.*|([A-J])[.:)]\s+\S.*|([B-HJ])\s+[A-Z][a-z]+", re.DOTALL)
_LEADING = re.compile(
    r"(?:\\(?:text|textbf|mathrm|mathbf|mathbf|boxed)\s*\{)*\s*\*{0,2}\s*[(\[]?\s*([A-Ja-j])(?=[)\].:,\s}*]|$|\\|[^\x00-\x7f])"
)
_SEVERAL = re.compile(r"(?<![A-Za-z\\])([A-J])(?![A-Za-z'])")
_STATED = re.compile(
    r"(?:answer|option|choice|choose|select|pick|it's|it is|correct\w*|r[ée]ponse|respuesta|risposta|resposta|antwort"
    r"|答案|选项|应选|选择|故选|选)\s*(?:is|are|est|es|è|é|ist|:|：|是|为)?\s*:?\s*(?:option|choice)?\s*\**\s*\$?\\?"
    r"(?:boxed\{|text\{|textbf\{)*[(\[]?(?<![A-Za-z])(?-i:([A-J]))(?![A-Za-z'])",
    re.IGNORECASE,
)
_CJK = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
_GAP = re.compile(r"[\s.,:;!?。，：()（）*]+")
_ARTICLE = re.compile(r"[AI]\s+[a-z]{2,}")
_OPTION = re.compile(r"(?:^|[\s(\[*{])([A-J])\s*[)\].:]\s*[)}*]*\s*", re.MULTILINE)
_ALONE = re.compile(r"(?<![A-Za-z\\])[(\[]?([A-J])[)\]]?(?![A-Za-z'\d])")


def choice_verdict(
    accepted: tuple[str, ...], found: Extraction | None, response: str, problem: str | None
) -> Verdict | None:
    """The verdict where a gold answer is an option letter; None where none is, or where the contents must decide."""
    letters = [letter for gold in accepted if (letter := gold_letter(gold))]
    if not letters:
        return None
    prose = found is not None and found.method == "whole" and len(found.answer.split()) > 2
    marked = found is not None and found.method not in ("sentence", "bold", "last line") and not prose
    said = answer_letter(found.answer) if found else None
    if said is None and found and problem:
        said = option_texts(problem, found.answer)
    if said is None and found and any(same_words(_content(g), found.answer) for g in accepted if _content(g)):
        return Verdict("correct", found.answer, "choice")
    if said is None and (not marked or not letters[0].isascii()):
        said = stated_letter(response)
    if said is None:
        return None
    return Verdict("correct" if said in letters else "wrong", found.answer if marked and found else said, "choice")


@lru_cache(maxsize=4096)
def gold_letter(gold: str) -> str | None:
    """The letter of a gold answer that is an option, with or without its content; None where it is none.

    >>> gold_letter("(C)"), gold_letter("\\\\text{B}"), gold_letter("(D) Alina"), gold_letter("x + C")
    ('C', 'B', 'D', None)
    """
    text = tidy(gold)
    if len(text) == 1 and text.isalpha() and not text.isascii() and not _CJK.fullmatch(text):
        return text  # options of other alphabets
    if match := _GOLD.fullmatch(text):
        return match.group(1)
    if match := _GOLD_WITH_CONTENT.fullmatch(gold.strip()):
        return match.group(1) or match.group(2) or match.group(3)
    return None


def answer_letter(answer: str) -> str | None:
    """The option that an extracted answer names: `(B)`, `b`, `\\text{B}`, `B. 14 cm`; None for none or several."""
    text = answer.strip()
    match = _LEADING.match(text)
    if match is None or (match.group(1).islower() and len(text) > 4) or _ARTICLE.match(text):
        return None
    if len(text) < 40 and len(set(_SEVERAL.findall(text))) > 1 and re.search(r",|\band\b|&", text):
        return None
    rest = text[match.end() :].lstrip("\\}) ]")
    if rest[:1] in ("=", "+", "-", "*", "/", "^", "_", "<", ">"):
        return None
    return match.group(1).upper()


def stated_letter(response: str) -> str | None:
    """The option that a response without a marked answer settles on: "the answer is B", else the last one it names."""
    tail = response[-2_000:]
    stated = _STATED.findall(tail)
    if stated:
        return str(stated[-1]).upper()
    head = _LEADING.match(response.strip()[:20])
    if head and not _ARTICLE.match(response.strip()) and head.group(1).isupper() and len(response) < 60:
        return head.group(1)
    foreign = [word for word in _GAP.split(tail) if len(word) == 1 and word.isalpha() and not word.isascii()]
    if foreign:
        return foreign[0] if response.strip()[:1] == foreign[0] else foreign[-1]
    alone = [letter for letter in _ALONE.findall(tail) if letter not in ("A", "I")]
    alone = alone or [
        match[1] for match in _ALONE.finditer(tail, max(0, len(tail) - 60)) if not _ARTICLE.match(tail, match.start(1))
    ]
    return str(alone[-1]) if alone else None


def option_texts(problem: str, answer: str) -> str | None:
    """The letter of the option in the problem whose text is the answer; None where none or several are."""
    marks = list(_OPTION.finditer(problem[-4_000:]))
    start = next((i for i, m in enumerate(marks) if m.group(1) == "A"), None)
    if start is None:
        return None
    marks = marks[start:]
    body = problem[-4_000:]
    wanted, number = key(tidy(answer)).lower(), plain_number(tidy(answer))
    found = set()
    for i, mark in enumerate(marks):
        end = marks[i + 1].start() if i + 1 < len(marks) else len(body)
        text = tidy(body[mark.end() : end].strip().rstrip("\\,; "))
        if (wanted and key(text).lower() == wanted) or (number is not None and plain_number(text) == number):
            found.add(mark.group(1))
    return found.pop() if len(found) == 1 else None


def _content(gold: str) -> str:
    """What stands behind the letter of `(D) Alina`."""
    return re.sub(r"^[(\[]?[A-J][)\].:]+\s*", "", gold) if re.match(r"[(\[]?[A-J][)\].:]+\s+\S", gold) else ""
