"""Whether Python is one of ours and holds exactly what the profile's lock in requirements/ pins."""

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
OLDEST, NEWEST = (3, 11), (3, 12)
MARK = ".locked"
"""What scripts/install_python.sh writes into an environment when it is complete: the lock, and its SHA-256."""
GPU_SETS = ("gpu", "gpu-dev")
CPU_SETS = ("cpu", "dev", *GPU_SETS, "vllm-cpu")
SHOWN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageFacts:
    """An environment, against the lock that it was made from, or should have been."""

    marked: str | None
    """The set of packages that it says it holds; None if it says nothing."""
    lock: str
    """The set that it was compared with."""
    lock_changed: bool = False
    """The lock is another one than when the environment was made."""
    pinned: int = 0
    """Packages in the lock, for this Python."""
    differences: tuple[str, ...] = ()


def check(installation: Installation) -> Iterator[Row]:
    """Two rows."""
    yield judge_python(sys.version_info[:3], platform.machine(), platform.libc_ver())
    facts = find_packages(installation.root / "requirements", Path(sys.prefix), gpu=installation.needs_gpu)
    yield judge_packages(facts, gpu=installation.needs_gpu, profile=installation.profile)


def find_packages(requirements: Path, environment: Path, *, gpu: bool) -> PackageFacts:
    """Compare what is installed here with the lock. Raises OSError when there is no lock."""
    digest, marked = _mark_of(environment)
    name = marked or ("gpu" if gpu else "cpu")
    lock = requirements / f"{name}.txt"
    content = lock.read_bytes()
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
    """Versions by name, of those that this Python on this machine needs."""
    lines = [line.removesuffix("\\").strip() for line in lock.splitlines() if line[:1].isalnum()]
    wanted = [item for line in lines if not (item := Requirement(line)).marker or item.marker.evaluate()]
    return {canonicalize_name(item.name): next(iter(item.specifier)).version for item in wanted}


def differences(pins: Mapping[str, str], installed: Mapping[str, str]) -> tuple[str, ...]:
    """What is missing or of another version, in words. What is there besides does no harm."""
    return tuple(
        f"{name} {installed[name]} instead of {version}" if name in installed else f"{name} is missing"
        for name, version in pins.items()
        if installed.get(name) != version
    )


def judge_python(version: tuple[int, ...], machine: str, libc: tuple[str, str]) -> Row:
    """The locks are made for these."""
    found = f"{'.'.join(map(str, version))} on {machine}, {' '.join(libc).strip() or 'unknown libc'}"
    if not OLDEST <= version[:2] <= NEWEST:
        return PYTHON.failed(f"{found}; Callbox needs 3.11 or 3.12", fix="`make setup PYTHON=python3.12`")
    if machine != "x86_64":
        return PYTHON.failed(f"{found}; the locked packages are for x86-64", fix="Take a machine with x86-64.")
    return PYTHON.ok(found)


def judge_packages(facts: PackageFacts, *, gpu: bool, profile: str) -> Row:
    """The right set, complete and unchanged."""
    again = f"`rm -rf .venv && make setup PROFILE={profile}`"
    source = f"{facts.pinned} packages of requirements/{facts.lock}.txt"
    if facts.lock not in (GPU_SETS if gpu else CPU_SETS):
        return PACKAGES.failed(
            f"{source}; the profile {profile} needs another set", fix=f"`make setup PROFILE={profile}`"
        )
    if facts.differences:
        more = len(facts.differences) - SHOWN
        listed = ", ".join(facts.differences[:SHOWN]) + (f" and {more} more" if more > 0 else "")
        return PACKAGES.failed(f"{len(facts.differences)} of the {source} differ: {listed}", fix=again)
    if facts.lock_changed:
        return PACKAGES.warning(f"{source}, all as pinned, but installed from an older lock", fix="`make setup`")
    if facts.marked is None:
        return PACKAGES.ok(f"{source}, all as pinned (not installed by `make setup`)")
    return PACKAGES.ok(f"{source}, all as pinned")


def _mark_of(environment: Path) -> tuple[str | None, str | None]:
    try:
        digest, _, lock = (environment / MARK).read_text(encoding="utf-8").strip().partition("  ")
    except OSError:
        return None, None
    return digest, Path(lock).stem
