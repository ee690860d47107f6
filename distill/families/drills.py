"""Drills: short chains of small steps, for students of under a million parameters. Posed only where asked for by name.

A level is a number of steps: two to eight. Each step is a fact small enough to be learnt in minutes, so that what fails
at first is one step among several; the steps are written as briefly as they can be, one line each.
"""

from collections.abc import Callable
from random import Random

from distill.families.family import LEVELS, Drawn, Family, Kind
from distill.families.value import Value
from distill.families.work import Work

STEPS = (2, 3, 4, 6, 8)
"""Of each level, from elementary to graduate."""

LETTERS = "abcdefghi"

Draw = Callable[[Random, int], Drawn]
Solve = Callable[..., Value]


def _family(name: str, draw: Draw, work: Solve, wordings: Callable[[int], tuple[str, ...]]) -> Family:
    elementary, middle, high, college, graduate = (
        Kind(level, "integer", _drawing(draw, steps), work, wordings(steps))
        for level, steps in zip(LEVELS, STEPS, strict=True)
    )
    return Family(name, "arithmetic", (elementary, middle, high, college, graduate))


def _drawing(draw: Draw, steps: int) -> Callable[[Random], Drawn]:
    return lambda rng: draw(rng, steps)


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
    m = rng.randint(5, 9)
    start = rng.randrange(m)
    operations, gold = _operations(rng, start, steps, m)
    return {"m": m, "start": start, **operations}, gold


def _modular(w: Work, m: int, start: int, **operations: str) -> Value:
    value = start
    for name in sorted(operations):
        value = w(f"{value}{operations[name]}=@", _applied(value, operations[name], m))
    return value


def _modular_wordings(steps: int) -> tuple[str, ...]:
    return (f"Modulo <m>: <start> {' '.join(f'<{name}:op>' for name in LETTERS[:steps])}.",)


def _sums_draw(rng: Random, steps: int) -> Drawn:
    terms = [rng.randint(11, 99) for _ in range(steps)]
    return dict(zip(LETTERS, terms, strict=False)), sum(terms)


def _sums(w: Work, **terms: int) -> Value:
    names = sorted(terms)
    total = terms[names[0]]
    for name in names[1:]:
        total = w(f"{total}+{terms[name]}=@", total + terms[name])
    return total


def _sums_wordings(steps: int) -> tuple[str, ...]:
    return (f"Add up: {', '.join(f'<{name}>' for name in LETTERS[:steps])}.",)


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


def _letters_wordings(steps: int) -> tuple[str, ...]:
    """In the order in which they are needed, backwards, and every second one first."""
    known = ["a=<start>", *(f"{LETTERS[i + 1]}={LETTERS[i]}<{LETTERS[i]}:op>" for i in range(steps))]
    orders = (known, known[::-1], [*known[1::2], *known[::2]])
    return tuple(f"Last digits: {', '.join(order)}. Find {LETTERS[steps]}." for order in orders)


def _arrows_draw(rng: Random, steps: int) -> Drawn:
    places = range(1, 8)
    to = {place: rng.choice([other for other in places if other != place]) for place in places}
    start = gold = rng.choice(places)
    for _ in range(steps):
        gold = to[gold]
    order = rng.sample(places, len(places))
    return {"start": start, "arrows": " ".join(f"{place}>{to[place]}" for place in order)}, gold


def _arrows_work(steps: int) -> Solve:
    def work(w: Work, start: int, arrows: str) -> Value:
        to = {int(arrow[0]): int(arrow[2]) for arrow in arrows.split(" ")}
        place = start
        for step in range(1, steps + 1):
            place = w(f"{step}: {place}>@", to[place])
        return place

    return work


def _arrows_family() -> Family:
    kinds = [
        Kind(
            level,
            "integer",
            _drawing(_arrows_draw, steps),
            _arrows_work(steps),
            (f"Go {steps} steps from <start>: <arrows:arrows>.",),
        )
        for level, steps in zip(LEVELS, STEPS, strict=True)
    ]
    return Family("drill_arrows", "counting", (kinds[0], kinds[1], kinds[2], kinds[3], kinds[4]))


DRILL_MODULAR = _family("drill_modular", _modular_draw, _modular, _modular_wordings)
DRILL_SUMS = _family("drill_sums", _sums_draw, _sums, _sums_wordings)
DRILL_LETTERS = _family("drill_letters", _letters_draw, _letters, _letters_wordings)
DRILL_ARROWS = _arrows_family()
