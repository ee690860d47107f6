"""What the card counts: verdicts, lengths, levels, teachers and sources of a version's problems and rollouts."""

from dataclasses import dataclass, field
from itertools import pairwise

import polars as pl

from curate.look.balance import Row, balance_counts, balance_rows
from curate.records import effective_level, with_facts
from curate.share.flaws import flaws

_RATE_ENDS = (0.2, 0.4, 0.6, 0.8)
_LENGTH_ENDS = tuple(2**power for power in range(8, 16))  # 256 to 32,768


@dataclass(frozen=True)
class SourceCount:
    """Problems of one source under one licence."""

    source: str
    license: str | None
    problems: int
    kept: int


@dataclass(frozen=True)
class TeacherCount:
    """Rollouts of one teacher, kept or dropped, and what they cost."""

    teacher: str
    rollouts: int
    correct: int
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True)
class Counts:
    """Plain numbers about one version. Verdicts, lengths, pass rates and levels are those of kept rows."""

    sources: tuple[SourceCount, ...]
    teachers: tuple[TeacherCount, ...]
    verdicts: dict[str, int]
    """Rollouts by verdict, most frequent first; `none` where nobody judged."""
    decided_by: dict[str, int]
    """Rollouts by who decided."""
    source_labels: dict[tuple[str, str], int]
    """Rollouts by the source's own label and our verdict, where the source has one."""
    opinions: dict[tuple[str, str], int]
    """Rollouts by the rules' verdict and the judge's, where a judge had an opinion."""
    seconds: dict[tuple[str, str], int]
    """Rollouts by the rules' verdict and that of math-verify alone, where it was asked."""
    pass_rates: dict[str, int]
    """Problems by pass rate."""
    lengths: dict[str, int]
    """Rollouts by length in `length_unit`."""
    length_unit: str
    length_quantiles: dict[str, int]
    """Median, 90 % and 99 % length."""
    levels: dict[tuple[str, str], int]
    """Problems by domain and level; `unknown` where there is none."""
    flaws: dict[str, dict[str, int]] = field(default_factory=dict)
    """What tags found wrong with rollouts, kept or dropped, by teacher."""
    balance: tuple[Row, ...] = ()
    """Problems by source, domain and level, the most frequent sources and domains."""
    judged: tuple[int, int, int] | None = None
    """Fewest, median and most judged rollouts behind a pass rate; None without pass rates."""
    majority_golds: int = 0
    """Problems whose gold answer is what most of their rollouts say."""


def count(problems: pl.DataFrame, rollouts: pl.DataFrame) -> Counts:
    """The numbers of a version, from its tables; neither needs a text column.

    Args:
        problems: columns of PROBLEM, facts, `drop_reason`.
        rollouts: columns of ROLLOUT without the texts, facts, `drop_reason`.
    """
    problems, rollouts = with_facts(problems), with_facts(rollouts)
    asked, answered = problems.filter(pl.col("drop_reason").is_null()), rollouts.filter(pl.col("drop_reason").is_null())
    labels = ("source_verdict", "verdict")
    labelled = answered.filter(pl.col("source_verdict").is_not_null()).select(pl.col(labels).fill_null("none"))
    place = asked.select(pl.col("domain").fill_null("unknown"), effective_level().fill_null("unknown"))
    by_tokens = answered.height > 0 and bool((answered["completion_tokens"] > 0).fill_null(False).all())
    length = pl.col("completion_tokens") if by_tokens else pl.col("reasoning_chars") + pl.col("response_chars")
    lengths = answered.select(length=length)["length"].drop_nulls()
    return Counts(
        sources=_sources(problems),
        teachers=_teachers(rollouts),
        verdicts=_by_value(answered["verdict"].fill_null("none")),
        decided_by=_by_value(answered["verdict_by"].drop_nulls()) if "verdict_by" in answered.columns else {},
        source_labels={(row[0], row[1]): row[2] for row in _sorted_counts(labelled).iter_rows()},
        opinions=_opinions(answered, "judge_verdict"),
        seconds=_opinions(answered, "second_verdict"),
        pass_rates=_rates(asked["pass_rate"].drop_nulls()),
        lengths=_lengths(lengths),
        length_unit="tokens" if by_tokens else "characters",
        length_quantiles={
            name: round(lengths.quantile(q, "nearest") or 0) for name, q in _QUANTILES.items() if len(lengths)
        },
        levels={(row[0], row[1]): row[2] for row in _sorted_counts(place).iter_rows()},
        balance=tuple(balance_rows(balance_counts(problems))),
        judged=_judged(asked),
        majority_golds=asked.filter(answer_by="majority").height if "answer_by" in asked.columns else 0,
        flaws=flaws(rollouts),
    )


