"""Tokens of one tidied answer: numbers, names, words, commands and signs."""

import re
from typing import NamedTuple

from verify.pattern import pattern
from verify.units import UNITS
from verify.words import NUMBER_WORDS

_GREEK = """alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi omicron rho
varrho sigma varsigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega
ell hbar nabla partial aleph imath jmath"""
GREEK = frozenset(_GREEK.split())
_FUNCTIONS = """sin cos tan cot sec csc sinh cosh tanh coth arcsin arccos arctan arccot arcsec arccsc arsinh arcosh
artanh log ln lg exp gcd lcm min max Re Im arg det sgn sqrt cbrt cis abs floor ceil mod"""
FUNCTIONS = {name: name for name in _FUNCTIONS.split()} | {
    "tg": "tan", "ctg": "cot", "cosec": "csc", "arctg": "arctan", "asin": "arcsin", "acos": "arccos", "atan": "arctan",
}  # fmt: skip
RELATIONS = {
    "=": "=", "<": "<", ">": ">", "<=": "<=", ">=": ">=", "!=": "!=", "==": "=", ":=": "=", "\\le": "<=", "\\leq": "<=",
    "\\leqslant": "<=", "\\ge": ">=", "\\geq": ">=", "\\geqslant": ">=", "\\ne": "!=", "\\neq": "!=", "\\lt": "<",
    "\\gt": ">", "\\in": "in", "\\approx": "~", "\\simeq": "~", "\\sim": "~", "\\cong": "~", "\\equiv": "===", "~": "~",
}  # fmt: skip
_TEXT = "text textbf textit textrm textnormal textsf texttt mbox hbox emph unit operatorname"
TEXT = frozenset(_TEXT.split())
_UPRIGHT = "mathrm mathbf mathit mathsf mathtt boldsymbol bm mathcal mathscr mathfrak"
UPRIGHT = frozenset(_UPRIGHT.split())
_ACCENTS = "vec hat overrightarrow overline bar widehat tilde widetilde dot ddot underline"
ACCENTS = frozenset(_ACCENTS.split())
# Greek names that a command which lost its space may begin with: `omegat`. The short ones begin other commands too.
_GREEK_HEADS = tuple(GREEK - {"iota", "xi", "Xi", "chi", "eta", "nu", "psi", "ell"})
_PLAIN = pattern(
    r"(?P<space>\s+)|(?P<num>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3}(?![\w.]))?)|\\(?P<cmd>[A-Za-z]+)\*?|\\(?P<esc>.)|(?P<word>[A-Za-z]+)"
    r"|(?P<op>\+/-|<=|>=|!=|==|:=|\*\*|\S)",
    re.DOTALL,
)
_HEX_DIGITS = pattern(r"[0-9A-Fa-f]+")
_DIGITS_OF_16 = pattern(r"\d+[A-Fa-f][0-9A-Fa-f]*(?=_\{?1[1-6](?!\d))")
_RADIX = pattern(r"_\{?1[1-6]")
_CONNECTIVES = "and or is no of to the are not all if for yes per each"
CONNECTIVES = frozenset(_CONNECTIVES.split())
_THOUSANDS = pattern(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])|(?<![\d.,_^}])\d{1,3}(?: \d{3})+(?![\d,])(?! ?/)")


class Token(NamedTuple):
    """`kind` is one of num, name, word, text, cmd, op, end; `spaced` says whether a space stood before it."""

    kind: str
    text: str
    spaced: bool


class UnreadableError(ValueError):
    """The text is no formula that this reader knows."""


def tokens(text: str, grouped: bool) -> list[Token]:
    """All tokens of `text`, an `end` token last. `grouped`: `1,234` outside brackets is one number.

    Raises:
        UnreadableError: a group is not closed.
    """
    if grouped:
        text = _join_thousands(text)
    found: list[Token] = []
    at, spaced, end = 0, False, len(text)
    while at < end:
        match = _PLAIN.match(text, at)
        assert match is not None
        kind, value, at = match.lastgroup or "", match.group(match.lastgroup or 0), match.end()
        if kind == "num" and "_" in text and (large := _DIGITS_OF_16.match(text, match.start())):
            kind, value, at = "hex", large.group(), large.end()
        if kind == "space":
            spaced = True
            continue
        if kind == "cmd":
            if value in TEXT or value in UPRIGHT or value in ACCENTS:
                at = _grouped_text(text, at, value, spaced, found)
                spaced = False
                continue
            value, rest = _greek_head(value)
            at -= len(rest)
            kind, value = "cmd", "\\" + value
        elif kind == "esc":
            kind, value = "op", "\\" + value
        elif kind == "hex":
            kind = "word"
        elif kind == "word":
            _split_word(value, text[at:], spaced, found)
            spaced = False
            continue
        found.append(Token(kind, value, spaced))
        spaced = False
    found.append(Token("end", "", spaced))
    return found


