"""Pieces of HTML that the notebook and the pages share: one problem with its rollouts, tables, bars."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from curate.look.prose import brief, has_formulas, one_line, prose, source
from curate.look.rows import Shown
from curate.records import PROBLEM, ROLLOUT

PROBLEM_CHARS = 6_000
REASONING_CHARS = 6_000
RESPONSE_CHARS = 4_000
LONG_CHARS = 1_200

_SIGNS = {"correct": "✓", "wrong": "✗", "no_answer": "∅", "truncated": "✂"}
# Said elsewhere in the panel, or of no use to a reader.
_TOLD = {
    *PROBLEM.names, *ROLLOUT.names, "extracted_answer", "rule_verdict", "judge_verdict", "second_verdict", "verdict",
    "verdict_by", "verdict_detail", "dropped_by", "drop_reason", "cluster", "split", "disagrees", "of",
}  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """A table's cell that is HTML of our own making; any other value is foreign text."""

    html: str


def link(href: str, text: object) -> Cell:
    """A link to a place of ours."""
    return Cell(f'<a href="{href}">{brief(text)}</a>')


def table(header: Sequence[str], rows: Sequence[Sequence[object]], caption: str = "") -> str:
    """A table that scrolls by itself where it is too wide; numbers to the right, with thousands apart."""
    numeric = [all(isinstance(row[i], int) for row in rows) and bool(rows) for i in range(len(header))]
    kinds = [' class="number"' if n else "" for n in numeric]
    head = "".join(f'<th scope="col"{kind}>{brief(name)}</th>' for name, kind in zip(header, kinds, strict=True))
    body = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows)
    named = f"<caption>{brief(caption)}</caption>" if caption else ""
    return f'<div class="scroll"><table>{named}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def bars(header: tuple[str, str], counts: Mapping[str, int]) -> str:
    """A table of counts with a bar for each, the longest full."""
    most = max(counts.values(), default=0) or 1
    rows = [(name, n, Cell(bar(n / most))) for name, n in counts.items()]
    return table((*header, "share"), rows)


def bar(share: float) -> str:
    """A bar of that share of its place."""
    return f'<span class="bar"><span style="width:{100 * share:.1f}%"></span></span>'


def problem_panel(one: Shown, place: str, number: int | None = None) -> str:
    """One problem, what is known of it, and its rollouts side by side.

    Args:
        place: the section's id in the page; ours, never the problem's.
    """
    row = one.problem
    numbered = f"{number:,}. " if number else ""
    known = [row.get(name) for name in ("source", "source_id", "domain", "level")]
    facts = [brief(value) for value in known if value is not None]
    if row.get("pass_rate") is not None:
        facts.append(_pass_rate(row))
    parts = [
        f'<section class="problem" id="{place}" aria-label="problem {brief(row["id"])}">',
        f'<header><h2>{numbered}<code>{brief(row["id"])}</code></h2><p class="facts">{_dotted(facts)}</p></header>',
        _fate(row, one.fates.get(row["id"], [])),
        _text(row.get("problem"), PROBLEM_CHARS),
        _gold(row),
        _marks(row),
    ]
    if row.get("solution"):
        parts.append(_folded("worked solution", row["solution"], RESPONSE_CHARS))
    parts.append(
        f'<div class="rollouts">{"".join(_rollout(r, one.fates.get(r["id"], [])) for r in one.rollouts)}</div>'
    )
    if one.hidden:
        parts.append(f'<p class="note">{one.hidden:,} further rollouts are not shown here.</p>')
    elif not one.rollouts:
        parts.append('<p class="note">No rollouts.</p>')
    return "".join([*parts, "</section>"])


def _pass_rate(row: dict[str, Any]) -> str:
    """The share with what it rests on, so that 0 of 4 and 0 of 64 look unlike."""
    low, high = row.get("pass_rate_low"), row.get("pass_rate_high")
    sure = f", at 95 % {low:.2f} to {high:.2f}" if low is not None and high is not None else ""
    return f"pass rate {row['pass_rate']:.2f} (n = {row.get('pass_rate_n') or '?'}{sure})"


