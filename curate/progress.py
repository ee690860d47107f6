"""Progress of anything over two seconds: bars on a terminal, one line per 30 s elsewhere (logs stay short)."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

LINE_EVERY_S = 30.0


class Steps:
    """The steps of one command, written to standard error."""

    def __init__(self, quiet: bool = False) -> None:
        self.console = Console(stderr=True, quiet=quiet)

    @contextmanager
    def step(self, title: str, total: int | None, unit: str) -> Iterator[Callable[[int], None]]:
        """Yields a function that is told how many more are done; the step's end is said with its time."""
        started = time.monotonic()
        done = 0
        if self.console.is_terminal:
            columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            with Progress(*columns, console=self.console, transient=True) as bars:
                task = bars.add_task(title, total=total)

                def advance(count: int) -> None:
                    nonlocal done
                    done += count
                    bars.advance(task, count)

                yield advance
        else:
            said = started

            def advance(count: int) -> None:
                nonlocal done, said
                done += count
                if time.monotonic() - said > LINE_EVERY_S:
                    said = time.monotonic()
                    self.say(f"{title}: {done:,}{f' of {total:,}' if total else ''} {unit}, {said - started:.0f} s")

            yield advance
        seconds = time.monotonic() - started
        count = f"{done:>9,} {unit:<9}" if done else f"{'nothing new':<19}"
        self.say(f"{title:<28} {count} {seconds:6.1f} s")

    def say(self, text: str) -> None:
        """One plain line."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)
        sys.stderr.flush()
