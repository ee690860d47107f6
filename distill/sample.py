"""The sampling loop: asks the teacher for what the store lacks, and keeps every reply the moment it is there."""

import logging
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass
from itertools import islice

from distill.request import Reply, Request, Teacher
from distill.store import Store

logger = logging.getLogger(__name__)

LOOK_UP = 1_000
"""Requests looked up in the store at once."""
WORTH_RETRYING = 10_000
"""Failed requests kept for another try in this run; the rest waits for the next run, so that memory stays bounded."""


@dataclass(frozen=True)
class SampleSummary:
    """What one run asked and what it cost, failed attempts included."""

    asked: int
    """Requests that went to the teacher; one that is retried counts once."""
    reused: int
    """Requests whose reply was paid for before."""
    failed: int
    """Requests that ended in an error; the next run asks for them again."""
    prompt_tokens: int
    completion_tokens: int
    seconds: float


def sample(
    teacher: Teacher,
    requests: Iterable[Request],
    store: Store,
    *,
    on_progress: Callable[[int], None] | None = None,
    retries: int = 1,
) -> SampleSummary:
    """Every request has a reply in the store: from earlier runs, or asked for now and kept as it arrived.

    A request that fails is asked again up to `retries` times when the others are done, then stays with its error. A
    reply that was cut off is no failure: asking again would pay again for the same. After Ctrl-C or an error of the
    teacher, what arrived is in the store; running again goes on from there.

    Args:
        requests: in any order, read as the teacher takes them on; a request named twice is asked once.
        on_progress: told how many more requests are done, reused ones too.

    Raises:
        TeacherError: the teacher cannot be reached or refuses.
        StoreBusyError: another process writes to the store.
    """
    run = _Run(teacher, store, on_progress or (lambda done: None))
    lacking = _first_lacking(run, iter(requests))
    if lacking is None:
        return run.summary()
    with store:
        run.ask(run.lacking(lacking))
        for _ in range(retries):
            if run.failed:
                run.ask_again()
    if run.failed or run.given_up:
        logger.warning("%d requests failed; the next run asks again. The last error: %s", run.failures, run.last_error)
    return run.summary()


def _first_lacking(run: "_Run", requests: Iterator[Request]) -> Iterator[Request] | None:
    """The requests from the first that is lacking on; None if none is, and then nobody needs the writer's lock."""
    while batch := list(islice(requests, LOOK_UP)):
        if not all(run.store.answered([request.key for request in batch])):
            return _chain(batch, requests)
        run.reuse(len(batch))
    return None


def _chain(batch: list[Request], requests: Iterator[Request]) -> Iterator[Request]:
    yield from batch
    yield from requests


class _Run:
    """The counts of one run, and the loop over replies."""

    def __init__(self, teacher: Teacher, store: Store, on_progress: Callable[[int], None]) -> None:
        self.teacher, self.store, self.on_progress = teacher, store, on_progress
        self.asked = self.reused = self.given_up = self.prompt_tokens = self.completion_tokens = 0
        self.started = time.monotonic()
        self.in_flight: dict[str, Request] = {}
        self.failed: dict[str, Request] = {}
        self.last_error: str | None = None

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
            known = self.store.answered([request.key for request in batch])
            self.reuse(sum(known))
            for request, old in zip(batch, known, strict=True):
                if not old and (
                    request.key in self.in_flight or request.key in self.failed or request.key in self.store
                ):
                    self.reuse(1)
                elif not old:
                    self.asked += 1
                    yield request

    def ask(self, requests: Iterator[Request]) -> None:
        """Every request is asked and its reply kept."""
        replies = self.teacher.ask(self._taken_on(requests))
        # Closed here and now: on Ctrl-C a teacher's thread must not outlive the loop.
        with closing(replies) if isinstance(replies, Generator) else nullcontext():
            for reply in replies:
                self._keep(reply)
                self.on_progress(1)
        for key in list(self.in_flight):
            self._keep(Reply(key, "", finish_reason="error", error="the teacher gave no reply"))
            self.on_progress(1)

    def ask_again(self) -> None:
        """Asks for what failed; what fails again stays failed."""
        again, self.failed = self.failed, {}
        done, self.on_progress = self.on_progress, lambda count: None
        try:
            self.ask(iter(again.values()))
        finally:
            self.on_progress = done

    def _taken_on(self, requests: Iterator[Request]) -> Iterator[Request]:
        for request in requests:
            self.in_flight[request.key] = request
            yield request

    def _keep(self, reply: Reply) -> None:
        request = self.in_flight.get(reply.key)
        if request is None:
            raise ValueError(f"{self.teacher.model} answered a request that was not asked, or twice: key {reply.key}")
        self.store.append([reply], [request])
        del self.in_flight[reply.key]
        self.prompt_tokens += reply.prompt_tokens
        self.completion_tokens += reply.completion_tokens
        if reply.finish_reason == "error":
            self.last_error = reply.error
            if len(self.failed) < WORTH_RETRYING:
                self.failed[reply.key] = request
            else:
                self.given_up += 1

    def summary(self) -> SampleSummary:
        """As it stands."""
        tokens = (self.prompt_tokens, self.completion_tokens)
        return SampleSummary(self.asked, self.reused, self.failures, *tokens, time.monotonic() - self.started)
