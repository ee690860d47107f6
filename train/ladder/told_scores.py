"""The part of the report that tells scores: the ladder, its levels, its outcomes, its controls."""

from collections.abc import Iterator

from train.ladder.blocks import Block, Heading, Items, Table, Text
from train.ladder.pooled import Pooled
from train.ladder.results import OUTCOMES, Results, Rung
from train.scores import Interval

PAPER = {"base": 10.0, "midtrain": 30.0, "sft": 43.3, "dpo": 50.0, "grpo": 57.5}
"""AIME24 of arXiv 2504.21233, table of stages, in per cent: what the ladder is modelled on."""

HOW = (
    "Every seed is asked the same problems. A score is the mean over seeds and problems of the share of correct "
    "rollouts; its 95 % interval is a bootstrap over problems, each with its seeds averaged first. A difference is "
    "paired: the same seed, the same problem. The interval over problems speaks of these runs on further problems; the "
    "one over problems and seeds draws the seeds anew as well, and is rough with few of them."
)


def ladder_blocks(found: Results, how: str = "") -> Iterator[Block]:
    """Scores by stage, each with its difference to the one below; before them how they were made, if told."""
    k = found.ladder.evaluate.sampling.n
    yield Heading(f"The ladder, on the {_title(found.name)}")
    if how:
        yield Text(how)
    seeds = found.rungs[0].seeds
    header = ["stage", "paper, AIME24", f"avg@{k}", "95 %, problems", *(f"seed {seed}" for seed in seeds)]
    rows = []
    below = {high.stage: moved for high, _, moved in found.steps()}
    for rung in found.rungs:
        score, moved = rung.score(), below.get(rung.stage)
        paper = f"{PAPER[rung.stage]:.1f}" if rung.stage in PAPER else ""
        rows.append([rung.stage, paper, share(score.over_problems.mean), span(score.over_problems)])
        rows[-1] += [share(mean) for mean in score.by_seed]
        rows[-1] += ["", "", "", ""] if moved is None else _moved(moved)
    yield Table([*header, "step", "95 %, problems", "95 %, problems and seeds", "comes out"], rows)
    flat = [rung for rung in found.rungs[1:] if comes_out(below[rung.stage]) != "rises"]
    if flat:
        yield Items([f"{rung.stage} does not rise for sure on this set: reported as found." for rung in flat])


def level_blocks(found: Results) -> Iterator[Block]:
    """Scores by level, those that no stage trains on apart."""
    unseen = found.ladder.evaluate.unseen_levels
    yield Heading(f"By level, on the {_title(found.name)}")
    if unseen:
        yield Text(f"No stage trains on: {', '.join(unseen)}.")
    counts = dict(found.rungs[0].problems["level"].value_counts().iter_rows())
    names = [f"{level}{' (unseen)' if level in unseen else ''}, {counts[level]:,} problems" for level in found.levels]
    rows = []
    for rung in found.rungs:
        scores = [rung.score([level]).over_problems for level in found.levels]
        rows.append([rung.stage, *(f"{share(score.mean)} {span(score)}" for score in scores)])
    yield Table(["stage", *names], rows)


def outcome_blocks(found: Results) -> Iterator[Block]:
    """What became of the rollouts: a missed form apart from a missed sum."""
    yield Heading(f"What the rollouts came to, on the {_title(found.name)}")
    yield Text(
        "A wrong answer stands in a box; no boxed answer ended by itself without one and was not correct; cut off "
        "rollouts reached max_tokens; those that could not be judged (garbled answers, most often) count neither way "
        "in the scores above, and are among all rollouts here: correct is the stricter share. All seeds together."
    )
    rows = []
    for rung in (*found.rungs, *found.controls.values()):
        total = sum(rung.outcomes.values())
        shares = [share(rung.outcomes[name] / total) for name in OUTCOMES]
        verdicts = ", ".join(f"{name} {count:,}" for name, count in rung.verdicts.items())
        rows.append([rung.name, total, *shares, f"{rung.mean_tokens:.0f}", verdicts])
    yield Table(["stage", "rollouts", *OUTCOMES, "mean tokens", "verdicts"], rows)


def control_blocks(found: Results) -> Iterator[Block]:
    """Each control beside what it is compared with."""
    controls = [control for control in found.ladder.controls if control.name in found.controls]
    if not controls:
        return
    yield Heading(f"Controls, on the {_title(found.name)}")
    rows = []
    for control in controls:
        ours, theirs = found.controls[control.name], found.rung(control.against)
        if theirs is None:
            continue
        rows.append(_control(ours, theirs, control.after, control.against, control.expect))
    header = ["control", "leaves after", "ends at", "against", "at", "difference", "95 %, problems"]
    header += ["95 %, problems and seeds", "by seed", "expected", "comes out"]
    yield Table(header, rows)
    yield Items([f"{control.name}: {control.says}" for control in controls if control.says])


def _control(ours: Rung, theirs: Rung, after: str, against: str, expect: str) -> list[object]:
    moved = ours.above(theirs)
    came = {"rises": "above", "falls": "below", "unsure": "no sure difference"}[comes_out(moved)]
    seeds = ", ".join(signed(mean) for mean in moved.by_seed)
    told = came if expect == "none" else f"{came}{'' if came == expect else ', not as expected'}"
    ends = [share(rung.score().over_problems.mean) for rung in (ours, theirs)]
    expected = "as found" if expect == "none" else expect
    row: list[object] = [ours.name, after, ends[0], against, ends[1], signed(moved.over_problems.mean)]
    return [*row, span(moved.over_problems), span(moved.over_both), seeds, expected, told]


def _moved(moved: Pooled) -> list[str]:
    by_seed = ", ".join(signed(mean) for mean in moved.by_seed)
    step = f"{signed(moved.over_problems.mean)} ({by_seed})"
    return [step, span(moved.over_problems), span(moved.over_both), comes_out(moved)]


def comes_out(moved: Pooled) -> str:
    """`rises` or `falls` where the interval over problems leaves out 0, else `unsure`."""
    if moved.over_problems.low > 0:
        return "rises"
    return "falls" if moved.over_problems.high < 0 else "unsure"


def share(value: float) -> str:
    """In per cent."""
    return f"{100 * value:.1f}"


def signed(value: float) -> str:
    """In points, with its sign."""
    return f"{100 * value:+.1f}"


def span(found: Interval) -> str:
    """The bounds in per cent."""
    return f"[{100 * found.low:.1f}, {100 * found.high:.1f}]"


def _title(name: str) -> str:
    return "held-out problems" if name == "heldout" else "validation problems, on which choices were made"
