"""Commands that the manifest names: what takes a model out of a wheel, what converts one.

They run in a process of their own: models/ needs no inference library for them, and their memory goes back to the system.
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path

from models.errors import ModelError
from models.store import ROOT, ROOT_VARIABLE


def run_command(command: str, root: Path, *arguments: Path, failed: type[ModelError]) -> str:
    """Run a command of the manifest in this checkout, for the store in `root`; what it printed.

    Raises `failed` with the last line of what it complained about.
    """
    words = shlex.split(command)
    program = sys.executable if words[0] == "python" else words[0]
    done = subprocess.run(
        [program, *words[1:], *map(str, arguments)],
        cwd=ROOT.parent,
        env={**os.environ, ROOT_VARIABLE: str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        complaint = (done.stderr.strip().splitlines() or ["it gave no reason"])[-1]
        raise failed(f"`{command}` failed: {complaint}")
    return done.stdout.strip()
