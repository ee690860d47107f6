"""How many requests a server is given at once: less when it says that it has too many, more while it keeps up."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Throttle:
    """Additive increase, multiplicative decrease, for the tasks of one event loop.

    A sign of overload halves what may be in flight, once a second at most: one storm of refusals is one sign. Every
    reply adds `1 / limit`, so that a full round adds one.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = float(most)
        self._flying = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._cut_at = self._open_at = float("-inf")

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Inside, the task is one of those in flight; entered in the order of asking, and not during a pause."""
        if self._free() > 0 and not self._waiting:
            self._flying += 1
        else:
            await self._turn()
        try:
            while (wait := self._open_at - asyncio.get_running_loop().time()) > 0:
                await asyncio.sleep(wait)
            yield
        finally:
            self._leave()

    def went_well(self) -> None:
        """A reply came."""
        self.limit = min(self.most, self.limit + 1 / self.limit)
        self._wake()

    def overloaded(self, pause_s: float = 0.0) -> None:
        """The server refused or was too slow; nothing is sent to it for so long."""
        now = asyncio.get_running_loop().time()
        if now - self._cut_at >= 1.0:
            self.limit, self._cut_at = max(1.0, self.limit / 2), now
        self._open_at = max(self._open_at, now + pause_s)

    async def _turn(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._leave()  # the place had just been handed over
            raise

    def _leave(self) -> None:
        self._flying -= 1
        self._wake()

    def _free(self) -> int:
        return max(1, int(self.limit)) - self._flying

    def _wake(self) -> None:
        # A place is taken by whoever hands it over: left to the woken task, a newcomer could be faster.
        while self._waiting and self._free() > 0:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self._flying += 1
