"""Whether there is the C compiler that vLLM's Triton builds its launchers with when it starts."""

import os
import shutil
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.operate.doctor.installation import Installation
from agent.operate.doctor.report import Row, Subject

COMPILER = Subject("compiler", "C compiler")
COMPILERS = ("gcc", "cc", "clang")


@dataclass(frozen=True, slots=True)
class CompilerFacts:
    """What Triton would find."""

    compiler: str
    """Path; empty if there is none."""
    header: bool
    """Whether Python.h is there, which what it compiles includes."""


def check(installation: Installation) -> Iterator[Row]:
    """One row."""
    if not installation.needs_gpu:
        yield COMPILER.skipped(f"the profile {installation.profile} compiles nothing")
        return
    yield judge(find_compiler())


def find_compiler() -> CompilerFacts:
    """Where Triton looks: the variable CC, then PATH."""
    candidates = [os.environ["CC"]] if os.environ.get("CC") else list(COMPILERS)
    found = next((path for name in candidates if (path := shutil.which(name))), "")
    return CompilerFacts(found, (Path(sysconfig.get_path("include")) / "Python.h").is_file())


def judge(facts: CompilerFacts) -> Row:
    """Both, or vLLM dies when it starts."""
    if not facts.compiler:
        return COMPILER.failed(
            "none on PATH; vLLM needs one when it starts", fix="`apt-get install gcc libc6-dev python3-dev`"
        )
    if not facts.header:
        return COMPILER.failed(
            f"{facts.compiler}, but Python.h is missing, which vLLM's kernels include when it starts",
            fix="`apt-get install python3-dev` (of the Python that .venv was made with)",
        )
    return COMPILER.ok(f"{facts.compiler}, Python.h is there")
