"""A ladder of seconds: five stages of a few steps each, on problems posed by a program."""

from pathlib import Path

COMMON = """\
prompt: {user: "{problem}"}
heldout: 0.2
seed: 0
problems: [dedup.exact]
verdicts: [rule]
tags: [{use: difficulty, by: pass_rate}]
"""
DRILLS = "families: [drill_modular, drill_sums], levels: [elementary, middle]"
ALL = "families: [drill_modular, drill_sums], levels: [elementary, middle, high]"
STUDENT = """rollouts:
  teacher: {use: transformers_local, path: none/yet, batch_size: 64}
  sampling: {n: 2, temperature: 1.0, top_p: 1.0, max_tokens: 24}
  no_reasoning: 1
"""
MANIFESTS = {
    "mini-base": f"""\
sources: [{{use: procedural, n: 200, seed: 1, {DRILLS}}}]
rollouts: {{teacher: {{use: tutor, error_rate: 0.3, style: brief}}, sampling: {{n: 2, max_tokens: 160}}}}
views: {{sft: {{per_problem: 1}}, midtrain: {{keep: all}}}}
""",
    "mini-dpo": f"""\
sources: [{{use: version, of: name/of/another}}]
{STUDENT}views: {{dpo: {{length_ratio: [0.01, 100.0]}}}}
""",
    "mini-rl": f"""\
sources: [{{use: procedural, n: 40, seed: 4, {DRILLS}}}]
{STUDENT}views: {{rl: {{pass_rate: [0.0, 1.0], unsampled: true}}}}
""",
    "mini-heldout": f"""\
sources: [{{use: procedural, n: 60, seed: 101, {ALL}}}]
views: {{rl: {{unsampled: true}}}}
""",
    "mini-validation": f"""\
sources: [{{use: procedural, n: 60, seed: 202, {ALL}}}]
views: {{rl: {{unsampled: true}}}}
""",
}
CONFIG = """\
per_device_train_batch_size: 8
max_length: 256
logging_steps: 2
save_strategy: steps
save_steps: 2
eval_strategy: "no"
"""
LADDER = """\
name: mini
description: Seconds.
seeds: [0, 1]
student: {model: tiny, sizes: {layers: 1, width: 64, inner: 64, vocabulary: 384, context: 320}}
evaluate:
  heldout: {manifest: mini-heldout.yaml, split: heldout}
  validation: {manifest: mini-validation.yaml, split: heldout}
  sampling: {n: 2, temperature: 1.0, top_p: 1.0, max_tokens: 16}
  unseen_levels: [high]
choices: ["the <b>learning rate</b> of sft"]
stages:
  - {name: base, trainer: sft, manifest: mini-base.yaml, config: train.yaml, set: {max_steps: 4}}
  - name: midtrain
    trainer: midtrain
    manifest: mini-base.yaml
    config: train.yaml
    set: {max_steps: 4, load_best_model_at_end: false}
  - name: dpo
    trainer: dpo
    manifest: mini-dpo.yaml
    ask_student: true
    versions: {sources.0.of: base}
    config: train.yaml
    set: {max_steps: 2}
    accept: [drift, cut, alike]
  - name: grpo
    trainer: grpo
    manifest: mini-rl.yaml
    ask_student: true
    set: {max_steps: 2, per_device_train_batch_size: 8, num_generations: 4, max_completion_length: 16}
    accept: [settled, long]
controls:
  - name: no_midtrain
    after: base
    against: midtrain
    expect: below
    says: The other way.
    stages:
      - {name: sft, trainer: sft, manifest: mini-base.yaml, config: train.yaml, set: {max_steps: 2}}
"""


def write_ladder(folder: Path, text: str = LADDER) -> Path:
    """The ladder file, with its manifests and its config beside it."""
    for name, manifest in MANIFESTS.items():
        (folder / f"{name}.yaml").write_text(f"name: {name}\n{COMMON}{manifest}", encoding="utf-8")
    (folder / "train.yaml").write_text(CONFIG, encoding="utf-8")
    (folder / "mini.yaml").write_text(text, encoding="utf-8")
    return folder / "mini.yaml"
