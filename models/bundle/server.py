"""livekit-server as installed by scripts/install_livekit.sh: its version, and the glibc that it requires."""

import mmap
import os
import re
import subprocess
from pathlib import Path

from models.bundle.errors import BundleNotMade

_GLIBC = re.compile(rb"GLIBC_(\d+)\.(\d+)")


def livekit_server(root: Path) -> Path:
    """The program's path. Raises BundleNotMade if it is missing."""
    program = Path(os.environ.get("CALLBOX_CACHE") or root / ".cache") / "bin" / "livekit-server"
    if not os.access(program, os.X_OK):
        raise BundleNotMade(f"{program} is missing. Install it with `make livekit`.")
    return program.resolve()


def version_of(program: Path) -> str:
    """The version that it reports. Raises BundleNotMade if it does not run."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
        return done.stdout.split()[-1]
    except (OSError, IndexError):
        raise BundleNotMade(f"{program} does not run. Delete it and run `make livekit`.") from None


def glibc_of(program: Path) -> tuple[int, int]:
    """The newest glibc version whose symbols it needs; (0, 0) if it is linked statically."""
    with program.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return max(((int(major), int(minor)) for major, minor in _GLIBC.findall(content)), default=(0, 0))
