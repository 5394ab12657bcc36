"""What the person at the terminal sees: a bar while models are read, then the table."""

import contextlib
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table
from rich.text import Text

from agent.operate.doctor.checksums import OnModel
from agent.operate.doctor.report import Outcome, Report
from models.store import OnBytes

STYLES = {
    Outcome.OK: "green",
    Outcome.WARNING: "bold yellow",
    Outcome.FAILED: "bold red",
    Outcome.SKIPPED: "dim",
}


@contextlib.contextmanager
def reading_models(console: Console) -> Iterator[OnModel]:
    """A bar a model, gone at the end; nothing where there is no terminal."""
    columns = (
        TextColumn("Checking {task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:

        def on_model(name: str, size: int) -> OnBytes:
            task = progress.add_task(name, total=size)
            return lambda count: progress.advance(task, count)

        yield on_model


def show(report: Report, console: Console) -> None:
    """The rows, then in one line how it stands."""
    table = Table(show_edge=False, pad_edge=False, box=None, padding=(0, 2, 0, 0))
    for title in ("", "check", "found"):
        table.add_column(title, overflow="fold")
    for row in report.rows:
        found = Text(row.found, style="dim" if row.outcome is Outcome.SKIPPED else "")
        if row.fix:
            found.append(f"\n→ {row.fix}", style=STYLES[row.outcome])
        table.add_row(Text(row.outcome.value, style=STYLES[row.outcome]), Text(row.name), found)
    console.print(table)
    console.print(Text(summary(report), style="bold green" if report.healthy else "bold red"), soft_wrap=True)


def summary(report: Report) -> str:
    """How it stands."""
    failed, warnings = report.counts[Outcome.FAILED], report.counts[Outcome.WARNING]
    noted = f", {warnings} {'warning' if warnings == 1 else 'warnings'}" if warnings else ""
    if failed:
        return (
            f"\n{failed} of {len(report.rows)} checks failed{noted}: do what the arrows say, then `make doctor` again."
        )
    return f"\nNothing stands in the way of profile {report.profile}{noted}."
