"""Facts about the sampling loop: it asks for what is missing, once, and keeps what it is given at once."""

import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

import pytest

from distill.request import Message, Reply, Request, Sampling, TeacherError
from distill.sample import sample
from distill.store import Store


@dataclass
class Clerk:
    """A teacher that answers with the request's seed, `in_flight` at a time in any order, and fails where told."""

    in_flight: int = 1
    shuffle: random.Random | None = None
    fails: Counter[str] = field(default_factory=Counter)
    """How often the request of this key still fails."""
    stops_after: int | None = None
    stop: BaseException | None = None
    asked: list[str] = field(default_factory=list)
    closed: bool = False
    model: str = "clerk"
    revision: str = "1"

    def ask(self, requests: Iterable[Request]) -> Iterator[Reply]:
        pending, source = [], iter(requests)
        try:
            while True:
                taken = list(islice(source, self.in_flight - len(pending)))
                self.asked += [request.key for request in taken]
                pending += taken
                if not pending:
                    return
                if self.stops_after is not None and len(self.asked) > self.stops_after:
                    if self.stop is None:
                        return
                    raise self.stop
                place = self.shuffle.randrange(len(pending)) if self.shuffle else 0
                yield self.reply(pending.pop(place))
        finally:
            self.closed = True

    def reply(self, request: Request) -> Reply:
        if self.fails[request.key]:
            self.fails[request.key] -= 1
            return Reply(request.key, "", finish_reason="error", prompt_tokens=2, error="503")
        return Reply(request.key, f"<think>{request.seed}</think>{request.index}", prompt_tokens=2, completion_tokens=5)


@dataclass
class Waking(Clerk):
    """Needs a while before its first reply."""

    def ask(self, requests: Iterable[Request]) -> Iterator[Reply]:
        time.sleep(0.6)
        for reply in super().ask(requests):
            yield reply
            time.sleep(0.005)


def asks(problems: int, n: int = 4, seed: int = 0) -> list[Request]:
    prompts = [(Message("user", f"{i} + {i}?"),) for i in range(problems)]
    return [Request(p, "clerk", "1", Sampling(n=n, seed=seed), index) for p in prompts for index in range(n)]


def keys(requests: list[Request]) -> list[str]:
    return [request.key for request in requests]


def test_raising_n_from_4_to_8_asks_for_4_more(tmp_path):
    store, teacher = Store(tmp_path), Clerk()
    first = sample(teacher, asks(10, n=4), store)
    assert (first.asked, first.reused, first.prompt_tokens, first.completion_tokens) == (40, 0, 80, 200)
    second = sample(teacher, asks(10, n=8), store)
    assert (second.asked, second.reused, second.failed, second.completion_tokens) == (40, 40, 0, 200)
    assert Counter(teacher.asked) == Counter(keys(asks(10, n=8)))


def test_nothing_is_asked_twice_and_a_full_store_is_only_read(tmp_path):
    sample(Clerk(), asks(3), Store(tmp_path))
    teacher = Clerk()
    before = sorted(path.stat().st_mtime_ns for path in tmp_path.iterdir())
    assert (sample(teacher, asks(3), Store(tmp_path)).reused, teacher.asked) == (12, [])
    assert sorted(path.stat().st_mtime_ns for path in tmp_path.iterdir()) == before


def test_what_another_run_paid_for_is_not_asked_again_and_nobody_waits(tmp_path):
    sample(Clerk(), asks(3), Store(tmp_path))
    teacher = Clerk()
    with Store(tmp_path) as other:  # writes at the same time
        other.append([Reply(asks(4)[12].key, "paid for just now")])
        summary = sample(teacher, asks(4), Store(tmp_path))
    assert (summary.reused, teacher.asked) == (13, keys(asks(4)[13:]))


def test_a_request_named_twice_is_asked_once(tmp_path):
    teacher = Clerk(in_flight=3)
    summary = sample(teacher, asks(2) + asks(2), Store(tmp_path))
    assert (summary.asked, summary.reused, len(teacher.asked)) == (8, 8, 8)


@pytest.mark.parametrize("in_flight", [1, 8, 64])
def test_order_and_concurrency_change_nothing(tmp_path, in_flight):
    requests = asks(20)
    sample(Clerk(), requests, Store(tmp_path / "plain"))
    shuffled = random.Random(in_flight).sample(requests, len(requests))
    sample(Clerk(in_flight, random.Random(in_flight)), shuffled, Store(tmp_path / "mixed"))
    assert Store(tmp_path / "mixed").get(keys(requests)) == Store(tmp_path / "plain").get(keys(requests))


