"""Local: the tasks of a cluster, on this machine."""

from dataclasses import dataclass, replace

from curate.workers.launch import Engine, Order


@dataclass(frozen=True, kw_only=True)
class Local(Engine):
    """Runs tasks in processes of this machine, the way of a cluster: to try out what Ray or Slurm will do.

    Without an engine a build uses processes of its own, which start faster.

    Example:
        >>> Local(workers=4).workers
        4
    """

    def __call__(self, order: Order) -> None:
        """Every task has been tried."""
        from datatrove.executor.local import LocalPipelineExecutor

        options = self.options(order.run, order.tasks)
        steps = [replace(step, raises=False) for step in options.pop("pipeline")]
        # Not its own default, forkserver: that of multiprocess 0.70 fails on Python 3.11 (`fork_exec() takes exactly 23
        # arguments`). The launcher has no threads that a fork could break.
        LocalPipelineExecutor(steps, **options, start_method="fork").run()