def _join_thousands(text: str) -> str:
    """Grouped digits outside brackets without their commas or spaces; `(1,234)` stays a pair."""
    if not _THOUSANDS.search(text):
        return text
    depth, parts, last = 0, [], 0
    for match in re.finditer(rf"[(\[{{]|[)\]}}]|{_THOUSANDS.pattern}", text):
        sign = match.group()
        if sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
        elif depth == 0 or (depth > 0 and "(" not in text and "[" not in text and "\\{" not in text):
            parts += [text[last : match.start()], sign.replace(",", "").replace(" ", "")]
            last = match.end()
    return "".join([*parts, text[last:]])


def _grouped_text(text: str, at: int, command: str, spaced: bool, found: list[Token]) -> int:
    """Adds the token of `\\text{...}`, `\\mathrm{...}` or `\\vec{...}`; gives back where reading goes on."""
    while at < len(text) and text[at] == " ":
        at += 1
    if at < len(text) and text[at] == "{":
        close = _closing(text, at)
        inside, at = text[at + 1 : close], close + 1
    else:
        match = _PLAIN.match(text, at)
        if match is None or match.group() == "}":
            raise UnreadableError(f"\\{command} without an argument")
        inside, at = match.group()[:1] if match.group()[0] != "\\" else match.group(), match.end()
        if len(match.group()) > 1 and match.group()[0] != "\\":
            at = match.start() + 1
    bare = inside.strip()
    if command in ACCENTS:
        found.append(
            Token("name", f"{command}:{bare}" if command != "overline" or not bare.isdigit() else f"rep:{bare}", spaced)
        )
    elif command in ("mathbf", "boldsymbol", "bm") and bare in ("i", "j", "k"):
        found.append(Token("name", f"hat:{bare}", spaced))
    elif bare in FUNCTIONS and not (found and found[-1].kind == "num" and bare in UNITS):
        found.append(Token("func", FUNCTIONS[bare], spaced))
    elif command in TEXT or (command == "mathrm" and bare[:1] != "\\" and (len(bare) > 1 or _is_unit(bare, found))):
        found.append(Token("text", " ".join(inside.split()), spaced))
    else:
        found += [*tokens(inside, grouped=False)[:-1]]
    return at


def _greek_head(command: str) -> tuple[str, str]:
    """`omegat`, a command that lost its space, as `omega` and `t`."""
    if command in GREEK or not command.startswith(_GREEK_HEADS):
        return command, ""
    head = max((name for name in _GREEK_HEADS if command.startswith(name)), key=len)
    return head, command[len(head) :]


def _is_unit(letter: str, found: list[Token]) -> bool:
    """Whether an upright letter stands for a unit: `5 \\mathrm{m}`, but not `2 \\mathrm{i}`."""
    return (
        letter in UNITS and bool(found) and (found[-1].kind in ("num", "text") or found[-1].text in ("}", ")", "\\pi"))
    )


def _split_word(word: str, rest: str, spaced: bool, found: list[Token]) -> None:
    """A run of letters is a function, a constant, a connective, a word of text, or one-letter names in a row."""
    after_number = bool(found) and found[-1].kind == "num"
    lower = word.lower()
    if word in FUNCTIONS and not (after_number and word in ("min", "sec", "deg")):
        found.append(Token("func", FUNCTIONS[word], spaced))
    elif word in ("pi", "infty", "inf", "oo", "infinity", "Infinity"):
        found.append(Token("cmd", "\\pi" if word == "pi" else "\\infty", spaced))
    elif word in GREEK and len(word) > 2:
        found.append(Token("cmd", "\\" + word, spaced))
    elif len(word) == 1:
        found.append(Token("name", word, spaced))
    elif _HEX_DIGITS.fullmatch(word) and _RADIX.match(rest):
        found.append(Token("word", word, spaced))
    elif _reads_as_names(word, lower, rest, spaced, after_number, found):
        found += [Token("name", letter, spaced and i == 0) for i, letter in enumerate(word)]
    else:
        found.append(Token("word", word, spaced))


def _reads_as_names(word: str, lower: str, rest: str, spaced: bool, after_number: bool, found: list[Token]) -> bool:
    after_slash = bool(found) and found[-1].text == "/"
    if (
        lower in NUMBER_WORDS
        or lower in CONNECTIVES
        or ((word in UNITS or lower in UNITS) and (after_number or after_slash or (spaced and len(word) > 2)))
    ):
        return False
    if len(word) == 2 or (len(word) <= 4 and word.isupper()):
        return True
    touches = (not spaced and bool(found)) or (
        rest[:1] in ("^", "_", "+", "-", "*", "/", "(", "=", "\\", ")") and rest[:1] != ""
    )
    return touches and len(word) <= 6 and lower not in UNITS


def _closing(text: str, at: int) -> int:
    depth = 0
    for i in range(at, len(text)):
        if text[i] == "{":
            depth += 1
        elif text[i] == "}":
            depth -= 1
            if depth == 0:
                return i
    raise UnreadableError("a brace is not closed")
