"""Answers that no mark points out: a bare answer, "the answer is ...", or the closing sentence.

Everything here looks at the last few thousand characters only, with bounded patterns.
"""

import re

PHRASE = re.compile(
    r"(?P<sure>\b(?:final |correct |right |best )?(?:answer|ans)\b(?: choice| option)?"
    r"(?: (?:to|of|for|in) [^.:\n]{1,80}?)?"
    r"(?:\*\*)?\s*(?:\bis\b|\bare\b|\b(?:must|would|should) be\b|[:：=])(?:\s*(?:\bis\b|\bare\b|[:：=]))?"
    r"|(?:最终|正确)?答案\s*(?:应该是|应为|就是|是|为|选)?\s*[:：]?"
    r"|\b(?:r[ée]ponse|respuesta|risposta|resposta|antwort|odpowiedź)\s+(?:est|es|è|é|ist|to)\b|\bответ\s*[:：—-])"
    r"|\b(?:result|solution|value)\b\s*(?:\bis\b|[:：=])|结果\s*(?:是|为|[:：])|^\s*A\s*[:：]",
    re.IGNORECASE | re.MULTILINE,
)
_MATH = re.compile(
    r"\$\$(.{1,2000}?)\$\$|\\\[(.{1,2000}?)\\\]|\\\((.{1,2000}?)\\\)|(?<![\\$])\$(?!\$)([^$]{1,2000}?)(?<!\\)\$",
    re.DOTALL,
)
_BOLD = re.compile(r"\*\*([^*\n]{1,200})\*\*|__([^_\n]{1,200})__")
_MONEY = re.compile(r"(?<!\\)\$(?=\d[\d,]*(?:\.\d+)?(?:[^$\\]*\$-?\d|[^$]*$))")
_NUMBER = re.compile(
    r"(?<![A-Za-z\d_.])[-−]?\s?[$€£]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:\s?/\s?\d+)?(?:\s?%)?(?!\d|\.\d|,\d{3}(?!\d))"
)
_ADVERB = (
    r"(?:(?:indeed|exactly|approximately|about|only|equal to|given by|simply|still|now|therefore|thus|then)\s+)*"
    r"[:：]?\s*"
)
_COPULA = re.compile(r"(?:\b(?:is|are|equals?|be|was|were)\b|[为是=:：≈]|\b(?:est|es|ist)\b)\s*" + _ADVERB)
_TOTAL = re.compile(r"\b(?:giving|yielding|making|for|which gives)\b[^.,]{0,20}\btotal of\b\s*")
_VERB = re.compile(
    r"(?:\b(?:is|are|equals?|be|was|were|gives?|has|have|had|gets?)\b|[为是=:：≈]|\b(?:est|es|ist)\b|\btotal of\b"
    r"|\b(?:equal|equals|simplifies|comes|evaluates|reduces|amounts|rounds) to\b"
    r"|(?:increases?|decreases?|differs?) by\b)\s*" + _ADVERB
)
_LEAD_IN = re.compile(
    r"(?:indeed|exactly|approximately|simply|therefore|thus|clearly|also|still|now|just|option|choice)\s+"
)
_SENTENCE = re.compile(r"(?<=[.!?。！？])\s+(?=\S)|(?<=\$\$)\s+(?=[A-Z])|(?<=\\\])\s+(?=[A-Z])|\n+|(?<=[。！？])")
_CONCLUSION = re.compile(r"(?:Therefore|Thus|Hence|So|Consequently|In conclusion|Finally|We conclude)\b")
_COMMENT = re.compile(r"(?:This|These|Note|It|Here|Which)\b")
# A text that breaks off has no closing sentence: its last number is whatever it was busy with.
_UNFINISHED = re.compile(
    r"(?:[,\\+\-*/=({\[^_<&]|\b(?:is|are|the|an?|of|and|or|to|it|if|we|that|with|for|by|in|then|so|be|as|can|this|from))\s*$"
)
_CLAUSE = re.compile(r"[，；]|(?<=[\u4e00-\u9fff]),")
_ASIDE = re.compile(r"\b(?:that|which|whose|where|when|such that|for which|because|since|given that|inclusive)\b")
_CODE = re.compile(r"[A-Za-z_]\(|__|\blambda\b|\bimport\b")
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{3,}")
_COMMAND_TEXT = re.compile(r"\\(?:text|mbox|mathrm|textbf|mathbf|operatorname)\w*\s*\{[^{}]*\}|\\(?:begin|end)\{\w+\}")
_TIE = re.compile(r"\s*(?:,|;|and|or|\band\b|、|和|或|以及)(?:\s*(?:and|or))?\s*")
_UNIT = re.compile(r"\s*(%|[A-Za-z]+(?: [A-Za-z]+){0,2})\s*(?:[.。]|$)")
_CJK = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")


