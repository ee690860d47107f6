"""Procedural problems: every family poses at five levels and solves from the text alone. No network, no data, no key.

>>> row = pose_many(1, seed=0)[0]
>>> FAMILIES[row.family].solve(row.problem).answer == row.answer
True
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from distill.families.accumulation import ACCUMULATION
from distill.families.calculation import CALCULATION
from distill.families.change import CHANGE
from distill.families.congruences import CONGRUENCES
from distill.families.coordinates import COORDINATES
from distill.families.counting import COUNTING
from distill.families.divisibility import DIVISIBILITY
from distill.families.drills import DRILL_GAPS, DRILL_LETTERS, DRILL_MODULAR, DRILL_SUMS
from distill.families.equations import EQUATIONS
from distill.families.family import LEVELS, Family, Level, Posed, Question, UnknownQuestion
from distill.families.inequalities import INEQUALITIES
from distill.families.matrices import MATRICES
from distill.families.probability import PROBABILITY
from distill.families.rates import RATES
from distill.families.shapes import SHAPES
from distill.families.systems import SYSTEMS
from distill.families.work import Fault, Solution, Step

__all__ = [
    "DRILLS",
    "FAMILIES",
    "LEVELS",
    "NAMED",
    "Family",
    "Fault",
    "Level",
    "Posed",
    "PosedRow",
    "Question",
    "Solution",
    "Step",
    "UnknownQuestion",
    "pose_many",
    "read_question",
]

_ALL = (
    *(CALCULATION, RATES, EQUATIONS, INEQUALITIES, DIVISIBILITY, CONGRUENCES, COUNTING, PROBABILITY),
    *(SHAPES, COORDINATES, CHANGE, ACCUMULATION, MATRICES, SYSTEMS),
)

FAMILIES: dict[str, Family] = {family.name: family for family in _ALL}
"""Every family that is posed unless others are named, by name."""

DRILLS: dict[str, Family] = {f.name: f for f in (DRILL_MODULAR, DRILL_LETTERS, DRILL_SUMS, DRILL_GAPS)}
"""Short chains for tiny students: posed only where they are named."""

NAMED: dict[str, Family] = FAMILIES | DRILLS
"""Every family that can be named."""

MOST_DRAWS = 50
"""How often a row is drawn anew before a text that was already posed is let through."""


@dataclass(frozen=True)
class PosedRow:
    """A question with its gold answer and a worked solution."""

    problem: str
    answer: str
    answer_type: str
    level: Level
    domain: str
    family: str
    solution: str


def pose_many(
    n: int, seed: int, families: Sequence[str] | None = None, levels: Sequence[Level] | None = None
) -> list[PosedRow]:
    """n questions, spread evenly over families and levels, the same for a seed on every machine.

    Fewer rows are the first rows of more. Texts differ as long as a family has new ones: all do in 100,000 rows over
    all families and levels. The tightest have about 6,000 texts: compositions and necklaces (`counting`), biased coins
    and walks (`probability`); there the words differ more often than the numbers do.

    Args:
        families: names, drills among them; all but the drills if None.
        levels: all five if None.

    Raises:
        KeyError: no family has this name.
        RuntimeError: a bug: the gold answer, built at posing, and the solution from the text disagree.
    """
    chosen = [NAMED[name] for name in families] if families is not None else list(_ALL)
    wanted = tuple(levels) if levels is not None else LEVELS
    seen: set[str] = set()
    rows = []
    for i in range(n):
        family = chosen[i % len(chosen)]
        # Each round over the families shifts the levels by one, so that a few rows already show all levels.
        level = wanted[(i % len(chosen) + i // len(chosen)) % len(wanted)]
        rng = Random(f"{seed}/{i}")
        posed = family.pose(level, rng)
        for _ in range(MOST_DRAWS):
            if posed.problem not in seen:
                break
            posed = family.pose(level, rng)
        seen.add(posed.problem)
        rows.append(_row(family, level, posed))
    return rows


def read_question(text: str) -> Question | None:
    """The question that stands in the text, whatever stands around it; None where no family knows it."""
    readings = [question for family in NAMED.values() if (question := family.read(text)) is not None]
    return max(readings, key=lambda question: len(question.text), default=None)


def _row(family: Family, level: Level, posed: Posed) -> PosedRow:
    solution = family.solve(posed.problem)
    if solution.answer != posed.answer:
        raise RuntimeError(f"{family.name}, {level}: {posed.answer} or {solution.answer}? {posed.problem}")
    worked = "\n".join([*(step.text for step in solution.steps), f"The answer is $\\boxed{{{solution.answer}}}$."])
    return PosedRow(posed.problem, posed.answer, posed.answer_type, level, family.domain, family.name, worked)
