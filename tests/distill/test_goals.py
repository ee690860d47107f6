"""Facts about goals, budgets and cut-off rollouts: rounds by index, longer draws, and when nothing is asked."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from distill.account import Spent, costs, spent
from distill.budget import Budget, BudgetError, Meter, Prices
from distill.cut_off import CutOff, follow
from distill.goals import Goal, Round, draw_to_goal
from distill.request import Message, Reply, Request, Sampling
from distill.sample import sample
from distill.store import Store
from tests.distill.test_sample import Clerk, asks, keys


def counts(goal: Goal, n: int, verdicts: list[str], rounds: list[Round] | None = None) -> list[int]:
    """Rollouts drawn of each problem; a verdict is a letter: correct, wrong, truncated, unreadable, - for no reply."""
    words = {"c": "correct", "w": "wrong", "t": "truncated", "u": "unreadable_gold", "-": None}

    def judged(current: Round) -> Iterator[tuple[int, Sequence[str | None]]]:
        for place in current.problems.tolist():
            yield place, [words[letter] for letter in verdicts[place][current.start : current.stop]]

    asked = rounds if rounds is not None else []
    return draw_to_goal(goal, n, len(verdicts), asked.append, judged).tolist()


def test_a_problem_is_drawn_until_it_has_what_the_goal_asks_for():
    goal = Goal(correct=2, wrong=2, at_most=8)
    assert counts(goal, 2, ["ccwwcccc", "cwcwcccc", "cwwccccc", "cccccccw", "cccccwwc"]) == [4, 4, 4, 8, 8]


def test_rounds_go_by_index_and_the_last_one_is_cut_at_at_most():
    rounds: list[Round] = []
    assert counts(Goal(correct=1, at_most=7), 3, ["wwc", "wwwwwww", "c"], rounds) == [3, 7, 3]
    assert [(r.number, r.problems.tolist(), r.start, r.stop) for r in rounds] == [
        (1, [0, 1, 2], 0, 3),
        (2, [1], 3, 6),
        (3, [1], 6, 7),
    ]


def test_cut_off_and_undecided_rollouts_count_to_neither_side():
    assert counts(Goal(correct=1, wrong=1, at_most=6), 2, ["ttttcw", "ctttwc", "cw"]) == [6, 6, 2]


def test_a_bad_gold_answer_is_no_reason_to_draw_on():
    assert counts(Goal(correct=1, at_most=32), 4, ["uuuu"]) == [4]


def test_a_round_without_all_its_replies_decides_nothing():
    assert counts(Goal(correct=2, at_most=8), 2, ["-cccccc", "wwcc"]) == [2, 4]


@dataclass
class Limited(Clerk):
    """Needs 150 tokens for the rollouts of odd index and 1,000 for those of index 2; is cut off where it gets fewer."""

    seen: list[Request] = field(default_factory=list)

    def reply(self, request: Request) -> Reply:
        self.seen.append(request)
        needs = 150 if request.index % 2 else 1_000 if request.index == 2 else 10
        limit = request.sampling.max_tokens
        reason, took = ("length", limit) if needs > limit else ("stop", needs)
        return Reply(request.key, f"{took}", finish_reason=reason, prompt_tokens=5, completion_tokens=took)  # type: ignore[arg-type]  # one of two literals


def short(problems: int = 3, n: int = 4) -> list[Request]:
    prompts = [(Message("user", f"{i} + {i}?"),) for i in range(problems)]
    return [Request(p, "clerk", "1", Sampling(n=n, max_tokens=100), index) for p in prompts for index in range(n)]


RULE = CutOff(times=2, up_to=400)


@pytest.mark.parametrize("in_flight", [1, 5, 64])
def test_what_is_cut_off_is_drawn_again_with_more_tokens_and_all_of_it_is_paid_and_kept(tmp_path, in_flight):
    teacher, store = Limited(in_flight, random.Random(3)), Store(tmp_path)
    progress: list[int] = []
    summary = sample(teacher, short(), store, cut_off=RULE, on_progress=progress.append)
    # Per problem: one reply at once, two of odd index after 200 tokens, one cut off at 100, 200 and 400.
    assert Counter(request.sampling.max_tokens for request in teacher.seen) == {100: 12, 200: 9, 400: 3}
    assert (summary.asked, summary.attempts, summary.cut_off, summary.drawn_longer) == (24, 24, 15, 12)
    assert (sum(progress), summary.failed) == (12, 0)
    trails = follow(store, short(), RULE)
    counted = [reply.content for reply in store.get([trail.counted.key for trail in trails])]
    assert counted == ["10", "150", "400", "150"] * 3
    paid = spent(trails, costs(store, trails))
    assert (paid.attempts, paid.drawn_longer) == (24, 12)
    assert paid.completion_tokens == summary.completion_tokens == 3 * (10 + 2 * (100 + 150) + 100 + 200 + 400)

    again = Limited()
    assert sample(again, short(), store, cut_off=RULE).reused == 12
    assert again.asked == []


def test_a_rule_for_cut_off_rollouts_asks_only_for_what_was_cut_off(tmp_path):
    sample(Limited(), short(), Store(tmp_path))
    teacher = Limited()
    summary = sample(teacher, short(), Store(tmp_path), cut_off=RULE)
    assert (summary.asked, summary.reused) == (12, 3)
    assert {request.sampling.max_tokens for request in teacher.seen} == {200, 400}


def test_a_longer_draw_that_fails_leaves_the_cut_off_one_and_is_asked_again(tmp_path):
    teacher, store = Limited(), Store(tmp_path)
    longer = RULE.longer(short()[1])
    assert longer
    teacher.fails[longer.key] = 9
    failing = lambda request: (  # noqa: E731  # one reply that fails, the others as before
        Clerk.reply(teacher, request) if teacher.fails[request.key] else Limited.reply(teacher, request)
    )
    teacher.reply = failing  # type: ignore[method-assign]  # the teacher of this test only
    assert sample(teacher, short(1), store, cut_off=RULE).failed == 1
    trail = follow(store, short(1), RULE)[1]
    assert (trail.answered, trail.counted.sampling.max_tokens) == (False, 100)
    assert sample(Limited(), short(1), store, cut_off=RULE).asked == 1


def test_a_spent_budget_starts_nothing_and_keeps_what_is_in_flight(tmp_path):
    teacher, store = Clerk(in_flight=8), Store(tmp_path)
    with pytest.raises(BudgetError, match=r"budget spent: .* tokens of 100") as told:
        sample(teacher, asks(20), store, watches=[Meter(Budget(tokens=100))])
    # 7 tokens a reply: 15 replies pass 100, and 7 more were in flight.
    assert len(teacher.asked) == len(store.keys()) == 22
    assert "154 tokens of 100" in str(told.value)
    assert "curate build --offline" in str(told.value)


def test_what_earlier_runs_and_failed_attempts_cost_counts(tmp_path):
    store = Store(tmp_path)
    failing = Clerk(fails=Counter({keys(asks(5))[0]: 9}))
    sample(failing, asks(5), store, retries=2)
    trails = follow(store, asks(5), None)
    paid = spent(trails, costs(store, trails))
    # 19 replies of 7 tokens, and one that failed three times at 2.
    assert paid == Spent(20, 19, 1, 0, 0, 22, 3, 19 * 2 + 6, 19 * 5, paid.seconds)
    meter = Meter(Budget(tokens=140))
    meter.add(paid)
    assert meter.stop() is None
    with pytest.raises(BudgetError, match="141 tokens of 140"):
        sample(failing, asks(5), store, watches=[meter])


def test_a_budget_in_dollars_counts_prompt_and_completion_by_their_prices():
    meter = Meter(Budget(usd=5), Prices(input=0.5, output=2.0))
    meter.add(Spent(prompt_tokens=2_000_000, completion_tokens=1_999_999))
    assert meter.stop() is None
    meter.saw(asks(1)[0], Reply("a", "x", completion_tokens=1))
    assert "$5.00 of $5.00" in str(meter.stop())


def test_a_budget_in_hours_runs_from_the_first_question():
    now = [0.0]
    meter = Meter(Budget(hours=2), clock=lambda: now[0])
    now[0] = 9_000.0
    meter.begin()
    now[0] += 7_199.0
    meter.begin()
    assert meter.stop() is None
    now[0] += 2.0
    assert "2.00 hours of 2" in str(meter.stop())


def test_a_budget_is_not_kept_blindly_where_the_teacher_counts_no_tokens():
    meter = Meter(Budget(tokens=100))
    for _ in range(6):
        assert meter.stop() is None
        meter.saw(asks(1)[0], Reply("a", "some text"))
    assert "does not say how many tokens its replies took (6 of 6)" in str(meter.stop())
    silent = Meter(Budget(tokens=100))
    silent.add(Spent(rollouts=6, answered=6, attempts=6, uncounted=6))
    assert "does not say how many tokens" in str(silent.stop())
    by_time = Meter(Budget(hours=1))
    by_time.saw(asks(1)[0], Reply("a", "some text"))
    assert by_time.stop() is None


def test_a_twentieth_of_the_replies_may_come_without_a_count_and_is_taken_to_be_like_the_others():
    meter, (request, *_) = Meter(Budget(tokens=1_450)), asks(1)
    for i in range(100):
        counts = {} if i % 20 == 7 else {"prompt_tokens": 4, "completion_tokens": 10}
        assert meter.stop() is None
        meter.saw(request, Reply("a", "some text", **counts))
    # 95 of 14 tokens were counted, and 5 more are thought to have taken as many.
    assert (meter.prompt_tokens + meter.completion_tokens, meter.stop()) == (1_330, None)
    for _ in range(4):
        meter.saw(request, Reply("a", "some text", prompt_tokens=4, completion_tokens=10))
    assert "1,456 tokens of 1,450" in str(meter.stop())
    assert "5 of them without a count" in str(meter.stop())
    for _ in range(2):
        meter.saw(request, Reply("a", "some text"))
    assert "(7 of 106)" in str(meter.stop())


def test_the_store_knows_which_replies_came_without_a_count(tmp_path):
    @dataclass
    class Silent(Clerk):
        def reply(self, request: Request) -> Reply:
            reply = super().reply(request)
            return replace(reply, prompt_tokens=0, completion_tokens=0) if request.index == 1 else reply

    sample(Silent(), asks(3), Store(tmp_path))
    trails = follow(Store(tmp_path), asks(3), None)
    assert spent(trails, costs(Store(tmp_path), trails)).uncounted == 3


def test_a_budget_that_is_spent_when_nothing_is_lacking_stops_nobody(tmp_path):
    summary = sample(Clerk(), asks(2), Store(tmp_path), watches=[Meter(Budget(tokens=56))])
    assert summary.completion_tokens + summary.prompt_tokens == 56
