"""Answers that no mark points out: a bare answer, "the answer is ...", or the closing sentence.

Everything here looks at the last few thousand characters only, with bounded patterns.
"""

import re

from verify.normal import key, plain_number, tidy
from verify.pattern import pattern
from verify.sentence import (
    BOLD,
    COMMAND_TEXT,
    COPULA,
    FUNCTIONS,
    MATH,
    NUMBER,
    SENTENCE,
    WORD,
    behind_verb,
    in_sentence,
    inside,
    is_prose,
    value_in,
)

PHRASE = pattern(
    r"(?P<sure>\b(?:final |correct |right |best )?(?:answer|ans)\b(?: choice| option)?"
    r"(?: (?:to|of|for|in) [^.:\n]{1,80}?)?"
    r"(?:\*\*)?\s*(?:\bis\b|\bare\b|\b(?:must|would|should) be\b|[:：=])(?:\s*(?:\bis\b|\bare\b|[:：=]))?"
    r"|(?:最终|正确)?答案\s*(?:应该是|应为|就是|是|为|选)?\s*[:：]?"
    r"|\b(?:r[ée]ponse|respuesta|risposta|resposta|antwort|odpowiedź)\s+(?:est|es|è|é|ist|to)\b|\bответ\s*[:：—-])"
    r"|\b(?:result|solution|value)\b\s*(?:\bis\b|[:：=])|结果\s*(?:是|为|[:：])|^\s*A\s*[:：]",
    re.IGNORECASE | re.MULTILINE,
)
# Some word of every phrase, in small letters: as plain strings they are found ten times as fast.
_SURE = ("ans", "答案", "ponse", "respuesta", "risposta", "resposta", "antwort", "odpowied", "ответ")
_MARKS = (*_SURE, "result", "solution", "value", "结果", "a:", "a :", "a：")
_MONEY = pattern(r"(?<!\\)\$(?=\d[\d,]*(?:\.\d+)?(?:[^$\\]*\$-?\d|[^$]*$))")
_REFUSAL = pattern(
    r"\b(?:sorry|apologi[sz]e|cannot|can['’]t|can not|unable|do(?:es)? not know|don['’]t know|leave|consult|no idea"
    r"|not sure)\b",
    re.IGNORECASE,
)
_CONCLUSION = pattern(r"(?:Therefore|Thus|Hence|So|Consequently|In conclusion|Finally|We conclude)\b")
_COMMENT = pattern(r"(?:This|These|Note|It|Here|Which)\b")
# A text that breaks off has no closing sentence: its last number is whatever it was busy with.
_UNFINISHED = pattern(
    r"(?:[,\\+\-/=({\[^_<&]|(?<!\*)\*|\b(?:is|are|the|an?|of|and|or|to|it|if|we|that|with|for|by|in|then|so|be|as|can|this|from|but|because|since|where|which|when|let|have))\s*$"
)
_CLAUSE = pattern(r"[，；]|(?<=[\u4e00-\u9fff]),")
_ANY = pattern(r"\b(?:each|every|per|any|an|incorrect|wrong)\s+$", re.IGNORECASE)
# "If the answer is 5, we have a contradiction", "the answer might be 5": nothing is settled.
_SUPPOSED = pattern(
    r"\b(?:if|suppose|supposing|assum(?:e|ing)|unless|whether|imagine|say)\s+(?:that\s+)?(?:the\s+|our\s+|my\s+)?$",
    re.IGNORECASE,
)
_UNSETTLED = pattern(
    r"\b(?:answer|result|solution|it|this|value)\s+(?:might|may|could)\s+(?:well |possibly |perhaps )?be\b"
    r"|^\W*(?:if|suppose|supposing|assum(?:e|ing)|unless|imagine)\s+(?:that\s+)?(?:the|our|my)\s+(?:\w+ )?"
    r"(?:answer|result)\b|\bwhether\s+(?:the|our|my)\s+(?:\w+ )?(?:answer|result)\b",
    re.IGNORECASE,
)
_CODE = pattern(r"[A-Za-z_]\(|__|\blambda\b|\bimport\b")
_CJK = pattern("[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")
_LEADING_WORD = pattern(r"(?<![\\\w])[^\W\d_]{2,}(?=['’]?[\s:,.]|['’]s\b|$)")
_CONSTANT = frozenset(["pi", "theta", "alpha", "beta", "infinity", "inf"])
_SAID_TO_BE = pattern(
    r"[^\d\\$=]{0,40}(?:\b(?:is|are|equals?|es|est|ist)|['’]s|:)\s+(?:\*\*)?(?!(?:correct|right|wrong|incorrect|not)\b)([A-Za-z-]{2,20})(?:\*\*)?[.!]?"
)
_BULLET = pattern(r"[-*•>]\s+")
_HEADING = pattern(r"#+\s+")


def bare(text: str) -> tuple[str, str] | None:
    """The whole response where it is nothing but an answer, and its prose where it may be read in another way.

    >>> bare("$5$"), bare("five!"), bare("x is 5.")
    (('5', ''), ('five!', 'five!'), None)
    """
    if len(text) > 4_000 or "\n\n" in text or PHRASE.match(text) or _UNSETTLED.search(text[:200]):
        return None
    if not text:
        return None
    match = MATH.fullmatch(text.rstrip(". "))
    if match and not is_prose(inner := inside(match)):
        return inner, ""
    if len(text) > 200 or re.search(r"[.!?。]\s+\S", text) or _CJK.search(text):
        return None
    if said := _SAID_TO_BE.fullmatch(text):
        return said[1], text
    formula = COMMAND_TEXT.sub(" ", MATH.sub(" ", text))
    if len(WORD.findall(formula)) > (1 if len(text) < 40 else 0) or _led_by_words(text):
        return None
    text = _HEADING.sub("", text, count=1)
    plain = _BULLET.sub("", text, count=1)  # "- 5" is minus five, or the one item of a list
    doubtful = plain != text or text.endswith(("!", "?")) or bool(WORD.search(formula))
    return text, plain if doubtful else ""


