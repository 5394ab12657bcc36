"""Whether this Python and its packages are exactly what the profile's lock in requirements/ pins."""

import hashlib
import platform
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from agent.operate.doctor.installation import Installation
from agent.operate.doctor.report import Row, Subject

PYTHON = Subject("python", "Python")
PACKAGES = Subject("packages", "Python packages")
ONNXRUNTIME = Subject("onnxruntime", "onnxruntime")
MIN_PYTHON, MAX_PYTHON = (3, 11), (3, 12)
MARK = ".locked"
"""scripts/install_python.sh writes it into a complete environment: the lock's SHA-256 and its name."""
GPU_SETS = ("gpu", "gpu-dev")
CPU_SETS = ("cpu", "dev", *GPU_SETS, "vllm-cpu")
MAX_LISTED = 4
ONNXRUNTIME_BUILDS = ("onnxruntime", "onnxruntime-gpu")
"""Both are the same Python package: installed on top of each other, they overwrite each other's files, and removing
either damages the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageFacts:
    """An environment, compared with the lock that it was or should have been made from."""

    marked: str | None
    """The set of packages that it claims to hold; None if it has no mark."""
    lock: str
    """The set it was compared with."""
    lock_changed: bool = False
    """The lock has changed since the environment was made."""
    pinned: int = 0
    """Packages in the lock, for this Python."""
    differences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """An installed build of onnxruntime."""

    name: str
    version: str
    files: int
    damaged: int
    """Files that are missing, or whose size has changed since installation."""


def check_packages(installation: Installation) -> Iterator[Row]:
    """Two rows."""
    yield judge_python(sys.version_info[:3], platform.machine(), platform.libc_ver())
    facts = find_packages(installation.root / "requirements", Path(sys.prefix), gpu=installation.needs_gpu)
    yield judge_packages(facts, gpu=installation.needs_gpu, profile=installation.profile)


def check_onnxruntime(installation: Installation) -> Iterator[Row]:
    """One row."""
    yield judge_builds(find_builds(), profile=installation.profile)


def find_packages(requirements: Path, environment: Path, *, gpu: bool) -> PackageFacts:
    """Compare what is installed with the lock. Raises OSError if there is no lock."""
    digest, marked = _mark_of(environment)
    name = marked or ("gpu" if gpu else "cpu")
    content = (requirements / f"{name}.txt").read_bytes()
    pins = pins_of(content.decode())
    installed: dict[str, str] = {canonicalize_name(item.name): item.version for item in distributions()}
    return PackageFacts(
        marked=marked,
        lock=name,
        lock_changed=digest is not None and digest != hashlib.sha256(content).hexdigest(),
        pinned=len(pins),
        differences=differences(pins, installed),
    )


def pins_of(lock: str) -> dict[str, str]:
    """Version by package, for this Python on this machine."""
    lines = [line.removesuffix("\\").strip() for line in lock.splitlines() if line[:1].isalnum()]
    wanted = [item for line in lines if not (item := Requirement(line)).marker or item.marker.evaluate()]
    return {canonicalize_name(item.name): next(iter(item.specifier)).version for item in wanted}


def differences(pins: Mapping[str, str], installed: Mapping[str, str]) -> tuple[str, ...]:
    """What is missing or has another version, in words. Extra packages do no harm."""
    return tuple(
        f"{name} {installed[name]} instead of {version}" if name in installed else f"{name} is missing"
        for name, version in pins.items()
        if installed.get(name) != version
    )


def judge_python(version: tuple[int, ...], machine: str, libc: tuple[str, str]) -> Row:
    """The locks are made for x86-64 and these versions."""
    found = f"{'.'.join(map(str, version))} on {machine}, {' '.join(libc).strip() or 'unknown libc'}"
    if not MIN_PYTHON <= version[:2] <= MAX_PYTHON:
        return PYTHON.failed(f"{found}; Callbox needs 3.11 or 3.12", fix="`make setup PYTHON=python3.12`")
    if machine != "x86_64":
        return PYTHON.failed(f"{found}; the locked packages are for x86-64", fix="Use an x86-64 machine.")
    return PYTHON.ok(found)


def judge_packages(facts: PackageFacts, *, gpu: bool, profile: str) -> Row:
    """The right set, complete and unchanged."""
    source = f"{facts.pinned} packages of requirements/{facts.lock}.txt"
    if facts.lock not in (GPU_SETS if gpu else CPU_SETS):
        return PACKAGES.failed(f"{source}; profile {profile} needs another set", fix=f"`make setup PROFILE={profile}`")
    if facts.differences:
        more = len(facts.differences) - MAX_LISTED
        listed = ", ".join(facts.differences[:MAX_LISTED]) + (f" and {more} more" if more > 0 else "")
        return PACKAGES.failed(f"{len(facts.differences)} of the {source} differ: {listed}", fix=_reinstall(profile))
    if facts.lock_changed:
        return PACKAGES.warning(f"{source}, all as pinned, but installed from an older lock", fix="`make setup`")
    if facts.marked is None:
        return PACKAGES.ok(f"{source}, all as pinned (not installed by `make setup`)")
    return PACKAGES.ok(f"{source}, all as pinned")


def find_builds(path: list[str] | None = None) -> tuple[Build, ...]:
    """The builds of onnxruntime on `path`, which is sys.path unless given."""
    found = distributions() if path is None else distributions(path=path)
    builds = []
    for item in found:
        name = str(canonicalize_name(item.name))
        if name in ONNXRUNTIME_BUILDS:
            files = [(Path(str(file.locate())), file.size) for file in item.files or []]
            damaged = sum(size is not None and _size(file) != size for file, size in files)
            builds.append(Build(name=name, version=item.version, files=len(files), damaged=damaged))
    return tuple(builds)


def judge_builds(builds: tuple[Build, ...], *, profile: str) -> Row:
    """Exactly one, undamaged."""
    listed = " and ".join(f"{build.name} {build.version}" for build in builds)
    if not builds:
        found = "neither onnxruntime nor onnxruntime-gpu is installed"
    elif len(builds) > 1:
        found = f"{listed} are installed on top of each other"
    elif builds[0].damaged:
        found = f"{listed}: {builds[0].damaged} of {builds[0].files} files are missing or changed"
    else:
        return ONNXRUNTIME.ok(f"{listed}, all {builds[0].files} files intact")
    return ONNXRUNTIME.failed(found, fix=_reinstall(profile))


def _reinstall(profile: str) -> str:
    return f"`rm -rf .venv && make setup PROFILE={profile}`"


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _mark_of(environment: Path) -> tuple[str | None, str | None]:
    try:
        digest, _, lock = (environment / MARK).read_text(encoding="utf-8").strip().partition("  ")
    except OSError:
        return None, None
    return digest, Path(lock).stem
