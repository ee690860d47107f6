"""Requests and tokens per minute that an account allows: what goes out is paced so that it stays below."""

import asyncio

CHARACTERS_PER_TOKEN = 3.0
"""Of a prompt, before the server has counted it: mathematics in English has 2.5 to 4."""


class Bucket:
    """So much a minute, evenly; at most one second's worth saved up, so that no minute sees more than 61 seconds'.

    What costs more than a second's worth goes as soon as the bucket is full, and the debt is waited for afterwards.
    """

    def __init__(self, per_minute: float, least: float) -> None:
        self.per_second = per_minute / 60
        self.capacity = self.level = max(least, self.per_second)
        self._at: float | None = None

    def wait_s(self, cost: float, now: float) -> float:
        """Seconds until this much may go; 0 for now."""
        self._fill(now)
        lacking = min(cost, self.capacity) - self.level
        return max(0.0, lacking / self.per_second)

    def take(self, cost: float, now: float) -> None:
        """It goes. A negative cost gives back."""
        self._fill(now)
        self.level -= cost

    def _fill(self, now: float) -> None:
        self.level = min(
            self.capacity, self.level + (now - (self._at if self._at is not None else now)) * self.per_second
        )
        self._at = now


class RateLimit:
    """The limits of one account over all its servers, for the tasks of one event loop. None is no limit.

    What a request will cost in tokens is known afterwards; until then it counts as its prompt by length and, for each
    choice, the mean of the replies so far (before the first: all of `max_tokens`, as hosted servers count it).
    """

    def __init__(self, requests_per_minute: float | None, tokens_per_minute: float | None) -> None:
        self.requests = Bucket(requests_per_minute, 1.0) if requests_per_minute else None
        self.tokens = Bucket(tokens_per_minute, 1.0) if tokens_per_minute else None
        self._completions = self._completion_tokens = 0
        self._turn = asyncio.Lock()

    async def spend(self, prompt_characters: int, choices: int, max_tokens: int) -> float:
        """The request may go: waits for its turn, in the order of asking. Returns the tokens that it counts as."""
        if self.requests is None and self.tokens is None:
            return 0.0
        loop = asyncio.get_running_loop()
        async with self._turn:
            while True:
                # Anew each time: replies that come meanwhile correct what was spent and what is expected.
                tokens = prompt_characters / CHARACTERS_PER_TOKEN + choices * self._expected(max_tokens)
                now = loop.time()
                wait_s = max(bucket.wait_s(cost, now) for bucket, cost in self._costs(tokens))
                if wait_s <= 0:
                    break
                await asyncio.sleep(min(wait_s, 0.25))
            for bucket, cost in self._costs(tokens):
                bucket.take(cost, now)
        return tokens

    def correct(self, counted: float, prompt_tokens: int, completion_tokens: int, choices: int) -> None:
        """The reply to what counted as so many tokens says how many it took; a refusal took none (`choices` 0)."""
        self._completions += choices
        self._completion_tokens += completion_tokens
        if self.tokens is not None:
            self.tokens.take(prompt_tokens + completion_tokens - counted, asyncio.get_running_loop().time())

    def _expected(self, max_tokens: int) -> float:
        return min(max_tokens, self._completion_tokens / self._completions) if self._completions else max_tokens

    def _costs(self, tokens: float) -> list[tuple[Bucket, float]]:
        both = ((self.requests, 1.0), (self.tokens, tokens))
        return [(bucket, cost) for bucket, cost in both if bucket is not None]
