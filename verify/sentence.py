"""What a single sentence states: its bold value, what stands behind its verb, else its last formula or number."""

import re

from verify.pattern import pattern

MATH = pattern(
    r"\$\$(.{1,2000}?)\$\$|\\\[(.{1,2000}?)\\\]|\\\((.{1,2000}?)\\\)|(?<![\\$])\$(?!\$)([^$]{1,2000}?)(?<!\\)\$",
    re.DOTALL,
)
BOLD = pattern(r"\*\*([^*\n]{1,200})\*\*|__([^_\n]{1,200})__")
NUMBER = pattern(
    r"(?<![A-Za-z\d_.])(?<!\d:)[-−]?\s?[$€£]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
    r"(?:\s?/\s?\d+|:\d\d(?:\s?[aApP]\.?[mM]\b)?)?(?:\s?%)?(?!\d|\.\d|,\d{3}(?!\d))"
)
# A value in plain signs, such as 6 - 5i, 2*sqrt(34), √5: atoms tied by operators, up to the end of the clause.
_ATOMS = (
    r"(?>\d++(?:\.\d++)?|√\(?\w{1,20}\)?|sqrt\([^()\n]{1,40}\)|[a-zπ](?![A-Za-z])|[²³°]|(?:\^|\*\*)\(?-?\w{1,9}\)?"
    r"|\([^()\n]{1,40}\))"
)
_EXPRESSION = pattern(
    rf"[-−]?\s?{_ATOMS}++(?:\s?[-+−*/·]\s?{_ATOMS}++){{0,20}}(?=\s*(?:[.,;]|\*(?!\*[\w(])|$|[a-z]{{3}}))"
)
# What people do with a stated amount: "Marie can order 28 pizzas with 2 toppings".
_AMOUNT = pattern(
    r"\b(?:can|could|will|would|should|must|needs?|takes?|took|costs?|earns?|earned|spends?|spent|pays?|paid|makes?|made"
    r"|receives?|received|gets?|got|buys?|bought|sells?|sold|uses?|used|orders?|ordered|produces?|saves?"
    r"|saved|gains?|loses?|lost|travels?|runs?|ran|walks?|reads?|eats?|ate|owes?|weighs?|raises?|raised|answers?|answered"
    r"|left with|was|were)\b"
    r"[^.\d\n]{0,80}?(?=[$€£]?\d)"
)
_ADVERB = (
    r"(?:(?:indeed|exactly|approximately|about|only|equal to|given by|simply|still|now|therefore|thus|then)\s+)*"
    r"[:：]?\s*"
)
COPULA = pattern(r"(?:\b(?:is|are|equals?|be|was|were)\b|[为是=：≈]|:(?!\d\d)|\b(?:est|es|ist)\b)\s*" + _ADVERB)
_EQUAL = pattern(r"[=≈]\s*" + _ADVERB)
_TOTAL = pattern(r"\b(?:giving|yielding|making|for|which gives)\b[^.,]{0,20}\btotal of\b\s*")
VERB = pattern(
    r"(?:\b(?:is|are|equals?|be|was|were|gives?|has|have|had|gets?)\b|[为是=：≈]|:(?!\d\d)|\b(?:est|es|ist)\b"
    r"|\btotal of\b|\b(?:equal|equals|simplifies|comes|evaluates|reduces|amounts|rounds) to\b"
    r"|(?:increases?|decreases?|differs?) by\b)\s*" + _ADVERB
)
_LEAD_IN = pattern(
    r",?\s*(?:indeed|exactly|approximately|simply|therefore|thus|clearly|also|still|now|just|option|choice|but|rather|sondern|mais|sino|mas|而是)\s+"
)
SENTENCE = pattern(
    r"(?<=[.!?。！？])(?<!\bM[rs]\.)(?<!\bMrs\.)(?<!\bDr\.)\s+(?=\S)|(?<=\$\$)\s+(?=[A-Z])|(?<=\\\])\s+(?=[A-Z])|\n+|(?<=[。！？])"
)
_ASIDE = pattern(r"\b(?:that|which|whose|where|when|such that|for which|because|since|given that|inclusive)\b")
# "Each correct answer is worth 5 points" states no answer.
_ACRONYM = pattern(r"(\d[\d,.]*) ([A-Z]{2,})")
_TOLD = pattern(r"[A-Z][a-z]+ [a-z]{3,} [^\\{}]*\d")
WORD = pattern(r"(?<![\\A-Za-z])[A-Za-z]{3,}")
FUNCTIONS = frozenset(
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
COMMAND_TEXT = pattern(r"\\(?:text|mbox|mathrm|textbf|mathbf|operatorname)\w*\s*\{[^{}]*\}|\\(?:begin|end)\{\w+\}")
_TIE = pattern(r"\s*(?:,|;|and|or|\band\b|、|和|或|以及)(?:\s*(?:and|or))?\s*")
_UNIT = pattern(r"\s*(%|[A-Za-z]+(?: [A-Za-z]+){0,2})\s*(?:[.。]|$)")


def value_in(rest: str) -> str | None:
    """The answer at the head of a text: its formulas with what joins them, an option letter, or its first sentence."""
    rest = re.sub(r"^(?:\\?[\"“]|['\s]|\*(?!\*\S)|\*\*(?=[^*]{200}|[^*]*$))+", "", rest.strip())
    while match := _LEAD_IN.match(rest):
        rest = rest[match.end() :]
    if not rest:
        return None
    if math := formulas(rest):
        return math
    sentence = SENTENCE.split(rest, maxsplit=1)[0].strip().rstrip(".。\"'” ")
    if sentence.count("**") % 2 or not BOLD.search(sentence):
        sentence = sentence.rstrip("*. ")
    elif match := BOLD.fullmatch(sentence):
        return value_in(inside(match))
    if re.match(r"[(\[]?[A-J][)\].:]\s", sentence):
        return sentence
    if (verb := VERB.search(sentence)) and verb.start() > 0 and (found := in_sentence(sentence)):
        return found
    if rest.startswith("\\") and not is_prose(sentence):
        return sentence
    if match := _ACRONYM.fullmatch(sentence):
        return f"{match[1]} \\text{{ {match[2]}}}"  # WPM is no product of W, P and M
    if _TOLD.match(sentence) and (found := in_sentence(sentence)):
        return found
    if len(sentence) <= 60 and len(WORD.findall(sentence)) <= 4 and not BOLD.search(sentence):
        return sentence or None
    if match := NUMBER.match(sentence):
        return match.group().rstrip(",")
    return in_sentence(sentence)


def in_sentence(sentence: str) -> str | None:
    """What a sentence says: its last bold value, what stands behind its verb, else its last formula or number."""
    bold = [said for m in BOLD.finditer(sentence) if re.search(r"\d|\\", said := inside(m).strip())]
    if bold:
        return value_in(bold[-1]) or bold[-1]
    if found := behind_verb(sentence, _EQUAL):
        return found
    if (
        found := behind_verb(sentence, _TOTAL)
        or behind_verb(sentence, COPULA)
        or behind_verb(_ASIDE.split(sentence, maxsplit=1)[0], VERB)
    ):
        return found
    if found := behind_verb(sentence, VERB):
        return found
    pieces = [f for m in MATH.finditer(sentence) if not is_prose(f := inside(m))]
    if pieces:
        telling = [f for f in pieces if re.search(r"\d|=|\\frac|\\in", f)]
        worded = telling or [f for f in pieces if len(f.strip()) > 1]  # "we solve for $k$" gives no answer
        return worded[-1] if worded else None
    if re.search(r"\\[a-zA-Z]+", sentence) and (equal := sentence.rfind("=")) >= 0:
        rest = sentence[equal + 1 :].strip()
        return rest if rest and rest.count("{") == rest.count("}") and rest[-1] not in "+-*/=\\" else None
    if found := behind_verb(sentence, _AMOUNT):
        return found
    numbers = NUMBER.findall(sentence)
    return numbers[-1].strip() if numbers else None


def behind_verb(sentence: str, verbs: re.Pattern[str]) -> str | None:
    hidden = MATH.sub(lambda m: "\x01" * len(m.group()), sentence)
    for verb in reversed(list(verbs.finditer(hidden))):
        rest = sentence[verb.end() :].strip().lstrip("*").strip()
        if math := formulas(rest):
            return math
        value = _EXPRESSION.match(rest[:120])
        if value and re.search(r"\d", value.group()) and re.search(r"[a-zπ√]", value.group()):
            return value.group().strip()
        match = NUMBER.match(rest)
        if match and not re.match(r"\s*(?:[*×+÷=/^]|\\times|-\s*\d)", rest[match.end() :]):
            number = match.group().strip()
            unit = re.match(r"\s?([A-Za-z°]+[²³]?)\s*[.。*]*$", rest[match.end() :])
            if unit and unit.group(1).isupper() and len(unit.group(1)) > 1:
                return f"{number} \\text{{ {unit.group(1)}}}"  # WPM is no product of W, P and M
            return f"{number} {unit.group(1)}" if unit else number
    return None


def formulas(text: str) -> str | None:
    """The formula that `text` starts with, and those tied to it by commas, `and`, `or`; with a short unit behind it."""
    match = MATH.match(text)
    if match is None or is_prose(first := inside(match)):
        return None
    parts, at = [first], match.end()
    while len(parts) < 40:
        gap = _TIE.match(text, at)
        following = MATH.match(text, gap.end()) if gap and gap.end() > at else None
        if following is None:
            break
        parts.append(inside(following))
        at = following.end()
    if len(parts) == 1 and (unit := _UNIT.match(text[at:])):
        return f"{first} \\text{{ {unit.group(1)}}}" if unit.group(1) != "%" else first + "\\%"
    return ", ".join(part.strip() for part in parts)


def inside(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group is not None)


def is_prose(text: str) -> bool:
    """Whether a piece of formula is really running text between two dollar signs."""
    words = WORD.findall(COMMAND_TEXT.sub(" ", text))
    return sum(word not in FUNCTIONS for word in words) > 1
