"""How a solution is told: thinking aloud, with doubts, second looks, checks and the odd stumble."""

from collections.abc import Iterator
from random import Random

from distill.families.family import LEVELS, Question
from distill.families.value import show
from distill.families.work import Solution, Step


def opening(question: Question, rng: Random) -> list[str]:
    """Paragraphs that restate the question and make a plan."""
    topic = f"{question.kind.level}-level {question.family.domain}"
    return [rng.choice(_OPENINGS) + question.text, rng.choice(_PLANS).format(topic=topic, name=question.family.name)]


def walk(solution: Solution, rng: Random, stumble: bool = False) -> list[str]:
    """Paragraphs that go through the steps. With `stumble`, one goes wrong at first, is noticed and mended."""
    spots = [i for i, step in enumerate(solution.steps) if can_slip(step)]
    stumbles_at = rng.choice(spots) if stumble and spots else -1
    said = []
    for i, step in enumerate(solution.steps):
        lead = rng.choice(_LEADS)
        if i == stumbles_at:
            said += [f"{lead}{step.slip(rng)}", second_thought(step, rng)]
        else:
            said.append(f"{lead}{step.text}")
            if rng.random() < 0.2:
                said.append(rng.choice(_DOUBTS))
    return said


def closing(question: Question, solution: Solution, rng: Random, checked: bool = True) -> list[str]:
    """Paragraphs that check, now and then go through the values again (more often at high levels), and settle.

    Args:
        checked: False skips the check and trusts the result.
    """
    said = [f"{rng.choice(_CHECKS)} {check}" for check in solution.checks] if checked else [rng.choice(_CONFIDENT)]
    if rng.random() < 0.15 + 0.15 * LEVELS.index(question.kind.level):
        found = [f"${show(step.value)}$" for step in solution.steps if step.value is not None]
        said.append(f"{rng.choice(_AGAIN)} {', then '.join(found)}. {rng.choice(_SAME)}")
    return [*said, f"{rng.choice(_SETTLED)} ${solution.answer}$."]


def attempts(solution: Solution, rng: Random) -> Iterator[str]:
    """Paragraphs without end, each an attempt that leads nowhere."""
    spots = [step for step in solution.steps if can_slip(step)] or list(solution.steps)
    number = 0
    while True:
        number, step = number + 1, rng.choice(spots)
        yield f"Attempt {number}. {rng.choice(_LEADS)}{step.slip(rng)} {rng.choice(_DEAD_ENDS)} {step.text}"


def second_thought(step: Step, rng: Random) -> str:
    """A paragraph of alarm that goes back to a step and does it right."""
    return f"{rng.choice(_ALARMS)} {rng.choice(_RETURNS)} {step.text}"


def can_slip(step: Step) -> bool:
    """Whether the step finds a value that could be got wrong."""
    return step.value is not None and not isinstance(step.value, str)


_OPENINGS = (
    "Okay, let me see. The question is: ",
    "Let me restate the problem first. ",
    "So I am asked the following. ",
    "First, what exactly is asked here? ",
    "Let me read this carefully: ",
)
_PLANS = (
    "This is {topic}, the topic is {name}. I will go step by step and check at the end.",
    "I know this kind of question: {name}. No need to guess, it can be computed.",
    "It looks like {topic}. Let me set it up and be careful with the signs.",
    "A plan: write down what is given, find the quantities one after the other, then look back.",
    "There may be a trap in it, as often with {name}. Slowly, then.",
)
_LEADS = ("", "", "", "Next: ", "Okay. ", "Now this. ", "Let me compute. ", "Then: ", "So: ", "Going on. ")
_DOUBTS = (
    "Hmm, is that right? I go over it once more in my head. Yes, it is.",
    "Let me pause here. That seems to be fine.",
    "Am I allowed to do that? I think so: nothing was lost.",
    "That is larger or smaller than I had expected, but the computation is sound.",
)
_ALARMS = (
    "Wait, that does not look right.",
    "Hold on. Something is off here.",
    "Hmm, no. I made a slip.",
    "Wait. Let me double-check that, it cannot be.",
)
_RETURNS = ("Let me redo this.", "Back to this step.", "Once more, slowly.", "Again from here.")
_CHECKS = (
    "Let me check this in another way.",
    "Does it hold up? A test.",
    "Before I answer, a check.",
    "Let me verify that.",
)
_CONFIDENT = (
    "I could check that, but every step looked clean to me.",
    "The result looks plausible, so I see no need for another way.",
    "Looking back over the lines, I find nothing wrong.",
    "A quick look back: fine, I think.",
)
_AGAIN = (
    "Once more from the start, only the values:",
    "Alternatively, let me run through the numbers again:",
    "To be sure, the chain of results:",
)
_SAME = ("The same as before.", "It comes out as it did.", "No contradiction.")
_SETTLED = ("So the answer should be", "Good. The answer is", "That settles it:", "I am confident now:")
_DEAD_ENDS = (
    "But that contradicts what I had before. I had:",
    "No, this way leads nowhere. Back to:",
    "That cannot be, if I look at the question again. Rather:",
)
