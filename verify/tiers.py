"""The tiers that need no process of their own: strings, exact numbers, words, forms at test points."""

from typing import NamedTuple

from verify.chemistry import same_formula
from verify.commuting import may_not_commute
from verify.compare import agree, is_complex_point
from verify.families import one_parameter, whole_names
from verify.latex import read
from verify.moments import same_moment
from verify.normal import key, plain_answer, plain_number, tidy
from verify.numeric import too_large
from verify.opposites import opposed
from verify.pattern import pattern
from verify.policy import Policy
from verify.prose import reduced
from verify.sentence import is_prose
from verify.spelling import prefixed, respelt
from verify.tree import Node, holds, is_understood, names
from verify.words import plain_words

DEFAULT = Policy()

# 0,125 can only be a decimal: no number groups its digits behind a lone zero.
_LEADING_ZERO = pattern(r"-?0,\d{2,}$")
_COMMA = pattern(r"(?<=\d),(?=\d)")
_TO = pattern(r"(-?[\d.]+) ?(?:\\text\{ ?)?to(?: ?\})? ?(-?[\d.]+)")
_CODE = pattern(r"(?=\D*\d)(?=.*[A-Za-z]{3})[A-Za-z\d]+")
_COMMAND = pattern(r"\\[A-Za-z]+")
_SIDE_BY_SIDE = pattern(r"\d\s+\d|[A-Za-z]{3}")


class Decision(NamedTuple):
    """What the tiers say of one pair; `agreed` is None where they cannot tell."""

    agreed: bool | None
    method: str
    detail: str | None = None


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
