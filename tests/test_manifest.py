"""A manifest is read whole or refused with every fault, each at its line, in words that say what to do."""

import json
import os
import re
import resource
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
import yaml

from curate import plug
from curate.manifest import ManifestError, Prompt, Recipe, read_manifest
from curate.reading.intake import Columns
from curate.records import MESSAGES

HERE = Path(__file__).parent
MANIFESTS = HERE.parent / "manifests"
GOOD = "name: x\nsources: [{use: files, path: q.jsonl, columns: {problem: q}}]\n"
BROKEN = yaml.safe_load((HERE / "broken_manifests.yaml").read_text())


def faults(text: str | bytes, folder: Path, *overrides: str) -> list[str]:
    """What is said of a manifest m.yaml, read from the folder it is in."""
    (folder / "m.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    here = os.getcwd()
    os.chdir(folder)
    try:
        read_manifest("m.yaml", overrides)
    except ManifestError as error:
        return str(error).splitlines()
    finally:
        os.chdir(here)
    return []


def read(text: str, folder: Path, *overrides: str) -> Any:
    (folder / "m.yaml").write_text(text)
    return read_manifest(folder / "m.yaml", overrides)


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case["says"][:60])
def test_a_broken_manifest_is_told_exactly_what_is_wrong(case: dict[str, str], tmp_path: Path) -> None:
    names = {kind: ", ".join(plug.names(kind)) for kind in plug.FOLDERS}
    names["keys"] = ", ".join(sorted(f.name for f in fields(Recipe)))
    names["columns"] = ", ".join(sorted(f.name for f in fields(Columns)))
    expected = case["says"]
    for name, value in names.items():
        expected = expected.replace(f"{{{name}}}", value)
    assert "\n".join(faults(case.get("whole", GOOD + case.get("below", "")), tmp_path)) == expected


def test_the_table_holds_sixty_manifests_and_every_fault_a_line() -> None:
    assert len(BROKEN) >= 60
    assert all(line.startswith("m.yaml:") for case in BROKEN for line in case["says"].splitlines())


# --- good manifests -------------------------------------------------------------------------------------------------


def test_a_manifest_gives_its_plugs_and_their_options(tmp_path: Path) -> None:
    manifest = read(
        GOOD + "problems: [{use: dedup.exact, ignore_case: false}, hygiene.answerable]\nviews: {midtrain: , sft: {}}\n",
        tmp_path,
    )
    exact, answerable = manifest.problems
    assert (exact.name, exact.plug.ignore_case, exact.options) == ("dedup.exact", False, {"ignore_case": False})
    assert (answerable.name, answerable.options) == ("hygiene.answerable", {})
    assert list(manifest.views) == ["midtrain", "sft"]
    assert manifest.views["sft"].plug.per_problem == 1
    assert (manifest.heldout, manifest.seed, manifest.language, manifest.rollouts) == (0.05, 0, "en", None)


def test_numbers_are_read_as_yaml_1_2_reads_them(tmp_path: Path) -> None:
    assert read(GOOD + "heldout: 1e-5\n", tmp_path).heldout == 0.00001
    assert read(GOOD + "heldout: 0\n", tmp_path).heldout == 0.0


def test_braces_in_a_prompt_are_plain_text(tmp_path: Path) -> None:
    manifest = read(
        GOOD + "prompt: {user: 'Put {problem} into \\boxed{}, {x} {{y}}', system: 'A {problem}'}\n", tmp_path
    )
    assert manifest.prompt.user == "Put {problem} into \\boxed{}, {x} {{y}}"
    assert manifest.prompt.system == "A {problem}"


