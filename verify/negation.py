"""What a response says is not the answer: "not 5", "I would not choose A", "B is wrong", "Is it 7? No."

Such statements are taken out of the text before an answer is read from it. Only what stands right at the value counts:
"5 does not exceed 7" and "x cannot be negative so the answer is 7" deny no value.
"""

import re
from functools import cache

_LETTER = r"[(\[]?(?-i:[A-J])[)\]]?(?![A-Za-z'’])"
_NUMBER = r"[-−]?[$€£]?\d+(?:[.,]\d+)*(?:\s?/\s?\d+)?(?:\s?%)?(?![\d])"
_BOX = r"\$?\\boxed\s?\{[^{}\n]{0,80}\}\$?"
_FORMULA = r"\$[^$\n]{1,80}\$|\\\([^\n]{1,80}?\\\)"
_VALUE = rf"(?:\*\*)?(?:{_BOX}|{_FORMULA}|{_NUMBER}|{_LETTER})(?:\*\*)?"
_VALUES = rf"{_VALUE}(?:(?:\s?,\s?|\s?,?\s?\b(?:and|or|nor)\b\s?)(?:option |choice )?{_VALUE}){{0,8}}+"
_NOT = (
    r"(?:\bnot\b|n['’]t\b|\bcannot\b|\bnever\b|\bnicht\b|\bkeine?\b|\bn['’]est\s+pas\b|\bn['’]est\s+ni\b|\bpas\b"
    r"|\bno\s+(?:es|est[áa]|puede\s+ser)\b|\bnão\s+(?:é|pode\s+ser)|\bnon\s+(?:è|può\s+essere)|\bне\b"
    r"|不是|并非|並非|不为|不等于|不選|不选|不会是|不可能是)"
)
_BETWEEN = (
    r"(?:\s*\b(?:be|been|being|equals?|equal\s+to|choose|pick|select|take|answer|with|option|choice|letter|number|value"
    r"|the|an?|ever|at\s+all|simply|just|possibly|sein|être|ser|essere|igual\s+a|gleich|答案|选项)\b){0,4}\s*(?:选项)?\s*[:：]?\s*"
)
_BELIEVE = (
    r"(?:\b(?:do|does|did|would|could|can)\s?(?:not|n['’]t)|\bcannot|\bcan['’]t|\bdoubt|\bno\s+way|\bnever|\bhardly)\s*"
    r"(?:really\s+)?(?:think|believe|say|claim|accept|agree|see\s+how|suppose)?(?:\s+that)?\s+"
    r"(?:the\s+(?:(?:final|correct|right|best|true)\s+)?(?:answer|option|choice|result|solution|value)|it|this|[a-z])\s*"
    r"(?:is|are|=|equals?|was|must\s+be|should\s+be|can\s+be|could\s+be)\s*:?\s*"
)
_WRONG = r"(?:wrong|incorrect|false|impossible|invalid|excluded|eliminated|ruled\s+out|not\b|never\b)"
_DENIED = "|".join(
    [
        rf"(?:\bneither\b|\bnor\b)\s+(?:option |choice )?{_VALUES}(?:\s+(?:is|are)\b[^.!?\n]{{0,40}})?",
        rf"{_BELIEVE}{_VALUES}",
        rf"{_NOT}{_BETWEEN}{_VALUES}",
        r"\b(?:rul(?:e|es|ed|ing)\s+out|eliminat\w+|exclud\w+|reject\w*|discard\w*|wrong\s+to\s+(?:say|answer|choose|pick)"
        rf"|rather\s+than|instead\s+of|other\s+than|排除)\s*(?:options?|choices?|both|answers?|选项)?\s*{_VALUES}",
        rf"(?:\b(?:options?|choices?|answers?)\s+)?{_VALUES}\s*(?:(?:\b(?:is|are|was|were)|(?:would|could|can)\s+be)\s+(?:(?:an?|the|clearly"
        rf"|also|both|therefore|thus|obviously|definitely)\s+)?{_WRONG}|\b(?:isn|aren|wasn|can|couldn)['’]t\b|\bcannot\b"
        r"|\best\s+faux|\best\s+fausse|\bist\s+falsch|\bes\s+(?:falso|incorrect[ao])|\bn['’]est\s+pas"
        r"|(?:是)?(?:错误|不对|不正确|错)的?)[^.!?。\n,;，；]{0,60}",
        rf"(?:\bdoes\s+not|\bdoesn['’]t)\s+equal\s+{_VALUES}",
        # A question that the next word answers with no.
        r"(?:^|(?<=[.!?\n。]))[^.!?\n。]{0,120}(?:\.\d[^.!?\n。]{0,60})?[?？]\s*(?:\*\*)?(?:No|Nope|Wrong|Nein|Non|Não|Нет|不|不是)\b",
    ]
)
_KOREAN = re.compile(rf"{_NUMBER}\s*(?:ではない|ではありません|じゃない|이\s?아니|가\s?아니)")
_REACH = 600
# Without one of these a text denies nothing; as plain strings they are found quicker than by any pattern.
_SIGNS = (
    "not ", "not\n", "n't", "n’t", "cannot", "never", "neither", " nor ", "no way", "doubt", "hardly", "wrong",
    "incorrect", "false", "impossible", "invalid", "eliminat", "exclud", "reject", "discard", "rule", "ruling",
    "rather", "instead", "other than", "?", "nicht", "kein", "pas ", "no es", "no pued", "no est", "não", "non ",
    "faux", "fauss", "fals", "n'est", "n’est",
    "не ", "不", "并非", "並非", "排除", "错", "？", "ない", "ません", "아니",
)  # fmt: skip
_BEFORE_BOX = (
    rf"(?:{_NOT}{_BETWEEN}|{_BELIEVE}|\bwrong\s+to\s+(?:say|answer|choose|pick)\s*)(?:\*\*|\$+|\\\(|\\\[)*\s*$"
)
_BEHIND_BOX = (
    rf"(?:\*\*|\$+|\\\)|\\\])*\s*(?:(?:is|was|would\s+be)\s+(?:clearly\s+|also\s+|therefore\s+)?{_WRONG}"
    r"|isn['’]t\b|wasn['’]t\b|can['’]t\s+be\b|cannot\s+be\b"
    r"|[.\s]*(?:\b(?:wait|no|hmm|actually|but|oh)\b[\s,.!]*){1,3}(?:that|this|it)(?:\s+is|['’]s|\s+was)\s+"
    r"(?:wrong|incorrect|not\s+(?:right|correct)|a\s+mistake)\b)"
)


