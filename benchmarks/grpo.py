"""Whether RL with the verifiable reward makes a student better: before and after, on problems neither has seen.

    python benchmarks/grpo.py [--folder FOLDER] [--sft-steps 200] [--rl-steps 80] [--set rl.rebalance=true]

The tiny student learns sums until it is right now and then, then `train grpo` goes on from there; both are measured by
`train eval` (avg@8 at temperature 1, 95 % intervals over 64 held-out problems) and compared by `train compare`.
A folder that is given keeps everything: calling it again goes on.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY))


def main() -> None:
    """Runs the four commands and prints what they say."""
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("--folder", type=Path)
    told.add_argument("--sft-steps", type=int, default=200)
    told.add_argument("--rl-steps", type=int, default=80)
    told.add_argument("--set", dest="overrides", action="append", default=[])
    given = told.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        write_rows(folder / "data")
        before, after = folder / "sft", folder / "grpo"
        data = ["--data", "sums@v1", "--root", str(folder / "data")]
        short = ["--set", "per_device_train_batch_size=16", "--set", "warmup_steps=20", "--answers", "0"]
        if not (before / "model.safetensors").is_file():
            train("sft", *data, "--out", before, "--max-steps", given.sft_steps, *short)
        measure(before, folder)
        overrides = [word for override in given.overrides for word in ("--set", override)]
        if not (after / "model.safetensors").is_file():
            began = time.monotonic()
            steps = ["--max-steps", given.rl_steps, "--set", "max_completion_length=128"]
            train("grpo", *data, "--model", before, "--out", after, *steps, *overrides)
            print(f"train grpo took {time.monotonic() - began:.0f} s")
        measure(after, folder)
        train("compare", before, after)


def write_rows(root: Path) -> None:
    """`sums@v1`: 6,000 worked sums, 600 prompts, 64 held-out prompts; no problem on two sides but by chance."""
    from tests.train.small_version import sum_prompts, sums, sums_table, write_views

    if not (root / "sums").exists():
        worked = {"train": sums_table(sums(6_000, 0)), "heldout": sums_table(sums(64, 1))}
        write_views(root, {"sft": worked, "rl": {"train": sum_prompts(600, 2), "heldout": sum_prompts(64, 3)}}, "sums")


def measure(run: Path, folder: Path) -> None:
    """`train eval` on the held-out prompts."""
    sampling = ["--max-tokens", 150, "--temperature", 1, "--top-p", 1, "-k", 8]
    train("eval", run, "--on", "sums@v1:heldout", "--root", folder / "data", *sampling)


def train(*words: object) -> None:
    """One command of ours."""
    command = [sys.executable, "-m", "train", *map(str, words)]
    done = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    print(done.stdout, end="", flush=True)
    if done.returncode:
        raise SystemExit(done.returncode)


if __name__ == "__main__":
    main()
