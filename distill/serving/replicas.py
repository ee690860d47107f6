"""Which of several servers of one model is asked next: the one with the least in flight among those that are well."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from distill.serving.http_guard import host_of

FAULTS_IN_A_ROW = 3
"""So many, and a server that has others beside it is given a rest: one that fails at once has always the least in
flight and would draw all requests to itself."""
LONGEST_REST_S = 30.0


class Replica:
    """One server: what is in flight to it, and how it has been of late. Times are seconds of one clock.

    Additive increase, multiplicative decrease: a sign of overload halves what may be in flight, once a second at most,
    as one storm of refusals is one sign; every reply adds `1 / limit`, so that a full round adds one. A sick server
    gets one request now and then.
    """

    def __init__(self, url: str, most: int) -> None:
        self.url, self.host = url, host_of(url)
        self.most, self.limit = most, float(most)
        self.flying = self.asked = 0
        self.opens_at = float("-inf")
        """Nothing is sent before."""
        self.honours_n = True
        """False from its first reply with fewer choices than were asked for."""
        self.faults = self.unreachable = 0
        self._cut_at = float("-inf")

    @property
    def sick(self) -> bool:
        """Its next request is a trial."""
        return self.unreachable > 0 or self.faults >= FAULTS_IN_A_ROW

    @property
    def room(self) -> int:
        """How many may be in flight."""
        return 1 if self.sick else max(1, int(self.limit))

    def went_well(self) -> None:
        """A reply came."""
        self.limit = min(self.most, self.limit + 1 / self.limit)
        self.faults = self.unreachable = 0

    def overloaded(self, now: float, pause_s: float = 0.0) -> None:
        """The server refused or was too slow; nothing is sent to it for so long."""
        if now - self._cut_at >= 1.0:
            self.limit, self._cut_at = max(1.0, self.limit / 2), now
        self.pause(now, pause_s)

    def pause(self, now: float, pause_s: float) -> None:
        """Nothing is sent for so long."""
        self.opens_at = max(self.opens_at, now + pause_s)


class Replicas:
    """The servers of one run, for the tasks of one event loop; at most `most` requests in flight over all of them."""

    def __init__(self, urls: Sequence[str], most: int, rest_s: float) -> None:
        self.all = [Replica(url, most) for url in urls]
        self.most, self.rest_s = most, rest_s
        self.flying = 0
        self._waiting: deque[tuple[asyncio.Future[Replica], Replica | None]] = deque()
        self._alarm: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def turn(self, avoid: Replica | None = None) -> AsyncIterator[Replica]:
        """Inside, one more request is in flight to the server that is given; entered in the order of asking.

        Args:
            avoid: taken only where no other has room, since it has just failed.
        """
        replica = None if self._waiting else self._best(avoid)
        if replica is None:
            replica = await self._wait(avoid)
        else:
            self._take(replica)
        try:
            yield replica
        finally:
            self._leave(replica)

    def failed(self, replica: Replica) -> None:
        """It answered with a fault, or broke off."""
        replica.faults += 1
        if replica.sick and len(self.all) > 1:
            self._rest(replica, replica.faults - FAULTS_IN_A_ROW)

    def missing(self, replica: Replica) -> None:
        """It cannot be reached. All that were in flight then are one sign."""
        if not replica.unreachable or _now() >= replica.opens_at:
            replica.unreachable += 1
            self._rest(replica, replica.unreachable - 1)

    def unreachable(self, trials: int) -> bool:
        """Whether no server was reached in so many trials each, one after another."""
        return all(replica.unreachable >= trials for replica in self.all)

    def shortest_pause(self) -> float:
        """Seconds until the first of those that are there may be asked."""
        there = [replica.opens_at for replica in self.all if not replica.unreachable]
        return max(0.0, min(there) - _now()) if there else 0.0

    def _rest(self, replica: Replica, doublings: int) -> None:
        replica.pause(_now(), min(LONGEST_REST_S, self.rest_s * 2.0 ** min(doublings, 30)))

    def _best(self, avoid: Replica | None) -> Replica | None:
        if self.flying >= self.most:
            return None
        now = _now()
        open_ones = [replica for replica in self.all if replica.flying < replica.room and now >= replica.opens_at]
        return min(open_ones, key=lambda one: (one is avoid, one.flying, one.asked), default=None)

    def _take(self, replica: Replica) -> None:
        replica.asked += 1
        replica.flying += 1
        self.flying += 1

    def _leave(self, replica: Replica) -> None:
        replica.flying -= 1
        self.flying -= 1
        self._wake()

    async def _wait(self, avoid: Replica | None) -> Replica:
        turn: asyncio.Future[Replica] = asyncio.get_running_loop().create_future()
        self._waiting.append((turn, avoid))
        self._wake()
        try:
            return await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._leave(turn.result())  # the place had just been handed over
            raise

    def _wake(self) -> None:
        # A place is taken by whoever hands it over: left to the woken task, a newcomer could be faster.
        while self._waiting:
            turn, avoid = self._waiting[0]
            if turn.done():
                self._waiting.popleft()
                continue
            replica = self._best(avoid)
            if replica is None:
                self._set_alarm()
                return
            self._waiting.popleft()
            self._take(replica)
            turn.set_result(replica)

    def _set_alarm(self) -> None:
        """Looks again when the first pause is over: until then perhaps nobody leaves."""
        pauses = [replica.opens_at for replica in self.all if replica.opens_at > _now()]
        if not pauses:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        # A hair later: a timer may be early by the clock's resolution.
        self._alarm = asyncio.get_running_loop().call_at(min(pauses) + 0.001, self._wake)


def _now() -> float:
    return asyncio.get_running_loop().time()
