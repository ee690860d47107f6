"""A ladder file: every fault with its place, entries named in overrides, commands that `train` and `curate` take."""

import json
import re
from pathlib import Path

import pytest
import yaml

from curate.manifest import read_manifest
from tests.train.small_ladder import LADDER, write_ladder
from train.ladder.file import LadderError, read_ladder, schema
from train.ladder.plan import build_overrides, eval_words, from_stage, runs, train_words

SHIPPED = sorted(
    file
    for file in (Path(__file__).parents[2] / "manifests/ladder").glob("*.yaml")
    if re.search(r"^stages:", file.read_text(encoding="utf-8"), re.MULTILINE)
)


def faults(folder: Path, text: str, *overrides: str) -> list[str]:
    file = write_ladder(folder, text)
    with pytest.raises(LadderError) as refused:
        read_ladder(file, overrides)
    return [line.replace(f"{file}:", "") for line in refused.value.faults]


def test_paths_are_those_beside_the_file(tmp_path: Path) -> None:
    ladder = read_ladder(write_ladder(tmp_path))
    assert ladder.stages[0].manifest == str(tmp_path / "mini-base.yaml")
    assert ladder.stages[0].config == str(tmp_path / "train.yaml")
    assert ladder.evaluate.heldout.manifest == str(tmp_path / "mini-heldout.yaml")
    assert ladder.controls[0].stages[0].manifest == str(tmp_path / "mini-base.yaml")


def test_every_fault_is_told_with_line_and_column(tmp_path: Path) -> None:
    text = LADDER.replace("trainer: midtrain", "trainer: midtrian").replace("seeds: [0, 1]", "seeds: [0, -1]")
    assert faults(tmp_path, text.replace("description", "descripton")) == [
        "2:1  descripton: unknown key. Did you mean 'description'?",
        "3:12  seeds.1: -1 is too small. Write at least 0.",
        "14:14  stages.1.trainer: 'midtrian' is not 'midtrain', 'sft', 'dpo' or 'grpo'. Did you mean 'midtrain'?",
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("name: midtrain\n", "name: base\n", "stages.1.name: 'base' is taken"),
        ("name: no_midtrain", "name: grpo", "controls.0.name: 'grpo' is taken"),
        ("after: base", "after: bas", "no stage is named 'bas'. There are: base, midtrain, dpo, grpo."),
        ("against: midtrain", "against: sft", "nothing above is named 'sft'"),
        ("manifest: mini-rl.yaml", "manifest: mini-r.yaml", "no file 'mini-r.yaml' beside the ladder"),
        (
            "{sources.0.of: base}",
            "{sources.0.of: grpo}",
            "no stage before it is named 'grpo'. There are: base, midtrain.",
        ),
        ("name: base, trainer: sft", "name: base, trainer: grpo", "grpo needs a student that was trained before"),
        ("mini-base.yaml, config", "mini-base.yaml, ask_student: true, config", "the student is untrained here"),
        ("mini-base.yaml, config", "mini-base.yaml, view: sft, config", "only midtrain reads another view"),
        ("manifest: mini-validation.yaml", "manifest: mini-heldout.yaml", "the held-out set itself"),
        ("{model: tiny,", "{model: some/model,", "only the tiny student has sizes"),
        ("seeds: [0, 1]", "seeds: [1, 1]", "a seed twice"),
    ],
)
def test_what_cannot_be_climbed_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in LADDER
    assert said in "\n".join(faults(tmp_path, LADDER.replace(old, new, 1)))


def test_entries_of_a_list_are_set_by_their_name(tmp_path: Path) -> None:
    file = write_ladder(tmp_path)
    ladder = read_ladder(file, ["stages.grpo.set.rl.rebalance=true", "controls.no_midtrain.stages.sft.set.max_steps=7"])
    grpo = next(run for run in runs(ladder) if run.name == "grpo-s1")
    words = train_words(grpo, ladder, "m", "d@v1", Path("out"), Path("data"))
    assert "rl.rebalance=true" in words
    assert ladder.controls[0].stages[0].set["max_steps"] == 7
    assert faults(tmp_path, LADDER, "stages.rlvr.set.x=1") == [
        "--set stages.rlvr.set.x=1: stages.rlvr: no such entry. There are 4, counted from 0."
    ]