def test_a_prompt_becomes_one_message_list_per_problem() -> None:
    rows = pl.DataFrame({"problem": ["1 + {x}?", "{problem}"]})
    for prompt, first in ((Prompt("a {problem} b"), []), (Prompt("a {problem} b", "{problem}!"), ["{problem}!"])):
        asked = rows.select(prompt.messages(pl.col("problem")).alias("prompt"))
        assert asked.schema == pl.Schema(pl.from_arrow(pa.schema([("prompt", MESSAGES)]).empty_table()).schema)
        texts = [[turn["content"] for turn in turns] for turns in asked["prompt"].to_list()]
        assert texts == [[*first, "a 1 + {x}? b"], [*first, "a {problem} b"]]


def test_paths_are_relative_to_the_manifest_and_those_of_overrides_to_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, elsewhere = tmp_path / "recipes", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("HOME", "/home/me")
    (folder / "m.yaml").write_text(
        "name: x\nsources: [{use: files, path: [../q/*.jsonl, /abs/q.jsonl, ~/q.jsonl], columns: {problem: path}}]\n"
    )
    written = read_manifest("../recipes/m.yaml")
    assert written.sources[0].plug.path == (f"{tmp_path}/q/*.jsonl", "/abs/q.jsonl", "/home/me/q.jsonl")
    assert written.sources[0].plug.columns.problem == "path"
    assert written.canonical()["sources"][0]["path"] == ["../q/*.jsonl", "/abs/q.jsonl", "~/q.jsonl"]
    one = read_manifest("../recipes/m.yaml", ["sources.0.path.0=here.jsonl"])
    assert one.sources[0].plug.path == (f"{elsewhere}/here.jsonl", "/abs/q.jsonl", "/home/me/q.jsonl")
    whole = read_manifest("../recipes/m.yaml", ["sources.0.path=here.jsonl"])
    assert whole.sources[0].plug.path == f"{elsewhere}/here.jsonl"


def test_the_canonical_form_is_complete_free_of_this_machine_and_a_manifest_again(tmp_path: Path) -> None:
    manifest = read(GOOD + "problems: [dedup.exact]\nviews: {sft: {level: [college]}}\n", tmp_path)
    canonical = manifest.canonical()
    assert str(tmp_path) not in json.dumps(canonical)
    every = {"use": "dedup.exact", "ignore_case": True, "keep": ["answer", "rollouts", "order"]}
    assert canonical["problems"] == [every]
    assert canonical["views"]["sft"]["level"] == ["college"]
    assert canonical["prompt"]["system"] is None
    assert set(canonical) == {f.name for f in fields(Recipe)} - {"engine"}, "where it is built is no part of it"
    (tmp_path / "again.yaml").write_text(yaml.safe_dump(canonical, sort_keys=False))
    assert read_manifest(tmp_path / "again.yaml").canonical() == canonical


def test_the_text_of_the_file_and_the_overrides_are_kept(tmp_path: Path) -> None:
    manifest = read(GOOD, tmp_path, "seed=3")
    assert (manifest.manifest_text, manifest.overrides) == (GOOD, ("seed=3",))


def test_equal_recipes_written_differently_have_one_canonical_form(tmp_path: Path) -> None:
    short = read(GOOD + "heldout: 0\nviews: {rl: {pass_rate: [0, 1]}}\ntags: [repetition]\n", tmp_path).canonical()
    long = read(GOOD + "tags: [{use: repetition}]\nviews: {rl: {pass_rate: [0.0, 1.0]}}\nheldout: 0.0\n", tmp_path)
    assert json.dumps(short, sort_keys=True) == json.dumps(long.canonical(), sort_keys=True)


# --- overrides ------------------------------------------------------------------------------------------------------

TUTOR = GOOD + "rollouts: {teacher: tutor, sampling: {n: 4}}\nviews: {sft: }\nproblems: [dedup.exact]\n"


