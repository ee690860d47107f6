"""The tutor: a symbolic program that answers procedural problems in long chains of thought, and errs at a set rate.

It is not a language model. What it gives is a teacher without a GPU, a key or a network, whose every rollout has a
known truth: the verifier, the difficulty tags and the pair rules can be scored against it.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Literal

from distill.families import Question, Solution, read_question
from distill.families.family import LEVELS
from distill.request import FinishReason, Reply, Request
from distill.tutor_text import REMEMBERED, UNKNOWN, brief, count_tokens, cut, endless, finished, remembered_count

VERSION = 1
"""Raised when an equal request gets another reply than before."""

EXPECTED = {
    "right": "correct",
    "noticed": "correct",
    "odd_form": "correct",
    "sentence": "correct",
    "no_box": "correct",
    "slip": "wrong",
    "method": "wrong",
    "no_answer": "no_answer",
    "refusal": "no_answer",
    "unknown": "no_answer",
    "loop": "truncated",
    "cut": "truncated",
}
"""Every truth about a rollout, and the status that a perfect verifier gives it.

`right`; `noticed`: a slip that is found and mended; `odd_form`: the right value in an unusual spelling; `sentence`:
words around it in the box; `no_box`: it stands in plain prose; `slip` and `method`: a wrong answer in good faith, after
a slip of the pen or a well-known wrong method; `no_answer`: it stops before naming one; `refusal`; `loop` and `cut`:
cut off at max_tokens, going round in circles or not; `unknown`: an honest "I don't know" where no family can read the
question.
"""

ERROR_SHARES = {
    "slip": 40,
    "method": 20,
    "loop": 6,
    "cut": 6,
    "no_box": 6,
    "no_answer": 5,
    "odd_form": 7,
    "sentence": 5,
    "refusal": 5,
}
"""Percent of the planted errors; `method` becomes `slip` where the question has no well-known wrong method."""

BRIEF_SHARES = {"slip": 76, "loop": 8, "cut": 8, "no_answer": 8}
"""Percent of the planted errors where nothing is said at length."""

LEVEL_WEIGHTS = dict(zip(LEVELS, (0.4, 0.7, 1.0, 1.3, 1.6), strict=True))
"""How often each level errs, relative to the mean of all five."""

NOTICED_SHARE = 0.35
"""Of the right replies, how many stumble on the way and notice."""


@dataclass(frozen=True)
class Tutor:
    """Solves what it is asked from the text of the last user message alone.

    A question errs with a probability of its own, p = u ** (1 / m - 1): u is uniform over questions, m is the mean of
    the level, `error_rate` times `LEVEL_WEIGHTS` (mirrored at one half, so that m stays below 1). Hence the rate is met
    on an even spread of levels, harder levels err more, and the pass rates of questions lie anywhere between 0 and 1.
    What happens in a rollout depends on its request's key only. Temperature and top_p change nothing but the key.

    A token is a run of letters and digits, or any other single visible character.

    Example:
        >>> from distill.request import Message, Request, Sampling
        >>> tutor = Tutor(error_rate=0)
        >>> asked = (Message("user", "What is $2 + 3 \\\\times 4$?"),)
        >>> reply, = tutor.ask([Request(asked, tutor.model, tutor.revision, Sampling(), index=0)])
        >>> reply.content.endswith("\\\\boxed{14}$.")
        True
    """

    symbolic = True
    """No language model: cards say so."""

    error_rate: float = 0.25
    """Expected share of rollouts with a planted error: 0 never errs, 1 always does."""

    style: Literal["long", "brief", "answer"] = "long"
    """`long`: thinking aloud. `brief`: the bare steps, a line each, and the box. `answer`: the box alone."""

    def __post_init__(self) -> None:
        if not 0 <= self.error_rate <= 1:
            raise ValueError(f"error_rate is a share from 0 to 1, not {self.error_rate}")

    @property
    def model(self) -> str:
        """Always `tutor`."""
        return "tutor"

    @property
    def revision(self) -> str:
        """The version of the program, the error rate and the style: all that decides a reply beside the request."""
        return f"v{VERSION}-e{self.error_rate:g}{'' if self.style == 'long' else f'-{self.style}'}"

    def ask(self, requests: Iterable[Request]) -> Iterator[Reply]:
        """Replies in the order of the requests, each one as it is pulled."""
        for request in requests:
            yield self._answer(request)[0]

    def truth(self, request: Request) -> str:
        """What the reply to this request is in truth: one of `EXPECTED`."""
        return self._answer(request)[1]

    def error_probability(self, question: Question) -> float:
        """How often rollouts of this question err."""
        weight = LEVEL_WEIGHTS[question.kind.level]
        rate = self.error_rate
        mean = rate * weight if rate <= 0.5 else 1 - (1 - rate) * (2 - weight)
        if mean <= 0:
            return 0.0
        asked = f"{question.family.name}/{question.kind.level}/{question.numbers}"
        uniform = int.from_bytes(hashlib.blake2b(asked.encode(), digest_size=8).digest(), "big") / 2**64
        return float(uniform ** (1 / mean - 1))

    def _answer(self, request: Request) -> tuple[Reply, str]:
        question, right = _solved(next((m.content for m in reversed(request.messages) if m.role == "user"), ""))
        rng = Random(request.key)
        limit = request.sampling.max_tokens
        if question is None or right is None:
            truth, text = "unknown", UNKNOWN
        else:
            errs = rng.random() < self.error_probability(question)
            truth = self._planted(right, errs, rng)
            text = self._written(question, right, truth, limit, rng)
        finish: FinishReason = "length" if truth in ("loop", "cut") else "stop"
        tokens = limit if finish == "length" else count_tokens(text)
        if tokens > limit:
            truth, text, tokens, finish = "cut", cut(text, limit), limit, "length"
        asked = sum(remembered_count(message.content) for message in request.messages)
        reply = Reply(request.key, text, finish_reason=finish, prompt_tokens=asked, completion_tokens=tokens)
        return reply, truth

    def _planted(self, right: Solution, errs: bool, rng: Random) -> str:
        """What becomes of this rollout: a key of EXPECTED."""
        if self.style == "long":
            shares = ERROR_SHARES if errs else {"right": 1 - NOTICED_SHARE, "noticed": NOTICED_SHARE}
        else:
            shares = BRIEF_SHARES if errs else {"right": 1}
        truth = rng.choices(list(shares), list(shares.values()))[0]
        return "slip" if truth == "method" and not any(step.trap for step in right.steps) else truth

    def _written(self, question: Question, right: Solution, truth: str, limit: int, rng: Random) -> str:
        if self.style != "long":
            return brief(question, right, truth, limit, rng, steps=self.style == "brief")
        if truth in ("loop", "cut"):
            return endless(question, right, truth, limit, rng)
        return finished(question, right, truth, rng)


@lru_cache(maxsize=REMEMBERED)
def _solved(text: str) -> tuple[Question | None, Solution | None]:
    question = read_question(text)
    if question is None:
        return None, None
    try:
        return question, question.solve()
    except (ArithmeticError, ValueError, LookupError):
        return None, None  # In the words of a family, with numbers that it would never pose.
