"""Option letters: which option a gold answer and an answer name, and what stands behind the letter in the problem.

Gold answer and answer are read by the same rules, so they may be exchanged.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from verify.extract import Extraction
from verify.negation import affirmed
from verify.normal import key, plain_number, tidy
from verify.pattern import pattern
from verify.verdict import Verdict
from verify.words import same_words

_WRAPPER = pattern(r"\\(?:text\w*|mathrm|mathbf|mathsf|mathit|mbox|boldsymbol|boxed)\s*\{([^{}]*)\}")
_MAY_NAME = pattern(
    r"[\s$*\\{(\[]*(?:(?:text\w*|math\w+|mbox|boldsymbol|boxed)\s*\{[\s*]*[(\[]?\s*)?"
    r"(?:the\s|correct\s|option|choice|answer|[a-j](?![a-z])|[^\x00-\x7f])",
    re.IGNORECASE,
)
_LETTER = pattern(
    r"(?i:the\s+)?(?i:(?:correct\s+)?(?:option|choice|answer)(?:\s+is)?\s*:?\s*)?[(\[{]?\s*([A-Ja-j])\s*[)\]}.:]*"
)
_OPERATOR = (
    r"(?![-+*/=^_<>|&]|\\(?:cup|cap|times|cdot|to|land|lor|in|subset|oplus|setminus|perp|parallel|pm)\b"
    r"|[(\[]?[A-Za-z][)\]](?:\W|$))"
)
_WITH_TEXT = pattern(
    r"(?:(?i:option|choice)\s+)?(?:"
    rf"[(\[]([A-J])[)\]][.:]?(?:\s+|(?=\d)){_OPERATOR}(\S.*)"
    rf"|[(\[]([A-J])[)\]][.:]?\s+([-+]\s?\S.*)"
    rf"|([A-J])[.:)]\s+([-+]?{_OPERATOR}\S.*)"
    r"|([A-J])\s+(\d\S*(?:\s.*)?|\(.+\)|because\b.*|since\b.*)"
    r"|([B-HJ])\s+([A-Z][a-z]+.*)"
    r"|([A-J]),\s+([a-z]{3}.*)"
    r"|([A-J])\s+-\s+([A-Za-z]{3}.*)"
    r"|\(?([a-j])\)\s+(?!.*[\s(][a-j]\))(\S.*)"
    r")",
    re.DOTALL,
)
_SEVERAL = pattern(r"[(\[{]?[A-J][)\]}]?(?:(?:\s*,\s*|\s*,?\s*(?:\band\b|\bor\b|&)\s*)[(\[{]?[A-J][)\]}]?)+")
_NAME = pattern(r"(?<![A-Za-z\\])[A-Za-z](?![A-Za-z])")
_TAIL = 2_000
_STATED = pattern(
    r"(?:answer|option|choice|choose|select|pick|it's|it is|correct\w*|r[ée]ponse|respuesta|risposta|resposta|antwort"
    r"|答案|选项|应选|选择|故选|选)\s*(?:is|are|est|es|è|é|ist|:|：|是|为)?\s*:?\s*(?:(?:either|both)\s+)?(?:option|choice)?\s*\**\s*\$?\\?"
    r"(?:boxed\{|text\{|textbf\{)*[(\[]?(?<![A-Za-z])(?-i:([A-J]))(?![A-Za-z'])",
    re.IGNORECASE,
)
_CORRECTED = pattern(
    r"\b(?:wait|no|actually|sorry|correction|instead|rather|but|however|mistake\w*|so|therefore|thus|hence|final\w*|finally|recheck\w*)\b",
    re.IGNORECASE,
)
_TIED = pattern(
    r"[)\]]?\**\s*(?:,|/|&|\band\b|\bor\b|和|或)\s*(?:\band\b|\bor\b)?\s*(?:option |choice )?"
    r"\**[(\[]?([A-J])(?![A-Za-z'])"
)
_CJK = pattern("[\u3040-\u30ff\u4e00-\u9fff]")
_GAP = pattern(r"[\s.,:;!?。，：()（）*]+")
_HEAD = pattern(r"\s*\*{0,2}[(\[]?([A-J])(?=[)\].:,\s*]|$|[^\x00-\x7f])")
_ARTICLE = pattern(r"[AI]\s+[a-z]{2,}")
_OPTION = pattern(r"(?:^|[\s(\[*{])([A-J])\s*[)\].:]\s*[)}*]*\s*", re.MULTILINE)
_ALONE = pattern(r"(?<![A-Za-z\\])[(\[]?([A-J])[)\]]?(?![A-Za-z'\d])")
_GUESSED = ("sentence", "bold", "last line")


class Option(NamedTuple):
    """The option that an answer names, and the text it gives for it."""

    letter: str
    text: str = ""
    small: bool = False
    """A lone small letter: an option, or a name such as the number e."""


@lru_cache(maxsize=8192)
def option(answer: str) -> Option | None:
    """The option that an answer names; None for none or several.

    >>> option("(C)"), option("\\\\text{(B) }5"), option("Option D"), option("x + C")
    (Option(letter='C', text='', small=False), Option(letter='B', text='5', small=False), \
Option(letter='D', text='', small=False), None)
    """
    if len(answer) > 400 or not _MAY_NAME.match(answer):
        return None
    text = answer.strip().strip("$* ")
    if "\\" in text:
        text = _WRAPPER.sub(r"\1 ", _WRAPPER.sub(r"\1 ", text))
    # The full stop of "B." is dropped by tidying, the one of "B. 5" is what makes it an option.
    text = " ".join(tidy(text.strip()).split())
    if len(text) == 1 and text.isalpha() and not text.isascii() and not _CJK.fullmatch(text):
        return Option(text)  # options of other alphabets
    if match := _LETTER.fullmatch(text):
        return Option(match[1].upper(), small=text.islower() and len(text) == 1)
    if match := _WITH_TEXT.fullmatch(text):
        letter, content = (group for group in match.groups() if group is not None)
        return Option(letter.upper(), content.strip())
    return None


def choice_verdict(
    accepted: tuple[str, ...], found: Extraction | None, response: str, problem: str | None
) -> Verdict | tuple[tuple[str, ...], Extraction] | None:
    """The verdict where letters decide; else, where one side names an option, both sides as the texts of options.

    None where no side names an option, or where a letter is a mere name.
    """
    golds = [option(gold) for gold in accepted]
    said = option(found.answer) if found else None
    listed = _options(problem) if problem and (said or any(golds)) else {}
    if not any(golds) and (said is None or found is None or (said.small and not listed)):
        return None
    prose = found is not None and found.method == "whole" and len(found.answer.split()) > 2
    marked = found is not None and found.method not in _GUESSED and not prose
    if any(golds) and (found is None or found.closing or not marked):
        letters = stated_letters(response)
        if said is None and found and not marked:
            said = _by_text(found.answer, listed, golds)
        if len(letters) > 1 and (said is None or found is None or found.closing):
            return Verdict("undecided", found.answer if found else None, "choice", "more than one option is affirmed")
        if said is None and letters and (not marked or not letters[0].isascii()):
            said = Option(letters[0])
    elif said is None and found and any(gold and not gold.letter.isascii() for gold in golds):
        said = next((Option(letter) for letter in stated_letters(response)), None)
    if found is None and said is None:
        return None
    answer = found.answer if marked and found else said.letter if said else ""
    return _compared(accepted, golds, found or Extraction(answer, "last line"), said, listed, answer)


def _compared(
    accepted: tuple[str, ...],
    golds: list[Option | None],
    found: Extraction,
    said: Option | None,
    listed: dict[str, str],
    answer: str,
) -> Verdict | tuple[tuple[str, ...], Extraction] | None:
    """Letters against letters, and texts against texts; a letter against a text needs the problem."""
    decided: list[bool | None] = []
    texts: list[str] = []
    for gold, named in zip(accepted, golds, strict=True):
        if named and said:
            decided.append(_same(named, said))
            continue
        lettered, other = (named, found.answer) if named else (said, gold)
        if lettered is None:
            texts.append(gold)
        elif (text := _text(lettered, listed)) is not None:
            texts.append(text if named else gold)
        elif lettered.small or _NAME.search(_WRAPPER.sub("", other)) or _SEVERAL.fullmatch(other):
            texts.append(gold)
        else:
            decided.append(None)
    if True in decided:
        return Verdict("correct", answer, "choice")
    if texts:
        text = _text(said, listed) if said and not any(golds) else None
        return tuple(texts), found if text is None else found._replace(answer=text)
    if None in decided:
        return Verdict("undecided", answer, "choice", "only the options tell whether this is the letter's text")
    return Verdict("wrong", answer, "choice")


def _same(first: Option, second: Option) -> bool | None:
    """Whether two named options are one; None where letters and texts contradict each other."""
    one, other = plain_number(tidy(first.text)), plain_number(tidy(second.text))
    if first.letter == second.letter:
        return None if one is not None and other is not None and one != other else True
    if not (first.text and second.text):
        return False
    return None if key(tidy(first.text)) == key(tidy(second.text)) or (one is not None and one == other) else False


def _text(named: Option, listed: dict[str, str]) -> str | None:
    """What the option says, by itself or in the problem; None where that is not known or contradictory."""
    given = listed.get(named.letter)
    if not named.text or given is None:
        return named.text or given
    one, other = plain_number(tidy(named.text)), plain_number(tidy(given))
    return None if one is not None and other is not None and one != other else named.text


def _by_text(answer: str, listed: dict[str, str], golds: list[Option | None]) -> Option | None:
    """The one option, of the problem or a gold answer, whose text an answer is."""
    texts = [*listed.items(), *((gold.letter, gold.text) for gold in golds if gold and gold.text)]
    wanted, number = key(tidy(answer)).lower(), plain_number(tidy(answer))
    found = {
        letter
        for letter, text in texts
        if (wanted and key(tidy(text)).lower() == wanted)
        or (number is not None and plain_number(tidy(text)) == number)
        or same_words(text, answer)
    }
    return Option(found.pop()) if len(found) == 1 else None


def stated_letters(response: str) -> list[str]:
    """The options that a response without a marked answer settles on: one, or those between which it leaves open.

    >>> stated_letters("The answer is B."), stated_letters("Both A and C are correct"), stated_letters("It is not A.")
    (['B'], ['A', 'C'], [])
    """
    tail = affirmed(response[-_TAIL:])
    stated = list(_STATED.finditer(tail))
    if stated:
        last = stated[-1]
        open_with = [
            str(match[1])
            for match in stated[:-1]
            if match[1] != last[1]
            and not _CORRECTED.search(tail, match.end(), last.start())
            and last.start() - match.end() < 80
        ]
        tied = _TIED.match(tail, last.end())
        return list(dict.fromkeys([*open_with, str(last[1]).upper(), *([tied[1]] if tied else [])]))
    head = _HEAD.match(tail[:20])
    if head and not _ARTICLE.match(tail.strip()) and len(tail) < 60 and not _TIED.match(tail, head.end(1)):
        return [head[1]]
    foreign = [word for word in _GAP.split(tail) if len(word) == 1 and word.isalpha() and not word.isascii()]
    if foreign:
        return [foreign[0] if tail.strip()[:1] == foreign[0] else foreign[-1]]
    alone = [match for match in _ALONE.finditer(tail) if match[1] not in ("A", "I")]
    alone = alone or [
        match for match in _ALONE.finditer(tail, max(0, len(tail) - 60)) if not _ARTICLE.match(tail, match.start(1))
    ]
    if not alone:
        return []
    before = list(_ALONE.finditer(tail, max(0, alone[-1].start() - 20), alone[-1].end()))
    tied = _TIED.match(tail, before[-2].end(1)) if len(before) > 1 else None
    return list(dict.fromkeys([*([before[-2][1]] if tied else []), alone[-1][1]]))


def _options(problem: str) -> dict[str, str]:
    """The options that a problem lists from A on, by letter; empty where it lists none."""
    body = problem[-4_000:]
    marks = list(_OPTION.finditer(body))
    start = next((i for i, m in enumerate(marks) if m[1] == "A"), None)
    marks = marks[start:] if start is not None else []
    if [m[1] for m in marks][:2] != ["A", "B"]:
        return {}
    ends = [m.start() for m in marks[1:]] + [len(body)]
    listed = {}
    for mark, end in zip(marks, ends, strict=True):
        text = body[mark.end() : end].strip().split("\n\n", 1)[0].rstrip("\\,; ")
        listed[mark[1]] = _WRAPPER.sub(r"\1", text) if "\\text" in text else text
    return listed
