"""What a card says of verdicts: how they fell, who decided, and how far others agree."""

from collections.abc import Mapping

from curate.share.counts import Counts
from curate.share.markdown import bars, table


def verdicts_section(counts: Counts) -> str:
    """The section; empty where there are no verdicts."""
    if not counts.verdicts:
        return ""
    parts = ["## Verdicts", bars(("verdict", "rollouts"), counts.verdicts)]
    if counts.decided_by:
        parts.append(bars(("decided by", "rollouts"), counts.decided_by))
    compared = (
        (counts.opinions, "an opinion of the judge, {} have the same from the rules", ("rules", "judge")),
        (
            counts.seconds,
            "a verdict of math-verify alone, {} have the same from the rules",
            ("rules", "math-verify alone"),
        ),
        (
            counts.source_labels,
            "a label of the source, {} have the same verdict here",
            ("label of the source", "our verdict"),
        ),
    )
    for pairs, said, header in compared:
        if pairs:
            rows = [(left, right, n) for (left, right), n in pairs.items()]
            parts += [_agreement(pairs, said), table((*header, "rollouts"), rows)]
    return "\n\n".join(parts)


def _agreement(pairs: Mapping[tuple[str, str], int], said: str) -> str:
    total, same = sum(pairs.values()), sum(n for (left, right), n in pairs.items() if left == right)
    return f"Of {total:,} rollouts with {said.format(f'{same:,}')} ({same / total:.1%})."
