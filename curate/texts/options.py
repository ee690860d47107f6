"""The options of a multiple-choice question, as people write them: found, told apart from the question, and read."""

import re
from typing import NamedTuple

import polars as pl

TAIL_CHARS = 6_000
"""Options stand at the end of a question: only so much of it is looked at."""
MOST_CHARS = 600
"""Of one option."""
MOST_LISTS = 8
"""Places where a list may begin that are tried, from the end on."""
FEWEST = 3
"""Options that make a list. Two are one only where the gold answer is a letter."""

_FONT = r"(?:\$?\s?\\(?:text\w*|math\w+|bf|rm|mbox)\s?\{?\s?|\{\\(?:bf|rm|it)\s)?"
_MARK = re.compile(
    r"(?:(?<=[\s$}~;,.?？。；，:：)）_\-|>」”\"/&])|^|(?<=\\\\)|(?<=quad)|(?<=\\n)|(?P<tight>(?=[(（])))"
    rf"\**(?P<font>{_FONT})(?P<open>[(（\[【]?)\s?(?P<letter>[A-Ka-eＡ-Ｋ])\s?"
    r"(?P<close>[)）\]】．、：]|[.:](?!\d)|\.(?=\d)|(?=\}))(?:[}\s*~&]|\\[ ,;:!]){0,8}(?:[:.]\s)?(?:(?<=\})\$(?!\$))?",
    re.MULTILINE,
)
_ALIKE = str.maketrans("（【）】．、：ＡＢＣＤＥＦＧＨＩＪＫ", "([)]...ABCDEFGHIJK")
_DRAWING = re.compile(r"\[asy\].*?(?:\[/asy\]|\Z)|\\begin\{(tikzpicture|asy)\}.*?(?:\\end\{\1\}|\Z)", re.DOTALL)
_MAY_LIST = (
    (r"(?:^|[^\p{L}])[AaＡ]\s?[)）\]】．、：.:}]", r"(?:^|[^\p{L}])[BbＢ]\s?[)）\]】．、：.:}]"),
    (r"\(F\)", r"\(G\)"),
)
_ASKS_PART = re.compile(
    r"\?|？|^\s*(?:find|what|how|show|prove|determine|compute|calculate|write|explain|if|is|are|does|give|state|draw|"
    r"sketch|verify|evaluate|solve|express|deduce|hence|suppose|let|求|证明|若|写出|判断)\b",
    re.IGNORECASE | re.MULTILINE,
)
_TRAILING = re.compile(
    r"(?:\s|\\q?quad|\\\\|\\[,;:! n]|\\?&|~|[;；,，|]|\\hspace\{[^}]*\}"
    r"|\\begin\{[\w*]+\}\s*|\\item|\\noindent|(?:\*\*)(?=\s*$))+$"
)
_CHOICES = re.compile(
    r"\s*(?:\*\*)?(?:(?:the\s+)?(?:answer\s+)?(?:choices|options)(?:\s+(?:are|is))?|选项|choose one|options? below)\s*"
    r"[:：.]?(?:\*\*)?\s*$",
    re.IGNORECASE,
)
_LETTER = re.compile(
    r"[\s$*(（\[]*(?:\\(?:text\w*|math\w+|boxed|mbox)\s*\{\s*)*(?:(?:the\s+)?(?:correct\s+)?(?:answer|option|choice)"
    r"(?:\s+is)?\s*:?\s*)?[(（\[]?\s*([A-Ka-k])\s*[)）\].:}]*[\s$*.]*",
    re.IGNORECASE,
)


class Options(NamedTuple):
    """A question and its options, told apart."""

    stem: str
    texts: dict[str, str]
    """By letter, from A on; as written, less the spacing around it."""
    quote: str
    """How the list begins, for evidence."""


def without_drawings(text: pl.Expr) -> pl.Expr:
    """The text with a space for every drawing in code: its labels are no words of the question."""
    return text.str.replace_all(r"(?s)\[asy\].*?(?:\[/asy\]|\z)", " ").str.replace_all(
        r"(?s)\\begin\{tikzpicture\}.*?(?:\\end\{tikzpicture\}|\z)", " "
    )


def may_list(problem: pl.Expr) -> pl.Expr:
    """Whether a text may hold options: the cheap look, on columns."""
    tail = problem.str.slice(-TAIL_CHARS)
    pairs = (tail.str.contains(first) & tail.str.contains(second) for first, second in _MAY_LIST)
    return pl.any_horizontal(pairs)


def with_options(problem: pl.Expr, options: pl.Expr) -> pl.Expr:
    """The question with its options below it, one a line, with letters where they have none of their own.

    Args:
        options: lists of texts; a question without any, or that ends in its last one already, stays as it is.
    """
    letter = pl.lit("ABCDEFGHIJKLMNOPQRSTUVWXYZ").str.slice(pl.int_range(pl.len()), 1)
    text = pl.element().fill_null("").str.strip_chars()
    own = text.str.contains(r"^[(（]?[A-Z]\s?[)）.:：．、]")
    lines = options.list.eval(pl.when(own).then(text).otherwise(pl.format("{}) {}", letter, text))).list.join("\n")
    there = problem.str.strip_chars_end().str.ends_with(options.list.last().str.strip_chars())
    listed = (options.list.len() > 1) & ~there
    return pl.when(listed).then(pl.format("{}\n{}", problem, lines)).otherwise(problem)


