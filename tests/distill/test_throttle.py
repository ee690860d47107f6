"""Facts about what a server is given at once, which of several is asked, and the pace that an account allows."""

import asyncio
import time
from collections import Counter

import pytest

from distill.serving.rate_limit import Bucket, RateLimit
from distill.serving.replicas import Replica, Replicas

URLS = ("http://a/v1", "http://b/v1", "http://c/v1")


def test_a_storm_of_refusals_is_one_sign_and_a_round_of_replies_adds_one():
    replica = Replica(URLS[0], 16)
    for moment in range(10):
        replica.overloaded(now=100 + moment / 100)
    assert replica.room == 8
    for _ in range(8):
        replica.went_well()
    assert 8.9 < replica.limit <= 9
    for _ in range(1000):
        replica.went_well()
    assert replica.limit == 16


def test_a_sick_server_gets_one_at_a_time_and_keeps_its_limit_for_when_it_is_well():
    replica = Replica(URLS[0], 16)
    replica.overloaded(now=100)
    replica.faults = 3
    assert replica.room == 1
    replica.went_well()
    assert (replica.faults, replica.room) == (0, 8)


def test_no_more_than_the_limit_are_inside_and_they_enter_in_the_order_of_asking():
    async def story() -> tuple[int, list[int]]:
        replicas, inside, most, entered = Replicas(URLS[:1], 3, 1.0), 0, 0, []

        async def work(name: int) -> None:
            nonlocal inside, most
            async with replicas.turn():
                entered.append(name)
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0.001)
                inside -= 1

        await asyncio.gather(*(work(name) for name in range(20)))
        return most, entered

    assert asyncio.run(story()) == (3, list(range(20)))


def test_nothing_is_sent_during_a_pause_and_everything_after_it():
    async def story() -> float:
        replicas, loop = Replicas(URLS[:1], 4, 1.0), asyncio.get_running_loop()
        started = loop.time()
        replicas.all[0].overloaded(loop.time(), 0.2)

        async def work() -> None:
            async with replicas.turn():
                assert loop.time() - started >= 0.2

        await asyncio.wait_for(asyncio.gather(*(work() for _ in range(6))), 2)
        return loop.time() - started

    assert 0.2 <= asyncio.run(story()) < 0.5


def test_a_task_that_is_cancelled_while_it_waits_blocks_nobody():
    async def story() -> None:
        replicas = Replicas(URLS[:1], 1, 1.0)

        async def hold() -> None:
            async with replicas.turn():
                await asyncio.sleep(0.02)

        first, second, third = (asyncio.create_task(hold()) for _ in range(3))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.wait_for(asyncio.gather(first, third), 1)
        with pytest.raises(asyncio.CancelledError):
            await second
        assert (replicas.flying, replicas.all[0].flying) == (0, 0)

    asyncio.run(story())


# Several servers.


def served(seconds_by_host: dict[str, float], work: int = 120, at_once: int = 12) -> Counter[str]:
    async def story() -> Counter[str]:
        replicas, counts = Replicas(URLS, at_once, 0.05), Counter()
        todo = iter(range(work))

        async def worker() -> None:
            for _ in todo:
                async with replicas.turn() as replica:
                    counts[replica.host] += 1
                    await asyncio.sleep(seconds_by_host[replica.host])

        await asyncio.gather(*(worker() for _ in range(at_once)))
        return counts

    return asyncio.run(story())


def test_equal_servers_share_equally_and_a_slow_one_gets_less():
    assert max(served({"a": 0.002, "b": 0.002, "c": 0.002}).values()) <= 60
    counts = served({"a": 0.002, "b": 0.002, "c": 0.06})
    assert counts["c"] < 0.5 * min(counts["a"], counts["b"])


