"""What a build will ask of its teacher and what that will take, as a plan says it."""

from collections.abc import Callable
from dataclasses import dataclass

from curate.counts import counted
from curate.planning.pace import duration
from curate.planning.projection import Projection, Range
from curate.recipes.recipe import Rollouts
from curate.share.spending import usd
from distill.account import Spent


@dataclass(frozen=True)
class Forecast:
    """The rollouts of a manifest: those there are, those to be drawn, and what these will take."""

    wanted: Rollouts
    problems: int
    stored: int
    """Rollouts that the store has already."""
    drawn: int
    """Rollouts that the projection rests on."""
    settled: int
    """Problems that lack nothing."""
    lacking: int
    """Rollouts that the store lacks; with a goal, those of the next rounds only."""
    projection: Projection | None
    """None where nothing is in the store to project from."""
    pilot_pace: float | None
    """Seconds per rollout of the pilot from its first reply on; None without one, or if it asked for nothing."""
    spent: Spent
    """What the rollouts there are took, failed and repeated attempts included; a budget counts that too."""

    @property
    def asked(self) -> int:
        """Rollouts that the version will have, as far as that is known; with a goal, those there are."""
        return self.stored + self.lacking

    @property
    def at_most(self) -> int:
        """The most rollouts that may be drawn now."""
        goal = self.wanted.goal
        return (self.problems - self.settled) * goal.at_most if goal else self.lacking

    def text(self) -> str:
        """For people."""
        if self.wanted.goal:
            goal = self.wanted.goal
            said = [
                f"rollouts: {self.stored:,} in the store; {self.settled:,} of {counted(self.problems, 'problem')} "
                f"have what the goal asks for or are given up; at most {self.at_most:,} to be drawn "
                f"({goal.at_most} per problem)"
            ]
        else:
            said = [f"rollouts: {self.asked:,} asked for, {self.stored:,} in the store, {self.lacking:,} to be drawn"]
        if self.settled == self.problems:
            return said[0]
        if self.projection is None:
            said.append("what they will take is not known: no rollout of this manifest is in the store yet.")
            said.append(
                "Add --pilot 8 to draw those of 8 problems now (they are kept, the build pays only for the rest)"
            )
            return "\n".join(said)
        return "\n".join([*said, *self._table(self.projection), *self._budget(self.projection)])

    def _table(self, found: Projection) -> list[str]:
        prices, times = self.wanted.prices, self._seconds(found)
        rows: list[tuple[str, Range, Callable[[float], str]]] = [
            ("rollouts", found.missing, "{:,.0f}".format),
            ("tokens in", found.prompt_tokens, "{:,.0f}".format),
            ("tokens out", found.completion_tokens, "{:,.0f}".format),
        ]
        rows += [("cost", self._usd(found), usd)] if prices else []
        rows += [("time", times, duration)] if times else []
        lines = [f"{'to be drawn':<12}{'expected':>16}{'low':>16}{'high':>16}"]
        for name, span, shown in rows:
            ends = ("-" if end is None else shown(end) for end in (span.expected, span.low, span.high))
            lines.append(f"{name:<12}" + "".join(f"{end:>16}" for end in ends))
        lines.append(
            f"projected from {counted(found.rollouts, 'rollout')} of {counted(found.problems, 'problem')}, failed and "
            "repeated attempts included; low to high is the 10 to 90 % range\nof a bootstrap over problems"
        )
        lines += [] if prices else ["cost: not known without rollouts.prices, such as {input: 0.55, output: 2.19}"]
        lines += [] if times else ["time: not known; this teacher does not say how long replies take. --pilot measures"]
        return lines

    def _budget(self, found: Projection) -> list[str]:
        budget = self.wanted.budget
        if budget is None:
            return []
        prices, paid, times = self.wanted.prices, self.spent, self._seconds(found)
        tokens = paid.prompt_tokens + paid.completion_tokens
        # Of usd and tokens a budget counts all runs; of hours one, and sampling has not begun.
        usd_paid = prices.usd(paid.prompt_tokens, paid.completion_tokens) if prices else 0.0
        spans = {
            "usd": (budget.usd, usd_paid, self._usd(found).expected if prices else None, usd),
            "tokens": (budget.tokens, tokens, found.prompt_tokens.plus(found.completion_tokens).expected, _tokens),
            "hours": (budget.hours, 0.0, times.expected / 3600 if times else None, "{:.2g} hours".format),
        }
        return [
            f"rollouts.budget.{name} will not do: {shown(most)}, while {shown(before)} are spent and {shown(needed)} "
            "to come. The build will stop when it is spent"
            for name, (most, before, needed, shown) in spans.items()
            if most and needed and before + needed > most
        ]

    def _usd(self, found: Projection) -> Range:
        """By the prices; the ends of both ranges are added, which is a little too wide."""
        prices = self.wanted.prices
        assert prices
        spans = (found.prompt_tokens, found.completion_tokens)
        read, written = (
            span.times(price / 1e6) for span, price in zip(spans, (prices.input, prices.output), strict=True)
        )
        return read.plus(written)

    def _seconds(self, found: Projection) -> Range | None:
        """Wall clock: the replies' own where they share it, of so many in flight, or at the pilot's pace."""
        teacher = self.wanted.teacher.plug
        if getattr(teacher, "shares_time", False) and found.seconds.expected:
            return found.seconds
        in_flight = getattr(teacher, "in_flight", None)
        if in_flight and found.seconds.expected:
            # Fewer rollouts than may be in flight take as long as one of them.
            return found.seconds.times(1 / min(in_flight, max(1.0, found.missing.expected)))
        return found.missing.times(self.pilot_pace) if self.pilot_pace is not None else None


def _tokens(count: float) -> str:
    return f"{count:,.0f} tokens"
