"""What the commands of scripts/ share: the console, how errors are reported, how a process ends."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from models.errors import CallboxError

console = Console(width=None if sys.stdout.isatty() else 132)
"""Tables keep their width when the output goes to a file."""


def new_app() -> typer.Typer:
    """An application without shell completion, whose tracebacks are Python's own."""
    return typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def warn(message: str) -> None:
    """One line, marked as a problem."""
    console.print(f"[red]![/red] {escape(message)}", highlight=False)


@contextlib.contextmanager
def exit_on_error(status: int = 2) -> Iterator[None]:
    """Ends the command with this exit status after a CallboxError, whose message is all that is printed."""
    try:
        yield
    except CallboxError as error:
        warn(str(error))
        raise typer.Exit(status) from None


def run_and_exit(app: typer.Typer) -> NoReturn:
    """Run the command, then end the process at once with its exit status.

    The media library's threads may call into an interpreter that is shutting down, which aborts the process and hides
    the exit status.
    """
    code: object = 0
    try:
        app()
    except SystemExit as leaving:
        code = leaving.code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))
