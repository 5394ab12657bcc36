"""Shows a download's progress: a bar for the whole, one for the current file, and a line for each finished step."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


class Bar:
    """Counts the bytes of one file, and with them those of the whole."""

    def __init__(self, progress: Progress, task: TaskID, whole: TaskID | None = None) -> None:
        self._progress = progress
        self._task = task
        self._whole = whole
        self._position: int | None = None

    def at(self, position: int) -> None:
        """How many bytes of the file have arrived. The first call says how many there were before."""
        step = position - (position if self._position is None else self._position)
        self._position = position
        self._progress.update(self._task, completed=position)
        if self._whole is not None:
            self._progress.advance(self._whole, step)

    def add(self, count: int) -> None:
        """Count more bytes."""
        self._progress.advance(self._task, count)


class Display:
    """Bars on a terminal, plain lines elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._whole: TaskID | None = None

    def __enter__(self) -> "Display":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def say(self, what: RenderableType) -> None:
        """Print a line, or a table, above the bars."""
        self._console.print(what, highlight=False, markup=False, soft_wrap=isinstance(what, str))

    def total(self, size: int) -> None:
        """Set how many bytes are to be downloaded in all."""
        self._whole = self._progress.add_task("in all", total=size)

    @contextmanager
    def file(self, name: str, size: int) -> Iterator[Bar]:
        """A bar for a file that is being downloaded."""
        with self._bar(name, size, self._whole) as bar:
            yield bar

    @contextmanager
    def check(self, name: str, size: int) -> Iterator[Bar]:
        """A bar for a file, or a whole model, that is being hashed."""
        with self._bar(f"checking {name}", size, None) as bar:
            yield bar

    @contextmanager
    def busy(self, description: str) -> Iterator[None]:
        """A bar for work of unknown length."""
        task = self._progress.add_task(description, total=None)
        try:
            yield
        finally:
            self._progress.remove_task(task)

    @contextmanager
    def _bar(self, description: str, size: int, whole: TaskID | None) -> Iterator[Bar]:
        task = self._progress.add_task(description, total=size)
        try:
            yield Bar(self._progress, task, whole)
        finally:
            self._progress.remove_task(task)


def amount(size: int) -> str:
    """Bytes as people read them: 16.1 GB, 145 MB, 2 kB."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{max(size, 1) / 1e3:.1f} kB"
