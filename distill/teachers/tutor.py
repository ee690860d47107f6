"""The tutor: a symbolic program that answers procedural problems in long chains of thought, and errs at a set rate.

It is not a language model. What it gives is a teacher without a GPU, a key or a network, whose every rollout has a
known truth: the verifier, the difficulty tags and the pair rules can be scored against it.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice, repeat
from random import Random

from distill.families import Fault, Question, Solution, read_question
from distill.families.family import LETTERS, LEVELS
from distill.families.telling import attempts, can_slip, closing, opening, second_thought, walk
from distill.families.value import show
from distill.families.variants import other_spellings, slipped
from distill.request import FinishReason, Reply, Request

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

LEVEL_WEIGHTS = dict(zip(LEVELS, (0.4, 0.7, 1.0, 1.3, 1.6), strict=True))
"""How often each level errs, relative to the mean of all five."""

NOTICED_SHARE = 0.35
"""Of the right replies, how many stumble on the way and notice."""

REMEMBERED = 10_000
"""Questions whose solution is kept, as all rollouts of one share it."""


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

    def __post_init__(self) -> None:
        if not 0 <= self.error_rate <= 1:
            raise ValueError(f"error_rate is a share from 0 to 1, not {self.error_rate}")

    @property
    def model(self) -> str:
        """Always `tutor`."""
        return "tutor"

    @property
    def revision(self) -> str:
        """The version of the program and the error rate: all that decides a reply beside the request."""
        return f"v{VERSION}-e{self.error_rate:g}"

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
            truth, text = "unknown", _UNKNOWN
        else:
            errs = rng.random() < self.error_probability(question)
            shares = ERROR_SHARES if errs else {"right": 1 - NOTICED_SHARE, "noticed": NOTICED_SHARE}
            truth = rng.choices(list(shares), list(shares.values()))[0]
            if truth == "method" and not any(step.trap for step in right.steps):
                truth = "slip"
            endless = truth in ("loop", "cut")
            text = _endless(question, right, truth, limit, rng) if endless else _write(question, right, truth, rng)
        finish: FinishReason = "length" if truth in ("loop", "cut") else "stop"
        tokens = limit if finish == "length" else count_tokens(text)
        if tokens > limit:
            truth, text, tokens, finish = "cut", _cut(text, limit), limit, "length"
        asked = sum(_remembered_count(message.content) for message in request.messages)
        reply = Reply(request.key, text, finish_reason=finish, prompt_tokens=asked, completion_tokens=tokens)
        return reply, truth


_TOKEN = re.compile(r"[^\W_]+|[^\w\s]|_")


def count_tokens(text: str) -> int:
    """How many tokens the tutor counts in a text: runs of letters and digits, and other visible characters."""
    return len(_TOKEN.findall(text))


_remembered_count = lru_cache(maxsize=REMEMBERED)(count_tokens)


def _cut(text: str, limit: int) -> str:
    last = next(islice(_TOKEN.finditer(text), limit, None), None)
    return text if last is None else text[: last.start()].rstrip()


@lru_cache(maxsize=REMEMBERED)
def _solved(text: str) -> tuple[Question | None, Solution | None]:
    question = read_question(text)
    if question is None:
        return None, None
    try:
        return question, question.solve()
    except (ArithmeticError, ValueError, LookupError):
        return None, None  # In the words of a family, with numbers that it would never pose.


def _write(question: Question, right: Solution, truth: str, rng: Random) -> str:
    if truth == "refusal":
        return _think(opening(question, rng)[0], rng.choice(_REFUSALS))
    faulty = truth in ("slip", "method")
    solution = _erring(question, right, truth, rng) if faulty else right
    walked = walk(solution, rng, stumble=truth == "noticed")
    thinking = [*opening(question, rng), *walked, *closing(question, solution, rng, checked=not faulty)]
    return _think("\n\n".join(thinking), _response(solution, truth, rng))


def _think(thinking: str, response: str) -> str:
    return f"<think>\n{thinking}\n</think>\n\n{response}"


def _erring(question: Question, right: Solution, truth: str, rng: Random) -> Solution:
    """A solution with one fault and a wrong answer: the fault is carried to the end in good faith."""
    steps = range(len(right.steps))
    spots = (
        [i for i in steps if right.steps[i].trap]
        if truth == "method"
        else [i for i in steps if can_slip(right.steps[i])]
    )
    rng.shuffle(spots)
    for at in spots:
        fault = Fault("trap" if truth == "method" else "slip", at, rng.getrandbits(30))
        try:
            wrong = question.solve(fault)
        except (ArithmeticError, ValueError, LookupError):
            continue  # The fault led to a dead end, such as a root of a negative number, that nobody would write down.
        if wrong.answer != right.answer:
            return wrong
    value = rng.choice(LETTERS.replace(right.answer, "")) if question.options else slipped(right.value, rng)
    # Every fault came out right after all. What remains is to copy the answer down wrongly.
    value = f"{value}0" if show(value) == right.answer else value
    return Solution(right.steps[:-1], show(value), value)


def _response(solution: Solution, truth: str, rng: Random) -> str:
    worked = [step.text for step in solution.steps][-5:]
    numbered = rng.random() < 0.5
    lines = [f"{i}. {text}" for i, text in enumerate(worked, start=1)] if numbered else worked
    answer = solution.answer
    if truth == "no_answer":
        # No number may stand here that could be taken for an answer.
        return rng.choice(_OPEN_ENDS)
    if truth == "no_box":
        return "\n".join([*lines, "", f"{rng.choice(_PROSE)} {answer}."])
    if truth == "odd_form":
        answer = rng.choice(other_spellings(solution.value))
    if truth == "sentence":
        answer = f"\\text{{{rng.choice(_SENTENCES)} }}{answer}"
    return "\n".join([*lines, "", f"{rng.choice(_BOXED)} $\\boxed{{{answer}}}$."])


def _endless(question: Question, right: Solution, truth: str, limit: int, rng: Random) -> str:
    """Thinking that is cut off: after the same words again and again, or after attempt upon attempt."""
    told = ["<think>\n" + "\n\n".join(opening(question, rng)), *walk(right, rng)[: rng.randint(1, 3)]]
    again = second_thought(rng.choice(right.steps), rng)
    ever = repeat(again) if truth == "loop" else attempts(right, rng)
    left = limit
    pieces: list[str] = []
    for piece in chain(told, ever):
        tokens = _remembered_count(piece) if piece is again else count_tokens(piece)
        if tokens > left:
            return "\n\n".join([*pieces, _cut(piece, left)]).rstrip()
        pieces.append(piece)
        left -= tokens
    raise AssertionError("the attempts have no end")


_UNKNOWN = _think(
    "I read the question again and again, but it is of no kind that I have a method for. Guessing would not be honest.",
    "I don't know how to solve this.",
)
_REFUSALS = (
    "I'm sorry, but I can't help with that request.",
    "I am not able to assist with this question.",
    "I cannot provide an answer to this. Please consult a teacher.",
)
_PROSE = ("So the answer is", "The final answer is", "Therefore, the answer is")
_BOXED = ("The answer is", "Therefore the answer is", "Final answer:", "So we get")
_SENTENCES = ("The answer is", "It is", "We find")
_OPEN_ENDS = (
    "As the steps above show, a direct computation settles the question. I leave the last line to the reader.",
    "The method is clear from my notes, and it leads to the goal. That completes the argument.",
)
