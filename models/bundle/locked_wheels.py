"""All wheels of a lock for all Python versions that a bundle is for, with their metadata."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from models.bundle.lock import read_lock
from models.bundle.report import Report
from models.bundle.wheel_metadata import WheelMetadata, read_wheel
from models.bundle.wheels import Wheel, collect, download


class Wanted(Protocol):
    """For which Python versions, and with which cache."""

    @property
    def root(self) -> Path:
        """The checkout."""
        ...

    @property
    def pythons(self) -> tuple[str, ...]:
        """Minor versions."""
        ...


@dataclass(frozen=True, slots=True)
class Locked:
    """What was found."""

    wheels: list[Wheel]
    """Each file once."""
    metadata: list[WheelMetadata]
    """In the same order."""
    glibc: tuple[int, int]
    """The newest glibc that any of them requires."""
    unpacked_bytes: int
    """Their installed size, for the Python version that takes most."""


def locked_wheels(requirements: Path, package_set: str, wanted: Wanted, epoch: int, report: Report) -> Locked:
    """Download what is not in the cache (.cache/bundle). Raises BundleNotMade, naming the package."""
    cache = wanted.root / ".cache" / "bundle"
    found: dict[str, Wheel] = {}
    metadata: dict[str, WheelMetadata] = {}
    unpacked = [0]
    for python in wanted.pythons:
        texts = [(requirements / f"{name}.txt").read_text(encoding="utf-8") for name in (package_set, "uv")]
        packages = [package for text in texts for package in read_lock(text, python)]
        advance = report.counted(f"packages for Python {python}", len(packages))
        download(packages, python, cache / f"wheels-{python}", advance)
        wheels = collect(packages, cache / f"wheels-{python}", cache / "built", epoch)
        for wheel in wheels:
            found[wheel.path.name] = wheel
            metadata.setdefault(wheel.path.name, read_wheel(wheel.path))
        unpacked.append(sum(metadata[wheel.path.name].unpacked_bytes for wheel in wheels))
    names = sorted(found)
    glibc = max(wheel.glibc for wheel in found.values())
    return Locked([found[name] for name in names], [metadata[name] for name in names], glibc, max(unpacked))
