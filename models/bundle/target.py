"""Checks before anything is written whether this machine can take a bundle. Standard library only."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from models.bundle.contents import BundleManifest
from models.bundle.errors import TargetUnfit
from models.bundle.progress import megabytes

NVIDIA_DEVICE = Path("/dev/nvidia0")
SPARE_BYTES = 200_000_000
"""To be left free on the disk for logs, .env and compiled Python."""
_ASK_VERSION = "import sys, ensurepip, venv; print('%d.%d' % sys.version_info[:2])"


def require_platform(manifest: BundleManifest) -> None:
    """Raises TargetUnfit unless this is Linux on x86-64 with a new enough glibc."""
    found = f"{platform.system()} on {platform.machine()}"
    if found != "Linux on x86_64":
        raise TargetUnfit(f"The bundle is for Linux on x86-64; this is {found}.")
    name, version = platform.libc_ver()
    if name != "glibc" or _numbers(version) < _numbers(manifest.glibc):
        raise TargetUnfit(
            f"The bundle's packages need glibc {manifest.glibc} or later; this machine has {name or 'another C library'} {version}."
            " Install a newer release of Debian or Ubuntu."
        )


def find_python(pythons: Iterable[str]) -> Path:
    """A Python that the wheels fit and that can make virtual environments. Raises TargetUnfit, naming what is missing."""
    wanted = tuple(pythons)
    candidates = [os.environ.get("PYTHON", ""), sys.executable, *(f"python{version}" for version in wanted), "python3"]
    seen: dict[str, str] = {}
    for candidate in candidates:
        program = shutil.which(candidate) if candidate else None
        if program is None or program in seen:
            continue
        seen[program] = version = python_version(Path(program))
        if version in wanted:
            return Path(program)
    found = ", ".join(
        f"{program} ({version or 'without venv, or it does not run'})" for program, version in seen.items()
    )
    package = f"python{wanted[0]}"
    raise TargetUnfit(
        f"The bundle's packages are for Python {' or '.join(wanted)} with its venv module; found: {found}. Install it"
        f" (Debian, Ubuntu: apt-get install {package} {package}-venv), or have the bundle made for this machine's Python"
        " (bundle create --python VERSION)."
    )


def python_version(program: Path) -> str:
    """Its version, such as 3.11; empty if it does not run or cannot make virtual environments."""
    try:
        done = subprocess.run([program, "-c", _ASK_VERSION], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def require_disk(needs: Mapping[Path, int]) -> None:
    """`needs`: bytes to be written below each folder, which may not exist yet. Raises TargetUnfit with the figures."""
    by_device: dict[int, tuple[Path, int]] = {}
    for folder, count in needs.items():
        there = _existing(folder)
        device = there.stat().st_dev
        place, before = by_device.get(device, (there, 0))
        by_device[device] = (place, before + count)
    for place, count in by_device.values():
        free = shutil.disk_usage(place).free
        if count and free < count + SPARE_BYTES:
            raise TargetUnfit(
                f"The disk of {place} has {megabytes(free)} free, but {megabytes(count)} will be written and"
                f" {megabytes(SPARE_BYTES)} must stay free. Free {megabytes(count + SPARE_BYTES - free)}, or use another disk."
            )


def warnings(manifest: BundleManifest) -> list[str]:
    """Sentences about what is missing to run Callbox, though not to install it."""
    found = []
    if not shutil.which("make"):
        found.append("make is not installed, but `make run` needs it (Debian, Ubuntu: apt-get install make).")
    if manifest.profile == "gpu" and not NVIDIA_DEVICE.exists():
        found.append(f"{NVIDIA_DEVICE} does not exist: the gpu profile needs an NVIDIA GPU and its driver.")
    if manifest.profile == "gpu" and not any(map(shutil.which, ("cc", "gcc", "clang"))):
        found.append(
            "No C compiler found: Triton, which vLLM uses, needs one (Debian, Ubuntu: apt-get install gcc libc6-dev python3-dev)."
        )
    return found


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
