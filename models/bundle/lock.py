"""Reads requirements/*.txt: which files of which packages a Python version gets."""

from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

from models.bundle.errors import BundleNotMade

_HASH = "--hash=sha256:"


@dataclass(frozen=True, slots=True)
class LockedPackage:
    """One pin."""

    name: NormalizedName
    version: str
    sha256s: frozenset[str]
    """The hash of each file that the index has for it."""

    def line(self) -> str:
        """As a line of a lock without markers."""
        return " ".join([f"{self.name}=={self.version}", *(f"{_HASH}{sha256}" for sha256 in sorted(self.sha256s))])


def read_lock(text: str, python: str) -> list[LockedPackage]:
    """The pins for that Python version on Linux. Raises BundleNotMade for a line that is not a pin."""
    return [package for line in text.replace("\\\n", " ").splitlines() if (package := _parse(line, python))]


def _parse(line: str, python: str) -> LockedPackage | None:
    pin, *hashes = line.split(_HASH)
    if not pin.strip() or pin.startswith("#"):
        return None
    try:
        requirement = Requirement(pin.strip())
    except InvalidRequirement as error:
        raise BundleNotMade(
            f"The lock has a line that is not a pin: {error}. Make a new lock with `make lock`."
        ) from None
    versions = [str(part.version) for part in requirement.specifier if part.operator == "=="]
    if len(versions) != 1 or not hashes:
        raise BundleNotMade(
            f"The lock pins {requirement.name} without a version or a hash. Make a new lock with `make lock`."
        )
    environment = {"python_version": python, "python_full_version": f"{python}.0"}
    if requirement.marker and not requirement.marker.evaluate(environment):
        return None
    return LockedPackage(canonicalize_name(requirement.name), versions[0], frozenset(part.strip() for part in hashes))
