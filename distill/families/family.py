"""A family: one topic, posed at five levels and solved from the text alone.

A level of a family (`Kind`) is four things: wordings with placeholders, a draw that builds the numbers together with
the gold answer, and the work that finds the answer from the numbers. The wordings serve both ways: filled in they
are the question, turned into patterns they read it. The draw starts from the answer where it can, the work never
sees it; so that the two agree means something.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Literal

from distill.families.reading import PATTERNS, read
from distill.families.value import Value, show
from distill.families.variants import slipped
from distill.families.work import Fault, Solution, Work

Level = Literal["elementary", "middle", "high", "college", "graduate"]
LEVELS: tuple[Level, ...] = ("elementary", "middle", "high", "college", "graduate")

LETTERS = "ABCDE"

_WORDS = {
    "name": "Ada Ben Chloe Dev Elif Femi Grace Hugo Ines Jonas Kira Liam Mei Nadia Omar Priya Quinn Rosa Sami Tara Uri",
    "thing": "apples books marbles pencils stickers shells cards coins stamps beads buttons cookies pears",
    "colour": "red blue green yellow white black orange purple",
    "sport": "chess football tennis hockey handball volleyball badminton judo",
}
WORDS: dict[str, tuple[str, ...]] = {kind: tuple(words.split()) for kind, words in _WORDS.items()}
"""Placeholders of these types are filled with any of the words and mean nothing to the work."""

Drawn = tuple[Mapping[str, Value], Value]
"""Numbers for the placeholders of a wording, and the gold answer."""


class UnknownQuestion(ValueError):
    """No family knows how to read this text."""


@dataclass(frozen=True)
class Posed:
    """A question with its gold answer in LaTeX."""

    problem: str
    answer: str
    answer_type: str
    """integer, fraction, radical, expression, equation, interval, set, tuple, matrix or option."""


@dataclass(frozen=True)
class Kind:
    """One level of a family."""

    level: Level
    answer_type: str
    draw: Callable[[Random], Drawn]
    work: Callable[..., Value]
    """Takes the paper and the numbers by name; gives the answer."""
    wordings: tuple[str, ...]
    """Placeholders are `<name>` (an integer) or `<name:type>`, types as in `PATTERNS` and `WORDS`."""
    options: float = 0.0
    """Share of questions that are posed with options A to E."""
    largest: int = 10**8
    """A question with a larger number is not read: the work could take for ever."""

    @cached_property
    def patterns(self) -> tuple[tuple[str, "re.Pattern[str]", dict[str, str]], ...]:
        """For each wording: its longest literal part, its pattern, and the type of each number in it."""
        return tuple(_pattern(wording) for wording in self.wordings)


@dataclass(frozen=True)
class Question:
    """A question as read from its text."""

    family: "Family"
    kind: Kind
    numbers: tuple[tuple[str, Value], ...]
    options: tuple[str, ...] = ()
    """Texts of the options A to E, where there are some."""
    text: str = ""
    """What was understood of the text: the question, with its options."""

    def solve(self, fault: Fault | None = None) -> Solution:
        """The solution, or what becomes of it with a fault on the way.

        Raises:
            ArithmeticError, ValueError, LookupError: only with a fault: it has led nowhere.
        """
        work = Work(fault)
        value = self.kind.work(work, **dict(self.numbers))
        if not self.options:
            return Solution(tuple(work.steps), show(value), value, tuple(work.checks))
        if show(value) in self.options:
            letter = LETTERS[self.options.index(show(value))]
            work.say(f"That is option {letter}.")
        elif fault is None:
            raise LookupError(f"{show(value)} is not among the options")
        else:
            letter = Random(fault.seed).choice(LETTERS)
            work.say(f"None of the options says so exactly; {letter} comes closest.")
        return Solution(tuple(work.steps), letter, letter, tuple(work.checks))


@dataclass(frozen=True)
class Family:
    """One topic at five levels."""

    name: str
    domain: str
    kinds: tuple[Kind, Kind, Kind, Kind, Kind]
    """From elementary to graduate."""

    def pose(self, level: Level, rng: Random) -> Posed:
        """A question of this level, drawn from `rng` alone."""
        kind = self.kinds[LEVELS.index(level)]
        numbers, gold = kind.draw(rng)
        problem = _fill(rng.choice(kind.wordings), numbers, rng)
        if rng.random() >= kind.options:
            return Posed(problem, show(gold), kind.answer_type)
        options = _options(gold, rng)
        opening, closing = rng.choice((("(", ")"), ("", ")"), ("", ".")))
        lines = [f"{opening}{letter}{closing} {text}" for letter, text in zip(LETTERS, options, strict=True)]
        return Posed("\n".join([problem, *lines]), LETTERS[options.index(show(gold))], "option")

    def read(self, text: str) -> Question | None:
        """The question that stands in the text, whatever else stands around it; None where there is none."""
        return max(self._readings(text), key=lambda question: len(question.text), default=None)

    def solve(self, text: str) -> Solution:
        """The solution of the question in the text, from the text alone.

        Raises:
            UnknownQuestion: the text holds no question of this family.
        """
        question = self.read(text)
        if question is None:
            raise UnknownQuestion(f"{self.name}: cannot read {text[:80]!r}")
        return question.solve()

    def _readings(self, text: str) -> Iterator[Question]:
        for kind in self.kinds:
            for literal, pattern, types in kind.patterns:
                match = pattern.search(text) if literal in text else None
                if match is not None and all(int(run) <= kind.largest for run in _RUN.findall(match[0])):
                    numbers = tuple((name, read(kind_, match[name])) for name, kind_ in types.items())
                    options = _OPTIONS.match(text, match.end()) if kind.options else None
                    understood = text[match.start() : (options or match).end()].rstrip()
                    yield Question(
                        self,
                        kind,
                        numbers,
                        tuple(text.strip() for text in options.groups()) if options else (),
                        understood,
                    )


_PLACEHOLDER = re.compile(r"<(\w+)(?::(\w+))?>")
_RUN = re.compile(r"\d{1,9}")
_OPTIONS = re.compile("".join(rf"\s*\n\(?{letter}[).] ([^\n]+)" for letter in LETTERS))


def _fill(wording: str, numbers: Mapping[str, Value], rng: Random) -> str:
    words: dict[str, str] = {}

    def text(match: "re.Match[str]") -> str:
        name, kind = match[1], match[2]
        if name in numbers:
            value = numbers[name]
            return ", ".join(show(v) for v in value) if isinstance(value, tuple) and kind != "form" else _written(value)
        if name not in words:
            # Two words of one type in a question differ: two colours in a bag.
            words[name] = rng.choice([word for word in WORDS[kind] if word not in words.values()])
        return words[name]

    return _PLACEHOLDER.sub(text, wording)


def _written(value: Value) -> str:
    if isinstance(value, tuple):
        terms = [
            f"{'-' if c < 0 else '+'} {'' if abs(c) == 1 else abs(c)}{x}" for c, x in zip(value, "xyz", strict=False)
        ]
        return " ".join(terms).removeprefix("+ ").replace("- ", "-", 1 if value[0] < 0 else 0)
    return show(value)


def _pattern(wording: str) -> tuple[str, "re.Pattern[str]", dict[str, str]]:
    parts, at, types, named = [], 0, {}, set()
    literals = [piece for piece in re.split(r"[\s]+", _PLACEHOLDER.sub(" ", wording)) if piece]
    for match in _PLACEHOLDER.finditer(wording):
        parts.append(_flexible(wording[at : match.start()]))
        name, kind = match[1], match[2] or "int"
        if name in named:
            parts.append(f"(?P={name})")
        elif kind in WORDS:
            parts.append(rf"(?P<{name}>{'|'.join(WORDS[kind])})")
        else:
            parts.append(rf"(?P<{name}>{PATTERNS[kind]})")
            types[name] = kind
        named.add(name)
        at = match.end()
    parts.append(_flexible(wording[at:]))
    return max(literals, key=len), re.compile("".join(parts)), types


def _flexible(literal: str) -> str:
    """Spaces may have become line breaks in a prompt."""
    return re.sub(r"(?:\\ )+", r"\\s+", re.escape(literal))


def _options(gold: Value, rng: Random) -> list[str]:
    """Five different texts, the gold among them, in any order."""
    values = {show(gold): gold}
    while len(values) < len(LETTERS):
        wrong = slipped(rng.choice(list(values.values())), rng)
        values[show(wrong)] = wrong
    options = list(values)
    rng.shuffle(options)
    return options
