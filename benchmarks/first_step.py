"""From a version's rows to the first training step: time, and memory that does not grow with the rows.

    python benchmarks/first_step.py [--rows 10000 100000]

`train sft --max-steps 1` on the tiny student, in a process of its own per size; peak memory is that of the process.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY))

MEASURED = """
import resource, sys
from train.cli import app
try:
    app(sys.argv[1:], prog_name="train")
finally:
    print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def main() -> None:
    """Prints the table."""
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    print(f"{'rows':>9} {'seconds':>8} {'peak MB':>8}")
    for rows in told.parse_args().rows:
        with tempfile.TemporaryDirectory() as folder:
            seconds, peak = first_step(rows, Path(folder))
            print(f"{rows:9,} {seconds:8.1f} {peak:8,.0f}", flush=True)


def first_step(rows: int, folder: Path) -> tuple[float, float]:
    """Seconds, and megabytes at the most."""
    from tests.train.small_version import sums, write_version

    version = write_version(folder / "data", {"train": sums(rows, 0)})
    words = ["sft", "--data", str(version), "--out", str(folder / "run"), "--max-steps", "1", "--answers", "0"]
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *words, "--set", "max_length=512"],
        cwd=REPOSITORY,
        env={"HF_DATASETS_CACHE": str(folder / "cache"), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(done.stdout[-1000:] + done.stderr[-2000:])
    return time.monotonic() - began, int(done.stdout.split("peak")[-1]) / 1024


if __name__ == "__main__":
    main()
