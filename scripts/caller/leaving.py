"""How a command that used the media library ends."""

import os
import sys
from typing import NoReturn

import typer


def run_and_leave(app: typer.Typer) -> NoReturn:
    """Run the command and end the process with its exit code at once.

    The media library's own threads may call into an interpreter that is shutting down, which aborts the process and
    hides the exit code.
    """
    code: object = 0
    try:
        app()
    except SystemExit as leaving:
        code = leaving.code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))
