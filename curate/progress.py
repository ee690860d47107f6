"""Progress of anything over two seconds: bars on a terminal, one line per 30 s elsewhere (logs stay short)."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from curate.planning.pace import Pace

LINE_EVERY_S = 30.0


class Steps:
    """The steps of one command, written to standard error."""

    def __init__(self, quiet: bool = False) -> None:
        self.console = Console(stderr=True, quiet=quiet)

    @contextmanager
    def step(
        self, title: str, total: int | None, unit: str, pace: Pace | None = None
    ) -> Iterator[Callable[[int], None]]:
        """Yields a function that is told how many more are done; the step's end is said with its time."""
        started = time.monotonic()
        done = 0
        if self.console.is_terminal:
            columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn())
            last = TextColumn("{task.fields[pace]}") if pace else TimeRemainingColumn()
            with Progress(*columns, last, console=self.console, transient=True) as bars:
                task = bars.add_task(title, total=total, pace="")

                def advance(count: int) -> None:
                    nonlocal done
                    done += count
                    bars.update(task, advance=count, pace=pace.text(done, total) if pace else "")

                yield advance
        else:
            over = threading.Event()

            def advance(count: int) -> None:
                nonlocal done
                done += count

            def tell() -> None:
                while not over.wait(LINE_EVERY_S):
                    rates = f", {pace.text(done, total)}" if pace else ""
                    of = f" of {total:,}" if total else ""
                    self.say(f"{title}: {done:,}{of} {unit}, {time.monotonic() - started:.0f} s{rates}")

            teller = threading.Thread(target=tell, daemon=True)
            teller.start()
            try:
                yield advance
            finally:
                over.set()
                teller.join()
        seconds = time.monotonic() - started
        count = f"{done:>9,} {unit.removesuffix('s') if done == 1 else unit:<9}" if done else f"{'none':>9}{'':<10}"
        self.say(f"{title:<28} {count} {seconds:6.1f} s{f'   {pace.summary()}' if pace and pace.attempts else ''}")

    @contextmanager
    def sampling(self, title: str, total: int | None) -> Iterator[Pace]:
        """A step whose rollouts come from a teacher. Yields what the loop tells of each: `done` and `saw`."""
        pace = Pace()
        with self.step(title, total, "rollouts", pace) as done:
            pace.done = done
            yield pace

    def say(self, text: str) -> None:
        """One plain line."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)
        sys.stderr.flush()
