"""What the terminal shows: each process's state while it starts, their output, and the address once all are ready."""

import time
from collections.abc import Iterable
from enum import Enum

from rich.console import Console, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

COLOURS = ("cyan", "magenta", "yellow", "green", "blue")
REFRESH_PER_SECOND = 4


class ProcessState(Enum):
    """State of a process."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    FAILED = "failed"
    STOPPED = "stopped"


STYLES = {
    ProcessState.READY: "green",
    ProcessState.STARTING: "yellow",
    ProcessState.RESTARTING: "yellow",
    ProcessState.FAILED: "bold red",
}


class StatusBoard:
    """Prints lines above a live table of states; without a terminal, just lines."""

    def __init__(self, names: Iterable[str], console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._colours = {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(names)}
        self._width = max(map(len, self._colours), default=0)
        self._states = dict.fromkeys(self._colours, ProcessState.WAITING)
        self._since_s = dict.fromkeys(self._colours, time.monotonic())
        self._live: Live | None = None

    def open(self) -> None:
        """Show the table until `close`."""
        if self._console.is_terminal:
            self._live = Live(
                console=self._console,
                get_renderable=self._table,
                refresh_per_second=REFRESH_PER_SECOND,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()

    def close(self) -> None:
        """Remove the table. Safe to call twice."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def output(self, name: str, line: str) -> None:
        """Print a line that a process wrote."""
        self._console.print(self._prefix(name), Text(line), soft_wrap=True)

    def state(self, name: str, state: ProcessState, note: str = "") -> None:
        """Print a process's new state, with a few words about it."""
        took_s = time.monotonic() - self._since_s[name]
        if self._states[name] is ProcessState.STARTING and state is ProcessState.READY:
            note = f"after {took_s:.1f} s"
        self._states[name], self._since_s[name] = state, time.monotonic()
        text = Text(state.value, style=STYLES.get(state, "dim"))
        self._console.print(self._prefix(name), text.append(f" {note}" if note else ""), soft_wrap=True)

    def ready(self, lines: Iterable[str]) -> None:
        """Print that everything is running; the first line stands out."""
        self.close()
        first, *rest = lines
        body = Text(first, style="bold").append("".join(f"\n{line}" for line in rest), style="not bold")
        self._console.print(Panel(body, border_style="bold green", expand=False, padding=(1, 4)))

    def note(self, sentence: str) -> None:
        """Print a sentence that is not about any one process."""
        self._console.print(Text(sentence), soft_wrap=True)

    def show(self, table: RenderableType) -> None:
        """Print a table."""
        self._console.print(table)

    def failure(self, sentence: str) -> None:
        """Print why everything stops, or did not start."""
        self.close()
        self._console.print(Text(sentence, style="bold red"), soft_wrap=True)

    def _prefix(self, name: str) -> Text:
        return Text(f"{name:>{self._width}} │", style=self._colours[name])

    def _table(self) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        for name, state in self._states.items():
            elapsed_s = time.monotonic() - self._since_s[name]
            seconds = f"{elapsed_s:.0f} s" if state is ProcessState.STARTING else ""
            table.add_row(
                Text(name, style=self._colours[name]), Text(state.value, style=STYLES.get(state, "dim")), seconds
            )
        return table