def test_runs_follow_their_parents_and_controls_leave_off_where_they_say(tmp_path: Path) -> None:
    ladder = read_ladder(write_ladder(tmp_path))
    planned = runs(ladder)
    names = [run.name for run in planned]
    assert names[:4] == ["base-s0", "base-s1", "midtrain-s0", "midtrain-s1"]
    assert names[-2:] == ["no_midtrain.sft-s0", "no_midtrain.sft-s1"]
    parents = {run.name: run.parent.name if run.parent else None for run in planned}
    assert parents["grpo-s1"] == "dpo-s1"
    assert parents["no_midtrain.sft-s1"] == "base-s1"
    assert parents["base-s0"] is None
    assert [run.name for run in runs(ladder, (), (1,))] == ["base-s1", "midtrain-s1", "dpo-s1", "grpo-s1"]
    for wanted in ({"controls": ("other",)}, {"seeds": (2,)}):
        with pytest.raises(LadderError):
            runs(ladder, **wanted)  # type: ignore[arg-type]  # one of the two
    assert from_stage(planned, "dpo") == {"dpo-s0", "dpo-s1", "grpo-s0", "grpo-s1"}
    assert from_stage(planned, "no_midtrain") == {"no_midtrain.sft-s0", "no_midtrain.sft-s1"}
    assert len(from_stage(planned, "base")) == 10
    assert not from_stage(planned, None)
    with pytest.raises(LadderError, match="There are: base, midtrain, dpo, grpo, sft, no_midtrain"):
        from_stage(planned, "rl")


def test_the_student_that_was_just_trained_draws_the_rollouts(tmp_path: Path) -> None:
    ladder = read_ladder(write_ladder(tmp_path))
    dpo = next(run for run in runs(ladder) if run.name == "dpo-s0")
    base = tmp_path / "data/mini-base/v1"
    overrides = build_overrides(dpo, str(tmp_path / "runs/midtrain-s0-1234"), {"base": base})
    read = read_manifest(dpo.stage.manifest, overrides)
    assert read.rollouts
    assert read.rollouts.teacher.plug.path == str(tmp_path / "runs/midtrain-s0-1234")
    assert read.rollouts.teacher.plug.model == "midtrain-s0-1234"
    assert read.sources[0].plug.of == str(base)


def test_the_first_stage_alone_is_told_the_students_size(tmp_path: Path) -> None:
    ladder = read_ladder(write_ladder(tmp_path))
    words = {
        run.stage.name: train_words(run, ladder, "m", "d@v1", Path("out"), Path("data"))
        for run in runs(ladder, (), (0,))
    }
    assert "student.width=64" in words["base"]
    assert not any(word.startswith("student.") for stage in ("midtrain", "dpo", "grpo") for word in words[stage])
    assert all("seed=0" in each for each in words.values())


def test_the_commands_are_ones_that_train_takes(tmp_path: Path) -> None:
    from typer.main import get_command

    from train.cli import app

    ladder = read_ladder(write_ladder(tmp_path))
    command = get_command(app)
    told = [train_words(run, ladder, "m", "d@v1", Path("out"), Path("data"), True) for run in runs(ladder)]
    told.append(eval_words(ladder, Path("run"), ["d@v1:heldout"], Path("data")))
    for words in told:
        stage = command.commands[words[1]]  # type: ignore[attr-defined]  # a group
        stage.make_context(words[1], list(words[2:]))  # raises for an unknown option


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_the_ladders_that_come_along_can_be_climbed(file: Path) -> None:
    ladder = read_ladder(file)
    for run in runs(ladder, None, ladder.seeds[:1]):
        versions = {each.stage.name: Path("VERSION") for each in run.chain}
        read_manifest(run.stage.manifest, build_overrides(run, "RUN" if run.parent else None, versions))


def test_the_schema_beside_the_ladders_is_todays_and_documents_every_key() -> None:
    kept = Path(__file__).parents[2] / "manifests/ladder/schema.json"
    assert json.loads(kept.read_text(encoding="utf-8")) == schema()

    def undocumented(node: object, where: str) -> list[str]:
        if not isinstance(node, dict):
            return []
        missing = [
            f"{where}.{key}"
            for key, told in node.get("properties", {}).items()
            if not told.get("description") and "Sampling" not in where
        ]
        return missing + [each for key, value in node.items() for each in undocumented(value, f"{where}.{key}")]

    assert undocumented(schema(), "") == []


def test_the_control_of_equal_compute_takes_as_many_steps_as_the_stages_it_stands_for() -> None:
    ladder = read_ladder("manifests/ladder/cpu.yaml")
    steps = {stage.name: yaml.safe_load(Path(stage.config or "").read_text())["max_steps"] for stage in ladder.stages}
    (control,) = (each for each in ladder.controls if each.name == "equal_compute")
    assert control.stages[0].set["max_steps"] == steps["midtrain"] + steps["sft"]