def test_overrides_set_what_is_there_and_what_is_not(tmp_path: Path) -> None:
    manifest = read(
        TUTOR,
        tmp_path,
        "rollouts.sampling.n=16",
        "rollouts.sampling.temperature=1e-1",
        "rollouts.teacher.error_rate=0.5",
        "problems.0.ignore_case=false",
        "views.sft.level=[college, graduate]",
        "views.rl.pass_rate=[0.1, 0.9]",
        "description=first: #2, {x}",
        "license='016'",
        "sources.0.columns.answer=a",
        "seed=1",
        "seed=2",
    )
    assert (manifest.rollouts.sampling.n, manifest.rollouts.sampling.temperature) == (16, 0.1)
    assert manifest.rollouts.teacher.plug.error_rate == 0.5
    assert manifest.problems[0].plug.ignore_case is False
    assert manifest.views["sft"].plug.level == ("college", "graduate")
    assert manifest.views["rl"].plug.pass_rate == (0.1, 0.9)
    assert (manifest.description, manifest.license, manifest.seed) == ("first: #2, {x}", "016", 2)
    assert manifest.sources[0].plug.columns == Columns(problem="q", answer="a")


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("rollouts.sampling.m=16", "rollouts.sampling.m: unknown key. Did you mean 'n'?"),
        ("rollouts.samplng.n=16", "rollouts.samplng: unknown key. Did you mean 'sampling'?"),
        ("rollouts.sampling.n=many", "rollouts.sampling.n: 'many' is not a whole number. Write a number."),
        ("rollouts.sampling.n=", "rollouts.sampling.n: is empty. Write a whole number."),
        ("rollouts.teacher=tutr", "rollouts.teacher: no plug is named 'tutr'. Did you mean 'tutor'?"),
        ("rollouts.teacher.eror_rate=1", "rollouts.teacher.eror_rate: unknown key. Did you mean 'error_rate'?"),
        ("sources.1.path=x", "sources.1: no such entry. There are 1, counted from 0."),
        ("sources.path=x", "sources.path: no such entry. There are 1, counted from 0."),
        ("name.x=1", "name.x: name is 'x' and has no keys."),
        ("seed=016", "seed: 016 is octal to some readers of YAML. Write 16, or '016' for text."),
        ("views.sft.level=[college", "views.sft.level: a bracket that is not closed, or a missing comma. "
         "Put text with brackets in quotes."),
        ("views.stf.keep=all", "views.stf: no plug is named 'stf'. Did you mean 'sft'?"),
        ("seed", "not key=value. Write, for example, --set rollouts.sampling.n=16."),
        ("=3", "not key=value. Write, for example, --set rollouts.sampling.n=16."),
        ("a..b=3", "not key=value. Write, for example, --set rollouts.sampling.n=16."),
        ("description=a\udcffb", "description: holds the character U+DCFF, which is no text. Remove it."),
    ],
)  # fmt: skip
def test_a_fault_in_an_override_names_the_override(override: str, says: str, tmp_path: Path) -> None:
    assert faults(TUTOR, tmp_path, override) == [f"--set {override}: {says}"]


def test_faults_of_the_file_come_first_then_those_of_overrides(tmp_path: Path) -> None:
    assert faults(TUTOR + "sed: 1\n", tmp_path, "heldout=2", "views.sft.kep=all", "heldout=3") == [
        "m.yaml:6:1  sed: unknown key. Did you mean 'seed'?",
        "--set views.sft.kep=all: views.sft.kep: unknown key. Did you mean 'keep'?",
        "--set heldout=3: heldout: 3 is too large. Write at most 0.5.",
    ]


def test_a_secret_is_never_repeated(tmp_path: Path) -> None:
    secret = "sk-proj-0123456789abcdef"
    said = faults(GOOD + f"description: {secret}\nviews: {{sft: {{pick: {secret}}}}}\n", tmp_path, f"license={secret}")
    assert len(said) == 3
    assert not any(secret in line for line in said)


# --- suggestions ----------------------------------------------------------------------------------------------------

