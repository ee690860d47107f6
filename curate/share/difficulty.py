"""What a card says of how hard its problems are, how sure that is, and how they spread."""

from curate.interval import shortfall
from curate.look.balance import LEVEL_ORDER
from curate.share.counts import Counts
from curate.share.markdown import bars, table


def difficulty(counts: Counts) -> str:
    """Problems by pass rate, how much a rate says, and domains by level; nothing where there is no problem."""
    parts = ["## Difficulty"]
    if counts.pass_rates:
        parts.append(bars(("pass rate", "problems"), counts.pass_rates))
    if counts.judged:
        parts.append(_how_sure(*counts.judged))
    domains = sorted({domain for domain, _ in counts.levels})
    rows = [(domain, *(counts.levels.get((domain, level), 0) for level in LEVEL_ORDER)) for domain in domains]
    parts.append(table(("domain", *LEVEL_ORDER), rows))
    return "\n\n".join(parts) if rows else ""


def _how_sure(fewest: int, median: int, most: int) -> str:
    """None right of four is less than none right of sixty-four."""
    ns = sorted({fewest, median, most})
    bounds = ", ".join(f"of {n:,} up to {shortfall(n):.2f}" for n in ns)
    rest = f"{median:,} judged rollouts in the middle ({fewest:,} to {most:,})" if len(ns) > 1 else f"{median:,} each"
    return (
        f"Pass rates rest on {rest}. At 95 % none right means a rate {bounds}: `pass_rate_low` and `pass_rate_high` "
        "in the config `problems`."
    )


def balance(counts: Counts) -> str:
    """Problems by source, domain and level; nothing of a single source."""
    if len({source for source, _, _ in counts.balance}) < 2:
        return ""
    rows = [(source, domain, *levels) for source, domain, levels in counts.balance]
    return "## Balance\n\n" + table(("source", "domain", *LEVEL_ORDER), rows)
