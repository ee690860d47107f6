"""Multiple choice made open: when a question can do without its options, and what its answer then is.

A question that asks which of its options is right cannot; nor can one whose right option refers to the others, or is a
sentence that nobody would write the same way. What is left asks for a value, and the value is the right option's.
"""

import re
from typing import NamedTuple

from curate.texts.options import MOST_CHARS, Options, find_options, gold_letter
from verify.normal import key, plain_number, tidy

MOST_ANSWER_CHARS = 80
BLANK = "____"

_NEEDS_OPTIONS = re.compile(
    r"\bwhich\b(?!\s+(?:is|are|was|were|has|have|had|can|they|he|she|it|we)\b[^.?]{0,400}[.,;])"
    r"|\bof\s+th(?:e\s+following|ese|ose)\b|\bfollowing\s+(?:\w+\s+){0,3}(?:is|are|could|can|may|must|would|has|best|represents?|shows?)\b"
    r"|\b(?:options?|choices?|alternatives?|choose|select|pick)\s+(?:is|are|the|from|below|above|that|one)\b|\bexcept\b|\bnot\b[^.?]{0,40}\?\s*$"
    r"|\b(?:could|can|may|might|cannot|must|should)\b[^.?]{0,30}?\b(?:be|equal|represent|have|take|describe)\b"
    r"|\b(?:closest|nearest|approximat\w+|about|roughly|best|estimate[ds]?|nearly|almost|likely|at\s+random\s+from\s+these)\b"
    r"|\b(?:possible|an?\s+example|statements?|true|false|correct|incorrect|conclusion|counterexample|option|equivalent\s+to|"
    r"same\s+as|written\s+as|expressed\s+as|rewritten|simplif\w+\s+to|characteri\w+|describes?|called|known\s+as)\b"
    r"|\b(?:between|among|lies?\s+in|belongs?\s+to)\s{0,9}(?:(?:what|which|whose)\b|____|\.?\s*$)"
    r"|≈|下列|以下|下面|上述|哪一?个|哪些|哪项|正确|错误|不可能|可能|最接近|大约|选项|这几个",
    re.IGNORECASE,
)
_OF_OTHERS = re.compile(
    r"\b(?:none|neither|both|all|any|either)\b|\babove\b|\bbelow\b|cannot\s+be|can't|not\s+enough|insufficient|"
    r"indeterminate|depends|no\s+(?:correct|such|solution)|not\s+(?:be\s+)?(?:possible|determined|sure|given)|"
    r"\b[A-E]\s+(?:and|or|&)\s+[A-E]\b|\b(?:I|II|III|IV)\s+(?:only|and)\b|以上|都|均|无法|不能|不确定",
    re.IGNORECASE,
)
_VAGUE = re.compile(
    r"^\W*the\b|\dC\d|\b(?:about|approx\w*|more|less|least|most|greater|fewer|over|under|between|or|than)\b|≈|\.\.\.|大于|小于|或",
    re.I,
)
_WORDS = re.compile(r"[^\W\d_]{2,}")
_MATHS = re.compile(
    r"\d|\\(?:frac|sqrt|pi|infty|emptyset|varnothing|log|sin|cos|tan|ln)|[a-zA-Z]\s*[\^_=]|^\W*[a-zA-Z]\W*$|π|√"
)
_ASKS = re.compile(
    r"[?？]|\b(?:find|what|how|determine|compute|calculate|evaluate|solve|simplify|factor|expand|express|convert|where|"
    r"when|who|write|give|name)\b|求|计算|多少|几|化简",
    re.IGNORECASE,
)
_OPEN_END = re.compile(
    r"(?:(?:\b(?:is|are|was|were|be|equals?|to|by|of|has|have|represents?|contains?|the|value|(?-i:a)|an|in|at|for|takes?|than|as|with|"
    r"cost|costs|get|gets|into|only|exactly)|=|是|为|等于|有|得)(?:\s*\$\$?)?\s*)([:：]?)\s*(?:[(（]\s*[)）]|[.．。]|_+\.?|\\_+)?\s*$",
    re.IGNORECASE,
)
_BLANKS = re.compile(r"(?:_\s*){2,}|\\_|\\u(?:nder)?line|\\qquad|[(（]\s+[)）]|[(（]　*[)）]|\$\\_+\$")
_LETTERED = re.compile(r"[(（]\s?[A-E]\s?[)）]|\b(?:option|choice|letter)s?\b|选项|(?:^|\s)[A-E][.)]\s")


