"""The sampling loop: asks the teacher for what the store lacks, and keeps every reply the moment it is there."""

import logging
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import astuple, dataclass
from itertools import islice
from typing import Protocol

from distill.cut_off import CutOff, follow
from distill.request import Reply, Request, Teacher
from distill.store import Store

logger = logging.getLogger(__name__)

LOOK_UP = 1_000
"""Requests looked up in the store at once."""
WORTH_RETRYING = 10_000
"""Failed requests kept for another try in this run; the rest waits for the next run, so that memory stays bounded."""


class Watch(Protocol):
    """Looks at every reply of a run, and may end it: nothing is asked any more, what is in flight is still kept."""

    def saw(self, request: Request, reply: Reply) -> None:
        """One more reply is in the store; a failed attempt is one, too."""

    def stop(self) -> Exception | None:
        """Why no further request may be started: raised when the last reply in flight has come."""


@dataclass(frozen=True)
class SampleSummary:
    """What one run asked and what it cost, failed attempts included."""

    asked: int = 0
    """Requests that went to the teacher; one that is retried counts once."""
    reused: int = 0
    """Rollouts whose last reply was paid for before."""
    failed: int = 0
    """Requests that ended in an error; the next run asks for them again."""
    attempts: int = 0
    """Replies of this run, errors and retries included."""
    cut_off: int = 0
    """Replies of this run that were cut off at their max_tokens."""
    drawn_longer: int = 0
    """Of these, how many were drawn again with more tokens; each is one more of `asked`."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    """Wall clock."""
    first_s: float = 0.0
    """Of it, until the first reply came: a teacher that loads a model does it then."""

    @property
    def pace(self) -> float | None:
        """Seconds per reply once they come; None where fewer than two came."""
        return (self.seconds - self.first_s) / (self.attempts - 1) if self.attempts > 1 else None

    def __add__(self, other: "SampleSummary") -> "SampleSummary":
        return SampleSummary(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))


def sample(
    teacher: Teacher,
    requests: Iterable[Request],
    store: Store,
    *,
    on_progress: Callable[[int], None] | None = None,
    retries: int = 1,
    cut_off: CutOff | None = None,
    watches: Sequence[Watch] = (),
) -> SampleSummary:
    """Every request has a reply in the store: from earlier runs, or asked for now and kept as it arrived.

    A request that fails is asked again up to `retries` times when the others are done, then stays with its error. A
    reply that was cut off is no failure: asking again would pay again for the same. It is drawn again with more tokens
    where `cut_off` says so. After Ctrl-C, an error of the teacher or a watch's stop, what arrived is in the store;
    running again goes on from there.

    Args:
        requests: in any order, read as the teacher takes them on; a request named twice is asked once.
        on_progress: told how many more rollouts are done, reused ones too.
        watches: asked before each new request whether it may be started.

    Raises:
        TeacherError: the teacher cannot be reached or refuses.
        Exception: what a watch gave as its reason to stop.
    """
    run = _Run(teacher, store, on_progress or (lambda done: None), cut_off, watches)
    lacking = _first_lacking(run, iter(requests))
    if lacking is None:
        return run.summary()
    with store:
        run.ask(run.lacking(lacking))
        for _ in range(retries):
            if run.failed and not run.stopped:
                run.ask_again()
    if run.stopped:
        # Said anew: what was in flight has come since.
        raise run.stopped.stop() or RuntimeError("a watch of the sampling loop takes back its stop")
    if run.failed or run.given_up:
        logger.warning("%d requests failed; the next run asks again. The last error: %s", run.failures, run.last_error)
    return run.summary()


def _first_lacking(run: "_Run", requests: Iterator[Request]) -> Iterator[Request] | None:
    """The requests from the first that is lacking on; None if none is, and then the store is not written to."""
    while batch := list(islice(requests, LOOK_UP)):
        if not all(trail.answered for trail in follow(run.store, batch, run.cut_off)):
            return _chain(batch, requests)
        run.reuse(len(batch))
    return None


def _chain(batch: list[Request], requests: Iterator[Request]) -> Iterator[Request]:
    yield from batch
    yield from requests


class _Run:
    """The counts of one run, and the loop over replies."""

    def __init__(
        self,
        teacher: Teacher,
        store: Store,
        on_progress: Callable[[int], None],
        cut_off: CutOff | None,
        watches: Sequence[Watch],
    ) -> None:
        self.teacher, self.store, self.on_progress = teacher, store, on_progress
        self.cut_off, self.watches = cut_off, watches
        self.asked = self.reused = self.given_up = self.attempts = self.cut = self.drawn_longer = 0
        self.prompt_tokens = self.completion_tokens = 0
        self.started = time.monotonic()
        self.first_s = 0.0
        self.in_flight: dict[str, Request] = {}
        self.longer: dict[str, Request] = {}
        """What follows on replies that were cut off; asked before anything new, so that there are never many."""
        self.failed: dict[str, Request] = {}
        self.last_error: str | None = None
        self.stopped: Watch | None = None
        """Who says that nothing more may be asked."""

    @property
    def failures(self) -> int:
        return len(self.failed) + self.given_up

    def reuse(self, count: int) -> None:
        if count:
            self.reused += count
            self.on_progress(count)

    def lacking(self, requests: Iterator[Request]) -> Iterator[Request]:
        """Those the store lacks, looked up in batches and, for a request named twice, once more each."""
        while batch := list(islice(requests, LOOK_UP)):
            trails = follow(self.store, batch, self.cut_off)
            self.reuse(sum(trail.answered for trail in trails))
            for request in (trail.requests[-1] for trail in trails if not trail.answered):
                if self._taken(request.key):
                    self.reuse(1)
                else:
                    yield request

    def ask(self, requests: Iterator[Request]) -> None:
        """Every request is asked and its reply kept, and so is what follows on those that were cut off."""
        self._pass(requests)
        while self.longer and not self.stopped:
            self._pass(iter(()))

    def ask_again(self) -> None:
        """Asks for what failed; what fails again stays failed."""
        again, self.failed = self.failed, {}
        done, self.on_progress = self.on_progress, lambda count: None
        self.asked -= len(again)
        try:
            self.ask(iter(again.values()))
        finally:
            self.on_progress = done

    def _pass(self, requests: Iterator[Request]) -> None:
        replies = self.teacher.ask(self._taken_on(requests))
        # Closed here and now: on Ctrl-C a teacher's thread must not outlive the loop.
        with closing(replies) if isinstance(replies, Generator) else nullcontext():
            for reply in replies:
                self._keep(reply)
        for key in list(self.in_flight):
            self._keep(Reply(key, "", finish_reason="error", error="the teacher gave no reply"))

    def _taken_on(self, requests: Iterator[Request]) -> Iterator[Request]:
        while not self.stopped:
            request = next(iter(self.longer.values()), None) or next(requests, None)
            if request is None:
                return
            # Asked last: a budget that is spent when nothing is lacking stops nobody.
            self.stopped = next((watch for watch in self.watches if watch.stop()), None)
            if not self.stopped:
                self.longer.pop(request.key, None)
                self.in_flight[request.key] = request
                self.asked += 1
                yield request

    def _taken(self, key: str) -> bool:
        return key in self.in_flight or key in self.longer or key in self.failed or key in self.store

    def _keep(self, reply: Reply) -> None:
        request = self.in_flight.get(reply.key)
        if request is None:
            raise ValueError(f"{self.teacher.model} answered a request that was not asked, or twice: key {reply.key}")
        self.store.append([reply], [request])
        del self.in_flight[reply.key]
        self.first_s = self.first_s if self.attempts else time.monotonic() - self.started
        self.attempts += 1
        self.prompt_tokens += reply.prompt_tokens
        self.completion_tokens += reply.completion_tokens
        for watch in self.watches:
            watch.saw(request, reply)
        if reply.finish_reason == "error":
            self._fail(request, reply)
        elif reply.finish_reason == "length":
            self.cut += 1
            if self._goes_on(request):
                return
        self.on_progress(1)

    def _fail(self, request: Request, reply: Reply) -> None:
        self.last_error = reply.error
        if len(self.failed) < WORTH_RETRYING:
            self.failed[reply.key] = request
        else:
            self.given_up += 1

    def _goes_on(self, request: Request) -> bool:
        """Whether a longer request follows on one that was cut off; it waits to be asked."""
        longer = self.cut_off and self.cut_off.longer(request)
        if not longer:
            return False
        trail = follow(self.store, [longer], self.cut_off)[0]
        last = trail.requests[-1]
        if trail.answered or self._taken(last.key):
            return False
        self.drawn_longer += 1
        self.longer[last.key] = last
        return True

    def summary(self) -> SampleSummary:
        """As it stands."""
        counts = (self.asked, self.reused, self.failures, self.attempts, self.cut, self.drawn_longer)
        tokens = (self.prompt_tokens, self.completion_tokens)
        return SampleSummary(*counts, *tokens, time.monotonic() - self.started, self.first_s)
