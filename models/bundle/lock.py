"""Reading requirements/*.txt: which files of which packages a Python version gets."""

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
    """Of each file that the index has for it."""

    def line(self) -> str:
        """As a lock without markers has it."""
        return " ".join([f"{self.name}=={self.version}", *(f"{_HASH}{sha256}" for sha256 in sorted(self.sha256s))])


def read_lock(text: str, python: str) -> list[LockedPackage]:
    """The pins that hold for that minor version of Python on Linux. Raises BundleNotMade for what is no pin."""
    return [package for line in text.replace("\\\n", " ").splitlines() if (package := _parse(line, python))]


def _parse(line: str, python: str) -> LockedPackage | None:
    pin, *hashes = line.split(_HASH)
    if not pin.strip() or pin.startswith("#"):
        return None
    try:
        requirement = Requirement(pin.strip())
    except InvalidRequirement as error:
        raise BundleNotMade(f"The lock has a line that is no pin: {error}. `make lock` makes it anew.") from None
    versions = [str(part.version) for part in requirement.specifier if part.operator == "=="]
    if len(versions) != 1 or not hashes:
        raise BundleNotMade(f"The lock pins {requirement.name} to no version and hash. `make lock` makes it anew.")
    environment = {"python_version": python, "python_full_version": f"{python}.0"}
    if requirement.marker and not requirement.marker.evaluate(environment):
        return None
    return LockedPackage(canonicalize_name(requirement.name), versions[0], frozenset(part.strip() for part in hashes))
