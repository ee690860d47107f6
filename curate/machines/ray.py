"""Ray: tasks on the workers of a Ray cluster."""

import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field

from curate.workers.launch import Engine, Order

OBJECT_STORE_BYTES = 200_000_000
"""Of a cluster that is started here: tasks pass files, not objects."""

ANSWER_S = 5.0
"""Seconds that a cluster has to take a connection."""


@dataclass(frozen=True, kw_only=True)
class Ray(Engine):
    """Runs tasks on a Ray cluster whose machines share the data folder, at the same path.

    Example:
        >>> Ray(workers=8, address="auto").cpus
        1
    """

    needs: ClassVar = ("datatrove", "ray")
    address: str | None = None
    """The cluster: `auto`, `host:port` or `ray://host:port`; else that of RAY_ADDRESS, else one is started here."""
    memory_gb: Annotated[float, Field(gt=0)] = 2
    """Gigabytes of memory that each core of a task is reckoned with."""
    gpus: Annotated[int, Field(ge=0)] = 0
    """GPUs for each task that asks a teacher; stages take none."""

    def ready(self) -> str | None:
        """Why it cannot run here; None if it can. Ray itself asks an address that is silent for ever."""
        if lacking := super().ready():
            return lacking
        address = (self.address or os.environ.get("RAY_ADDRESS") or "").removeprefix("ray://")
        host, _, port = address.rpartition(":")
        if host and port.isdecimal():
            try:
                socket.create_connection((host.strip("[]"), int(port)), ANSWER_S).close()
            except OSError as fault:
                return f"nobody answers at {address} ({fault})"
        return None

    @contextlib.contextmanager
    def started(self) -> Iterator[None]:
        """Connected to the cluster, or to one that was started here and ends with the build."""
        import ray

        if address := self.address or os.environ.get("RAY_ADDRESS"):
            ray.init(address=address, log_to_driver=False)
            try:
                yield
            finally:
                ray.shutdown()
            return
        folder = tempfile.mkdtemp(prefix="ray", dir="/tmp")  # the path of a socket has 107 bytes at most
        os.environ["TMPDIR"] = folder  # datatrove's tasks leave logs there, under a name that all users share
        # What tasks ask for must be there: Ray lets a task wait for ever for what no machine has.
        kept: dict[str, Any] = {"num_cpus": self.workers * self.cpus, "_memory": int(self._task_bytes * self.workers)}
        if self.gpus:
            kept["num_gpus"] = self.gpus * self.workers
        try:
            ray.init(
                address="local",
                include_dashboard=False,
                object_store_memory=OBJECT_STORE_BYTES,
                log_to_driver=False,
                _temp_dir=folder,
                **kept,
            )
            yield
        finally:
            ray.shutdown()
            shutil.rmtree(folder, ignore_errors=True)

    def __call__(self, order: Order) -> None:
        """Every task has been tried; one whose machine died, up to four times."""
        from datatrove.executor.ray import RayPipelineExecutor

        RayPipelineExecutor(
            **self.options(order.run, order.tasks),
            cpus_per_task=self.cpus,
            mem_per_cpu_gb=self.memory_gb,
            gpus_per_task=self.gpus if order.asks else 0,
        ).run()

    @property
    def _task_bytes(self) -> float:
        return self.memory_gb * self.cpus * 2**30
