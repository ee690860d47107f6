"""How fast rollouts come: their rate, tokens, failures, and the time that is left."""

import time
from collections import deque
from collections.abc import Callable

from distill.request import Reply, Request

WINDOW_S = 60.0
"""Rates are those of the last minute: a server that warmed up or slowed down shows at once."""


class Pace:
    """Counts every reply; a watch of the sampling loop (distill.sample.Watch) that never ends it.

    `done` is told how many more rollouts there are, those that the store had included. Replies are counted by `saw`,
    failed attempts included, so that rates are the teacher's and not the disk's.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.done: Callable[[int], None] = lambda count: None
        self.attempts = self.failed = self.prompt_tokens = self.completion_tokens = 0
        self._clock = clock
        self._started = clock()
        self._marks = deque([(self._started, 0, 0)])
        """Moment, attempts, completion tokens; about one per second of the window."""

    def saw(self, request: Request, reply: Reply) -> None:
        """One more attempt has ended."""
        self.attempts += 1
        self.failed += reply.finish_reason == "error"
        self.prompt_tokens += reply.prompt_tokens
        self.completion_tokens += reply.completion_tokens
        if reply.finish_reason == "error":
            self.done(0)  # said at once; a good reply is told by `done` anyway
        now = self._clock()
        if now - self._marks[-1][0] >= WINDOW_S / 60:
            self._marks.append((now, self.attempts, self.completion_tokens))
            while len(self._marks) > 2 and now - self._marks[1][0] >= WINDOW_S:
                self._marks.popleft()

    def stop(self) -> None:
        """Never a reason to end."""

    def text(self, done: int, total: int | None) -> str:
        """Rates of the last minute, failures, and the time left if `total` rollouts are to be done."""
        moment, attempts, tokens = self._marks[0]
        seconds = self._clock() - moment
        if not self.attempts or seconds <= 0:
            return "waiting for the first reply"
        rate = (self.attempts - attempts) / seconds
        said = [f"{_figures(rate)}/s", f"{(self.completion_tokens - tokens) / seconds:,.0f} tokens/s"]
        said += [f"{self.failed:,} failed"] if self.failed else []
        if total is not None and rate > 0:
            said.append(f"{duration(max(0, total - done) / rate)} left")
        return ", ".join(said)

    def summary(self) -> str:
        """The whole run's rates and failures."""
        seconds = max(self._clock() - self._started, 1e-9)
        said = f"{_figures(self.attempts / seconds)}/s, {self.completion_tokens / seconds:,.0f} tokens/s"
        return f"{said}, {self.failed:,} failed" if self.failed else said


def duration(seconds: float) -> str:
    """Seconds as people say them.

    Example:
        >>> duration(42), duration(600), duration(9000), duration(400_000)
        ('42 s', '10 min', '2.5 h', '4.6 days')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86400:.1f} days"


def _figures(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.2g}"
