"""Facts about the throttle: halved at most once a second, one more per good round, first come first served."""

import asyncio

import pytest

from distill.throttle import Throttle


def test_a_storm_of_refusals_is_one_sign_and_a_round_of_replies_adds_one():
    async def story() -> list[float]:
        throttle = Throttle(16)
        limits = []
        for _ in range(10):
            throttle.overloaded()
        limits.append(throttle.limit)
        for _ in range(8):
            throttle.went_well()
        limits.append(throttle.limit)
        for _ in range(1000):
            throttle.went_well()
        return [*limits, throttle.limit]

    halved, grown, full = asyncio.run(story())
    assert halved == 8
    assert 8.9 < grown <= 9
    assert full == 16


def test_no_more_than_the_limit_are_inside_and_they_enter_in_the_order_of_asking():
    async def story() -> tuple[int, list[int]]:
        throttle, inside, most, entered = Throttle(3), 0, 0, []

        async def work(name: int) -> None:
            nonlocal inside, most
            async with throttle.slot():
                entered.append(name)
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0.001)
                inside -= 1

        await asyncio.gather(*(work(name) for name in range(20)))
        return most, entered

    assert asyncio.run(story()) == (3, list(range(20)))


def test_nothing_is_sent_during_a_pause():
    async def story() -> float:
        throttle, loop = Throttle(4), asyncio.get_running_loop()
        started = loop.time()
        throttle.overloaded(0.2)
        async with throttle.slot():
            return loop.time() - started

    assert asyncio.run(story()) >= 0.2


def test_a_task_that_is_cancelled_while_it_waits_blocks_nobody():
    async def story() -> None:
        throttle = Throttle(1)

        async def hold() -> None:
            async with throttle.slot():
                await asyncio.sleep(0.02)

        first, second, third = (asyncio.create_task(hold()) for _ in range(3))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.wait_for(asyncio.gather(first, third), 1)
        with pytest.raises(asyncio.CancelledError):
            await second

    asyncio.run(story())
