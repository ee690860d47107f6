"""What a rollout store holds, by model: how much was asked, what came of it, what it took."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from distill.storing.segments import all_records, current_files


@dataclass
class Holding:
    """What one model was asked, all attempts together."""

    prompts: set[int] = field(default_factory=set)
    """Hashes of the distinct message lists; for this process only."""
    rollouts: set[str] = field(default_factory=set)
    """Keys with a reply that is not an error."""
    attempts: int = 0
    failed: int = 0
    cut_off: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0


def holdings(folder: Path) -> dict[str, Holding]:
    """By model and revision, in the order in which they were first asked. Reads every record: 30 s for a million.

    Example:
        >>> holdings(Path("nowhere"))
        {}
    """
    found: defaultdict[str, Holding] = defaultdict(Holding)
    for line in all_records(folder):
        row = json.loads(line)
        request = row.get("request") or {"model": "(not stored)", "revision": "", "messages": row["key"]}
        holding = found["@".join(filter(None, (request["model"], request["revision"])))]
        holding.prompts.add(hash(json.dumps(request["messages"])))
        holding.attempts += 1
        if row["finish_reason"] == "error":
            holding.failed += 1
        else:
            holding.rollouts.add(row["key"])
        holding.cut_off += row["finish_reason"] == "length"
        holding.prompt_tokens += row["prompt_tokens"]
        holding.completion_tokens += row["completion_tokens"]
        holding.seconds += row["seconds"]
    return dict(found)


def text(folder: Path, found: dict[str, Holding]) -> str:
    """For people: a table, and what it takes on disk."""
    if not found:
        return f"{folder}: no rollouts were paid for yet"
    header = ("model", "prompts", "rollouts", "attempts", "failed", "cut off", "tokens in", "tokens out", "hours")
    rows: list[tuple[str, ...]] = [header]
    for model, holding in found.items():
        counts = (len(holding.prompts), len(holding.rollouts), holding.attempts, holding.failed, holding.cut_off)
        tokens = (holding.prompt_tokens, holding.completion_tokens)
        rows.append((model, *(f"{n:,}" for n in (*counts, *tokens)), f"{holding.seconds / 3600:,.2f}"))
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]
    files = current_files(folder)
    size = sum(path.stat().st_size for path in files)
    return "\n".join([*lines, "", f"{_size(size)} in {len(files)} file(s): {folder}"])


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{count / 1e3:,.1f} kB"