def _led_by_words(text: str) -> bool:
    """Whether words stand before the first sign of a value: "So 5", "It's 5", "x is 5"."""
    value = re.search(r"[\d\\$]", text)
    before = text[: value.start()] if value else ""
    return any(word.lower() not in FUNCTIONS | _CONSTANT for word in _LEADING_WORD.findall(before))


def without_money(text: str) -> str:
    """The text without the dollar signs of sums of money, which would pair up as formulas."""
    return _MONEY.sub("", text) if "$" in text else text


def reduced(text: str) -> str | None:
    """The number of a sentence that holds the answer, "Marie ordered 2 boxes"; None where it has several or none."""
    if len(WORD.findall(COMMAND_TEXT.sub(" ", text))) < 2 and not _CJK.search(text):
        return None
    if _CODE.search(text):
        return None
    text = without_money(text[-4_000:])
    if found := behind_verb(text, COPULA):
        return found
    numbers = {n.strip().strip("$") for n in NUMBER.findall(text)}
    return numbers.pop() if len(numbers) == 1 else None


def _first_mark(text: str, words: tuple[str, ...]) -> int | None:
    """Where a phrase may begin at the earliest; None where no word of one stands in the text."""
    small = text.lower()
    found = [at for word in words if (at := small.find(word)) >= 0]
    return max(0, min(found) - 40) if found else None


def phrased(tail: str, marked: bool) -> str | None:
    """What follows the last "the answer is". `marked`: only a sure one counts, since a box was found before it."""
    if (start := _first_mark(tail, _SURE if marked else _MARKS)) is None:
        return None
    for match in reversed(list(PHRASE.finditer(tail, start))[-6:]):
        sure = match["sure"] is not None
        before = max(0, match.start() - 20)
        if (marked and not sure) or _ANY.search(tail, before, match.start()):
            continue
        if _SUPPOSED.search(tail, before, match.start()):
            continue
        rest = tail[match.end() :].lstrip(" *:：\n")
        first, _, more = rest.partition("\n")
        if not marked and re.search(r"\d", more) and (not sure or (len(first) > 100 and len(more) > 200)):
            continue  # "the result is 12" in the middle of the work, or "Answer:" as the heading of the work
        if marked and "\\boxed" in rest[:400]:
            return None
        found = value_in(rest.split("\n\n", 1)[0][:1_000])
        if found and ((sure and not marked) or re.search(r"[\d\\]", found)):
            return found if sure or len(rest) <= 400 else None
    return None


def closing_sentence(tail: str) -> tuple[str, str] | None:
    """The answer that the last sentences give, and how: the last with a number or a formula decides."""
    if _UNFINISHED.search(tail) or _breaks_off(tail):
        return None
    sentences = [s.strip() for s in SENTENCE.split(tail) if s and s.strip()]
    if sentences and _UNSETTLED.search(sentences[-1]):
        return None
    while len(sentences) > 1 and _COMMENT.match(sentences[-1]) and _CONCLUSION.match(sentences[-2]):
        sentences.pop()
    if (
        sentences
        and len(sentences[-1]) < 200
        and _REFUSAL.search(sentences[-1])
        and not re.search(r"\d", sentences[-1])
    ):
        return None
    concluded = len(sentences) - 1
    for i, sentence in reversed(list(enumerate(sentences))[-12:]):
        if i < concluded - 3 and not _CONCLUSION.match(sentence.lstrip("* ")) and not BOLD.search(sentence):
            continue
        clauses = [c for c in _CLAUSE.split(sentence) if c] if _CJK.search(sentence) else [sentence]
        for clause in reversed(clauses):
            if re.search(r"\d|\\[a-zA-Z]|\$", clause) and (found := in_sentence(clause)):
                return found, "sentence"
    bold = list(BOLD.finditer(tail))
    if bold:
        return inside(bold[-1]).strip(), "bold"
    last = sentences[-1] if sentences else ""
    return (last, "last line") if last and len(last.split()) <= 3 and len(sentences) == 1 else None


def _breaks_off(tail: str) -> bool:
    """Whether the text ends inside a formula, as one that was cut off does."""
    return tail.rfind("\\[") > tail.rfind("\\]") or tail.rfind("\\(") > tail.rfind("\\)")


def closing_lines(tail: str) -> str:
    """The last two lines that say something, at most 500 characters."""
    return "\n".join([line for line in tail[-1_000:].splitlines() if line.strip()][-2:])[-500:]


def mentions(closing: str, gold: str) -> bool:
    """Whether prose that an answer was guessed from may mean the gold answer after all.

    >>> mentions("Tracy can cut 8 pieces of 6 inches", "8"), mentions("so 6 are left", "8"), mentions("Go 5.", "east")
    (True, False, True)
    """
    number = plain_number(tidy(gold))
    if number is None:
        return not re.search(r"\d", gold) or key(tidy(gold)) in key(tidy(closing))
    return any(plain_number(tidy(found.strip().strip("$€£"))) == number for found in NUMBER.findall(closing))
