"""`python -m agent doctor` at the terminal: a progress bar while models are read, then the table."""

import contextlib
import os
import sys
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table
from rich.text import Text

from agent.operate.doctor.checksums import OnModel
from agent.operate.doctor.examination import examine
from agent.operate.doctor.report import Outcome, Report
from models.store import OnBytes

STYLES = {
    Outcome.OK: "green",
    Outcome.WARNING: "bold yellow",
    Outcome.FAILED: "bold red",
    Outcome.SKIPPED: "dim",
}


def run_doctor(*, profile: str = "", address: str = "", as_json: bool = False) -> int:
    """Check this machine and print the report; the exit status is 0 if nothing failed, else 1.

    `profile` and `address` are what `run_callbox` would be given. With `as_json`, standard output gets one JSON object
    (agent.operate.doctor.report.Report) and nothing else.
    """
    if address:
        os.environ["CALLBOX_ADDRESS"] = address
    with model_progress(Console(stderr=True)) as on_model:
        report = examine(profile, on_model=on_model)
    if as_json:
        sys.stdout.write(report.model_dump_json(indent=2) + "\n")
    else:
        show(report, Console(highlight=False))
    return 0 if report.healthy else 1


@contextlib.contextmanager
def model_progress(console: Console) -> Iterator[OnModel]:
    """One progress bar per model, removed at the end; none without a terminal."""
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
    """Print the rows and the summary."""
    table = Table(show_edge=False, pad_edge=False, box=None, padding=(0, 2, 0, 0))
    for title in ("", "check", "found"):
        table.add_column(title, overflow="fold")
    for row in report.rows:
        found = Text(row.found, style="dim" if row.outcome is Outcome.SKIPPED else "")
        if row.fix:
            found.append(f"\n→ {row.fix}", style=STYLES[row.outcome])
        table.add_row(Text(row.outcome.value, style=STYLES[row.outcome]), Text(row.name), found)
    console.print(table)
    style = "bold green" if report.healthy else "bold red"
    console.print(Text(f"\n{summary(report)}", style=style), soft_wrap=True)


def summary(report: Report) -> str:
    """The whole report in one line."""
    failed, warnings = report.counts[Outcome.FAILED], report.counts[Outcome.WARNING]
    noted = f", {warnings} {'warning' if warnings == 1 else 'warnings'}" if warnings else ""
    if failed:
        return f"{failed} of {len(report.rows)} checks failed{noted}: do what the arrows say, then `make doctor` again."
    return f"Profile {report.profile} can run{noted}."