def bare(text: str) -> str | None:
    """The whole response where it is nothing but an answer."""
    if len(text) > 4_000 or "\n\n" in text or PHRASE.match(text):
        return None
    match = _MATH.fullmatch(text.rstrip(". "))
    if match and not is_prose(inner := _inside(match)):
        return inner
    if len(text) > 200 or re.search(r"[.!?。]\s+\S", text) or _CJK.search(text):
        return None
    words = len(_WORD.findall(_COMMAND_TEXT.sub(" ", _MATH.sub(" ", text))))
    return text if words <= (1 if len(text) < 40 else 0) else None


def without_money(text: str) -> str:
    """The text without the dollar signs of sums of money, which would pair up as formulas."""
    return _MONEY.sub("", text)


def reduced(text: str) -> str | None:
    """The number of a sentence that holds the answer, "Marie ordered 2 boxes"; None where it has several or none."""
    if len(_WORD.findall(_COMMAND_TEXT.sub(" ", text))) < 2:
        return None
    if _CODE.search(text):
        return None
    text = without_money(text[-4_000:])
    if found := _behind_verb(text, _COPULA):
        return found
    numbers = {n.strip().strip("$") for n in _NUMBER.findall(text)}
    return numbers.pop() if len(numbers) == 1 else None


def phrased(tail: str, marked: bool) -> str | None:
    """What follows the last "the answer is". `marked`: only a sure one counts, since a box was found before it."""
    for match in reversed(list(PHRASE.finditer(tail))[-6:]):
        sure = match["sure"] is not None
        if marked and not sure:
            continue
        rest = tail[match.end() :].lstrip(" *:：\n")
        if marked and "\\boxed" in rest[:400]:
            return None
        found = value_in(rest.split("\n\n", 1)[0][:1_000])
        if found and ((sure and not marked) or re.search(r"[\d\\]", found)):
            if not sure and len(rest) > 400:
                continue  # "the result is 12" in the middle of the work
            return found
    return None


def value_in(rest: str) -> str | None:
    """The answer at the head of a text: its formulas with what joins them, an option letter, or its first sentence."""
    rest = re.sub(r"^(?:\\?[\"“]|[*'\s])+", "", rest.strip())
    while match := _LEAD_IN.match(rest):
        rest = rest[match.end() :]
    if not rest:
        return None
    if math := _formulas(rest):
        return math
    sentence = _SENTENCE.split(rest, maxsplit=1)[0].strip().rstrip(".。*\"'” ")
    if re.match(r"[(\[]?[A-J][)\].:]\s", sentence):
        return sentence
    if (verb := _VERB.search(sentence)) and verb.start() > 0 and (found := in_sentence(sentence)):
        return found
    if len(sentence) <= 60 and len(_WORD.findall(sentence)) <= 4:
        return sentence or None
    if match := _NUMBER.match(sentence):
        return match.group().rstrip(",")
    return in_sentence(sentence)


