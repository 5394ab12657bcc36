"""What the one who makes a bundle sees: each step with its time, on one line that lives, or plain lines without a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


@contextmanager
def reporting() -> Iterator[Callable[[str], None]]:
    """Gives a function that is told what is being done."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda words: console.print(f"==> {words}", markup=False, soft_wrap=True)
        return
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn(), console=console
    ) as progress:
        task = progress.add_task("")
        yield lambda words: progress.update(task, description=words)
