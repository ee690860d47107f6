"""The dataset card: README.md of a version, written from facts alone.

Nothing that a model, a dataset or a manifest wrote can become structure here: inline text is turned into character
references where Markdown or HTML could read it, blocks stand in fences longer than any inside; there is no template.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from curate.ledger import Entry
from curate.share.counts import Counts
from curate.share.difficulty import balance, difficulty
from curate.share.flaws import flaws_section
from curate.share.front_matter import Config, front_matter
from curate.share.markdown import bars, fenced, plain, table
from curate.share.overlap import STAGES, decontamination, drifts, matrix
from curate.share.spending import SPENDING, spending_notes, spending_rows
from curate.share.verdicts import verdicts_section


@dataclass(frozen=True)
class CardFacts:
    """All that a card says."""

    name: str
    version: int
    digest: str
    """sha256 over the rows of all tables."""
    description: str
    language: str
    license: str | None
    """The licence of the whole, such as apache-2.0; None if there is no single one (LICENSES.md tells)."""
    configs: tuple[Config, ...]
    """Views first: the first one is what `load_dataset` gives by default."""
    views: tuple[str, ...]
    """Names of the configs that are views."""
    funnel: tuple[Entry, ...]
    counts: Counts
    synthetic_problems: bool
    """Posed by a program."""
    symbolic_teacher: str | None
    """Name of a teacher that is a program and no language model (the tutor)."""
    sampling: Mapping[str, Any] | None
    """n, temperature, top_p, max_tokens, ...; None without a teacher."""
    source_states: tuple[tuple[str, str], ...]
    """Every source with its pinned revision or digest."""
    source_datasets: tuple[str, ...]
    """Hub repositories among the sources."""
    libraries: Mapping[str, str]
    manifest: str
    """The manifest's text."""
    spending: tuple[Mapping[str, Any], ...] = ()
    """What teachers were asked and took, as the lock says it."""
    view_facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What views tell of their rows, as the lock says it."""
    leaks: Mapping[str, Any] = field(default_factory=dict)
    """What views and benchmarks have in common, as the lock says it."""
    hits: tuple[tuple[str, str, str, int], ...] = ()
    """Benchmark, rule, fate and number of problems that decontamination found."""
    hit_examples: tuple[Mapping[str, Any], ...] = ()
    """Some of them, as `curate.alike.hits` lists them."""


def card(facts: CardFacts) -> str:
    """README.md: the front matter, then what the version holds, where its rows went and how it was made."""
    sections = (
        _title(facts),
        _contents(facts),
        _funnel(facts.funnel),
        verdicts_section(facts.counts),
        difficulty(facts.counts),
        balance(facts.counts),
        _lengths(facts.counts),
        flaws_section(facts.counts.flaws),
        drifts(facts.view_facts),
        decontamination(facts.funnel, facts.leaks, facts.hits, facts.hit_examples),
        matrix(facts.leaks),
        _teachers(facts),
        _sources(facts),
        _usage(facts),
        _rebuild(facts),
        _limits(facts),
    )
    head = front_matter(
        title=f"{facts.name} v{facts.version}",
        language=facts.language,
        license=facts.license,
        configs=facts.configs,
        views=facts.views,
        source_datasets=facts.source_datasets,
        synthetic=_is_synthetic(facts),
    )
    return f"---\n{head}\n---\n\n" + "\n\n".join(section for section in sections if section) + "\n"


def _is_synthetic(facts: CardFacts) -> bool:
    return facts.synthetic_problems or facts.symbolic_teacher is not None or facts.sampling is not None


def _title(facts: CardFacts) -> str:
    lines = [f"# {plain(facts.name)} v{facts.version}", plain(facts.description)]
    if facts.synthetic_problems:
        lines.append("> **SYNTHETIC.** The problems are posed by a program, not taken from people.")
    if facts.symbolic_teacher:
        teacher = plain(facts.symbolic_teacher)
        lines.append(f"> **SYNTHETIC.** teacher: {teacher}, a symbolic program. No language model wrote its rollouts.")
    elif facts.sampling:
        lines.append("> The rollouts are written by a language model and judged by rules; see the verdicts below.")
    return "\n\n".join(line for line in lines if line)


def _contents(facts: CardFacts) -> str:
    rows = [
        (c.name, *(_rows(c, split) for split in ("train", "heldout")), ", ".join(c.schema.names)) for c in facts.configs
    ]
    return "## What is in it\n\n" + table(("config", "train", "heldout", "columns"), rows)


def _funnel(funnel: tuple[Entry, ...]) -> str:
    rows = [
        (entry.stage, entry.unit, entry.seen, entry.kept, ", ".join(f"{why} {n:,}" for why, n in entry.dropped.items()))
        for entry in funnel
    ]
    note = "Every row is accounted for: in = kept + dropped. The config `ledger` names each dropped row and its reason."
    return f"## Where the rows went\n\n{table(('stage', 'of', 'in', 'kept', 'dropped'), rows)}\n\n{note}"


def _lengths(counts: Counts) -> str:
    if not counts.lengths:
        return ""
    spread = ", ".join(f"{name} {length:,}" for name, length in counts.length_quantiles.items())
    histogram = bars((f"{counts.length_unit} per rollout", "rollouts"), counts.lengths)
    return f"## Lengths\n\n{histogram}\n\nIn {counts.length_unit}: {spread}."


def _teachers(facts: CardFacts) -> str:
    if not facts.counts.teachers:
        return ""
    rows = [(t.teacher, t.rollouts, t.correct, t.prompt_tokens, t.completion_tokens) for t in facts.counts.teachers]
    header = ("teacher", "rollouts", "kept and correct", "prompt tokens", "completion tokens")
    parts = ["## Teachers and cost", table(header, rows)]
    if facts.sampling:
        parts.append("Sampling: " + ", ".join(f"{plain(k)} {plain(str(v))}" for k, v in facts.sampling.items()) + ".")
    if facts.spending:
        parts += [
            "All attempts of all runs, failed and repeated ones too:",
            table(SPENDING, spending_rows(facts.spending)),
        ]
        parts += [f"{plain(note)}." for bill in facts.spending for note in spending_notes(bill)]
    return "\n\n".join(parts)


def _sources(facts: CardFacts) -> str:
    rows = [(s.source, s.license or "not stated", s.problems, s.kept) for s in facts.counts.sources]
    pinned = table(("source", "revision or digest"), facts.source_states)
    whole = (
        f"The whole: {plain(facts.license)}."
        if facts.license
        else "There is no one licence; LICENSES.md has the terms."
    )
    note = f"{whole} Rows carry the licence of their source; a teacher's terms may bind beside it."
    return f"## Sources and licences\n\n{table(('source', 'licence', 'problems', 'kept'), rows)}\n\n{pinned}\n\n{note}"


def _usage(facts: CardFacts) -> str:
    config = next((c.name for c in facts.configs if any(split.rows for split in c.splits)), "problems")
    code = f"""from datasets import load_dataset

