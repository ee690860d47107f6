"""Facts about scores: what counts, what counts to neither side, and what an interval covers."""

import numpy as np
import polars as pl
import pytest

from train.scores import difference, interval, scores


def rows(*problems: str, answers: dict[str, str] | None = None) -> pl.DataFrame:
    """One problem per word; + correct, - wrong, t truncated, n no answer, u undecided."""
    words = {"+": "correct", "-": "wrong", "t": "truncated", "n": "no_answer", "u": "undecided"}
    flat = [(f"p{number}", index, sign) for number, signs in enumerate(problems) for index, sign in enumerate(signs)]
    said = answers or {}
    return pl.DataFrame(
        {
            "problem_id": [problem for problem, _, _ in flat],
            "index": [index for _, index, _ in flat],
            "verdict": [words[sign] for _, _, sign in flat],
            "extracted_answer": [said.get(sign, sign) if sign in "+-" else None for _, _, sign in flat],
            "finish_reason": ["length" if sign == "t" else "stop" for _, _, sign in flat],
            "completion_tokens": [100] * len(flat),
        }
    )


def test_average_pass_and_majority_of_k() -> None:
    got = scores(rows("++++", "+---", "----", "++--"))
    assert (got.problems, got.k) == (4, 4)
    assert got.average.mean == pytest.approx((1 + 0.25 + 0 + 0.5) / 4)
    assert got.any_of_k.mean == pytest.approx(3 / 4)
    # A tie goes to the answer that came first.
    assert got.majority.mean == pytest.approx(2 / 4)


def test_a_cut_off_rollout_is_not_correct_and_one_that_could_not_be_judged_does_not_count() -> None:
    got = scores(rows("+t", "+u", "uu"))
    assert got.average.mean == pytest.approx((0.5 + 1.0) / 2)
    assert (got.unjudged, got.truncated) == (3, pytest.approx(1 / 6))


def test_a_problem_that_could_not_be_judged_lowers_no_score() -> None:
    # A gold that cannot be read says nothing about the model: not in avg@k, and neither in pass@k and maj@k.
    got = scores(rows("++", "uu"))
    assert (got.average.mean, got.any_of_k.mean, got.majority.mean) == (1.0, 1.0, 1.0)
    assert (got.problems, got.unjudged) == (2, 2)


def test_a_rollout_that_could_not_be_judged_does_not_vote() -> None:
    voted = rows("+uu").with_columns(extracted_answer=pl.Series(["4", "5", "5"]))
    assert scores(voted).majority.mean == 1.0


def test_no_answer_is_told_apart_from_a_wrong_one() -> None:
    got = scores(rows("nn--"))
    assert got.boxless == pytest.approx(0.5)
    assert got.verdicts == {"no_answer": 2, "wrong": 2}


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    # 200 sets of 60 problems whose true mean is 0.3: 95 % of the intervals hold it, give or take 3 standard errors.
    random = np.random.default_rng(0)
    holds = 0
    for trial in range(200):
        found = interval(random.binomial(8, random.beta(3, 7, size=60)) / 8, seed=trial)
        holds += found.low <= 0.3 <= found.high
    assert 200 * 0.95 - 3 * 3.1 <= holds <= 200


def test_the_difference_is_paired() -> None:
    # B is right once more on every problem: the spread between problems cancels.
    problems, moved = difference(rows("+---", "++--", "+++-"), rows("++--", "+++-", "++++"))
    assert problems == 3
    assert (moved.mean, moved.low, moved.high) == (0.25, 0.25, 0.25)
