"""Answers that no mark points out: a bare answer, "the answer is ...", or the closing sentence.

Everything here looks at the last few thousand characters only, with bounded patterns.
"""

import re

from verify.normal import key, plain_number, tidy

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
    r"(?<![A-Za-z\d_.])(?<!\d:)[-−]?\s?[$€£]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
    r"(?:\s?/\s?\d+|:\d\d(?:\s?[aApP]\.?[mM]\b)?)?(?:\s?%)?(?!\d|\.\d|,\d{3}(?!\d))"
)
# A value in plain signs, such as 6 - 5i, 2*sqrt(34), √5: atoms tied by operators, up to the end of the clause.
_ATOMS = (
    r"(?>\d++(?:\.\d++)?|√\(?\w{1,20}\)?|sqrt\([^()\n]{1,40}\)|[a-zπ](?![A-Za-z])|[²³°]|\^\(?-?\w{1,9}\)?"
    r"|\([^()\n]{1,40}\))"
)
_EXPRESSION = re.compile(rf"[-−]?\s?{_ATOMS}++(?:\s?[-+−*/·]\s?{_ATOMS}++){{0,20}}(?=\s*(?:[.,;*]|$|[a-z]{{3}}))")
# What people do with a stated amount: "Marie can order 28 pizzas with 2 toppings".
_AMOUNT = re.compile(
    r"\b(?:can|could|will|would|should|must|needs?|takes?|took|costs?|earns?|earned|spends?|spent|pays?|paid|makes?|made"
    r"|receives?|received|gets?|got|buys?|bought|sells?|sold|uses?|used|orders?|ordered|produces?|saves?"
    r"|saved|gains?|loses?|lost|travels?|runs?|ran|walks?|reads?|eats?|ate|owes?|weighs?|raises?|raised|answers?|answered"
    r"|left with|was|were)\b"
    r"[^.\d\n]{0,80}?(?=[$€£]?\d)"
)
_REFUSAL = re.compile(
    r"\b(?:sorry|apologi[sz]e|cannot|can['’]t|can not|unable|do(?:es)? not know|don['’]t know|leave|consult|no idea"
    r"|not sure)\b",
    re.IGNORECASE,
)
_ADVERB = (
    r"(?:(?:indeed|exactly|approximately|about|only|equal to|given by|simply|still|now|therefore|thus|then)\s+)*"
    r"[:：]?\s*"
)
_COPULA = re.compile(r"(?:\b(?:is|are|equals?|be|was|were)\b|[为是=：≈]|:(?!\d\d)|\b(?:est|es|ist)\b)\s*" + _ADVERB)
_EQUAL = re.compile(r"[=≈]\s*" + _ADVERB)
_TOTAL = re.compile(r"\b(?:giving|yielding|making|for|which gives)\b[^.,]{0,20}\btotal of\b\s*")
_VERB = re.compile(
    r"(?:\b(?:is|are|equals?|be|was|were|gives?|has|have|had|gets?)\b|[为是=：≈]|:(?!\d\d)|\b(?:est|es|ist)\b"
    r"|\btotal of\b|\b(?:equal|equals|simplifies|comes|evaluates|reduces|amounts|rounds) to\b"
    r"|(?:increases?|decreases?|differs?) by\b)\s*" + _ADVERB
)
_LEAD_IN = re.compile(
    r"(?:indeed|exactly|approximately|simply|therefore|thus|clearly|also|still|now|just|option|choice)\s+"
)
_SENTENCE = re.compile(
    r"(?<=[.!?。！？])(?<!\bM[rs]\.)(?<!\bMrs\.)(?<!\bDr\.)\s+(?=\S)|(?<=\$\$)\s+(?=[A-Z])|(?<=\\\])\s+(?=[A-Z])|\n+|(?<=[。！？])"
)
_CONCLUSION = re.compile(r"(?:Therefore|Thus|Hence|So|Consequently|In conclusion|Finally|We conclude)\b")
_COMMENT = re.compile(r"(?:This|These|Note|It|Here|Which)\b")
# A text that breaks off has no closing sentence: its last number is whatever it was busy with.
_UNFINISHED = re.compile(
    r"(?:[,\\+\-/=({\[^_<&]|(?<!\*)\*|\b(?:is|are|the|an?|of|and|or|to|it|if|we|that|with|for|by|in|then|so|be|as|can|this|from))\s*$"
)
_CLAUSE = re.compile(r"[，；]|(?<=[\u4e00-\u9fff]),")
_ASIDE = re.compile(r"\b(?:that|which|whose|where|when|such that|for which|because|since|given that|inclusive)\b")
# "Each correct answer is worth 5 points" states no answer.
_ACRONYM = re.compile(r"(\d[\d,.]*) ([A-Z]{2,})")
_TOLD = re.compile(r"[A-Z][a-z]+ [a-z]{3,} [^\\{}]*\d")
_ANY = re.compile(r"\b(?:each|every|per|any|an|incorrect|wrong)\s+$", re.IGNORECASE)
_CODE = re.compile(r"[A-Za-z_]\(|__|\blambda\b|\bimport\b")
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{3,}")
_FUNCTIONS = frozenset(
    [
        "sin",
        "cos",
        "tan",
        "cot",
        "sec",
        "csc",
        "exp",
        "log",
        "sqrt",
        "cbrt",
        "abs",
        "asin",
        "acos",
        "atan",
        "arcsin",
        "arccos",
        "arctan",
        "sinh",
        "cosh",
        "tanh",
        "min",
        "max",
        "mod",
        "gcd",
    ]
)
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
    if len(_WORD.findall(_COMMAND_TEXT.sub(" ", text))) < 2 and not _CJK.search(text):
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
        if (marked and not sure) or _ANY.search(tail, max(0, match.start() - 20), match.start()):
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


