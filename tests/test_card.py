"""The card: it loads, it counts right, and nothing a model wrote becomes structure in it."""

import dataclasses
import os
import re
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
import yaml

from curate.choices.formats import SCHEMAS as FORMATS
from curate.ledger import FUNNEL, LEDGER, Entry
from curate.records import PAIR, PROBLEM, ROLLOUT, empty
from curate.share.card import CardFacts, card
from curate.share.counts import Counts, count
from curate.share.front_matter import Config, Split, features, size_category
from curate.share.markdown import fenced, plain, table
from curate.tables import write_split
from curate.views.rl import Rl
from tests.hostile_texts import HOSTILE

FACTS = [pa.field("pass_rate", pa.float64()), pa.field("loops", pa.bool_()), pa.field("hits", pa.list_(pa.string()))]

SCHEMAS = {
    "sft": FORMATS["trl"],
    "midtrain": FORMATS["trl"],
    "dpo": PAIR,
    "rl": Rl.schema,
    "problems": pa.schema([*PROBLEM, *FACTS]),
    "rollouts": pa.schema([*ROLLOUT, pa.field("verdict", pa.string())]),
    "ledger": LEDGER,
    "funnel": FUNNEL,
}


def counts() -> Counts:
    problems = pl.concat(
        [
            empty(PROBLEM),
            pl.DataFrame(
                {
                    "id": ["a", "b", "c", "d"],
                    "source": ["gsm8k", "gsm8k", "aime", "aime"],
                    "license": ["mit", "mit", None, None],
                    "domain": ["algebra", "algebra", None, "geometry"],
                    "level": ["high", None, None, "college"],
                    "pass_rate_level": [None, "middle", None, None],
                    "pass_rate": [0.0, 0.4, 1.0, 0.25],
                    "drop_reason": [None, None, None, "duplicate"],
                }
            ),
        ],
        how="diagonal_relaxed",
    )
    rollouts = pl.concat(
        [
            empty(ROLLOUT),
            pl.DataFrame(
                {
                    "id": ["r", "s", "t", "u"],
                    "problem_id": ["a", "a", "b", "b"],
                    "teacher": ["m@1", "m@1", "m@1", "n"],
                    "prompt_tokens": [10, 10, 10, None],
                    "completion_tokens": [100, 300, 5000, 20],
                    "source_verdict": ["correct", "correct", None, "wrong"],
                    "verdict": ["correct", "wrong", "correct", "wrong"],
                    "verdict_by": ["numeric", "exact", "numeric", "exact"],
                    "drop_reason": pl.Series([None] * 4, dtype=pl.String),
                }
            ),
        ],
        how="diagonal_relaxed",
    )
    return count(problems, rollouts)


def facts(**changes: object) -> CardFacts:
    sizes = {name: (Split("train", 2, 200), Split("heldout", 1, 100)) for name in ("sft", "rl")}
    base = CardFacts(
        name="math",
        version=3,
        digest="f" * 64,
        description="Questions and verified long answers.",
        language="en",
        license="apache-2.0",
        configs=tuple(Config(name, s, sizes.get(name, (Split("train", 2, 200),))) for name, s in SCHEMAS.items()),
        views=("sft", "midtrain", "dpo", "rl"),
        funnel=(Entry("dedup.exact", "problems", 4, 3, {"duplicate": 1}),),
        counts=counts(),
        synthetic_problems=False,
        symbolic_teacher=None,
        sampling={"n": 8, "temperature": 0.6},
        source_states=(("gsm8k", "3101c7d"),),
        source_datasets=("open-r1/OpenR1-Math-220k",),
        libraries={"polars": "2.1.0"},
        manifest="name: math\n",
    )
    return dataclasses.replace(base, **changes)  # type: ignore[arg-type]  # tests name real fields


def head(text: str) -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load(text.split("---\n")[1])
    return parsed