def closing_sentence(tail: str) -> tuple[str, str] | None:
    """The answer that the last sentences give, and how: the last with a number or a formula decides."""
    if _UNFINISHED.search(tail):
        return None
    sentences = [s.strip() for s in _SENTENCE.split(tail) if s and s.strip()]
    while len(sentences) > 1 and _COMMENT.match(sentences[-1]) and _CONCLUSION.match(sentences[-2]):
        sentences.pop()
    for sentence in reversed(sentences[-12:]):
        clauses = [c for c in _CLAUSE.split(sentence) if c] if _CJK.search(sentence) else [sentence]
        for clause in reversed(clauses):
            if re.search(r"\d|\\[a-zA-Z]|\$", clause) and (found := in_sentence(clause)):
                return found, "sentence"
    bold = list(_BOLD.finditer(tail))
    if bold:
        return _inside(bold[-1]).strip(), "bold"
    last = sentences[-1] if sentences else ""
    return (last, "last line") if last and len(last) <= 60 and len(sentences) == 1 else None


def in_sentence(sentence: str) -> str | None:
    """What a sentence says: its last bold value, what stands behind its verb, else its last formula or number."""
    bold = [inside for m in _BOLD.finditer(sentence) if re.search(r"\d|\\", inside := _inside(m).strip())]
    if bold:
        return value_in(bold[-1]) or bold[-1]
    if (
        found := _behind_verb(sentence, _TOTAL)
        or _behind_verb(sentence, _COPULA)
        or _behind_verb(_ASIDE.split(sentence, maxsplit=1)[0], _VERB)
    ):
        return found
    if found := _behind_verb(sentence, _VERB):
        return found
    formulas = [f for m in _MATH.finditer(sentence) if not is_prose(f := _inside(m))]
    if formulas:
        telling = [f for f in formulas if re.search(r"\d|=|\\frac|\\in", f)]
        return (telling or formulas)[-1]
    if re.search(r"\\[a-zA-Z]+", sentence) and (equal := sentence.rfind("=")) >= 0:
        rest = sentence[equal + 1 :].strip()
        return rest if rest and rest.count("{") == rest.count("}") and rest[-1] not in "+-*/=\\" else None
    numbers = _NUMBER.findall(sentence)
    return numbers[-1].strip() if numbers else None


def _behind_verb(sentence: str, verbs: re.Pattern[str]) -> str | None:
    hidden = _MATH.sub(lambda m: "\x01" * len(m.group()), sentence)
    for verb in reversed(list(verbs.finditer(hidden))):
        rest = sentence[verb.end() :].strip().lstrip("*").strip()
        if math := _formulas(rest):
            return math
        match = _NUMBER.match(rest)
        if match and not re.match(r"\s*(?:[*×+÷=/^]|\\times|-\s*\d)", rest[match.end() :]):
            number = match.group().strip()
            unit = re.match(r"\s?([A-Za-z°]+[²³]?)\s*[.。*]*$", rest[match.end() :])
            return f"{number} {unit.group(1)}" if unit else number
    return None


def _formulas(text: str) -> str | None:
    """The formula that `text` starts with, and those tied to it by commas, `and`, `or`; with a short unit behind it."""
    match = _MATH.match(text)
    if match is None or is_prose(first := _inside(match)):
        return None
    parts, at = [first], match.end()
    while len(parts) < 40:
        gap = _TIE.match(text, at)
        following = _MATH.match(text, gap.end()) if gap and gap.end() > at else None
        if following is None:
            break
        parts.append(_inside(following))
        at = following.end()
    if len(parts) == 1 and (unit := _UNIT.match(text[at:])):
        return f"{first} \\text{{ {unit.group(1)}}}" if unit.group(1) != "%" else first + "\\%"
    return ", ".join(part.strip() for part in parts)


def _inside(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group is not None)


def is_prose(text: str) -> bool:
    """Whether a piece of formula is really running text between two dollar signs."""
    return len(_WORD.findall(_COMMAND_TEXT.sub(" ", text))) > 1
