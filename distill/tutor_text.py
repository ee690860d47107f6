"""What the tutor writes: thinking and response, with the fault that was planted, up to a number of tokens."""

import re
from functools import lru_cache
from itertools import chain, islice, repeat
from random import Random

from distill.families import Fault, Question, Solution
from distill.families.family import LETTERS
from distill.families.telling import attempts, can_slip, closing, opening, second_thought, walk
from distill.families.value import show
from distill.families.variants import other_spellings, slipped

REMEMBERED = 10_000
"""Questions of which something is kept, as all rollouts of one share it."""

_TOKEN = re.compile(r"[^\W_]+|[^\w\s]|_")


def count_tokens(text: str) -> int:
    """How many tokens the tutor counts in a text: runs of letters and digits, and other visible characters."""
    return len(_TOKEN.findall(text))


remembered_count = lru_cache(maxsize=REMEMBERED)(count_tokens)
"""Of prompts, which all rollouts of a question share."""


def cut(text: str, limit: int) -> str:
    """The first `limit` tokens of the text."""
    last = next(islice(_TOKEN.finditer(text), limit, None), None)
    return text if last is None else text[: last.start()].rstrip()


def finished(question: Question, right: Solution, truth: str, rng: Random) -> str:
    """A reply that ends by itself, of this truth."""
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


def endless(question: Question, right: Solution, truth: str, limit: int, rng: Random) -> str:
    """Thinking that is cut off: after the same words again and again, or after attempt upon attempt."""
    told = ["<think>\n" + "\n\n".join(opening(question, rng)), *walk(right, rng)[: rng.randint(1, 3)]]
    again = second_thought(rng.choice(right.steps), rng)
    ever = repeat(again) if truth == "loop" else attempts(right, rng)
    left = limit
    pieces: list[str] = []
    for piece in chain(told, ever):
        tokens = remembered_count(piece) if piece is again else count_tokens(piece)
        if tokens > left:
            return "\n\n".join([*pieces, cut(piece, left)]).rstrip()
        pieces.append(piece)
        left -= tokens
    raise AssertionError("the attempts have no end")


def brief(question: Question, right: Solution, truth: str, limit: int, rng: Random, steps: bool) -> str:
    """A reply of this truth in as few words as can be.

    Args:
        limit: tokens after which `loop` (one step again and again) and `cut` (slip upon slip) are cut off.
        steps: a line for each, else nothing is thought at all.
    """
    solution = _erring(question, right, truth, rng) if truth == "slip" else right
    lines = [step.text for step in solution.steps]
    if truth in ("loop", "cut"):
        again = rng.choice(right.steps)
        ever = (again.text if truth == "loop" else rng.choice(right.steps).slip(rng) for _ in range(limit))
        return cut("\n".join(["<think>", *lines[:-1], *ever]), limit)  # a line has a token or more
    response = "I leave it there." if truth == "no_answer" else f"\\boxed{{{solution.answer}}}"
    return _think("\n".join(lines) if steps else "", response)


UNKNOWN = _think(
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