rows = load_dataset("path/or/repo", "{config}", split="train")  # from the Hub also: revision="v{facts.version}\""""
    pull = f"`curate pull ORG/NAME@v{facts.version}` brings it from the Hub, checked against its lock"
    train = f"`train` takes it as `--data {facts.name}@v{facts.version}`"
    return f"## How to load\n\n{fenced(code, 'python')}\n\n{pull}; {train}."


def _rebuild(facts: CardFacts) -> str:
    made = ", ".join(f"{plain(name)} {plain(version)}" for name, version in facts.libraries.items())
    parts = [
        "## How it was made",
        "`curate build -m manifest.yaml`, with this manifest (files of sources are named, not their folders: "
        "say where they lie with `--set sources.0.path=...`):",
        fenced(facts.manifest, "yaml"),
    ]
    parts.append(f"Digest of the rows: `{facts.digest}`. Made with {made}. `lock.json` has the rest.")
    return "\n\n".join(parts)


def _limits(facts: CardFacts) -> str:
    counts = facts.counts
    unsettled = sum(n for verdict, n in counts.verdicts.items() if verdict not in ("correct", "wrong", "no_answer"))
    unstated = sum(source.kept for source in counts.sources if source.license is None)
    said = [
        "A verdict compares final answers. Reasoning is not judged: a right answer may stand on a wrong argument.",
        *(
            [f"{unsettled:,} rollouts have no verdict of right or wrong; none of them counts as wrong."]
            if unsettled
            else []
        ),
        *(
            ["Pass rates, and levels that come from them, are those of the teachers above."]
            if counts.pass_rates
            else []
        ),
        *(
            ["Problems are synthetic: of few forms, and easier to solve by rule than those of people."]
            if facts.synthetic_problems
            else []
        ),
        *(["Rollouts of a symbolic program lack the variety of a language model's."] if facts.symbolic_teacher else []),
        *(
            [f"{counts.majority_golds:,} gold answers are what most rollouts say: verdicts on them are agreement only."]
            if counts.majority_golds
            else []
        ),
        *(["Not decontaminated."] if not any(entry.stage.startswith(STAGES) for entry in facts.funnel) else []),
        *([f"{unstated:,} kept problems state no licence."] if unstated else []),
    ]
    return "## Limits\n\n" + "\n".join(f"- {line}" for line in said)


def _rows(config: Config, split: str) -> int:
    return sum(part.rows for part in config.splits if part.name == split)