def test_a_server_that_fails_at_once_does_not_draw_all_requests_to_itself():
    async def story() -> Counter[str]:
        replicas, counts = Replicas(URLS[:2], 8, 0.05), Counter()

        async def worker() -> None:
            last = None
            for _ in range(20):
                async with replicas.turn(avoid=last) as replica:
                    counts[replica.host] += 1
                    if replica.host == "a":
                        replicas.failed(replica)
                        last = replica
                    else:
                        await asyncio.sleep(0.005)
                        replica.went_well()

        await asyncio.gather(*(worker() for _ in range(8)))
        return counts

    counts = asyncio.run(story())
    assert counts["a"] < 20 < 140 < counts["b"]


def test_a_dead_server_is_tried_now_and_then_and_one_that_is_back_works_again():
    async def story() -> list[tuple[str, int]]:
        replicas, log, back = Replicas(URLS[:2], 4, 0.02), [], False

        async def worker(requests: int) -> None:
            for _ in range(requests):
                async with replicas.turn() as replica:
                    if replica.host == "a" and not back:
                        replicas.missing(replica)
                        log.append(("missing", replica.unreachable))
                    else:
                        await asyncio.sleep(0.002)
                        replica.went_well()
                        log.append((replica.host, 0))

        await asyncio.gather(*(worker(40) for _ in range(4)))
        assert not replicas.unreachable(1)
        back = True
        await asyncio.sleep(0.3)
        await asyncio.gather(*(worker(40) for _ in range(4)))
        return log

    log = asyncio.run(story())
    missing = [trial for name, trial in log if name == "missing"]
    assert 2 <= max(missing) <= 5  # 20, 40, 80 ms apart, while the other answers 160 requests in about 80 ms
    assert len(missing) < 16
    assert sum(name == "a" for name, _ in log) > 60


def test_all_are_unreachable_when_each_was_tried_so_often():
    async def story() -> list[bool]:
        replicas, said = Replicas(URLS[:2], 4, 0.01), []
        for _ in range(4):
            async with replicas.turn() as replica:
                replicas.missing(replica)
            said.append(replicas.unreachable(2))
        return said

    assert asyncio.run(story()) == [False, False, False, True]


# The pace of an account. Minutes are scaled down: 6,000 a minute are 100 a second.


def paced(limit: RateLimit, requests: int, completion_tokens: int = 0) -> list[float]:
    async def story() -> list[float]:
        sent, started = [], time.monotonic()

        async def ask() -> None:
            counted = await limit.spend(300, 1, 1000)
            sent.append(time.monotonic() - started)
            await asyncio.sleep(0.001)
            limit.correct(counted, 100, completion_tokens, 1)

        await asyncio.gather(*(ask() for _ in range(requests)))
        return sorted(sent)

    return asyncio.run(story())


def test_requests_keep_the_pace_and_use_all_of_it():
    sent = paced(RateLimit(6_000, None), 150)
    # A second's worth at once, the other 50 over half a second.
    assert sent[99] < 0.2
    assert 0.45 <= sent[-1] < 0.8


def test_tokens_keep_the_pace_that_replies_turn_out_to_need():
    # 60,000 a minute are 1,000 a second. Each takes 100 + 100, so five a second, whatever max_tokens promised.
    sent = paced(RateLimit(None, 60_000), 12, completion_tokens=100)
    assert 1.0 <= sent[-1] < 2.4


def test_no_minute_sees_more_than_61_seconds_worth():
    bucket, sent, now = Bucket(600, 1.0), [], 0.0
    while now < 130:
        if bucket.wait_s(1, now) == 0:
            bucket.take(1, now)
            sent.append(now)
        else:
            now += 0.01
    windows = [sum(start <= moment < start + 60 for moment in sent) for start in range(70)]
    assert 590 <= min(windows) <= max(windows) <= 610


def test_more_than_a_seconds_worth_goes_and_is_waited_for_afterwards():
    bucket = Bucket(60, 1.0)
    assert bucket.wait_s(30, 0.0) == 0
    bucket.take(30, 0.0)
    assert bucket.wait_s(1, 0.0) == pytest.approx(30)
    bucket.take(-20, 0.0)
    assert bucket.wait_s(1, 0.0) == pytest.approx(10)