def value_in(rest: str) -> str | None:
    """The answer at the head of a text: its formulas with what joins them, an option letter, or its first sentence."""
    rest = re.sub(r"^(?:\\?[\"“]|['\s]|\*(?!\*\S)|\*\*(?=[^*]{200}|[^*]*$))+", "", rest.strip())
    while match := _LEAD_IN.match(rest):
        rest = rest[match.end() :]
    if not rest:
        return None
    if math := _formulas(rest):
        return math
    sentence = _SENTENCE.split(rest, maxsplit=1)[0].strip().rstrip(".。\"'” ")
    if sentence.count("**") % 2 or not _BOLD.search(sentence):
        sentence = sentence.rstrip("*. ")
    elif match := _BOLD.fullmatch(sentence):
        return value_in(_inside(match))
    if re.match(r"[(\[]?[A-J][)\].:]\s", sentence):
        return sentence
    if (verb := _VERB.search(sentence)) and verb.start() > 0 and (found := in_sentence(sentence)):
        return found
    if match := _ACRONYM.fullmatch(sentence):
        return f"{match[1]} \\text{{ {match[2]}}}"  # WPM is no product of W, P and M
    if _TOLD.match(sentence) and (found := in_sentence(sentence)):
        return found
    if len(sentence) <= 60 and len(_WORD.findall(sentence)) <= 4 and not _BOLD.search(sentence):
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
    if (
        sentences
        and len(sentences[-1]) < 200
        and _REFUSAL.search(sentences[-1])
        and not re.search(r"\d", sentences[-1])
    ):
        return None
    concluded = len(sentences) - 1
    for i, sentence in reversed(list(enumerate(sentences))[-12:]):
        if i < concluded - 3 and not _CONCLUSION.match(sentence.lstrip("* ")) and not _BOLD.search(sentence):
            continue
        clauses = [c for c in _CLAUSE.split(sentence) if c] if _CJK.search(sentence) else [sentence]
        for clause in reversed(clauses):
            if re.search(r"\d|\\[a-zA-Z]|\$", clause) and (found := in_sentence(clause)):
                return found, "sentence"
    bold = list(_BOLD.finditer(tail))
    if bold:
        return _inside(bold[-1]).strip(), "bold"
    last = sentences[-1] if sentences else ""
    return (last, "last line") if last and len(last.split()) <= 3 and len(sentences) == 1 else None


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
    return any(plain_number(tidy(found.strip().strip("$€£"))) == number for found in _NUMBER.findall(closing))


def in_sentence(sentence: str) -> str | None:
    """What a sentence says: its last bold value, what stands behind its verb, else its last formula or number."""
    bold = [inside for m in _BOLD.finditer(sentence) if re.search(r"\d|\\", inside := _inside(m).strip())]
    if bold:
        return value_in(bold[-1]) or bold[-1]
    if found := _behind_verb(sentence, _EQUAL):
        return found
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
    if found := _behind_verb(sentence, _AMOUNT):
        return found
    numbers = _NUMBER.findall(sentence)
    return numbers[-1].strip() if numbers else None


def _behind_verb(sentence: str, verbs: re.Pattern[str]) -> str | None:
    hidden = _MATH.sub(lambda m: "\x01" * len(m.group()), sentence)
    for verb in reversed(list(verbs.finditer(hidden))):
        rest = sentence[verb.end() :].strip().lstrip("*").strip()
        if math := _formulas(rest):
            return math
        value = _EXPRESSION.match(rest[:120])
        if value and re.search(r"\d", value.group()) and re.search(r"[a-zπ√]", value.group()):
            return value.group().strip()
        match = _NUMBER.match(rest)
        if match and not re.match(r"\s*(?:[*×+÷=/^]|\\times|-\s*\d)", rest[match.end() :]):
            number = match.group().strip()
            unit = re.match(r"\s?([A-Za-z°]+[²³]?)\s*[.。*]*$", rest[match.end() :])
            if unit and unit.group(1).isupper() and len(unit.group(1)) > 1:
                return f"{number} \\text{{ {unit.group(1)}}}"  # WPM is no product of W, P and M
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
    words = _WORD.findall(_COMMAND_TEXT.sub(" ", text))
    return sum(word not in _FUNCTIONS for word in words) > 1
