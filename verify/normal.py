"""Answer text in one spelling: Unicode to LaTeX, no invisible characters, no layout commands, no delimiters."""

import re
from fractions import Fraction
from functools import lru_cache

from verify.pattern import pattern

_SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿⁱ"
_SUBSCRIPT = "₀₁₂₃₄₅₆₇₈₉"
_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "θ": "theta", "λ": "lambda", "μ": "mu",
    "µ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi", "ϕ": "phi",
    "χ": "chi", "ψ": "psi", "ω": "omega", "η": "eta", "κ": "kappa", "ζ": "zeta", "Γ": "Gamma", "Δ": "Delta",
    "Θ": "Theta", "Λ": "Lambda", "Π": "Pi", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip
_VULGAR = {
    "½": "12", "⅓": "13", "⅔": "23", "¼": "14", "¾": "34", "⅕": "15", "⅖": "25", "⅗": "35", "⅘": "45", "⅙": "16",
    "⅚": "56", "⅛": "18", "⅜": "38", "⅝": "58", "⅞": "78", "⅐": "17", "⅑": "19",
}  # fmt: skip
_SIGNS = {
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "﹣": "-", "－": "-", "×": "\\times ", "✕": "\\times ",
    "·": "\\cdot ", "⋅": "\\cdot ", "∙": "\\cdot ", "÷": "/", "∕": "/", "⁄": "/", "√": "\\sqrt ", "∛": "\\sqrt[3]",
    "≤": "\\le ", "≥": "\\ge ", "⩽": "\\le ", "⩾": "\\ge ", "≠": "\\ne ", "≈": "\\approx ", "≡": "\\equiv ",
    "∞": "\\infty ", "∪": "\\cup ", "∩": "\\cap ", "∈": "\\in ", "∅": "\\emptyset ", "±": "\\pm ", "∓": "\\mp ",
    "°": "^\\circ ", "º": "^\\circ ", "′": "'", "″": "''", "’": "'", "‘": "'", "“": '"', "”": '"', "…": "\\ldots ",
    "⟨": "\\langle ", "⟩": "\\rangle ", "〈": "\\langle ", "〉": "\\rangle ", "∖": "\\setminus ", "⌊": "\\lfloor ",
    "⌋": "\\rfloor ", "⌈": "\\lceil ", "⌉": "\\rceil ", "∠": "\\angle ", "→": "\\to ", "∑": "\\sum ", "∫": "\\int ",
    "ℝ": "\\mathbb{R}", "ℤ": "\\mathbb{Z}", "ℕ": "\\mathbb{N}", "ℚ": "\\mathbb{Q}", "ℂ": "\\mathbb{C}",
    "（": "(", "）": ")", "［": "[", "］": "]", "｛": "{", "｝": "}", "，": ",", "、": ",", "；": ";", "：": ":",
    "。": ".", "％": "%", "＝": "=", "＋": "+", "＜": "<", "＞": ">", "／": "/", "＊": "*", "＾": "^", "｜": "|",
    "∣": "|", "𝑒": "e", "ⅈ": "i", "¢": "\\text{ cents}", "\u00c5": "\\text{ angstrom}", "\u212b": "\\text{ angstrom}",
}  # fmt: skip
_INVISIBLE = [*range(0x09), *range(0x0B, 0x20), 0x7F, 0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F)]
_INVISIBLE += [*range(0x2060, 0x2065), 0xFEFF]
_TABLE: dict[int, str | None] = (
    {ord(c): f"\\{name} " for c, name in _GREEK.items()}
    | {ord(c): f"\\frac{{{d[0]}}}{{{d[1]}}}" for c, d in _VULGAR.items()}
    | {ord(c): s for c, s in _SIGNS.items()}
    # Full-width, Arabic-Indic, Persian, Devanagari, Bengali and Thai digits.
    | {zero + d: str(d) for zero in (0xFF10, 0x0660, 0x06F0, 0x0966, 0x09E6, 0x0E50) for d in range(10)}
    | {0x066B: ".", 0x066C: ",", 0x060C: ",", 0x066A: "%"}
    | {0xFF21 + d: chr(65 + d) for d in range(26)}
    | {0xFF41 + d: chr(97 + d) for d in range(26)}
    | dict.fromkeys((160, 8201, 8202, 8239, 8287, 12288, *range(8192, 8201)), " ")
    | dict.fromkeys(_INVISIBLE, None)
)
_HTML = pattern(r"<su([pb])>([^<]{1,40})</su\1>")
_MICRO = pattern(r"[μµ](?=(?:m|s|g|A|L|F|C)\b)")
_TIMES_TEN = pattern(r"(?<=\d)\s*[xX]\s*(?=10\s*(?:\^|\*\*))")
_SQUARE_UNIT = pattern(r"(?<=\d)\s?(m|cm|mm|km|ft|in)(?=[²³])()(?![²³]\s*[-+*/=])")
_RAISED = pattern(f"[{_SUPERSCRIPT}]+")
_LOWERED = pattern(f"[{_SUBSCRIPT}]+")
_LAYOUT = pattern(
    r"\\(?:left|right|bigg?[lrm]?|Bigg?[lrm]?|middle)(?:\.|(?![A-Za-z]))"
    r"|\\(?:displaystyle|textstyle|scriptstyle|limits|nolimits|mathstrut|strut|hfill|hline|nobreak|noindent|phantom|protect|rm|bf|it)"
    r"(?![A-Za-z])"
    r"|\\(?:[hv]space|phantom|vphantom|hphantom|label|tag|color)\*?\{[^{}]*\}"
)
_SPACE = pattern(r"(?<!\\)\\[,;:> ]|\\q?quad|\\(?:thinspace|medspace|enspace|space)(?![A-Za-z])|(?<!\\)~|\s+")
_OVERESCAPED = pattern(r"\\\\(?=[a-zA-Z(\[])")
_DELIMITER = pattern(r"(?<!\\)\\[()\[\]]|(?<!\\)\$+")
_ORDINAL = pattern(r"(?<=\d)(?:\^?\s*\{?\s*\\(?:text|mathrm|textrm)\{\s*(?:st|nd|rd|th)\s*\}\s*\}?|(?:st|nd|rd|th)\b)")
_EMPTY = pattern(r"\{\s*\}(?=\s*[\^_])")
_INTEGER = pattern(r"[+-]?\d+")
_DECIMAL = pattern(r"[+-]?(?:\d+\.\d*|\.\d+)")
_GROUPED = pattern(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_FRACTION = pattern(r"([+-]?)(?:\\frac\{([+-]?\d+)\}\{(\d+)\}|([+-]?\d+)/(\d+))")
# What follows an answer to say for which names it holds: "f(x) = ax, where a is any real number".
_TRAILING_CLAUSE = pattern(
    r"[,;]?\s*(?:\\text\s*\{\s*)?,?\s*\b(?:for (?:all|any|every|some|each)|where|when|with)\b.*$"
    r"|,?\s*\(?\b[nkmt]\s*\\in\s*\\(?:mathbb\s*\{?\s*)?Z\b\s*\}?\)?\s*$",
    re.DOTALL,
)
_PART_LABEL = pattern(r"(?:(?<=^)|(?<=[\s,;.]))\(?([a-h1-8]|i{1,3}|iv|vi?)[).](?!\d)\s*:?\s*")
_MINUS = pattern(r"(?:\\text\s*\{\s*)?\b(?:[Nn]egative|[Mm]inus)\s*\}?\s*(?=\d|\\frac|\\sqrt)")
_OVER = pattern(r"(?<=\d) over (?=\d)")
_CODE_E = pattern(r"(?<![A-Za-z\d])E(?=\s?\*\*)")
_DOTS = pattern(r"(?<![\w.])\.\.\.+(?![\w.])")
_MODULE = pattern(r"(?<![A-Za-z])(?:np|numpy|math|sympy|sp)\.(?=[a-z])")
_CLOCK = pattern(r"(\d{1,2})(:[0-5]\d)?(?: |\\text ?\{ ?)*([ap])\.? ?m\b\.?(?: ?\})?", re.IGNORECASE)
# "It is 5100" in a box: words that end in a verb, then the value.
_WORDS_BEFORE = pattern(
    r"\\(?:text|textbf|mathrm|mbox)\s*\{[^{}]{0,80}?"
    r"\b(?:is|are|be|equals?|find|get|obtain|have|gives?|as|of|by)\b ?:? ?(\}?)"
)
_UPRIGHT = pattern(r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mbox|textnormal|operatorname)\s*\{([^{}]*)\}")
_GAP = pattern(r" (?!\d)|(?<!\d) ")
_BRACED_SIGN = pattern(r"([_^])\{(\w)\}")
_BRACES = pattern(r"\\.|[{}]", re.DOTALL)
_DENYING = pattern(r"\b(?:not|cannot|never|no)\b|n't\b")


def tidy(text: str) -> str:
    """The same answer in plain LaTeX: ASCII signs, single spaces, no `\\left`, `$`, `\\!` or closing full stop."""
    return short_tidied(text) if len(text) <= 300 else _tidied(text)


def _tidied(text: str) -> str:
    if text.isascii() and text.isdigit():
        return text
    if "<su" in text:
        text = _HTML.sub(lambda m: ("^" if m[1] == "p" else "_") + "{" + m[2] + "}", text)
    if not text.isascii():
        text = _MICRO.sub("u", text)
        text = _SQUARE_UNIT.sub(r" \\text{\1}\2", text)
        text = _RAISED.sub(lambda m: "^{" + _digits(m.group()) + "}", text)
        text = _LOWERED.sub(lambda m: "_{" + _digits(m.group()) + "}", text)
    if not (text.isascii() and text.isprintable()):
        text = text.translate(_TABLE)
    text = text.replace("{,}", ",")
    if "10" in text:
        text = _TIMES_TEN.sub(" * ", text)
    if "..." in text:
        text = _DOTS.sub(r"\\ldots ", text)
    if "\\" in text or "$" in text:
        if "\\\\" in text and "\\begin" not in text:
            text = _OVERESCAPED.sub(r"\\", text)
        text = text.replace("\\!", "\x00")
        text = re.sub(r"\x00\s*", "", text)
        text = _LAYOUT.sub("", text)
        text = _EMPTY.sub("", _DELIMITER.sub(" ", text))
        for spelling in ("\\dfrac", "\\tfrac", "\\cfrac"):
            text = text.replace(spelling, "\\frac")
    return _unwrap(collapse(_ORDINAL.sub("", _SPACE.sub(" ", text)).strip()))


short_tidied = lru_cache(maxsize=8192)(_tidied)


def plain_answer(text: str) -> str:
    """An extracted answer tidied, its parts as a list, without the clause that says for which names it holds.

    >>> plain_answer("f(x) = 2x, where x is real"), plain_answer("(a) 3 (b) 4")
    ('f(x) = 2x', '3; 4')
    """
    tidied = _without_part_labels(tidy(text))
    if tidied.isdigit():
        return tidied
    if " over " in tidied:
        tidied = _OVER.sub("/", tidied)
    if "egative" in tidied or "inus" in tidied:
        tidied = _MINUS.sub("-", tidied)
    if tidied.startswith("\\") and (words := _WORDS_BEFORE.match(tidied)) and not _DENYING.search(words[0]):
        rest = tidied[words.end() :] if words[1] else "\\text{" + tidied[words.end() :]
        tidied = tidy(rest) if rest.strip("{} ") else tidied
    if clock := _CLOCK.fullmatch(tidied):
        whole = clock[2] in (None, ":00")
        tidied = f"{clock[1]}{'' if whole else clock[2]} \\text{{ {clock[3].lower()}m}}"
    if "**" in tidied or "." in tidied:
        tidied = _MODULE.sub("", _CODE_E.sub("e", tidied))
    if len(tidied) < 400 and ("for" in tidied or "wh" in tidied or "with" in tidied or "\\in" in tidied):
        return _TRAILING_CLAUSE.sub("", tidied).strip() or tidied
    return tidied


def _without_part_labels(text: str) -> str:
    """`(a) 3 (b) 4` as the list `3; 4`."""
    if not text.startswith(("(a)", "(i)", "(1)", "a)", "1)", "a.", "i)")):
        return text
    labels = list(_PART_LABEL.finditer(text))
    wanted = {"a": "abcdefgh", "1": "12345678", "i": ("i", "ii", "iii", "iv", "v", "vi")}.get(
        labels[0][1] if labels else "", ""
    )
    if len(labels) < 2 or [match[1] for match in labels] != list(wanted[: len(labels)]):
        return text
    ends = [match.start() for match in labels[1:]] + [len(text)]
    return "; ".join(text[m.end() : end].strip(" ,;.") for m, end in zip(labels, ends, strict=True))


def key(tidied: str) -> str:
    """A string that is equal for spellings that differ in spaces, braces round one sign, and upright type."""
    text = _UPRIGHT.sub(r"\1", tidied) if "\\" in tidied else tidied
    if " " in text:
        text = _GAP.sub("", text)  # 2 3/4 is not 23/4
    return _BRACED_SIGN.sub(r"\1\2", text) if "{" in text else text


def plain_number(tidied: str) -> Fraction | None:
    """The exact value of an integer, decimal, grouped integer or plain fraction; None for anything else.

    >>> plain_number("1,250.5"), plain_number("-\\\\frac{6}{4}"), plain_number("2x")
    (Fraction(2501, 2), Fraction(-3, 2), None)
    """
    if len(tidied) > 400:
        return None
    if _INTEGER.fullmatch(tidied):
        return Fraction(int(tidied))
    if _DECIMAL.fullmatch(tidied):
        return Fraction(tidied)
    if _GROUPED.fullmatch(tidied):
        return Fraction(tidied.replace(",", ""))
    if match := _FRACTION.fullmatch(tidied):
        sign, top, bottom, top2, bottom2 = match.groups()
        over = int(bottom or bottom2)
        return Fraction(int(top or top2), over) * (-1 if sign == "-" else 1) if over else None
    return None


def collapse(text: str) -> str:
    """Doubled brackets made single: `((({x})))` is `({x})`; linear in the length."""
    if "((" not in text and "{{" not in text:
        return text
    partner: dict[int, int] = {}
    stack: list[int] = []
    for i, sign in enumerate(text):
        if sign in "({":
            stack.append(i)
        elif sign in ")}" and stack:
            j = stack.pop()
            if (text[j] == "(") == (sign == ")"):
                partner[j] = i
    gone = {i for i, j in partner.items() if partner.get(i + 1) == j - 1 and text[i] == text[i + 1]}
    gone |= {partner[i] for i in gone}
    return "".join(sign for i, sign in enumerate(text) if i not in gone)


def _digits(run: str) -> str:
    return "".join(
        "-" if c == "⁻" else "+" if c == "⁺" else "n" if c == "ⁿ" else "i" if c == "ⁱ" else str(_value(c)) for c in run
    )


def _value(sign: str) -> int:
    return _SUPERSCRIPT.index(sign) if sign in _SUPERSCRIPT else _SUBSCRIPT.index(sign)


def _unwrap(text: str) -> str:
    """Without what surrounds an answer: emphasis, quotes, a full stop, one pair of outer braces, a box."""
    for _ in range(8):
        before = text
        text = text.strip(' \t\n*`"').rstrip(".,;:")
        if text.startswith(("\\boxed{", "\\fbox{")) and closing(text, text.index("{")) == len(text) - 1:
            text = text[text.index("{") + 1 : -1]
        elif text.startswith("{") and closing(text, 0) == len(text) - 1:
            text = text[1:-1]
        if text == before:
            break
        text = text.strip()
    return text


def closing(text: str, at: int) -> int:
    """Index of the brace that closes the one at `at`; -1 if none does. Escaped braces do not count."""
    depth = 0
    for match in _BRACES.finditer(text, at):
        sign = match.group()
        if sign == "{":
            depth += 1
        elif sign == "}":
            depth -= 1
            if depth == 0:
                return match.start()
    return -1
