"""What the one who makes a bundle sees: a line a step, and a bar while something takes long."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from models.bundle.progress import Advance


class RichReport:
    """Shows on a terminal what models/bundle/report.py asks for."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def step(self, words: str) -> None:
        """A line above the bars."""
        self._progress.console.print(f"==> {words}", markup=False, soft_wrap=True)

    def counted(self, what: str, total: int) -> Advance:
        """A bar."""
        task = self._progress.add_task(what, total=max(total, 1))
        return lambda count: self._progress.advance(task, count)


@contextmanager
def reporting() -> Iterator[RichReport]:
    """Bars on stderr, as long as the context lasts."""
    columns = (
        TextColumn("    {task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True, highlight=False)) as progress:
        yield RichReport(progress)
