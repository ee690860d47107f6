"""Drills: short chains of small steps, for students of under a million parameters. Posed only where asked for by name.

A level is a number of steps: three to eight. Each step is a fact small enough to be learnt in minutes, so that what
fails at first is one step among several; steps are written as briefly as they can be, one line each, in the same signs
as the question. A third of a million parameters learn these forms within 500 to 700 steps of 16 rows; what they did
not learn in that time, and what is therefore not asked: arrows to follow, expressions written anew, two-digit terms.
"""

from collections.abc import Callable
from random import Random

from distill.families.family import LEVELS, Drawn, Family, Kind
from distill.families.value import Value
from distill.families.work import Work

STEPS = (3, 4, 5, 6, 8)
"""Of each level, from elementary to graduate."""

LETTERS = "abcdefghi"

Draw = Callable[[Random, int], Drawn]


def _family(name: str, draw: Draw, work: Callable[..., Value], wording: Callable[[int], str]) -> Family:
    def kind(place: int) -> Kind:
        steps = STEPS[place]
        return Kind(LEVELS[place], "integer", lambda rng: draw(rng, steps), work, (wording(steps),))

    return Family(name, "arithmetic", (kind(0), kind(1), kind(2), kind(3), kind(4)))


def _operations(rng: Random, start: int, steps: int, m: int) -> tuple[dict[str, Value], int]:
    """Placeholders `a`, `b`, ... such as `+7`, and where they lead modulo m, counted up one by one."""
    operations: dict[str, Value] = {}
    gold = start
    for name in LETTERS[:steps]:
        sign, b = rng.choice("+-*"), rng.randint(2, 9)
        operations[name] = f"{sign}{b}"
        gold = {"+": gold + b, "-": gold + 10 * m - b, "*": sum([gold] * b)}[sign]
        while gold >= m:
            gold -= m
    return operations, gold


def _applied(value: int, operation: str, m: int) -> int:
    b = int(operation[1:])
    return {"+": value + b, "-": value - b, "*": value * b}[operation[0]] % m


def _modular_draw(rng: Random, steps: int) -> Drawn:
    m = rng.choice((9, 10))
    start = rng.randrange(m)
    operations, gold = _operations(rng, start, steps, m)
    return {"m": m, "start": start, **operations}, gold


def _modular(w: Work, m: int, start: int, **operations: str) -> Value:
    value = start
    for name in sorted(operations):
        value = w(f"{value}{operations[name]}=@", _applied(value, operations[name], m))
    return value


def _letters_draw(rng: Random, steps: int) -> Drawn:
    start = rng.randrange(10)
    operations, gold = _operations(rng, start, steps, 10)
    return {"start": start, **operations}, gold


def _letters(w: Work, start: int, **operations: str) -> Value:
    value = start
    for name in sorted(operations):
        after = LETTERS[LETTERS.index(name) + 1]
        value = w(f"{after}={value}{operations[name]}=@", _applied(value, operations[name], 10))
    return value


def _letters_wording(steps: int) -> str:
    told = ", ".join(f"{LETTERS[i + 1]}={LETTERS[i]}<{LETTERS[i]}:op>" for i in range(steps))
    return f"Last digits: a=<start>, {told}. Find {LETTERS[steps]}."


def _terms(rng: Random, steps: int) -> list[int]:
    return [rng.randint(1, 9) for _ in range(steps + 1)]


def _sums_draw(rng: Random, steps: int) -> Drawn:
    terms = _terms(rng, steps)
    return dict(zip(LETTERS, terms, strict=False)), sum(terms)


def _sums(w: Work, **terms: int) -> Value:
    first, *others = (terms[name] for name in sorted(terms))
    for term in others:
        first = w(f"{first}+{term}=@", first + term)
    return first


def _gaps_draw(rng: Random, steps: int) -> Drawn:
    terms = _terms(rng, steps)
    gold = terms[0]
    for term in terms[1:]:
        gold = max(gold, term) - min(gold, term)
    return dict(zip(LETTERS, terms, strict=False)), gold


def _gaps(w: Work, **terms: int) -> Value:
    first, *others = (terms[name] for name in sorted(terms))
    for term in others:
        first = w(f"{first}~{term}=@", abs(first - term))
    return first


def _joined(opening: str, sign: str) -> Callable[[int], str]:
    return lambda steps: f"{opening}: {sign.join(f'<{name}>' for name in LETTERS[: steps + 1])}."


DRILL_MODULAR = _family(
    "drill_modular",
    _modular_draw,
    _modular,
    lambda steps: f"Left to right, modulo <m>: <start>{''.join(f'<{name}:op>' for name in LETTERS[:steps])}.",
)
DRILL_LETTERS = _family("drill_letters", _letters_draw, _letters, _letters_wording)
DRILL_SUMS = _family("drill_sums", _sums_draw, _sums, _joined("Add up", "+"))
DRILL_GAPS = _family("drill_gaps", _gaps_draw, _gaps, _joined("Gap after gap", "~"))
