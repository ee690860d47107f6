"""What our trainers cost over a bare TRL script: the same rows, model, settings and seed, each in a process of its own.

    python benchmarks/trainers.py [--steps 60] [--rounds 3] [--stages sft dpo grpo]

CPU seconds of the whole process are compared (wall time beside them), the best of the rounds, ours and theirs in turn;
and the loss of the first 20 steps.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
NOISY = REPOSITORY / "tests" / "fixtures" / "noisy_teacher"
SETTINGS = {
    "use_cpu": True,
    "bf16": False,
    "activation_checkpointing": False,
    "logging_steps": 1,
    "save_strategy": "no",
    "seed": 0,
    "learning_rate": 1e-4,
    "lr_scheduler_type": "constant",
    "warmup_steps": 0,
    "gradient_accumulation_steps": 1,
    "report_to": "none",
}
STAGES = {
    "sft": {"max_length": 512, "assistant_only_loss": True, "packing": False, "per_device_train_batch_size": 8},
    "dpo": {"max_length": 512, "beta": 0.1, "per_device_train_batch_size": 8, "precompute_ref_log_probs": False},
    "grpo": {
        "max_completion_length": 128,
        "num_generations": 8,
        "per_device_train_batch_size": 16,
        "temperature": 1.0,
        "beta": 0.0,
        "loss_type": "dapo",
        "use_vllm": False,
    },
}
PLAIN = [
    *("--set", "rl.rebalance=false", "--set", "rl.accuracy_at_most=null"),
    *("--set", "rl.oversample=1", "--set", "rl.temperature_end=null"),
]
"""The paper's fixes are off: the bare trainer has none."""
VIEWS = {"sft": "sft", "dpo": "dpo", "grpo": "rl"}

BARE = """
import json, sys
from pathlib import Path
from datasets import load_dataset
from transformers import AutoTokenizer, set_seed
import trl
stage, model, rows, out, settings = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], json.loads(sys.argv[5])
config = {"sft": "SFTConfig", "dpo": "DPOConfig", "grpo": "GRPOConfig"}[stage]
trainer_class = getattr(trl, {"sft": "SFTTrainer", "dpo": "DPOTrainer", "grpo": "GRPOTrainer"}[stage])
columns = {"sft": ["messages"], "dpo": ["prompt", "chosen", "rejected"], "grpo": ["prompt", "solution", "pass_rate"]}
data = load_dataset("parquet", data_files=rows, split="train", columns=columns[stage])
tokenizer = AutoTokenizer.from_pretrained(model)
more = {}
if stage == "grpo":
    from verify import reward
    more["reward_funcs"] = reward.accuracy
args = getattr(trl, config)(output_dir=out, **settings)
set_seed(args.seed)
trainer = trainer_class(model=model, args=args, train_dataset=data, processing_class=tokenizer, **more)
trainer.train()
trainer.save_model(out)
Path(out, "losses.json").write_text(json.dumps([log["loss"] for log in trainer.state.log_history if "loss" in log]))
"""


def main() -> None:
    """Prints the table."""
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("--steps", type=int, default=60)
    told.add_argument("--rounds", type=int, default=3)
    told.add_argument("--stages", nargs="+", default=list(STAGES), choices=list(STAGES))
    given = told.parse_args()
    print(f"{'stage':6} {'ours, CPU s':>12} {'bare, CPU s':>12} {'ratio':>7} {'wall ratio':>11}   loss, first 20 steps")
    with tempfile.TemporaryDirectory() as folder:
        for stage in given.stages:
            measure(stage, Path(folder), given.steps, given.rounds)


def measure(stage: str, folder: Path, steps: int, rounds: int) -> None:
    """One line of the table."""
    sys.path.insert(0, str(REPOSITORY))
    from tests.train.small_version import sum_pairs, sum_prompts, sums, sums_table, write_views

    rows = {"sft": lambda: sums_table(sums(1_000, 0)), "dpo": lambda: sum_pairs(1_000, 0)}
    table = rows.get(stage, lambda: sum_prompts(1_000, 0))()
    version = write_views(folder / "data", {VIEWS[stage]: {"train": table}}, f"{stage}-rows")
    settings = SETTINGS | STAGES[stage] | {"max_steps": steps}
    file = next((version / VIEWS[stage]).glob("*.parquet"))
    words = [word for key, value in settings.items() for word in ("--set", f"{key}={json.dumps(value)}")]
    more = {"sft": [], "dpo": ["--accept", "endless"], "grpo": PLAIN}[stage]
    best: dict[str, tuple[float, float]] = {}
    losses = {}
    for turn in range(rounds):
        runs = {
            "ours": ["-m", "train", stage, "--data", str(version), "--model", str(NOISY), *words, *more],
            "bare": ["-c", BARE, stage, str(NOISY), str(file)],
        }
        for who, command in runs.items():
            out = folder / f"{stage}-{who}-{turn}"
            last = ["--out", str(out)] if who == "ours" else [str(out), json.dumps(settings)]
            cpu, wall = timed([sys.executable, *command, *last])
            best[who] = min(best.get(who, (cpu, wall)), (cpu, wall))
            losses[who] = read_losses(out)
    apart = max(abs(a - b) for a, b in zip(losses["ours"][:20], losses["bare"][:20], strict=True))
    (ours, ours_wall), (bare, bare_wall) = best["ours"], best["bare"]
    ratios = f"{ours / bare:7.3f} {ours_wall / bare_wall:11.3f}"
    print(f"{stage:6} {ours:12.1f} {bare:12.1f} {ratios}   at most {apart:.1e} apart", flush=True)


def timed(command: list[str]) -> tuple[float, float]:
    """CPU and wall seconds of a process with its children."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)[:300]}\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, time.monotonic() - began


def read_losses(out: Path) -> list[float]:
    """The logged losses of either kind of run."""
    if (out / "losses.json").is_file():
        found: list[float] = json.loads((out / "losses.json").read_text())
        return found
    logs = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [log["loss"] for log in logs if "loss" in log]


if __name__ == "__main__":
    main()
