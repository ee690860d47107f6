"""The tiers: strings, exact numbers, forms at test points, then sympy in a process of its own."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from verify.chemistry import same_formula
from verify.choice import choice_verdict, option
from verify.commuting import may_not_commute
from verify.compare import agree, is_complex_point
from verify.extract import MARKED, Extraction, extract
from verify.families import one_parameter, whole_names
from verify.latex import read
from verify.moments import same_moment
from verify.normal import key, plain_answer, plain_number, short_tidied, tidy
from verify.numeric import too_large
from verify.opposites import opposed
from verify.pattern import pattern
from verify.policy import Policy
from verify.prose import mentions, phrased, reduced
from verify.sentence import is_prose
from verify.spelling import prefixed, respelt
from verify.tree import Node, holds, is_understood, names
from verify.units import read_unit
from verify.verdict import Verdict
from verify.words import plain_words

Gold = str | Sequence[str] | None
DEFAULT = Policy()
MAX_SYMBOLIC_CHARS = 2_000
# Where the reader here could not read a side, sympy may accept but not refute: it may have misread that side too.
_OPEN = frozenset(["open", "accept only"])
MAX_ANSWER_CHARS = 4_000
_NO_GOLD = frozenset(
    [
        "",
        "nan",
        "NaN",
        "None",
        "null",
        "NULL",
        "N/A",
        "n/a",
        "[]",
        "{}",
        "?",
        "...",
        "\\dots",
        "\\ldots",
        "TBD",
        "unknown",
    ]
)
# 0,125 can only be a decimal: no number groups its digits behind a lone zero.
_LEADING_ZERO = pattern(r"-?0,\d{2,}$")

# "5,": a list that was never finished, or a slip; only a reader can tell.
_BROKEN_OFF = pattern(r"^[,;]|(?:^|[^*\\])[,;&*]$")
_COMMA = pattern(r"(?<=\d),(?=\d)")
_SIGNS = pattern(r"[\d\\+=^]|\b\w\b")
_ENDLESS = pattern(r"(?:\\[lc]?dots[bco]?|\.{3}|…)[\s$}]*$")


class Decision(NamedTuple):
    """What the tiers say of one pair; `agreed` is None where they cannot tell."""

    agreed: bool | None
    method: str
    detail: str | None = None


def grade(
    response: str, gold: Gold, problem: str | None = None, finish_reason: str | None = None, policy: Policy = DEFAULT
) -> Verdict:
    """The verdict on one response. Thread-safe; sympy is reached only through a worker process.

    Args:
        response: the visible reply, or all of it; text up to the last `</think>` counts only if nothing follows.
        gold: the accepted answer, or several of which any is right.
        problem: the question; needed only to tell which option a written-out choice is.
        finish_reason: `length` says that the reply was cut off.

    Example:
        >>> grade("So the answer is $\\\\boxed{\\\\frac{1}{2}}$.", "0.5").status
        'correct'
        >>> grade("So we get", "7", finish_reason="length").status
        'truncated'
    """
    return grade_many([response], [gold], [problem], [finish_reason], policy)[0]


def grade_many(
    responses: Sequence[str],
    golds: Sequence[Gold],
    problems: Sequence[str | None] | None = None,
    finish_reasons: Sequence[str | None] | None = None,
    policy: Policy = DEFAULT,
    workers: int = 1,
) -> list[Verdict]:
    """One verdict per response, in order. Equal (gold, answer) pairs are decided once.

    Args:
        workers: processes that may run sympy at the same time; the fast tiers run here.

    Raises:
        ValueError: the columns differ in length.
    """
    count = len(responses)
    problems = problems if problems is not None else [None] * count
    finish_reasons = finish_reasons if finish_reasons is not None else [None] * count
    if not count == len(golds) == len(problems) == len(finish_reasons):
        raise ValueError(
            f"columns of one length expected: {count} responses, {len(golds)} golds, {len(problems)} problems"
        )
    verdicts: list[Verdict | None] = [None] * count
    decided: dict[tuple[str, ...], Decision] = {}
    asked: list[tuple[int, tuple[str, ...], Extraction]] = []
    for i, (response, gold, problem, reason) in enumerate(zip(responses, golds, problems, finish_reasons, strict=True)):
        if reason == "length" and not policy.grade_truncated:
            verdicts[i] = Verdict("truncated", detail="cut off at max_tokens")
            continue
        accepted = _readable(gold)
        if not accepted:
            verdicts[i] = Verdict("unreadable_gold", detail="the gold answer is missing or says nothing")
            continue
        found = extract(response) if response else None
        chosen = choice_verdict(accepted, found, response, problem)
        if isinstance(chosen, Verdict):
            verdicts[i] = chosen
            continue
        if chosen is not None:
            accepted, found = chosen
        if found is None or not tidy(found.answer):
            verdicts[i] = Verdict("no_answer", detail="no final answer found")
            continue
        if found.method in MARKED and any(map(_breaks_off, (found.answer, *accepted))):
            verdicts[i] = Verdict("undecided", found.answer, "exact", "the answer breaks off")
            continue
        pair = (found.answer, *accepted)
        if pair not in decided:
            decided[pair] = _any(accepted, found.answer, policy)
        asked.append((i, pair, found))
    still_open = [pair for pair, decision in decided.items() if decision.method in _OPEN]
    if still_open:
        said = _symbolic(still_open, policy, workers)
        for pair in still_open:
            half_read = decided[pair].method == "accept only" and said[pair].agreed is False
            decided[pair] = Decision(None, "symbolic", "not proven") if half_read else said[pair]
    for i, pair, found in asked:
        verdicts[i] = _verdict(decided[pair], found, pair[1:])
    return [v for v in verdicts if v is not None]


def forget() -> None:
    """Empties the caches of answers that were read before; for measurements."""
    for cache in CACHES:
        cache.cache_clear()


def _breaks_off(text: str) -> bool:
    """Whether a formula or a list of numbers has no end; behind words a comma is a slip."""
    return _BROKEN_OFF.search(text.strip()) is not None and _SIGNS.search(text) is not None


def _readable(gold: Gold) -> tuple[str, ...]:
    """The accepted answers that say something; a worked solution is cut down to its answer."""
    if gold is None:
        return ()
    # Gold columns of numbers are common, and so is the NaN that stands for none among them.
    many = tuple(gold) if isinstance(gold, list | tuple | set | frozenset) else (gold,)
    texts = [str(g) if isinstance(g, int | float) and g == g and not isinstance(g, bool) else g for g in many]
    return tuple(text for g in texts if isinstance(g, str) and (text := _gold_text(g)) not in _NO_GOLD and tidy(text))


@lru_cache(maxsize=8192)
def _gold_text(gold: str) -> str:
    text = gold.strip()
    if "answer is" in text:
        text = phrased(text, marked=False) or text
    if "\\boxed" in text or "####" in text or "<answer>" in text or (len(text) > 150 and re.search(r"[.:!?]\s", text)):
        found = extract(text)
        if found:
            return found.answer.strip()
    return text


CACHES = (read, read_unit, option, short_tidied, _gold_text)
"""What is kept between calls, each of bounded size."""


def _any(accepted: tuple[str, ...], answer: str, policy: Policy) -> Decision:
    decisions = [decide(gold, answer, policy) for gold in accepted]
    for decision in decisions:
        if decision.agreed:
            return decision
    return next((d for d in decisions if d.agreed is None), decisions[0])


def decide(gold: str, answer: str, policy: Policy = DEFAULT) -> Decision:
    """What the tiers in this process say of two answers; method `open` where sympy may still tell."""
    g, a = plain_answer(gold), plain_answer(answer)
    if not g or not a:
        return Decision(False, "exact")
    gold_key, answer_key = key(g), key(a)
    if gold_key == answer_key:
        return Decision(True, "exact")
    if same_formula(g, a):
        return Decision(True, "exact")
    spelt = respelt(g), respelt(a)
    if opposed(gold if spelt[0] == g else spelt[0], answer if spelt[1] == a else spelt[1]):
        return Decision(False, "words")
    if (same := same_moment(g, a)) is not None:
        return Decision(same, "words")
    if (prefixed(g) and plain_number(a) is not None) or (prefixed(a) and plain_number(g) is not None):
        return Decision(None, "numeric", "only the question tells whether a base is meant")
    g, a = spelt
    if gold_key.isdigit() and answer_key.isdigit() and not policy.tolerance:
        return Decision(gold_key.lstrip("0") == answer_key.lstrip("0"), "numeric")
    first, second = plain_number(g), plain_number(a)
    if first is not None and second is not None and first == second:
        return Decision(True, "numeric")
    return _forms(g, a, policy, whole_names(gold), whole_names(answer))


def _forms(
    g: str,
    a: str,
    policy: Policy,
    gold_whole: frozenset[str] = frozenset(),
    answer_whole: frozenset[str] = frozenset(),
) -> Decision:
    """What two trees say. `gold_whole` and `answer_whole` are the names that stand for any whole number."""
    verdicts: list[bool | None] = []
    for gold_grouped in (True, False) if "," in g else (True,):
        for answer_grouped in (True, False) if "," in a else (True,):
            gold, answer = read(g, gold_grouped), read(a, answer_grouped)
            if gold is None or answer is None:
                verdicts.append(_as_words(g, a) if gold is None and answer is None else None)
                continue
            if gold_whole or answer_whole:
                gold, answer = one_parameter(gold, gold_whole, answer, answer_whole)
            verdict = agree(gold, answer, policy)
            if verdict:
                return Decision(True, "numeric")
            verdicts.append(verdict)
    if (policy.decimal_comma or _LEADING_ZERO.match(g) or _LEADING_ZERO.match(a)) and (
        agreed := _with_decimal_comma(g, a, policy)
    ):
        return agreed
    if all(verdict is False for verdict in verdicts):
        return Decision(False, "numeric")
    for number, prose in ((g, a), (a, g)):
        if plain_number(number) is not None and (said := reduced(prose)) and said != prose:
            return _forms(number, tidy(said), policy)
    if is_prose(g) or is_prose(a) or _initial(g, a) or _initial(a, g):
        return Decision(None, "words", "only a reader can tell")
    if ratio := _spoken_ratio(g, a) or _spoken_ratio(a, g):
        as_ratio = _forms(*ratio, policy)
        told = as_ratio.agreed or ":" in g or ":" in a
        return as_ratio if told else Decision(None, "words", "only a reader can tell")
    trees = read(g), read(a)
    if any(node and too_large(node) for node in trees):
        return Decision(None, "numeric", "too large to compute")
    if trees[0] and trees[1] and may_not_commute(trees[0], trees[1]):
        return Decision(None, "numeric", "capital letters may be matrices, which do not commute")
    if trees[0] and trees[1] and (is_complex_point(trees[0], trees[1]) or is_complex_point(trees[1], trees[0])):
        return Decision(None, "numeric", "a pair may be the point of a complex number")
    if trees[0] and trees[1] and trees[0].kind == trees[1].kind == "rel" and _one_divides(trees[0], trees[1]):
        return Decision(None, "numeric", "an equation has no solutions where its denominator is zero")
    if all(node and is_understood(node) for node in trees) and not _has_branches(*trees):
        return Decision(None, "open")
    if any(plain_number(one) is not None and _CODE.fullmatch(other) for one, other in ((g, a), (a, g))):
        return Decision(False, "words", "a code is no number")
    # sympy reads words as products of letters: `5 remainder 3` is `3 remainder 5` to it.
    if _says_words(g) or _says_words(a):
        return Decision(None, "words", "only a reader can tell")
    return Decision(None, "accept only")


_TO = pattern(r"(-?[\d.]+) ?(?:\\text\{ ?)?to(?: ?\})? ?(-?[\d.]+)")
_CODE = pattern(r"(?=\D*\d)(?=.*[A-Za-z]{3})[A-Za-z\d]+")
_COMMAND = pattern(r"\\[A-Za-z]+")
_SIDE_BY_SIDE = pattern(r"\d\s+\d|[A-Za-z]{3}")


def _has_branches(gold: Node | None, answer: Node | None) -> bool:
    """Whether a curve stands beside both of its branches, `y = \\pm x`: sympy compares sides, not solutions."""
    trees = [node for node in (gold, answer) if node is not None]
    return any(node.kind == "rel" for node in trees) and any(holds(node, "pm") for node in trees)


def _one_divides(gold: Node, answer: Node) -> bool:
    """Whether only one of two equations divides by a name: `y/x = 2` leaves out a point of `y = 2x`."""
    return gold.value == answer.value == "=" and _divides(gold) != _divides(answer)


def _divides(node: Node) -> bool:
    return (node.kind == "div" and bool(names(node.args[1]))) or any(map(_divides, node.args))


def _spoken_ratio(one: str, other: str) -> tuple[str, str] | None:
    """`3 to 2` as 3:2, both where both say it; else it may be a range."""
    if not _TO.fullmatch(one):
        return None
    return _TO.sub(r"\1:\2", one), _TO.sub(r"\1:\2", other)


def _says_words(text: str) -> bool:
    """Whether a text holds words, or numbers side by side: no formula, whatever a grammar makes of it."""
    return "\\text" in text or _SIDE_BY_SIDE.search(_COMMAND.sub(" ", text)) is not None


def _initial(letter: str, word: str) -> bool:
    """Whether one may be the other's first letter: E for east."""
    short, long = key(letter), key(word)
    return len(short) == 1 and short.isalpha() and len(long) > 2 and long.isalpha() and long[0].lower() == short.lower()


