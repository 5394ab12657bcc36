"""Progress on the terminal while a bundle is made: a line for each step, a bar for what takes long."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from models.bundle.progress import Advance


class RichReport:
    """Shows the progress that models/bundle reports."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def step(self, words: str) -> None:
        """Print a line above the bars."""
        self._progress.console.print(f"==> {words}", markup=False, soft_wrap=True)

    def counted(self, what: str, total: int) -> Advance:
        """Show a bar; the result advances it."""
        task = self._progress.add_task(what, total=max(total, 1))
        return lambda count: self._progress.advance(task, count)


@contextmanager
def reporting() -> Iterator[RichReport]:
    """Show bars on stderr for the duration of the context."""
    columns = (
        TextColumn("    {task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True, highlight=False)) as progress:
        yield RichReport(progress)