WELL_SPELT = """\
name: x
description: d
license: mit
language: en
sources:
  - use: files
    path: q.jsonl
    columns: {problem: q, answer: a, source_id: i}
    limit: 5
problems:
  - {use: dedup.exact, ignore_case: false}
prompt: {user: "{problem}", system: Be brief.}
rollouts:
  teacher: {use: tutor, error_rate: 0.25}
  sampling: {n: 4, temperature: 0.5, top_p: 0.9, max_tokens: 512}
verdicts: [rule]
tags:
  - {use: difficulty, by: pass_rate, truncated: true, least: 2}
views:
  midtrain: {keep: correct, per_problem: 2}
  sft: {level: [college], pick: median, reasoning: true}
  dpo: {length_ratio: [0.5, 2.0], rule: random}
  rl: {pass_rate: [0.1, 0.9], length_spread: 0.3, unsampled: true}
heldout: 0.1
seed: 7
"""
TYPOS = """
name nmae, description desciption, license licence, language langauge, sources source, use usr, path pth,
columns colums, problem problm, answer anwser, source_id sorce_id, limit limt, problems poblems,
ignore_case ingore_case, prompt promt, user usr, system sytem, rollouts rolouts, teacher techer,
error_rate eror_rate, sampling samplng, n m,
temperature temprature, top_p topp, max_tokens max_token, verdicts verdict, tags tag, by bi, truncated truncted,
least laest, views veiws, keep kep, per_problem per_probem, level levl, pick pik, reasoning resoning,
length_ratio lenght_ratio, rule role, pass_rate pas_rate, length_spread length_sprad, unsampled unsampeld,
heldout heldot, seed sed, midtrain midtran, dpo dop, rl r
"""


def test_of_one_letter_typos_nearly_all_are_guessed(tmp_path: Path) -> None:
    typos = [typo.split() for typo in TYPOS.replace("\n", " ").split(",")]
    assert faults(WELL_SPELT, tmp_path) == []
    wrong = []
    for right, typo in typos:
        misspelt, count = re.subn(rf"\b{right}:", f"{typo}:", WELL_SPELT, count=1)
        assert count == 1
        said = faults(misspelt, tmp_path)
        if len(said) != 1 or not said[0].endswith(f"Did you mean {right!r}?"):
            wrong.append((right, typo, said))
    assert len(typos) >= 40
    assert len(wrong) <= 2, wrong


def test_a_name_that_nothing_resembles_is_not_guessed(tmp_path: Path) -> None:
    assert "Did you mean" not in "".join(faults(GOOD + "workers: 3\nx: 1\ncheckpoint_every: 3\n", tmp_path))


# --- hostile files --------------------------------------------------------------------------------------------------

