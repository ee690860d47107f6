"""The report of a ladder: report.md, report.html and ladder.png, and results.json with the numbers for programs."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from train.ladder.blocks import Block, Code, Heading, Items, Picture, Text, as_html, as_markdown
from train.ladder.file import Ladder
from train.ladder.picture import draw_ladder
from train.ladder.plan import LADDER, SETS
from train.ladder.results import Results, Rung, outcome, results
from train.ladder.steps import Done, Steps
from train.ladder.told_runs import provenance_blocks, rl_blocks, teacher_blocks, time_blocks
from train.ladder.told_scores import (
    HOW,
    comes_out,
    control_blocks,
    ladder_blocks,
    level_blocks,
    outcome_blocks,
    share,
    signed,
    span,
)

SHOWN_CHARS = 1_500
"""Of a rollout in the report."""


@dataclass(frozen=True)
class Report:
    """Where the report lies, and its first lines for the terminal."""

    folder: Path
    text: str


def write_report(ladder: Ladder, done: Sequence[Done], steps: Steps, seconds: float) -> Report:
    """The report is written, into `report` beside the runs.

    Args:
        seconds: how long this call took until here.
    """
    asked = [name for name in SETS if name in steps.on and name in steps.sets]
    own = [one for one in done if one.run.branch == LADDER]
    found = [
        # Controls are asked the first set only.
        results(name, ladder, own if place else done, steps.sets[name], getattr(ladder.evaluate, name).split)
        for place, name in enumerate(asked)
    ]
    folder = steps.out / "report"
    folder.mkdir(parents=True, exist_ok=True)
    blocks = list(_blocks(ladder, done, found, seconds, folder))
    (folder / "report.md").write_text(as_markdown(blocks), encoding="utf-8")
    (folder / "report.html").write_text(as_html(f"Ladder {ladder.name}", blocks), encoding="utf-8")
    written = json.dumps({each.name: _numbers(each) for each in found}, indent=1) + "\n"
    (folder / "results.json").write_text(written, encoding="utf-8")
    return Report(folder, "\n\n".join(_short(each) for each in found))


def _blocks(
    ladder: Ladder, done: Sequence[Done], found: Sequence[Results], seconds: float, folder: Path
) -> Iterator[Block]:
    yield Heading(f"Ladder {ladder.name}", 1)
    if ladder.description:
        yield Text(ladder.description)
    drawn, size = ladder.evaluate.sampling, f"{done[0].facts['result']['parameters']:,} parameters"
    seeds = ", ".join(map(str, found[0].rungs[0].seeds))
    yield Items(
        [
            f"Student: {ladder.student.model}, {size}; seeds {seeds}",
            f"Drawn: {drawn.n} rollouts per problem, temperature {drawn.temperature:g}, top_p {drawn.top_p:g}, "
            f"max_tokens {drawn.max_tokens:,}",
            f"Written {datetime.now(UTC).isoformat(timespec='minutes')}",
            *(f"Laid over the file: {override}" for override in ladder.overrides),
        ]
    )
    for each in found:
        yield from ladder_blocks(each, HOW if each is found[0] else "")
        if file := draw_ladder(each, folder / ("ladder.png" if each.name == "heldout" else f"ladder-{each.name}.png")):
            yield Picture(file, f"The ladder on {each.name}: the table above, drawn")
        if each is found[0]:
            yield from control_blocks(each)
            yield from level_blocks(each)
            yield from outcome_blocks(each)
    yield from teacher_blocks(done)
    yield from rl_blocks(done, found[0])
    yield Heading("Choices")
    yield Text("What the ladder file says was chosen, on the validation problems and not on the held-out ones:")
    yield Items(ladder.choices or ["no choice is noted in the ladder file"])
    yield from _before_and_after(found[0])
    yield from time_blocks(done, seconds)
    yield from provenance_blocks(done, found)


def _before_and_after(found: Results) -> Iterator[Block]:
    """The first problem of each kind of change, answered by the first stage and by the last, at the first seed."""
    first, last = found.rungs[0], found.rungs[-1]
    if first is last:
        return
    yield Heading("Before and after")
    yield Text(
        f"The first rollout at seed {first.seeds[0]}, {first.stage} beside {last.stage}, a problem per kind of change."
    )
    before, after = _first_rollouts(first), _first_rollouts(last)
    pairs = first.problems.join(before, on="id").join(after, on="id", suffix="_after")
    for kind in (("wrong answer", "correct"), ("correct", "wrong answer"), ("wrong answer", "wrong answer")):
        rows = pairs.filter((pl.col("outcome") == kind[0]) & (pl.col("outcome_after") == kind[1]))
        if rows.is_empty():
            continue
        row = rows.row(0, named=True)
        yield Heading(f"{kind[0]}, then {kind[1]} ({row['level'] or 'no level'}, gold {row['solution']})", 3)
        yield Code(_cut(row["problem"]))
        yield Text(f"{first.stage}:")
        yield Code(_cut(row["text"]))
        yield Text(f"{last.stage}:")
        yield Code(_cut(row["text_after"]))


def _first_rollouts(rung: Rung) -> pl.DataFrame:
    """`id`, `outcome` and `text` of the first rollout of each problem, at the first seed."""
    rows = rung.rollouts[0].filter(pl.col("index") == 0)
    text = pl.concat_str(pl.col("reasoning").fill_null(""), pl.lit("\n\n"), pl.col("response").fill_null(""))
    return rows.select(outcome(), id="problem_id", text=text.str.strip_chars())


def _cut(text: str) -> str:
    return (
        text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]} ... ({len(text) - SHOWN_CHARS:,} more characters)"
    )


def _short(found: Results) -> str:
    """The ladder in a few lines for the terminal."""
    lines = [f"{found.name}: {found.rungs[0].problems.height:,} problems, avg@{found.ladder.evaluate.sampling.n}, 95 %"]
    below = {high.stage: moved for high, _, moved in found.steps()}
    for rung in found.rungs:
        score = rung.score()
        line = f"  {rung.stage:16} {share(score.over_problems.mean):>6} {span(score.over_problems):16}"
        if moved := below.get(rung.stage):
            line += f" {signed(moved.over_problems.mean):>6} {span(moved.over_problems):16} {comes_out(moved)}"
        lines.append(line)
    for control in found.ladder.controls:
        ours, theirs = found.controls.get(control.name), found.rung(control.against)
        if ours and theirs:
            moved, score = ours.above(theirs), ours.score()
            lines.append(
                f"  {control.name:16} {share(score.over_problems.mean):>6} {span(score.over_problems):16}"
                f" {signed(moved.over_problems.mean):>6} {span(moved.over_problems):16} against {control.against}"
            )
    return "\n".join(lines)


def _numbers(found: Results) -> dict[str, Any]:
    """What the tables show, for programs."""

    def told(rung: Rung) -> dict[str, Any]:
        levels = {level: asdict(rung.score([level]).over_problems) for level in found.levels}
        seeds, numbers = list(rung.seeds), asdict(rung.score())
        return {"seeds": seeds, **numbers, "levels": levels, "outcomes": rung.outcomes, "mean_tokens": rung.mean_tokens}

    against = {control.name: control.against for control in found.ladder.controls}
    return {
        "stages": {rung.stage: told(rung) for rung in found.rungs},
        "steps": {high.stage: {"above": low.stage, **asdict(moved)} for high, low, moved in found.steps()},
        "controls": {
            name: told(rung) | {"against": against[name], "difference": asdict(rung.above(other))}
            for name, rung in found.controls.items()
            if (other := found.rung(against[name]))
        },
    }
