"""Whether the gpu profile has the software it needs: CUDA libraries that agree, and a C compiler for Triton."""

import os
import shutil
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.operate.doctor.installation import Installation
from agent.operate.doctor.report import Row, Subject
from serving.gpu.devices import list_gpus
from serving.gpu.libraries import LibraryProblem, check_libraries, missing_packages

LIBRARIES = Subject("libraries", "CUDA libraries")
COMPILER = Subject("compiler", "C compiler")
OTHER_ROWS = frozenset({"onnxruntime", "driver", "GPU"})
"""Problems that have their own row."""


@dataclass(frozen=True, slots=True)
class CompilerFacts:
    """What Triton would find."""

    compiler: str
    """Path; empty if there is none."""
    header: bool
    """Whether Python.h, which the compiled code includes, is installed."""


def check_cuda_libraries(installation: Installation) -> Iterator[Row]:
    """One row."""
    if not installation.needs_gpu:
        yield LIBRARIES.skipped(f"profile {installation.profile} runs on the CPU")
        return
    yield judge_libraries(missing_packages(), check_libraries(list_gpus()))


def check_compiler(installation: Installation) -> Iterator[Row]:
    """One row."""
    if not installation.needs_gpu:
        yield COMPILER.skipped(f"profile {installation.profile} compiles nothing")
        return
    yield judge_compiler(find_compiler())


def judge_libraries(missing: tuple[str, ...], problems: tuple[LibraryProblem, ...]) -> Row:
    """With a library missing, an engine dies at its first multiplication."""
    if missing:
        return LIBRARIES.failed(f"not installed: {', '.join(missing)}", fix="`make setup PROFILE=gpu`")
    own = [problem for problem in problems if problem.what not in OTHER_ROWS]
    if own:
        return LIBRARIES.failed(
            " ".join(problem.reason for problem in own), fix="; ".join(dict.fromkeys(problem.fix for problem in own))
        )
    return LIBRARIES.ok("CTranslate2's cuBLAS loads next to those of torch and onnxruntime")


def find_compiler() -> CompilerFacts:
    """Look where Triton looks: the variable CC, then PATH."""
    candidates = [os.environ["CC"]] if os.environ.get("CC") else ["gcc", "cc", "clang"]
    found = next((path for name in candidates if (path := shutil.which(name))), "")
    return CompilerFacts(found, (Path(sysconfig.get_path("include")) / "Python.h").is_file())


def judge_compiler(facts: CompilerFacts) -> Row:
    """Without both, vLLM dies at start."""
    if not facts.compiler:
        return COMPILER.failed(
            "none on PATH; vLLM needs one when it starts", fix="`apt-get install gcc libc6-dev python3-dev`"
        )
    if not facts.header:
        return COMPILER.failed(
            f"{facts.compiler}, but Python.h is missing; vLLM's kernels need it when it starts",
            fix="`apt-get install python3-dev` (for the Python that .venv was made with)",
        )
    return COMPILER.ok(f"{facts.compiler}, with Python.h")
