"""An event loop in a thread of its own: asynchronous work for a caller that is not."""

import asyncio
import queue
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Background(Generic[T]):
    """Runs coroutines while entered; their outcomes arrive in `results`, in any order."""

    def __init__(self, on_close: Callable[[], Awaitable[None]]) -> None:
        self.results: queue.SimpleQueue[T | BaseException] = queue.SimpleQueue()
        self._on_close = on_close
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="teacher", daemon=True)

    def start(self, answer: Coroutine[Any, Any, T]) -> None:
        """The outcome will be in `results`."""
        # Not run_coroutine_threadsafe: its future, which nobody reads, costs as much again as the hop.
        self._loop.call_soon_threadsafe(self._begin, answer)

    def next(self) -> T | BaseException:
        """The next outcome."""
        while True:
            try:
                # Looks up now and then: where a signal wakes another thread, Ctrl-C would wait for a reply to come.
                return self.results.get(timeout=0.5)
            except queue.Empty:
                continue

    def arrived(self) -> Iterator[T]:
        """What waits in `results`, errors aside."""
        while not self.results.empty():
            outcome = self.results.get()
            if not isinstance(outcome, BaseException):
                yield outcome

    def _begin(self, answer: Coroutine[Any, Any, T]) -> None:
        task = self._loop.create_task(self._deliver(answer))
        self._tasks.add(task)  # the loop itself holds tasks weakly
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, answer: Awaitable[T]) -> None:
        try:
            self.results.put(await answer)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # not swallowed: raised anew where the replies are awaited
            self.results.put(error)

    def __enter__(self) -> "Background[T]":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop)
        self._thread.join(10)
        if not self._thread.is_alive():
            self._loop.close()

    async def _stop(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._on_close()
        self._loop.stop()
