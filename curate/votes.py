"""What rollouts agree on: answers that are the same as mathematics are one answer, and the most frequent one wins."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import polars as pl

from verify import Policy, same_answer

MOST_FORMS = 16
"""Forms of a problem's answers that are compared, the most frequent first; any further one stands for itself."""

MOST_CHARS = 400
"""A longer answer is the same as another only if it has the same text."""

MOST_SYMBOLIC = 12
"""Comparisons of one problem that may go to sympy: hostile answers cost a problem a few seconds, no more."""

POLICY = Policy(timeout_s=0.5)

VOTES = {"problem_id": pl.String, "voted": pl.String, "votes": pl.Int64, "readable": pl.Int64}


@dataclass
class _Group:
    """An answer in the form that most rollouts write, and how many say it in any form."""

    answer: str
    votes: int


def of_teacher(teacher: str | None) -> pl.Expr:
    """Whether a rollout is of this teacher, whatever its revision (`model` or `model@revision`); None is everyone."""
    if teacher is None:
        return pl.lit(True)
    own = pl.col("teacher")
    return ((own == teacher) | own.str.starts_with(f"{teacher}@")).fill_null(False)


def most_frequent(rows: pl.DataFrame) -> pl.DataFrame:
    """Per problem the answer that most of its rollouts give: `voted`, its `votes`, of how many `readable` answers.

    `voted` is null where two answers are equally frequent. Problems without a readable answer are not listed.

    Args:
        rows: `problem_id` and `extracted_answer`, a row per rollout.

    Example:
        >>> rows = pl.DataFrame({"problem_id": ["p"] * 4, "extracted_answer": ["0.5", "1/2", "\\\\frac12", "2"]})
        >>> most_frequent(rows).rows()
        [('p', '0.5', 3, 4)]
    """
    answer = pl.col("extracted_answer").str.strip_chars()
    forms = (
        rows.select("problem_id", answer=answer)
        .filter(pl.col("answer").fill_null("") != "")
        .group_by("problem_id", "answer", maintain_order=True)
        .agg(votes=pl.len().cast(pl.Int64))
        .sort("votes", descending=True, maintain_order=True)
        .group_by("problem_id", maintain_order=True)
        .agg("answer", "votes")
    )
    # A loop over problems: whether two answers are the same is asked pair by pair.
    found = [(problem, *_winner(answers, votes)) for problem, answers, votes in forms.iter_rows()]
    return pl.DataFrame(found, schema=VOTES, orient="row")


def _winner(answers: list[str], votes: list[int]) -> tuple[str | None, int, int]:
    """The most frequent answer, its votes, all votes."""
    groups = sorted(_groups(answers, votes), key=lambda group: -group.votes)
    tied = len(groups) > 1 and groups[0].votes == groups[1].votes
    return None if tied else groups[0].answer, groups[0].votes, sum(votes)


def _groups(answers: list[str], votes: list[int]) -> Iterator[_Group]:
    """The answers with those that are the same as one; the more frequent form names it."""
    leaders: list[_Group] = []
    symbolic = 0
    for answer, count in zip(answers, votes, strict=True):
        comparable = len(leaders) < MOST_FORMS and len(answer) <= MOST_CHARS
        for leader in leaders if comparable else ():
            if len(leader.answer) > MOST_CHARS:
                continue
            said = same_answer(leader.answer, answer, replace(POLICY, symbolic=symbolic < MOST_SYMBOLIC))
            symbolic += said.method == "symbolic"
            if said.agreed:
                leader.votes += count
                break
        else:
            leaders.append(_Group(answer, count))
    yield from leaders
