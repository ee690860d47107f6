"""Slurm: tasks as a job array of a Slurm cluster."""

import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field

from curate.workers.launch import Engine, Order, write_whole

JOB = "slurm_job"
"""The file with the job's number."""

# A manifest comes from anybody: none of its texts may become a line of the script.
_Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.,-]*$", max_length=200)]


@dataclass(frozen=True, kw_only=True)
class Slurm(Engine):
    """Runs tasks as a job array, submitted with `sbatch`; the build waits for them.

    Ctrl-C ends the waiting, not the jobs: the same command goes on waiting for them, and takes over what they made.

    Example:
        >>> Slurm(partition="cpu", workers=16, time="01:00:00").memory_gb
        2
    """

    waves: ClassVar = 1
    detached: ClassVar = True

    partition: _Word
    """Where jobs are queued."""
    time: Annotated[str, Field(pattern=r"^[0-9]+([-:][0-9]+)*$", max_length=20)] = "04:00:00"
    """The longest a task may take, as Slurm writes it."""
    memory_gb: Annotated[int, Field(ge=1)] = 2
    """Gigabytes of memory for each core of a task."""
    gpus: Annotated[int, Field(ge=0)] = 0
    """GPUs for each task that asks a teacher; stages take none."""
    account: _Word | None = None
    """Who is charged; Slurm's default if null."""
    qos: _Word | None = None
    """The quality of service; Slurm's default if null."""

    def ready(self) -> str | None:
        """Why it cannot run here; None if it can."""
        no_sbatch = "no sbatch here. Build on a machine that submits jobs"
        return super().ready() or (None if shutil.which("sbatch") else no_sbatch)

    def lives(self, run: Path) -> bool:
        """Whether Slurm still knows the job of this folder as queued or running."""
        job = run / JOB
        if not job.is_file():
            return False
        asked = ["squeue", "--noheader", "--jobs", job.read_text(encoding="utf-8").strip()]
        answer = subprocess.run(asked, capture_output=True, text=True, check=False)
        return answer.returncode == 0 and bool(answer.stdout.strip())

    def __call__(self, order: Order) -> None:
        """The job is submitted, and its number noted."""
        from datatrove.executor.slurm import SlurmPipelineExecutor

        class Executor(SlurmPipelineExecutor):  # type: ignore[misc]  # datatrove is untyped
            """Without the second job that adds up datatrove's statistics: it would wait for ever after a failure."""

            def launch_merge_stats(self) -> None:
                pass

            def __reduce__(self) -> Any:
                # Jobs load a copy; this class is known to this process only.
                return _plain, (dict(self.__dict__),)

        executor = Executor(
            **self.options(order.run, order.tasks),
            **self.job(order.asks),
            job_name=f"cotillion-{order.run.name}",
            # The same Python as here; jobs find their way to it over the shared disk.
            env_command=f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH",
            with_srun=False,
        )
        executor.run()
        write_whole(order.run / JOB, str(executor.job_id))

    def job(self, asks: bool) -> dict[str, Any]:
        """What is asked of Slurm for every task."""
        return {
            "partition": self.partition,
            "time": self.time,
            "cpus_per_task": self.cpus,
            "mem_per_cpu_gb": self.memory_gb,
            "gpus_per_task": self.gpus if asks else 0,
            "qos": self.qos,
            "sbatch_args": {"account": self.account} if self.account else None,
        }


def _plain(state: dict[str, Any]) -> Any:
    """An executor of datatrove's own class."""
    from datatrove.executor.slurm import SlurmPipelineExecutor

    executor = SlurmPipelineExecutor.__new__(SlurmPipelineExecutor)
    executor.__dict__.update(state)
    return executor