_QUANTILES = {"median": 0.5, "90 %": 0.9, "99 %": 0.99}


def _sources(problems: pl.DataFrame) -> tuple[SourceCount, ...]:
    kept = pl.col("drop_reason").is_null().sum()
    groups = problems.group_by("source", "license", maintain_order=True).agg(problems=pl.len(), kept=kept)
    return tuple(SourceCount(source or "unknown", *rest) for source, *rest in groups.iter_rows())


def _teachers(rollouts: pl.DataFrame) -> tuple[TeacherCount, ...]:
    kept_correct = pl.col("drop_reason").is_null() & (pl.col("verdict") == "correct")
    groups = rollouts.group_by("teacher", maintain_order=True).agg(
        pl.len(), kept_correct.sum(), pl.col("prompt_tokens", "completion_tokens").sum()
    )
    return tuple(TeacherCount(teacher or "unknown", *rest) for teacher, *rest in groups.iter_rows())


def _opinions(rollouts: pl.DataFrame, other: str) -> dict[tuple[str, str], int]:
    if other not in rollouts.columns:
        return {}
    heard = rollouts.filter(pl.col(other).is_not_null()).select(pl.col("rule_verdict").fill_null("none"), other)
    return {(row[0], row[1]): row[2] for row in _sorted_counts(heard).iter_rows()}


def _by_value(values: pl.Series) -> dict[str, int]:
    return dict(_sorted_counts(values.to_frame()).iter_rows())


def _sorted_counts(rows: pl.DataFrame) -> pl.DataFrame:
    """How often each row occurs, most frequent first, then by its values."""
    names = rows.columns
    return rows.group_by(names).len("rows").sort(["rows", *names], descending=[True, *[False] * len(names)])


def _rates(rates: pl.Series) -> dict[str, int]:
    """0 and 1 by themselves: they teach reinforcement learning nothing."""
    inside = rates.filter((rates > 0) & (rates < 1))
    ends = (0.0, *_RATE_ENDS, 1.0)
    bands = {f"{low} to {high}": int(((inside >= low) & (inside < high)).sum()) for low, high in pairwise(ends)}
    return {"0": int((rates == 0).sum()), **bands, "1": int((rates == 1).sum())} if len(rates) else {}


def _judged(problems: pl.DataFrame) -> tuple[int, int, int] | None:
    n = problems.filter(pl.col("pass_rate").is_not_null())["pass_rate_n"].drop_nulls()
    spread = [n.quantile(q, "nearest") for q in (0.0, 0.5, 1.0)]
    fewest, median, most = (round(value or 0) for value in spread)
    return (fewest, median, most) if len(n) else None


def _lengths(lengths: pl.Series) -> dict[str, int]:
    """Bands that double, from the first to the last that has any."""
    ends = (0, *_LENGTH_ENDS)
    bands = {
        f"{low:,} to {high - 1:,}": int(((lengths >= low) & (lengths < high)).sum()) for low, high in pairwise(ends)
    }
    bands[f"{ends[-1]:,} and more"] = int((lengths >= ends[-1]).sum())
    filled = [number for number, rows in enumerate(bands.values()) if rows]
    return dict(list(bands.items())[filled[0] : filled[-1] + 1]) if filled else {}