class Opened(NamedTuple):
    """What became of a multiple-choice question."""

    why_not: str | None
    """Why the rules leave it as it is: one of WHY_NOT; null where they have opened it."""
    problem: str
    """The question without its options."""
    answer: str
    """What the right option says."""


WHY_NOT = (
    "gold_is_no_option",  # the gold answer names none of the options
    "other_options",  # the right option speaks of the others, or says that none is right
    "asks_which",  # the question asks for one of its options, or for the nearest, a possible or a true one
    "in_words",  # the right option is no number or formula: too many ways to say it
    "no_question",  # nothing is asked without the options
)


def opened(problem: str, answer: str | None) -> Opened | None:
    """The question without its options, by rule; None where it has none.

    >>> opened("What is half of 8? (A) 2 (B) 4 (C) 6", "B")
    Opened(why_not=None, problem='What is half of 8?', answer='4')
    >>> opened("Which is even? (A) 3 (B) 4 (C) 5", "B").why_not
    'asks_which'
    """
    options = find_options(problem, answer)
    if options is None:
        return None
    answer = _right(options, answer)
    if answer is None:
        return Opened("gold_is_no_option", options.stem, "")
    stem = _with_blank(options.stem)
    return Opened(_why_not(options, stem, answer), stem, answer)


def lettered(text: str) -> bool:
    """Whether a text still speaks of options or their letters."""
    return _LETTERED.search(text) is not None or find_options(text) is not None


def numbers(text: str) -> set[str]:
    """The numbers of a text, thousands separators aside."""
    return set(re.findall(r"\d+(?:\.\d+)?", re.sub(r"(?<=\d)(?:,|\{,\})(?=\d{3}\b)", "", text)))


def _right(options: Options, answer: str | None) -> str | None:
    """The text of the right option: the one that the gold answer names, or the one that it repeats."""
    letter = gold_letter(answer)
    if letter in options.texts:
        return _bare(options.texts[letter]) or None
    if not answer or len(answer) > MOST_CHARS:
        return None
    same = [text for text in options.texts.values() if _same(text, answer)]
    return _bare(answer) if len(same) == 1 else None


def _why_not(options: Options, stem: str, answer: str) -> str | None:
    others = [_bare(text) for text in options.texts.values()]
    if _OF_OTHERS.search(answer) or sum(_same(answer, other) for other in others) > 1:
        return "other_options"
    if _NEEDS_OPTIONS.search(stem) or any(
        re.search(r"\b[A-E]\s+(?:and|or|&)\s+[A-E]\b|\bboth\b", text) for text in others
    ):
        return "asks_which"
    too_long = len(answer) > MOST_ANSWER_CHARS or len(_WORDS.findall(re.sub(r"\\[a-z]+", "", answer))) > 3
    if too_long or not _MATHS.search(answer) or _VAGUE.search(answer):
        return "in_words"
    asks = _ASKS.search(stem) or _BLANKS.search(stem) or stem.endswith(f"{BLANK}.")
    return None if asks and len(stem) >= 12 else "no_question"


def _with_blank(stem: str) -> str:
    """A sentence that the options would have ended, with a blank in their place."""
    if re.search(r"[?？]\s*\$*$", stem) or _BLANKS.search(stem[-30:]):
        return stem
    # Only the end is looked at: the search begins at every place, and a run of spaces may be as long as the text.
    begun, end = stem[:-60], stem[-60:]
    if _OPEN_END.search(end) is None:
        return stem
    cut = re.sub(r"\s*[:：]?\s*(?:[(（]\s*[)）]|[.．。]|_+\.?)?\s*$", "", end)
    return f"{begun}{cut} {BLANK}."


def _bare(text: str) -> str:
    """An option's text without its dollars and its full stop."""
    bare = text.strip().rstrip(".;,。；，").strip()
    whole = re.fullmatch(r"\$\$?([^$]*)\$\$?", bare)
    return whole[1].strip() if whole else bare


def _same(one: str, other: str) -> bool:
    first, second = plain_number(tidy(one)), plain_number(tidy(other))
    return key(tidy(one)) == key(tidy(other)) or (first is not None and first == second)
