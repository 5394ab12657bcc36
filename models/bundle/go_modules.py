"""The Go modules that livekit-server is linked from: its build information, and licence texts in the module cache."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packageurl import PackageURL

_TEXTS = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "PATENTS")


@dataclass(frozen=True, slots=True)
class GoModule:
    """A module in the program."""

    name: str
    version: str

    @property
    def purl(self) -> PackageURL:
        """Its package URL."""
        namespace, _, last = self.name.rpartition("/")
        return PackageURL("golang", namespace=namespace, name=last, version=self.version)


def modules_of(program: Path) -> list[GoModule]:
    """The program's own module first; empty without a Go toolchain to read them."""
    rows = [line.split() for line in _go("version", "-m", str(program)).splitlines()]
    return [GoModule(row[1], row[2]) for row in rows if len(row) >= 3 and row[0] in ("mod", "dep")]


def licence_texts(module: GoModule) -> Iterator[Path]:
    """The module's licence files, if it was built on this machine."""
    cache = _go("env", "GOMODCACHE").strip()
    escaped = re.sub(r"[A-Z]", lambda letter: f"!{letter[0].lower()}", f"{module.name}@{module.version}")
    folder = Path(cache) / escaped
    if cache and folder.is_dir():
        yield from sorted(path for path in folder.iterdir() if path.is_file() and path.name.upper().startswith(_TEXTS))


def _go(*arguments: str) -> str:
    try:
        return subprocess.run(["go", *arguments], capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        return ""
