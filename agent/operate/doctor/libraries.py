"""Whether the CUDA libraries of vLLM, CTranslate2 and onnxruntime can live in one process."""

from collections.abc import Iterator

from agent.operate.doctor.installation import Installation
from agent.operate.doctor.report import Row, Subject
from serving.gpu.devices import list_gpus
from serving.gpu.libraries import LibraryProblem, check_libraries, missing_packages

LIBRARIES = Subject("libraries", "CUDA libraries")
OTHER_ROWS = frozenset({"onnxruntime", "driver", "GPU"})
"""Problems that have a row of their own."""


def check(installation: Installation) -> Iterator[Row]:
    """One row."""
    if not installation.needs_gpu:
        yield LIBRARIES.skipped(f"the profile {installation.profile} computes on the CPU")
        return
    yield judge(missing_packages(), check_libraries(list_gpus()))


def judge(missing: tuple[str, ...], problems: tuple[LibraryProblem, ...]) -> Row:
    """All of them, or an engine dies at its first multiplication."""
    if missing:
        return LIBRARIES.failed(f"not installed: {', '.join(missing)}", fix="`make setup PROFILE=gpu`")
    own = [problem for problem in problems if problem.what not in OTHER_ROWS]
    if own:
        return LIBRARIES.failed(
            " ".join(problem.reason for problem in own), fix="; ".join(dict.fromkeys(problem.fix for problem in own))
        )
    return LIBRARIES.ok("CTranslate2's cuBLAS loads beside torch's and onnxruntime's")
