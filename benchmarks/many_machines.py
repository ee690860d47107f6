"""One build by processes here, and by each engine: wall clock, CPU of all processes, and whether the rows are the same.

    python benchmarks/many_machines.py --problems 2000 --workers 2

    python benchmarks/many_machines.py --minhash 7473

The second command takes problems of GSM8K (in COTILLION_REAL_DATA) and a tenth of them again, otherwise spaced, through
`dedup.minhash` and `dedup.minhash_blocks` with processes here, and counts the rows on which they differ.

Ray is a cluster of this machine. Slurm is a stand-in for `sbatch` that runs the generated script at once: it measures
what our side costs, not a queue. An engine that is not installed is left out.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl
import psutil

from curate.dedup.minhash import Minhash
from curate.dedup.minhash_blocks import MinhashBlocks
from curate.version import open_version

MANIFEST = """
name: many
sources: [{{use: procedural, n: {problems}, seed: 7}}]
rollouts:
  teacher: {{use: tutor, error_rate: 0.3}}
  sampling: {{n: 8, temperature: 1.0, max_tokens: 4096}}
verdicts: [rule]
tags: [repetition]
views: {{sft: {{}}}}
"""

STAND_INS = {
    "sbatch": """#!/bin/bash
cd {folder}
for script; do :; done
cp "$script" script
for i in $(seq 0 $(sed -n 's/^#SBATCH --array=0-\\([0-9]*\\).*/\\1/p' script)); do
  SLURM_ARRAY_TASK_ID=$i SLURM_NODELIST=node1 SLURM_JOB_ID=1 setsid bash script > out-$i 2>&1 < /dev/null &
  echo $! >> pids
done
echo "Submitted batch job 1"
""",
    "squeue": """#!/bin/bash
for p in $(cat {folder}/pids); do kill -0 $p 2>/dev/null && echo "1 R"; done
exit 0
""",
    "scontrol": "#!/bin/bash\necho node1\n",
}


def main() -> None:
    """Prints one line per engine."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--problems", type=int, default=2000)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--engines", nargs="*", default=["here", "local", "ray", "slurm"])
    options.add_argument("--minhash", type=int, metavar="N", help="compare the two MinHash stages instead")
    asked = options.parse_args()
    if asked.minhash:
        compare_minhash(asked.minhash)
        return
    print(f"{asked.problems:,} problems, 8 rollouts each, {asked.workers} workers, {os.cpu_count()} cores,")
    print(f"load when it began {os.getloadavg()[0]:.1f}\n\n{'engine':<8} {'wall s':>8} {'CPU s':>8}  digest")
    with tempfile.TemporaryDirectory() as scratch:
        for engine in asked.engines:
            if engine != "here" and importlib.util.find_spec("ray" if engine == "ray" else "datatrove") is None:
                print(f"{engine:<8} not installed")
                continue
            wall, cpu, digest = measure(engine, asked.problems, asked.workers, Path(scratch, engine))
            print(f"{engine:<8} {wall:8.1f} {cpu:8.1f}  {digest}", flush=True)


def compare_minhash(problems: int) -> None:
    """Prints one line per stage, and on how many rows they say something else."""
    texts = pl.read_ndjson(Path(os.environ["COTILLION_REAL_DATA"]) / "questions/gsm8k_train.jsonl.gz")["question"]
    texts = texts.head(problems)
    texts = pl.concat([texts, texts.head(problems // 10).str.replace_all("the", "the ").str.replace("How", "Now: how")])
    rows = texts.to_frame("problem").with_row_index("id").with_columns(pl.col("id").cast(pl.String))
    rows = rows.with_columns(answer=pl.lit("1"), with_rollouts=pl.lit("false"))
    print(f"{rows.height:,} problems\n\n{'stage':<22} {'wall s':>8} {'CPU s':>8} {'dropped':>8}")
    marks = []
    for name, stage in (("dedup.minhash", Minhash()), ("dedup.minhash_blocks", MinhashBlocks())):
        began, before = time.monotonic(), sum(os.times()[:4])
        marks.append(stage(rows))
        cpu = sum(os.times()[:4]) - before
        print(f"{name:<22} {time.monotonic() - began:8.1f} {cpu:8.1f} {marks[-1]['drop'].count():8,}")
    print("\nrows whose marks differ:")
    for mark in ("near_duplicate_of", "variant_of", "drop"):
        print(f"{mark:<22} {marks[0][mark].ne_missing(marks[1][mark]).sum():>8,}")


def measure(engine: str, problems: int, workers: int, folder: Path) -> tuple[float, float, str]:
    """Wall clock and CPU seconds of one build in a fresh folder, and the digest of its rows."""
    folder.mkdir()
    (folder / "many.yaml").write_text(MANIFEST.format(problems=problems))
    for name, text in STAND_INS.items():
        (folder / name).write_text(text.replace("{folder}", str(folder)))
        (folder / name).chmod(0o755)
    command = [sys.executable, "-m", "curate", "build", "-m", "many.yaml", "--root", "data", "--workers", str(workers)]
    if engine != "here":
        command += ["--engine", engine, "--set", f"engine.workers={workers}"]
    if engine == "slurm":
        command += ["--set", "engine.partition=cpu"]
    mark = {"COTILLION_BENCHMARK": str(folder), "PATH": f"{folder}:{os.environ['PATH']}"}
    started = time.monotonic()
    with (folder / "log").open("wb") as log:
        build = subprocess.Popen(command, cwd=folder, env=os.environ | mark, stdout=log, stderr=log)
        cpu: dict[int, float | None] = {}
        while build.poll() is None:
            look(cpu, str(folder))
            time.sleep(0.2)
    wall = time.monotonic() - started
    if build.returncode:
        raise SystemExit((folder / "log").read_text())
    return wall, sum(filter(None, cpu.values())), open_version("many@latest", folder / "data").digest[:24]


def look(cpu: dict[int, float | None], mark: str) -> None:
    """Notes the CPU seconds of every process of the build, whoever started it; None of processes that are not of it."""
    for pid in psutil.pids():
        try:
            process = psutil.Process(pid) if cpu.get(pid, 0.0) is not None else None
            if process and (pid in cpu or process.environ().get("COTILLION_BENCHMARK") == mark):
                times = process.cpu_times()
                cpu[pid] = times.user + times.system
            # A process that was just forked has its own environment a moment later.
            elif process and time.time() - process.create_time() > 1:
                cpu[pid] = None
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue


if __name__ == "__main__":
    main()
