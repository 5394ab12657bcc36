"""Decides where each file of a bundle goes, and copies it there: hashed on the way, atomically. Standard library only."""

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from models.bundle.archive import Bundle, blocks
from models.bundle.contents import LIVEKIT_SERVER, SBOM, BundledFile, BundleManifest
from models.bundle.errors import BundleRefused
from models.bundle.progress import Advance

MODEL_LOCK = "models/lock.yaml"
EDITED_BY_OPERATORS = "configs/"


@dataclass(frozen=True, slots=True)
class Placement:
    """A file of the bundle and its path in the installation."""

    file: BundledFile
    path: str

    @property
    def is_config(self) -> bool:
        """Whether operators edit it, so that an update must not overwrite it."""
        return self.path.startswith(EDITED_BY_OPERATORS)


def placements(manifest: BundleManifest) -> list[Placement]:
    """All files to copy; wheels are left to the package installer."""
    return [Placement(file, path) for file in manifest.files if (path := _place(file.path))]


def is_right(target: Path, file: BundledFile) -> bool:
    """Whether exactly these bytes are there already."""
    return (
        target.is_file()
        and not target.is_symlink()
        and target.stat().st_size == file.size
        and sha256_of(target) == file.sha256
    )


def sha256_of(path: Path) -> str:
    """Lower-case hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def put(bundle: Bundle, file: BundledFile, target: Path, advance: Advance) -> None:
    """Copy; afterwards `target` has the signed bytes, or is unchanged. Raises BundleRefused if the bundle has changed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    partial.unlink(missing_ok=True)
    digest = hashlib.sha256()
    try:
        with bundle.open(file.path) as source, partial.open("xb") as copy:
            for block in blocks(source):
                digest.update(block)
                copy.write(block)
                advance(len(block))
        if digest.hexdigest() != file.sha256:
            raise BundleRefused(
                f"{file.path!r} changed during the install. Check the disk that it is on, and run the command again."
            )
        partial.chmod(0o755 if file.executable else 0o644)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _place(path: str) -> str:
    section, _, rest = path.partition("/")
    if path == LIVEKIT_SERVER:
        return ".cache/bin/livekit-server"
    if path in (SBOM, MODEL_LOCK):
        return path
    match section:
        case "source":
            return rest
        case "models":
            return str(PurePosixPath("models/store", rest))
        case "licences":
            return path
    return ""
