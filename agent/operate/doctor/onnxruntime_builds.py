"""Whether one build of onnxruntime is installed, whole: the CPU's and the GPU's are the same Python package.

Installed over each other they overwrite each other's files, and the one removed last takes the other's along.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from packaging.utils import canonicalize_name

from agent.operate.doctor.installation import Installation
from agent.operate.doctor.report import Row, Subject

ONNXRUNTIME = Subject("onnxruntime", "onnxruntime")
BUILDS = ("onnxruntime", "onnxruntime-gpu")


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One installed distribution."""

    name: str
    version: str
    files: int
    damaged: int
    """Files that are missing, or of another size than when it was installed."""


def check(installation: Installation) -> Iterator[Row]:
    """One row."""
    yield judge(find_builds(), profile=installation.profile)


def find_builds(path: list[str] | None = None) -> tuple[Build, ...]:
    """What is installed; `path` as sys.path, which it is unless given."""
    found = distributions() if path is None else distributions(path=path)
    builds = []
    for item in found:
        if canonicalize_name(item.name) in BUILDS:
            files = item.files or []
            damaged = [file for file in files if file.size is not None and _size(Path(str(file.locate()))) != file.size]
            builds.append(
                Build(
                    name=str(canonicalize_name(item.name)), version=item.version, files=len(files), damaged=len(damaged)
                )
            )
    return tuple(builds)


def judge(builds: tuple[Build, ...], *, profile: str) -> Row:
    """Exactly one, whole."""
    again = f"`rm -rf .venv && make setup PROFILE={profile}`"
    listed = " and ".join(f"{build.name} {build.version}" for build in builds)
    if not builds:
        return ONNXRUNTIME.failed("neither onnxruntime nor onnxruntime-gpu is installed", fix=again)
    if len(builds) > 1:
        return ONNXRUNTIME.failed(f"{listed} are installed over each other", fix=again)
    if builds[0].damaged:
        return ONNXRUNTIME.failed(
            f"{listed}: {builds[0].damaged} of {builds[0].files} files are not its own", fix=again
        )
    return ONNXRUNTIME.ok(f"{listed}, {builds[0].files} files whole")


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