def test_every_config_and_split_loads_with_its_types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from datasets import Features, load_dataset

    for config in facts().configs:
        (tmp_path / config.name).mkdir()
        for split in config.splits:
            write_split(tmp_path / config.name, split.name, config.schema, [_bare_rows(config.schema, split.rows)])
    (tmp_path / "README.md").write_text(card(facts()), encoding="utf-8")
    for config in facts().configs:
        assert features(config.schema) == Features.from_arrow_schema(config.schema)._to_yaml_list()
        loaded = load_dataset(str(tmp_path), config.name, cache_dir=str(tmp_path / "cache"))
        assert {name: rows.num_rows for name, rows in loaded.items()} == {s.name: s.rows for s in config.splits}
        assert loaded["train"].features == Features.from_arrow_schema(config.schema)
    declared = {info["config_name"]: info["features"] for info in head(card(facts()))["dataset_info"]}
    assert declared == {config.name: features(config.schema) for config in facts().configs}
    default = load_dataset(str(tmp_path), split="train", cache_dir=str(tmp_path / "cache"))
    assert "messages" in default.column_names, "the first view is the default"


def _bare_rows(schema: pa.Schema, n: int) -> pl.DataFrame:
    """Rows with nothing but what must be there: the shape that loses its types where a card does not declare them."""
    must = {f.name: ["x"] * n if f.type == pa.string() else [0] * n for f in schema if not f.nullable}
    return pl.DataFrame({f.name: must.get(f.name, [None] * n) for f in schema}, schema=empty(schema).schema)


def test_a_split_without_rows_is_not_named_because_load_dataset_fails_on_it(tmp_path: Path) -> None:
    from datasets import load_dataset

    for name, n in (("dpo", 0), ("rl", 2)):
        (tmp_path / name).mkdir()
        write_split(tmp_path / name, "train", SCHEMAS[name], [_bare_rows(SCHEMAS[name], n)] if n else [])
    some = (
        Config("dpo", PAIR, (Split("train", 0, 0),)),
        Config("rl", Rl.schema, (Split("train", 2, 9), Split("heldout", 0, 0))),
    )
    text = card(facts(configs=some))
    (tmp_path / "README.md").write_text(text, encoding="utf-8")
    assert load_dataset(str(tmp_path), cache_dir=str(tmp_path / "cache"))["train"].num_rows == 2
    assert "| dpo | 0 | 0 |" in text


def test_numbers_are_those_of_the_rows() -> None:
    told = counts()
    assert told.verdicts == {"correct": 2, "wrong": 2}
    assert told.decided_by == {"exact": 2, "numeric": 2}
    assert told.source_labels == {("correct", "correct"): 1, ("correct", "wrong"): 1, ("wrong", "wrong"): 1}
    assert [(s.source, s.license, s.problems, s.kept) for s in told.sources] == [
        ("gsm8k", "mit", 2, 2),
        ("aime", None, 2, 1),
    ]
    assert [(t.teacher, t.rollouts, t.correct, t.completion_tokens) for t in told.teachers] == [
        ("m@1", 3, 2, 5400),
        ("n", 1, 0, 20),
    ]
    assert {band: n for band, n in told.pass_rates.items() if n} == {"0": 1, "0.4 to 0.6": 1, "1": 1}
    assert told.length_unit == "tokens"
    assert {band: n for band, n in told.lengths.items() if n} == {"0 to 255": 2, "256 to 511": 1, "4,096 to 8,191": 1}
    assert told.levels == {("algebra", "high"): 1, ("algebra", "middle"): 1, ("unknown", "unknown"): 1}
    text = card(facts())
    assert "2 have the same verdict here (66.7%)" in text
    assert "| dedup.exact | problems | 4 | 3 | duplicate 1 |" in text


def test_the_card_says_on_how_many_rollouts_a_pass_rate_rests_and_how_problems_spread() -> None:
    text = card(facts(counts=dataclasses.replace(counts(), judged=(4, 8, 64))))
    assert "rest on 8 judged rollouts in the middle (4 to 64)" in text
    assert "of 4 up to 0.49, of 8 up to 0.32, of 64 up to 0.06" in text
    assert "rest on 8 each" in card(facts(counts=dataclasses.replace(counts(), judged=(8, 8, 8))))
    assert "| gsm8k | algebra | 0 | 1 | 1 | 0 | 0 | 0 |" in text
    assert "| aime | unknown | 0 | 0 | 0 | 0 | 0 | 1 |" in text
    one = dataclasses.replace(counts(), balance=(("gsm8k", "algebra", (0, 1, 1, 0, 0, 0)),))
    assert "## Balance" not in card(facts(counts=one)), "of one source the table above says it all"