def _as_words(g: str, a: str) -> bool | None:
    return True if plain_words(g) and plain_words(g) == plain_words(a) and len(g) > 3 and "\\" not in g + a else None


def _with_decimal_comma(g: str, a: str, policy: Policy) -> Decision | None:
    for first, second in ((_COMMA.sub(".", g), a), (g, _COMMA.sub(".", a))):
        left, right = plain_number(first), plain_number(second)
        if left is not None and left == right:
            return Decision(True, "numeric")
    return None


def _symbolic(pairs: list[tuple[str, ...]], policy: Policy, workers: int) -> dict[tuple[str, ...], Decision]:
    """What sympy says of the pairs that are still open."""
    if not policy.symbolic:
        return dict.fromkeys(pairs, Decision(None, "numeric", "the fast forms cannot tell"))
    from verify.workers import ask

    questions = [(gold, pair[0]) for pair in pairs for gold in pair[1:]]
    short = [q for q in questions if max(map(len, q)) <= MAX_SYMBOLIC_CHARS]
    replies = dict(
        zip(short, ask([(plain_answer(g), plain_answer(a)) for g, a in short], policy.timeout_s, workers), strict=True)
    )
    decided: dict[tuple[str, ...], Decision] = {}
    for pair in pairs:
        answers = [replies.get((gold, pair[0])) for gold in pair[1:]]
        said = [
            Decision(r.agreed, "symbolic", r.detail) if r else Decision(None, "symbolic", "too long for sympy")
            for r in answers
        ]
        decided[pair] = next((d for d in said if d.agreed), next((d for d in said if d.agreed is None), said[0]))
    return decided


def _verdict(decision: Decision, found: Extraction, golds: Sequence[str]) -> Verdict:
    answer, method, detail = found.answer.strip()[:MAX_ANSWER_CHARS], decision.method, decision.detail
    unsure = bool(found.closing) and decision.agreed is False and any(mentions(found.closing, g) for g in golds)
    if unsure:
        # Read out of prose, the value may be the wrong one of several; as `wrong` it would be trained against.
        return Verdict("undecided", answer, method, "guessed from prose that may mean the gold answer")
    if decision.agreed is False and any(map(_ENDLESS.search, (answer, *golds))):
        return Verdict("undecided", answer, method, "a run without an end")
    if decision.agreed is not None:
        return Verdict("correct" if decision.agreed else "wrong", answer, method, detail)
    if detail == "timeout":
        return Verdict("timeout", answer, method, "sympy ran out of time")
    if detail == "crash" and any("\\infty" in text for text in (answer, *golds)):
        return Verdict("undecided", answer, method, "an infinite sum, product or integral that sympy cannot find")
    if detail in ("out of memory", "crash"):
        return Verdict("error", answer, method, detail)
    return Verdict("undecided", answer, method, detail)
