"""Runs programs that report on this machine."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program answered."""

    status: int
    output: str


def ask(command: Sequence[str], *, timeout_s: float = TIMEOUT_S) -> Answer | None:
    """Run a program that changes nothing. None if it is not installed, cannot run, or does not answer in time."""
    program = shutil.which(command[0])
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, *command[1:]],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return Answer(done.returncode, done.stdout.strip())
