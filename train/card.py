"""What is told of a finished run, from its run.json alone: a few lines, and a short model card."""

from collections.abc import Iterator
from typing import Any

from train.run import METRICS, RUN, Run


def summary(run: Run) -> str:
    """The result in a few lines for people."""
    got = run.facts["result"]
    heldout = "" if got["heldout_loss"] is None else f", held-out {got['heldout_loss']:.3f}"
    first = "" if got["first_loss"] is None else f"{got['first_loss']:.3f} -> "
    lines = [
        f"{got['steps']:,} steps, {got['tokens']:,} tokens in {got['seconds']:.0f} s: {got['tokens_per_s']:,} tokens/s",
        f"loss {first}{got['last_loss']:.3f}{heldout}",
    ]
    for name, what in (("accuracy", "correct rollouts"), ("accuracies", "pairs told apart")):
        if f"last_{name}" in got:
            lines.append(f"{what} {got[f'first_{name}']:.1%} -> {got[f'last_{name}']:.1%}, first to last log")
    if got.get("first_accuracy") == got.get("last_accuracy") == 0.0:
        lines.append(
            "no rollout was correct: a student that never succeeds learns nothing from RL. Train sft longer first"
        )
    if "heldout_answered" in got:
        ended = f"{got['heldout_ended']} of {got['heldout_answered']}"
        lines.append(
            f"held-out replies: {ended} end by themselves, {got['heldout_correct']} are correct (answers.jsonl)"
        )
    return "\n".join([*lines, f"{run.path}"])


def write_card(run: Run) -> None:
    """README.md of the run folder: a short model card, from run.json alone."""
    data, result, parent = run.facts["data"], run.facts["result"], run.facts["parent"]
    settings = {"preset": run.facts["preset"], **run.facts["config"]}
    for group in ("lora", "rl"):
        settings |= {f"{group}.{name}": value for name, value in run.facts.get(group, {}).items()}
    lines = [
        "---",
        "library_name: transformers",
        f"tags: [cotillion, {run.facts['stage']}]",
        "---",
        "",
        f"# {run.path.name}",
        "",
        f"`{parent['model']}` after stage `{run.facts['stage']}` on `{data['version']}` "
        f"({data['view']}, {data['split']}, {data['rows']:,} rows, row digest `{data['row_digest'][:16]}`).",
        *(f"Before: {line}" for line in _ancestors(parent)),
        "",
        "| | |",
        "|---|---|",
        *(f"| {name.replace('_', ' ')} | {_cell(value)} |" for name, value in result.items()),
        *(f"| {name} | {value} |" for name, value in settings.items()),
        "",
        "```python",
        "from transformers import pipeline",
        f'chat = pipeline("text-generation", "{run.path.name}")  # the path of this folder',
        'asked = [{"role": "user", "content": "What is 3 + 4?"}]',
        'print(chat(asked, max_new_tokens=512)[0]["generated_text"][-1]["content"])',
        "```",
        "",
        f"Made with {', '.join(f'{name} {found}' for name, found in run.facts['libraries'].items() if found)}.",
        f"Everything that went in is in `{RUN}`, the course of the training in `{METRICS}`.",
        "",
    ]
    (run.path / "README.md").write_text("\n".join(lines), encoding="utf-8")


def _ancestors(parent: dict[str, Any]) -> Iterator[str]:
    while "data" in parent:
        data = parent["data"]
        digest = data["row_digest"][:16]
        yield f"stage `{parent['stage']}` on `{data['version']}` ({data['view']}, row digest `{digest}`)."
        parent = parent["parent"]


def _cell(value: Any) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
