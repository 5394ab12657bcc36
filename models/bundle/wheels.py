"""The wheels of a lock, taken out of the package index by pip; what the index has only as source is built."""

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

from models.bundle.errors import BundleNotMade
from models.bundle.lock import LockedPackage
from models.bundle.progress import Advance
from models.pip import pip_command
from models.store import sha256_of

OLDEST_GLIBC = (2, 5)
USUAL_GLIBC = (2, 28)
"""What the product asks for; wheels for a newer one are taken only where there is no other."""
NEWEST_GLIBC = (2, 40)
_LEGACY = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_MANYLINUX = re.compile(r"manylinux_(\d+)_(\d+)_x86_64|(manylinux1|manylinux2010|manylinux2014)_x86_64")


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel for the bundle."""

    package: LockedPackage
    path: Path
    sha256: str
    is_built: bool = False
    """From the package's source, on this machine: its hash is not in the lock."""

    @property
    def glibc(self) -> tuple[int, int]:
        """The oldest C library that it runs on."""
        found = _MANYLINUX.findall(self.path.name)
        versions = [_LEGACY[legacy] if legacy else (int(major), int(minor)) for major, minor, legacy in found]
        return min(versions, default=OLDEST_GLIBC)


def download(packages: Iterable[LockedPackage], python: str, folder: Path, advance: Advance) -> None:
    """Into `folder`, which keeps what it has. Raises BundleNotMade with pip's last words."""
    folder.mkdir(parents=True, exist_ok=True)
    requirements = folder / "requirements.txt"
    requirements.write_text("".join(f"{package.line()}\n" for package in packages), encoding="utf-8")
    command = [*pip_command(), "download", "--no-deps", "--require-hashes", "--disable-pip-version-check"]
    command += ["--python-version", python, "--implementation", "cp", *_platforms(), "--progress-bar", "off"]
    command += ["--dest", str(folder), "--requirement", str(requirements)]
    last = "pip said nothing"
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        for line in pip.stdout or ():
            last = line.strip() or last
            advance(int(line.startswith("Collecting ")))
    if pip.returncode != 0:
        raise BundleNotMade(f"The wheels for Python {python} cannot be had: {last}")


def collect(packages: Iterable[LockedPackage], folder: Path, built: Path, epoch: int) -> list[Wheel]:
    """One wheel a package, its hash in the lock; built into `built` where `folder` has a source archive."""
    files = [(path, found) for path in sorted(folder.iterdir()) if (found := _name_and_version(path.name))]
    by_package: dict[tuple[str, str], list[Path]] = {}
    for path, found in files:
        by_package.setdefault(found, []).append(path)
    return [_wheel(package, by_package.get((package.name, package.version), []), built, epoch) for package in packages]


def _wheel(package: LockedPackage, candidates: list[Path], built: Path, epoch: int) -> Wheel:
    for path in sorted(candidates, key=lambda path: path.suffix != ".whl"):
        sha256 = sha256_of(path)
        if sha256 not in package.sha256s:
            continue
        if path.suffix == ".whl":
            return Wheel(package, path, sha256)
        wheel = _build(path, built / f"{sha256[:16]}-{epoch}", epoch)
        return Wheel(package, wheel, sha256_of(wheel), is_built=True)
    raise BundleNotMade(f"{package.name} {package.version}: no file with a hash of the lock was downloaded.")


def _build(sdist: Path, folder: Path, epoch: int) -> Path:
    """A wheel of that source archive; made once. It has to fit every Python: others cannot be built from here."""
    if not (found := sorted(folder.glob("*.whl"))):
        command = [
            *pip_command(),
            "wheel",
            "--no-deps",
            "--disable-pip-version-check",
            "--wheel-dir",
            str(folder),
            str(sdist),
        ]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        found = sorted(folder.glob("*.whl"))
        if done.returncode != 0 or not found:
            last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
            raise BundleNotMade(f"{sdist.name} has no wheel in the index and cannot be built here: {last}")
    if not found[0].name.endswith("-none-any.whl"):
        raise BundleNotMade(
            f"{sdist.name} builds into {found[0].name}, which fits Python"
            f" {sys.version_info[0]}.{sys.version_info[1]} of this machine alone. Ask its authors for wheels."
        )
    return found[0]


def _platforms() -> list[str]:
    """pip's options for every glibc, the usual ones first: of two wheels the one that runs on more machines is taken."""
    minors = [*range(USUAL_GLIBC[1], OLDEST_GLIBC[1] - 1, -1), *range(USUAL_GLIBC[1] + 1, NEWEST_GLIBC[1] + 1)]
    names = [*(f"manylinux_2_{minor}" for minor in minors), *_LEGACY, "linux"]
    return [option for name in names for option in ("--platform", f"{name}_x86_64")]


def _name_and_version(file_name: str) -> tuple[str, str] | None:
    try:
        if file_name.endswith(".whl"):
            name, version, _, _ = parse_wheel_filename(file_name)
        else:
            name, version = parse_sdist_filename(file_name)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None
    return name, str(version)
