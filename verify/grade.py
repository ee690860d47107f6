"""Responses and gold answers in, verdicts out; what the tiers here leave open goes to sympy in its own process."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from verify.choice import choice_verdict, option
from verify.extract import MARKED, Extraction, extract
from verify.latex import read
from verify.normal import plain_answer, short_tidied, tidy
from verify.pattern import pattern
from verify.policy import Policy
from verify.prose import mentions, phrased
from verify.tiers import DEFAULT, Decision, decide
from verify.units import read_unit
from verify.verdict import Verdict

Gold = str | Sequence[str] | None
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

# "5,": a list that was never finished, or a slip; only a reader can tell.
_BROKEN_OFF = pattern(r"^[,;]|(?:^|[^*\\])[,;&*]$")
_SIGNS = pattern(r"[\d\\+=^]|\b\w\b")
_ENDLESS = pattern(r"(?:\\[lc]?dots[bco]?|\.{3}|…)[\s$}]*$")


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
        asked.append((i, (found.answer, *accepted), found))
    decided = _decided(dict.fromkeys(pair for _, pair, _ in asked), policy, workers)
    for i, pair, found in asked:
        verdicts[i] = _verdict(decided[pair], found, pair[1:])
    return [v for v in verdicts if v is not None]


def same_answer(one: str, other: str, policy: Policy = DEFAULT) -> Decision:
    """Whether two extracted answers are the same; `agreed` is None where nobody can tell.

    Example:
        >>> same_answer("\\\\frac{1}{2}", "0.5").agreed, same_answer("x + 1", "x").agreed
        (True, False)
    """
    pair = (other, one)
    return _decided([pair], policy, workers=1)[pair]


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


def _decided(pairs: Iterable[tuple[str, ...]], policy: Policy, workers: int) -> dict[tuple[str, ...], Decision]:
    """Each answer against its golds (`answer, gold, ...`): by the tiers here, then by sympy what these leave open."""
    decided = {pair: _any(pair[1:], pair[0], policy) for pair in pairs}
    still_open = [pair for pair, decision in decided.items() if decision.method in _OPEN]
    if still_open:
        said = _symbolic(still_open, policy, workers)
        for pair in still_open:
            half_read = decided[pair].method == "accept only" and said[pair].agreed is False
            decided[pair] = Decision(None, "symbolic", "not proven") if half_read else said[pair]
    return decided


def _any(accepted: tuple[str, ...], answer: str, policy: Policy) -> Decision:
    decisions = [decide(gold, answer, policy) for gold in accepted]
    for decision in decisions:
        if decision.agreed:
            return decision
    return next((d for d in decisions if d.agreed is None), decisions[0])


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