def test_gold_answers_by_majority_are_a_limit_that_is_said() -> None:
    assert "gold answers are what most rollouts say" not in card(facts())
    text = card(facts(counts=dataclasses.replace(counts(), majority_golds=12)))
    assert "- 12 gold answers are what most rollouts say" in text


def test_what_was_compared_with_benchmarks_is_said_and_what_was_not() -> None:
    text = card(facts())
    assert "**Not decontaminated**: no stage has compared these problems with a benchmark." in text
    assert "- Not decontaminated." in text
    funnel = (Entry("decontaminate.ngrams", "problems", 90, 86, {"in_benchmark": 4}),)
    leaks = {"views": [], "benchmarks": [{"left": "sft:train", "right": "math500", "exact": 1, "near": 2}]}
    text = card(facts(funnel=funnel, leaks=leaks))
    assert "| decontaminate.ngrams | 90 | in_benchmark 4 |" in text
    assert "| sft:train | math500 | 1 | 2 |" in text
    assert "ot decontaminated" not in text


def test_what_views_have_in_common_is_a_triangle() -> None:
    sides = (("sft:train", "rl:train", 1200, 3), ("sft:train", "rl:heldout", 0, 0), ("rl:train", "rl:heldout", 0, 7))
    views = [dict(zip(("left", "right", "exact", "near"), side, strict=True)) for side in sides]
    text = card(facts(leaks={"views": views, "benchmarks": None}))
    wanted = ("|  | rl:train | rl:heldout |", "| --- | --- | --- |", "| sft:train | 1,200 + 3 | 0 + 0 |")
    assert "\n".join((*wanted, "| rl:train |  | 0 + 7 |")) in text
    assert "in common" not in card(facts())


def test_the_drift_of_pairs_is_shown_with_its_sign() -> None:
    side = {"pairs": 120, "problems": 60, "chosen_length": 1050.0, "rejected_length": 1000.0, "length_drift": 0.05}
    text = card(facts(view_facts={"dpo": side, "sft": {"tokens": 5}}))
    assert "| dpo | 120 | 60 | 1,050 | 1,000 | 5.0% longer |" in text
    none = {**side, "pairs": 0, "chosen_length": None, "rejected_length": None, "length_drift": None}
    assert "| dpo | 0 | 60 | none | none | none |" in card(facts(view_facts={"dpo": none}))


def test_judges_are_held_against_the_rules() -> None:
    told = dataclasses.replace(counts(), opinions={("wrong", "wrong"): 3, ("wrong", "correct"): 1}, seconds={})
    text = card(facts(counts=told))
    assert "Of 4 rollouts with an opinion of the judge, 3 have the same from the rules (75.0%)." in text
    assert "math-verify alone" not in text


def test_limits_are_those_of_the_facts() -> None:
    told = dataclasses.replace(counts(), verdicts={"correct": 2, "timeout": 1, "undecided": 3})
    limits = card(facts(counts=told, symbolic_teacher="tutor", synthetic_problems=True)).partition("## Limits\n")[2]
    assert "4 rollouts have no verdict of right or wrong" in limits
    assert "1 kept problems state no licence." in limits
    assert "Problems are synthetic" in limits
    assert "symbolic program" in limits
    plain_limits = card(facts()).partition("## Limits\n")[2]
    assert "synthetic" not in plain_limits
    assert "no verdict of" not in plain_limits


def test_a_version_of_nothing_has_a_card() -> None:
    nothing = count(
        empty(PROBLEM).with_columns(drop_reason=pl.lit(None, pl.String)),
        empty(ROLLOUT).with_columns(drop_reason=pl.lit(None, pl.String)),
    )
    text = card(facts(counts=nothing, funnel=(), configs=(), views=()))
    assert head(text)["pretty_name"] == "math v3"


@pytest.mark.parametrize(
    ("changes", "synthetic"),
    [({"symbolic_teacher": "tutor"}, True), ({"synthetic_problems": True}, True), ({"sampling": None}, False)],
)
def test_what_is_synthetic_says_so(changes: dict[str, object], synthetic: bool) -> None:
    text = card(facts(**changes))
    assert ("SYNTHETIC" in text) is synthetic
    assert ("synthetic" in str(head(text)["tags"])) is synthetic
    assert ("a symbolic program" in text) is ("symbolic_teacher" in changes)