def gold_letter(answer: str | None) -> str | None:
    """The letter that a gold answer names, alone.

    >>> gold_letter("B"), gold_letter("(C)"), gold_letter("\\\\text{(D)}"), gold_letter("x"), gold_letter("12")
    ('B', 'C', 'D', None, None)
    """
    found = _LETTER.fullmatch(answer) if answer and len(answer) < 60 else None
    return found[1].upper() if found else None


def find_options(problem: str, answer: str | None = None) -> Options | None:
    """The options that a question lists, each with its letter; None where it lists none.

    Small letters make options only where the gold answer is one of them and no part asks anything: `(a) Find ...
    (b) Show ...` is a question in parts. The gold answer is looked at for nothing else.

    >>> find_options("Half of 8? (A) 2 (B) 4 (C) 6").texts
    {'A': '2', 'B': '4', 'C': '6'}
    """
    start = max(0, len(problem) - TAIL_CHARS)
    body = problem[start:]
    gold = gold_letter(answer)
    marks = list(_MARK.finditer(_DRAWING.sub(lambda drawing: " " * len(drawing[0]), body)))
    if not gold:
        # `P(A)` is no option; where the gold answer is a letter, a list may follow the question without a space.
        # Nor is the digit `\text{A}` one.
        marks = [mark for mark in marks if mark["tight"] is None and mark["close"]]
    firsts = "AaF" if gold and gold > "E" else "Aa"  # tests with (F) (G) (H) (J) (K) on every other question
    places = [i for i, mark in enumerate(marks) if mark["letter"].translate(_ALIKE) in firsts]
    for first in reversed(places[-MOST_LISTS:]):
        run = _run(marks[first:])
        fewest = 2 if gold else FEWEST
        if len(run) < fewest:
            continue
        ends = [*(mark.start() for mark in run[1:]), len(body)]
        texts = [_cleaned(body[mark.end() : end]) for mark, end in zip(run, ends, strict=True)]
        texts[-1] = _without_tail(texts[-1], texts[:-1])
        letters = [mark["letter"].translate(_ALIKE).upper() for mark in run]
        if max(map(len, texts)) > MOST_CHARS or sum(not text for text in texts) > 1:
            continue
        small = run[0]["letter"].islower()
        if small and (gold not in letters or any(_ASKS_PART.search(text) for text in texts)):
            continue
        if _style(run[0])[1] == ":" and gold not in letters and not all(_at_line(body, mark) for mark in run):
            continue
        stem = _unannounced(_stripped(problem[: start + run[0].start()]).rstrip())
        return Options(_closed(stem), dict(zip(letters, texts, strict=True)), body[run[0].start() : ends[1]].strip())
    return None


def _run(marks: list[re.Match[str]]) -> list[re.Match[str]]:
    """The marks that go on from A as B, C, ... in the same style."""
    run = [marks[0]]
    for mark in marks[1:]:
        letter = _style(run[-1])[2]
        follows = "J" if letter == "H" and _style(run[0])[2] == "F" else chr(ord(letter) + 1)
        if _style(mark) == (*_style(run[0])[:2], follows):
            run.append(mark)
    return run


def _style(mark: re.Match[str]) -> tuple[str, str, str]:
    """What must be alike in all marks of a list, and the letter."""
    return mark["open"].translate(_ALIKE), mark["close"].translate(_ALIKE), mark["letter"].translate(_ALIKE)


def _at_line(body: str, mark: re.Match[str]) -> bool:
    return mark.start() == 0 or body[: mark.start()].rstrip(" *-").endswith("\n")


def _cleaned(text: str) -> str:
    """An option's own text: spacing, separators and half a pair of dollars around it are gone."""
    text = _stripped(text.strip())
    text = re.sub(r"^(?:\\[ ,;:!~]|[~&}]|\\q?quad|\\indent|\s)+", "", text)
    if text.count("}") > text.count("{") and text.endswith("}"):
        text = text[:-1].rstrip()
    dollars = len(re.findall(r"(?<!\\)\$", text))
    if dollars % 2:
        # `$\textbf{(A)}\ 5\qquad ...$`: the options share one pair, or the mark has swallowed the first.
        text = text[:-1].rstrip() if text.endswith("$") and dollars == 1 else text
        text = text[1:].lstrip() if text.startswith("$") and dollars == 1 else text
        text = f"${text}" if text.endswith("$") else text
    return text.strip()


def _stripped(text: str) -> str:
    """The text without separators at its end. Only the end is looked at: the search begins at every place."""
    return text[:-80] + _TRAILING.sub("", text[-80:])


def _unannounced(stem: str) -> str:
    """The stem without what announces the list. Only the end is looked at, as above."""
    return (stem[:-80] + _CHOICES.sub("", stem[-80:])).rstrip()


def _without_tail(last: str, others: list[str]) -> str:
    """The last option without what stands after the list: a new paragraph, or a drawing."""
    cut = re.split(
        r"\n\s*\n|\n?\[asy\]|\n(?=Answer)|\$?\\end\{(?!pmatrix|bmatrix|cases|array|matrix|aligned|vmatrix)", last
    )[0]
    return _cleaned(cut) if cut.strip() or not others else last


def _closed(stem: str) -> str:
    """The stem without a dollar that opened the list."""
    dollars = len(re.findall(r"(?<!\\)\$", stem))
    return stem[:-1].rstrip() if dollars % 2 and stem.endswith("$") else stem