def affirmed(text: str) -> str:
    """The text without what it denies.

    >>> affirmed("The answer is not 5 but 7."), affirmed("Option A is incorrect"), affirmed("It does not exceed 5.")
    ('The answer is   but 7.', ' ', 'It does not exceed 5.')
    """
    head, end = text[:-_REACH], text[-_REACH:]
    if not _hints(end):
        return text
    end = _denied().sub(" ", end)
    return head + (end if end.isascii() else _KOREAN.sub(" ", end))


def _hints(text: str) -> bool:
    small = text.lower()
    for sign in _SIGNS:  # noqa: SIM110 - a generator takes twice as long, and this runs for every response
        if sign in small:
            return True
    return False


@cache
def _denied() -> re.Pattern[str]:
    """Compiled at its first use: it takes a sixth of the time that the whole package takes to import."""
    return re.compile(_DENIED, re.IGNORECASE)


@cache
def _around_box() -> tuple[re.Pattern[str], re.Pattern[str]]:
    return re.compile(_BEFORE_BOX, re.IGNORECASE), re.compile(_BEHIND_BOX, re.IGNORECASE)


def denied(text: str, start: int, end: int) -> bool:
    """Whether the box from `start` to `end` is what the text says the answer is not."""
    before, behind = text[max(0, start - 80) : start], text[end : end + 60]
    if not _hints(before + behind):
        return False
    if not re.search(r"\d|\{\W{0,2}(?:\\text\w*\{)?\W?[A-J]\W{0,3}$", text[start:end]):
        return False  # "the map is not \\boxed{injective}" is an answer
    around = _around_box()
    return bool(around[0].search(before) or around[1].match(behind))
