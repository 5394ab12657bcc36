"""Downloads a lock's wheels from the package index with pip, and builds those for which it has only source."""

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
"""The glibc to prefer; wheels for a newer one are used only where there is no other."""
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
    """Built from source on this machine: its hash is not in the lock."""

    @property
    def glibc(self) -> tuple[int, int]:
        """The oldest glibc that it runs on."""
        found = _MANYLINUX.findall(self.path.name)
        versions = [_LEGACY[legacy] if legacy else (int(major), int(minor)) for major, minor, legacy in found]
        return min(versions, default=OLDEST_GLIBC)


def download(packages: Iterable[LockedPackage], python: str, folder: Path, advance: Advance) -> None:
    """Download into `folder`, where existing files are kept. Raises BundleNotMade with the end of pip's output."""
    folder.mkdir(parents=True, exist_ok=True)
    requirements = folder / "requirements.txt"
    requirements.write_text("".join(f"{package.line()}\n" for package in packages), encoding="utf-8")
    command = [*pip_command(), "download", "--no-deps", "--require-hashes", "--disable-pip-version-check"]
    command += ["--python-version", python, "--implementation", "cp", *_platforms(), "--progress-bar", "off"]
    command += ["--dest", str(folder), "--requirement", str(requirements)]
    last = "no output from pip"
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        for line in pip.stdout or ():
            last = line.strip() or last
            advance(int(line.startswith("Collecting ")))
    if pip.returncode != 0:
        raise BundleNotMade(f"The wheels for Python {python} cannot be downloaded: {last}")


def collect(packages: Iterable[LockedPackage], folder: Path, built: Path, epoch: int) -> list[Wheel]:
    """One wheel per package, with its hash in the lock; built into `built` if `folder` has a source archive."""
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
    raise BundleNotMade(f"{package.name} {package.version}: no file was downloaded that has a hash in the lock.")


def _build(sdist: Path, folder: Path, epoch: int) -> Path:
    """Build a wheel from a source archive, once. It has to fit every Python version: others cannot be built here."""
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
            last = (done.stderr.strip().splitlines() or ["no output from pip"])[-1]
            raise BundleNotMade(f"{sdist.name} has no wheel in the index and cannot be built: {last}")
    if not found[0].name.endswith("-none-any.whl"):
        raise BundleNotMade(
            f"{sdist.name} builds as {found[0].name}, which fits only this machine's Python"
            f" {sys.version_info[0]}.{sys.version_info[1]}. Ask its authors for wheels."
        )
    return found[0]


def _platforms() -> list[str]:
    """pip's options for every glibc, the common ones first: of two wheels, the one that runs on more machines is used."""
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