@pytest.mark.parametrize(
    ("licence", "shown"), [("apache-2.0", "apache-2.0"), (None, "other"), ("see below: x", "other")]
)
def test_a_licence_that_is_not_one_word_is_other(licence: str | None, shown: str) -> None:
    assert head(card(facts(license=licence)))["license"] == shown


def test_size_categories_are_those_of_the_hub() -> None:
    sizes = {999: "n<1K", 1000: "1K<n<10K", 99_999: "10K<n<100K", 1_600_000: "1M<n<10M", 10**9: "n>1B"}
    assert {rows: size_category(rows) for rows in sizes} == sizes


def holding(text: str) -> str:
    """The card where every text that others wrote is this one."""
    told = counts()
    wrapped = {
        "sources": (dataclasses.replace(told.sources[0], source=text, license=text),),
        "teachers": (dataclasses.replace(told.teachers[0], teacher=text),),
        "levels": {(text, "high"): 1},
    }
    changes = {
        "counts": dataclasses.replace(told, **wrapped),  # type: ignore[arg-type]  # names real fields
        "source_states": ((text, text),),
        "sampling": {"stop": text},
        "leaks": {"views": [], "benchmarks": [{"left": "sft:train", "right": text, "exact": 1, "near": 0}]},
    }
    return card(facts(**changes, **dict.fromkeys(("description", "symbolic_teacher", "manifest"), text)))


HARMLESS, UNSEEN = holding("x"), holding(" ")


@pytest.mark.parametrize("payload", HOSTILE)
def test_nothing_that_was_written_becomes_structure(payload: str) -> None:
    """Outside fences every line of a hostile card has the form of that line in a harmless one."""
    text, harmless = holding(payload), HARMLESS if plain(payload) else UNSEEN
    assert head(text) == head(harmless)
    assert "7*7" not in payload or "49" not in text
    body, plain_body = _outside_fences(text), _outside_fences(harmless)
    assert [_form(line) for line in body] == [_form(line) for line in plain_body]
    assert not re.search(r"<(?!\d+K)[a-z/!]|\]\(|://|www\.", "\n".join(body[body.index("# math v3") :]))


def _outside_fences(text: str) -> list[str]:
    """Lines that Markdown reads as structure: fences by the rule of CommonMark 4.5."""
    lines: list[str] = []
    fence = ""
    for line in text.split("\n"):
        found = re.match(r" {0,3}(`{3,}|~{3,})", line)
        if fence and found and found[1].startswith(fence) and not line.strip().strip(fence[0]):
            fence = ""
        elif not fence and found:
            fence = found[1]
        elif not fence:
            lines.append(line)
    assert not fence
    return lines


def _form(line: str) -> tuple[str, int]:
    """How a line begins, and how many table cells it has."""
    start = re.match(r"#+ |> |[-+*] |\d+[.)] |-{3,}$|={3,}$|\|| {4}", line)
    return (re.sub(r"\d", "0", start[0]) if start else "", line.count("|"))


def test_plain_text_stays_readable() -> None:
    assert plain("no_answer in gpt-4o (3.5 %), π ≤ 4") == "no_answer in gpt-4o (3.5 %), π ≤ 4"
    assert plain("0.2 to 0.4") == "0.2 to 0.4"
    assert plain("1. item") == "&#49;. item"
    assert plain("a\n\n  b") == "a b"
    assert fenced("a ```` b") == "`````\na ```` b\n`````"
    assert table(("a", "n"), [("x|y", 1200)]) == "| a | n |\n| --- | ---: |\n| x&#124;y | 1,200 |"


@pytest.mark.skipif("COTILLION_REAL_DATA" not in os.environ, reason="real rollouts are named by COTILLION_REAL_DATA")
def test_real_rollouts_as_examples_stay_in_their_fence() -> None:
    import gzip
    import json

    file = Path(os.environ["COTILLION_REAL_DATA"]) / "rollouts" / "tora_gsm8k.jsonl.gz"
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["rollout"] for _, line in zip(range(300), lines, strict=False)]
    assert any("```" in text for text in texts)
    assert [text for text in texts if _outside_fences(fenced(text))] == []
