"""Installs a bundle's Python packages into the .venv without a package index. Standard library only."""

import os
import shutil
import subprocess
from pathlib import Path

from models.bundle.contents import BUILT_LOCK
from models.bundle.errors import TargetUnfit
from models.bundle.placing import put
from models.bundle.progress import ProgressLines, say
from models.bundle.target import python_version
from models.bundle.verify import VerifiedBundle

WHEELS_VARIABLE = "CALLBOX_WHEELS"
"""The environment variable that makes scripts/install_python.sh use wheels from this folder only."""


def install_packages(verified: VerifiedBundle, into: Path, python: Path) -> None:
    """Install every package of the lock, by hash. Raises TargetUnfit; the installer's own errors are on the terminal."""
    venv = into / ".venv"
    if venv.exists() and python_version(venv / "bin" / "python") not in verified.manifest.pythons:
        shutil.rmtree(venv)
    wheels = _wheels(verified, into)
    command = [str(into / "scripts" / "install_python.sh"), verified.manifest.package_set]
    environment = {**os.environ, WHEELS_VARIABLE: str(wheels), "PYTHON": str(python)}
    done = subprocess.run(command, env=environment, check=False)
    if done.returncode != 0:
        raise TargetUnfit(
            "The Python packages were not installed; the lines above say why. Fix that and run the command again."
        )
    shutil.rmtree(wheels.parent)
    say(f"==> {verified.manifest.package_set} packages are in {venv}")


def _wheels(verified: VerifiedBundle, into: Path) -> Path:
    """A folder with the wheels: unpacked from a tar, or links into a folder.

    The installer checks each wheel's hash as it reads it, so changes to the medium after verification do no harm; hashes that
    are not in the lock are copied rather than read from the medium again.
    """
    bundle, folder = verified.bundle, into / ".cache" / "bundle"
    shutil.rmtree(folder, ignore_errors=True)
    files = verified.manifest.of("wheels")
    progress = ProgressLines("wheels unpacked", sum(file.size for file in files))
    for file in files:
        if bundle.path.is_dir() and file.path != BUILT_LOCK:
            (folder / file.path).parent.mkdir(parents=True, exist_ok=True)
            (folder / file.path).symlink_to(bundle.path.absolute() / file.path)
        else:
            put(bundle, file, folder / file.path, progress.advance)
    return folder / "wheels"