def test_what_fails_is_retried_then_kept_with_its_reason_and_asked_again_next_time(tmp_path, caplog):
    requests = asks(5)
    once, always = keys(requests)[3], keys(requests)[7]
    teacher = Clerk(fails=Counter({once: 1, always: 4}))
    store = Store(tmp_path)
    summary = sample(teacher, requests, store, retries=2)
    assert (summary.asked, summary.failed) == (20, 1)
    assert teacher.asked.count(once) == 2
    assert teacher.asked.count(always) == 3
    (failed,) = store.get([always])
    assert (failed.finish_reason, failed.error) == ("error", "503")
    assert "1 requests failed" in caplog.text

    summary = sample(teacher, requests, store, retries=2)
    assert (summary.asked, summary.reused, summary.failed) == (1, 19, 0)
    assert store.get([always])[0].finish_reason == "stop"
    # Three failures and one more in the second run, then the answer: all paid for.
    assert store.costs([always])["prompt_tokens"].item() == 10


def test_a_reply_that_was_cut_off_is_not_asked_again(tmp_path):
    class CutOff(Clerk):
        def reply(self, request: Request) -> Reply:
            return Reply(request.key, "<think>so", finish_reason="length")

    teacher = CutOff()
    assert sample(teacher, asks(2), Store(tmp_path)).failed == 0
    assert sample(teacher, asks(2), Store(tmp_path)).reused == 8
    assert len(teacher.asked) == 8


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), TeacherError("refused")], ids=["ctrl-c", "refused"])
def test_what_arrived_before_an_interruption_is_kept_and_the_rest_is_asked_next_time(tmp_path, stop):
    teacher = Clerk(in_flight=4, stops_after=10, stop=stop)
    with pytest.raises(type(stop)):
        sample(teacher, asks(5), Store(tmp_path))
    assert teacher.closed
    arrived = len(Store(tmp_path).keys())
    assert arrived == len(teacher.asked) - 4
    again = Clerk()
    assert sample(again, asks(5), Store(tmp_path)).reused == arrived
    assert len(again.asked) == 20 - arrived


def test_ctrl_c_while_a_reply_is_handled_closes_the_teacher(tmp_path):
    teacher = Clerk()

    def interrupt(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sample(teacher, asks(5), Store(tmp_path), on_progress=interrupt)
    assert teacher.closed
    assert len(Store(tmp_path).keys()) == 1


def test_a_request_the_teacher_forgot_has_an_outcome_too(tmp_path):
    store = Store(tmp_path)
    summary = sample(Clerk(in_flight=8, stops_after=8), asks(5), store, retries=0)
    assert summary.failed > 0
    assert {r.error for r in store.get(keys(asks(5))[:9]) if r.error} == {"the teacher gave no reply"}


def test_a_reply_to_no_request_stops_the_run(tmp_path):
    class Confused(Clerk):
        def reply(self, request: Request) -> Reply:
            return Reply("f" * 32, "4")

    with pytest.raises(ValueError, match="clerk answered a request that was not asked"):
        sample(Confused(), asks(1), Store(tmp_path))


def test_progress_counts_every_request_once(tmp_path):
    counts: list[int] = []
    sample(Clerk(), asks(3), Store(tmp_path))
    failing = Clerk(fails=Counter({keys(asks(5))[-1]: 1}))
    sample(failing, asks(5), Store(tmp_path), on_progress=counts.append)
    assert sum(counts) == 20


def test_requests_are_pulled_no_faster_than_the_teacher_takes_them(tmp_path):
    pulled = 0

    def endless() -> Iterator[Request]:
        nonlocal pulled
        for request in asks(2000):
            pulled += 1
            yield request

    sample(Clerk(stops_after=5, stop=None), endless(), Store(tmp_path), retries=0)
    assert pulled <= 2000  # one batch of look-ups, not all 8,000


def test_the_pace_is_that_of_replies_and_not_of_waking_up(tmp_path):
    run = sample(Waking(), asks(5), Store(tmp_path))
    assert run.first_s >= 0.6
    assert run.pace is not None
    assert 0.005 <= run.pace < run.first_s / 20, "20 replies: waking up would count a twentieth to each"
    assert sample(Waking(), asks(5), Store(tmp_path)).pace is None, "nothing was asked"