def _rollout(row: dict[str, Any], fates: list[str]) -> str:
    verdict = row.get("verdict")
    kind = verdict if verdict in _SIGNS else "open"
    by = [brief(row[name]) for name in ("verdict_by", "verdict_detail") if row.get(name)]
    tokens, length = row.get("completion_tokens"), len(row.get("reasoning") or "") + len(row.get("response") or "")
    size = f"{tokens:,} tokens" if tokens else f"{length:,} characters"
    sampling = row.get("sampling") or {}
    warmth = [f"temperature {sampling['temperature']:g}"] if sampling.get("temperature") is not None else []
    facts = [brief(row.get("teacher") or "no teacher named"), size]
    facts += [f"ended: {brief(row['finish_reason'])}"] if row.get("finish_reason") else []
    answer = f'<p class="answer">answer {_inline(row["extracted_answer"])}</p>' if row.get("extracted_answer") else ""
    return "".join(
        [
            f'<article class="rollout {kind}"><header>',
            f'<span class="verdict">{_SIGNS.get(kind, "?")} {brief(verdict or "not judged")}</span> ',
            f'<span class="by">{_dotted(by)}</span><span class="index">#{brief(row["index"])}</span></header>',
            _differing(row),
            answer,
            f'<p class="facts">{_dotted([*facts, *warmth])}</p>',
            _fate(row, fates),
            _marks(row),
            _folded("thinking", row["reasoning"], REASONING_CHARS) if row.get("reasoning") else "",
            _text(row.get("response"), RESPONSE_CHARS),
            f'<p class="note id"><code>{brief(row["id"])}</code></p></article>',
        ]
    )


def _differing(row: dict[str, Any]) -> str:
    """The opinions of a rollout on which there are two."""
    if not row.get("disagrees"):
        return ""
    names = ("rule_verdict", "judge_verdict", "second_verdict", "source_verdict")
    said = [f"{name.removesuffix('_verdict')}: {brief(row[name])}" for name in names if row.get(name)]
    return f'<p class="differs">Opinions differ. {_dotted(said)}</p>'


def _gold(row: dict[str, Any]) -> str:
    others = [f"also {_inline(other)}" for other in row.get("other_answers") or []]
    gold = _inline(row["answer"]) if row.get("answer") is not None else "<em>none</em>"
    return f'<p class="answer gold">gold answer {", ".join([gold, *others])}</p>'


def _fate(row: dict[str, Any], fates: list[str]) -> str:
    """Where the row stands, and what left it out."""
    inside = [brief(fate) for fate in fates if fate.startswith("in ")]
    outside = [brief(fate) for fate in fates if not fate.startswith("in ")]
    lines = [_dotted(inside)] if inside else []
    if row.get("drop_reason"):
        lines.append(f"<strong>dropped by {brief(row.get('dropped_by'))}: {brief(row['drop_reason'])}</strong>")
    elif outside:
        lines.append(f'<span class="out">left out: {_dotted(outside)}</span>')
    return f'<p class="fate">{"; ".join(lines)}</p>' if lines else ""


def _marks(row: dict[str, Any]) -> str:
    """What stages and tags found, beyond what the panel says anyway."""
    told = {name for name in row if name in _TOLD or name.startswith("pass_rate")}
    found = {name: value for name, value in row.items() if name not in told and value not in (None, False, [])}
    said = [f"{brief(name)} {brief(round(v, 3) if isinstance(v, float) else v)}" for name, v in found.items()]
    return f'<p class="marks">{_dotted(said)}</p>' if said else ""


def _text(text: str | None, limit: int) -> str:
    """The text with its formulas drawn, and a toggle to its source where that differs."""
    if not text or not text.strip():
        return '<p class="note">(no text)</p>'
    # A long text scrolls by itself, so that rollouts stay side by side; `tabindex` lets the keyboard do it.
    kind = 'class="text long" tabindex="0"' if len(text) > LONG_CHARS else 'class="text"'
    shown = f'<div {kind} dir="auto">{prose(text.strip(), limit)}</div>'
    if not has_formulas(text[:limit]):
        return shown
    raw = f"<pre>{source(text.strip(), limit)}</pre>"
    return f'{shown}<details class="source"><summary>source</summary>{raw}</details>'


def _folded(name: str, text: str, limit: int) -> str:
    return f"<details><summary>{name}, {len(text):,} characters</summary>{_text(text, limit)}</details>"


def _inline(answer: str) -> str:
    """An answer as a formula, unless it is a word or too long for a line."""
    short = one_line(answer)
    latex = short == answer and ("\\" in answer or "^" in answer or "_" in answer) and "$" not in answer
    return f'<span class="value">{prose(f"${answer.strip()}$" if latex else short, len(short) + 2)}</span>'


def _dotted(parts: Sequence[str]) -> str:
    return " · ".join(parts)


def _cell(value: object) -> str:
    if isinstance(value, Cell):
        return f"<td>{value.html}</td>"
    if isinstance(value, int):
        return f'<td class="number">{value:,}</td>'
    return f"<td>{brief(value)}</td>"