BOMB = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [{f'*{a},' * 9}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
HOSTILE: dict[str, bytes] = {
    "alias bomb": BOMB.encode(),
    "alias of itself": b"a: &a [*a]",
    "merge bomb": b"a: &a {x: 1}\nb: {<<: [*a, *a]}",
    "flow nesting": b"a: " + b"[" * 100_000,
    "map nesting": b"{a: " * 50_000,
    "block nesting": b"- " * 100_000,
    "key nesting": b"? " * 100_000,
    "indented nesting": b"".join(b" " * i + b"a:\n" for i in range(1000)),
    "closed nesting": b"a: " + b"[" * 400 + b"]" * 400,
    "python name": b"name: !!python/name:os.system",
    "python apply": b"name: !!python/object/apply:os.system ['touch {canary}']",
    "python new": b"name: !!python/object/new:subprocess.Popen [['touch', '{canary}']]",
    "python module": b"name: !!python/module:os",
    "verbatim tag": b"name: !<tag:yaml.org,2002:python/object/apply:os.system> [touch {canary}]",
    "tag directive": b"%TAG ! tag:yaml.org,2002:python/\n---\nname: !name:os.system x",
    "tagged key": b"!!python/name:os.system x: 1",
    "binary": b"name: !!binary AAAA",
    "timestamp": b"name: !!timestamp 2026-01-01",
    "two megabytes": b"name: " + b"x" * 2_000_000,
    "endless comment": b"#" * 2_000_000,
    "many keys": b"".join(b"k%d: 1\n" % i for i in range(80_000)),
    "many entries": b"sources: [" + b"1," * 400_000,
    "many documents": b"---\n" * 200_000,
    "many directives": b"%A\n" * 200_000,
    "NUL": b"name: x\x00y",
    "escape": b"name: x\x1b[2Jy",
    "NUL by escape": b'name: "x\\0y"\nsources: []',
    "surrogate by escape": b'name: "\\ud800"\nsources: []',
    "surrogate key": b'"\\ud800": x',
    "no UTF-8": b"name: \xff\xfe\xfd",
    "UTF-8 mark": b"\xef\xbb\xbfname: x",
    "UTF-16": "name: x".encode("utf-16"),
    "UTF-32": "name: x".encode("utf-32"),
    "huge number": b"name: x\nseed: " + b"9" * 100_000,
    "open quote": b'name: "' + b"x" * 900_000,
    "open block": b"name: |\n" + b" x\n" * 300_000 + b"\x07",
    "quotes": b"'" * 100_001,
    "anchors": b"&a " * 100_000,
    "tags": b"!" * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_at_once_and_nothing_is_run(name: str, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    data = HOSTILE[name].replace(b"{canary}", str(canary).encode())
    start = time.process_time()
    said = faults(data, tmp_path)
    seconds = time.process_time() - start
    assert said
    assert all(line.startswith("m.yaml:") and len(line) < 400 for line in said)
    assert seconds < 2  # a fifth of a second on an idle machine
    assert not canary.exists()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("alias bomb", "m.yaml:1:4  an anchor (&a). Remove it, and write the value out where it is needed."),
        ("flow nesting", "m.yaml:1:24  nested more than 20 deep. No option needs that: check the brackets."),
        ("two megabytes", "m.yaml:1:1  more than 1 MB. A manifest is a page or two: is this the data?"),
        ("many keys", "m.yaml:2000:8  more than 2000 values. Lists of rows belong in a data file."),
        ("NUL", "m.yaml:1:8  holds the character U+0000, which is no text. Remove it."),
        ("UTF-8 mark", "m.yaml:1:1  starts with a byte-order mark. Save the file as UTF-8 without BOM."),
        ("no UTF-8", "m.yaml:1:1  is not UTF-8 text. Save the file as UTF-8."),
    ],
)
def test_a_hostile_file_is_told_what_is_wrong(name: str, says: str, tmp_path: Path) -> None:
    assert faults(HOSTILE[name], tmp_path) == [says]


def test_hostile_files_take_little_memory(tmp_path: Path) -> None:
    faults(GOOD, tmp_path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for data in HOSTILE.values():
        faults(data, tmp_path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes


def test_a_file_that_cannot_be_read_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, why in {"none.yaml": "No such file or directory", ".": "Is a directory"}.items():
        with pytest.raises(ManifestError) as caught:
            read_manifest(name)
        assert str(caught.value) == f"{name}: {why}. Name a manifest, such as manifests/quickstart.yaml."


def test_no_fault_speaks_in_the_words_of_pydantic_or_yaml(tmp_path: Path) -> None:
    said = " ".join(case["says"] for case in BROKEN).lower()
    assert not any(
        word in said for word in ("pydantic", "input should", "field required", "http", "<block", "any token")
    )


# --- shape ----------------------------------------------------------------------------------------------------------


def test_reading_manifests_imports_nothing_heavy() -> None:
    heavy = ("polars", "pyarrow", "torch", "datasets")
    code = f"import sys, curate.manifest; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_folder_of_a_model_lies_beside_the_manifest_and_a_name_on_the_hub_stays_one(tmp_path: Path) -> None:
    on_the_hub = f"org/name@{'0' * 40}"
    (tmp_path / "minilm").mkdir()
    for written, meant in (("./minilm", str(tmp_path / "minilm")), (on_the_hub, on_the_hub)):
        found = read(GOOD + f"problems: [{{use: dedup.semantic, model: '{written}'}}]\n", tmp_path)
        assert found.problems[0].plug.model == meant
