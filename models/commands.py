"""Runs the manifest's commands, which extract a model from a wheel or convert one.

They run in a process of their own, so that models/ needs no inference library and their memory is freed afterwards.
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path

from models.errors import ModelError
from models.store import ROOT, ROOT_VARIABLE


def run_command(command: str, root: Path, *arguments: Path, failed: type[ModelError]) -> str:
    """Run a command of the manifest in this checkout, for the store in `root`; returns what it printed.

    Raises `failed` with the last line of its error output.
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
