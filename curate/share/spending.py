"""What rollouts cost, from a lock, as text: for `curate show` and for the card."""

from collections.abc import Mapping, Sequence
from typing import Any

from distill.budget import dollars

SPENDING = (
    "teacher",
    "stage",
    "rollouts",
    "attempts",
    "failed",
    "cut off",
    "tokens in",
    "tokens out",
    "mean out",
    "usd",
    "usd per correct",
)
"""Columns of `spending_rows`."""


def spending_rows(bills: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """A row per teacher and stage that asked it, as text.

    Args:
        bills: what the lock says of each (accounting.Bill.facts).
    """
    return [
        (
            bill["teacher"],
            bill["stage"],
            f"{bill['rollouts']:,}",
            f"{bill['attempts']:,}",
            f"{bill['failed_attempts']:,}",
            f"{bill['cut_off']:,}",
            f"{bill['prompt_tokens']:,}",
            f"{bill['completion_tokens']:,}",
            f"{round((bill['per_attempt'] or {}).get('completion_tokens', 0)):,}",
            usd(bill["usd"]),
            usd((bill["per_correct"] or {}).get("usd")),
        )
        for bill in bills
    ]


def spending_notes(bill: Mapping[str, Any]) -> list[str]:
    """What the numbers of one stage mean, each with its name: verdicts, per problem and correct, what was not told."""
    said = []
    if bill["verdicts"]:
        said.append("verdicts: " + ", ".join(f"{verdict} {rows:,}" for verdict, rows in bill["verdicts"].items()))
    for name, unit in (("per_problem", "problem"), ("per_correct", "correct rollout")):
        if bill["verdicts"] and (share := bill[name]):
            price = "" if share["usd"] is None else f", {usd(share['usd'])}"
            said.append(
                f"per {unit}: {share['prompt_tokens']:,.0f} tokens in, {share['completion_tokens']:,.0f} out{price}"
            )
    if bill["drawn_longer"]:
        said.append(f"{bill['drawn_longer']:,} cut-off replies were drawn again with more tokens, and are paid above")
    if bill["no_reply"]:
        said.append(f"{bill['no_reply']:,} rollouts have no reply; the next build asks again")
    if most := bill["failed_took_at_most"]:
        price = "" if most["usd"] is None else f", {usd(most['usd'])}"
        said.append(
            f"{bill['failed_attempts']:,} attempts failed; their tokens are counted where the server told them. "
            f"Timeouts may be billed and are not told: at most {most['completion_tokens']:,} tokens out{price} more"
        )
    return [f"{bill['stage']}: {note}" for note in said]


def usd(amount: float | None) -> str:
    """Dollars with the digits that matter; `-` where nobody said a price.

    Example:
        >>> usd(1234.5), usd(0.0123456), usd(0.0), usd(None)
        ('$1,234.50', '$0.012', '$0.00', '-')
    """
    return "-" if amount is None else dollars(amount)
