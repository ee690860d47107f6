"""How many requests one server is given at once: fewer when it says that it has too many, more while it keeps up."""


class Throttle:
    """Additive increase, multiplicative decrease, and pauses that a server asks for. Times are seconds of one clock.

    A sign of overload halves what may be in flight, once a second at most: one storm of refusals is one sign. Every
    reply adds `1 / limit`, so that a full round adds one.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = float(most)
        self.flying = 0
        self.opens_at = float("-inf")
        """Nothing is sent before."""
        self._cut_at = float("-inf")

    @property
    def room(self) -> int:
        """How many may be in flight."""
        return max(1, int(self.limit))

    def went_well(self) -> None:
        """A reply came."""
        self.limit = min(self.most, self.limit + 1 / self.limit)

    def overloaded(self, now: float, pause_s: float = 0.0) -> None:
        """The server refused or was too slow; nothing is sent to it for so long."""
        if now - self._cut_at >= 1.0:
            self.limit, self._cut_at = max(1.0, self.limit / 2), now
        self.pause(now, pause_s)

    def pause(self, now: float, pause_s: float) -> None:
        """Nothing is sent for so long."""
        self.opens_at = max(self.opens_at, now + pause_s)
