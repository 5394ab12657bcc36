"""A bundle's manifest: its exact contents, and which machines it is for. Standard library only."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from models.bundle.errors import BundleRefused

FORMAT = 1
MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.sig"
INSTALLER = "callbox-bundle.pyz"
README = "README.txt"
SBOM = "sbom.cdx.json"
LIVEKIT_SERVER = "server/livekit-server"
BUILT_LOCK = "wheels/built.txt"
"""Lock lines for the wheels built for the bundle, because the package index has only their source."""

MAX_MANIFEST_BYTES = 64 << 20
MAX_PATH_CHARACTERS = 512
SECTIONS = ("source", "wheels", "models", "server", "licences")
"""The folders of a bundle; all other files are at its root."""
_ROOT_FILES = (INSTALLER, README, SBOM)
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class BundledFile:
    """One file of the bundle, pinned."""

    path: str
    """Relative to the bundle, with forward slashes."""
    size: int
    """Bytes."""
    sha256: str
    executable: bool = False

    @property
    def section(self) -> str:
        """The folder it is in; empty for a file at the root."""
        return self.path.partition("/")[0] if "/" in self.path else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleManifest:
    """The signed contents."""

    version: str
    """Callbox's."""
    commit: str
    """The source's git commit."""
    source_date_epoch: int
    """That commit's time, seconds since 1970: the timestamp of everything built for the bundle."""
    created_at: str
    """UTC, ISO 8601."""
    profile: str
    package_set: str
    """Which lock is installed: cpu or gpu."""
    pythons: tuple[str, ...]
    """Python versions that the wheels fit: 3.11, 3.12."""
    glibc: str
    """The oldest glibc on which every wheel runs."""
    livekit_server: str
    """Its version."""
    models: tuple[str, ...]
    """Names of the models that come separately from the source."""
    unpacked_packages_bytes: int
    """Size of the Python packages once installed, for the Python version that takes most."""
    signed_by: str
    """Fingerprint of the public key; for messages only: the signature alone decides."""
    files: tuple[BundledFile, ...]
    """All files except the manifest and its signature, sorted by path."""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    def of(self, section: str) -> tuple[BundledFile, ...]:
        """The files in that folder."""
        return tuple(file for file in self.files if file.section == section)

    def to_bytes(self) -> bytes:
        """The canonical form; these bytes are signed."""
        content = {"format": FORMAT, "platform": "linux-x86_64", **asdict(self)}
        return (json.dumps(content, sort_keys=True, indent=1, ensure_ascii=True) + "\n").encode("ascii")


def parse_manifest(content: bytes) -> BundleManifest:
    """Raises BundleRefused unless this is what `to_bytes` writes, with safe and unique paths."""
    try:
        raw = json.loads(content)
        if not isinstance(raw, dict) or raw.get("format") != FORMAT:
            raise BundleRefused(
                f"{MANIFEST}: this installer reads format {FORMAT}. Use the one that came with the bundle."
            )
        manifest = _from_raw(raw)
    except (ValueError, TypeError, KeyError) as error:
        raise BundleRefused(f"{MANIFEST} cannot be read ({error}). Copy the bundle again.") from None
    if manifest.to_bytes() != content:
        raise BundleRefused(f"{MANIFEST} is not in the form that Callbox writes. Make the bundle again.")
    _check(manifest)
    return manifest


def path_problem(path: str) -> str:
    """Why a path is not allowed in a bundle; empty if it is."""
    parts = path.split("/")
    if not path or path.startswith("/") or "\\" in path or not path.isprintable():
        return "is not a plain relative path"
    if any(part in ("", ".", "..") for part in parts):
        return "would leave its folder"
    if len(path) > MAX_PATH_CHARACTERS:
        return f"is longer than {MAX_PATH_CHARACTERS} characters"
    if path not in (*_ROOT_FILES, MANIFEST, SIGNATURE) and (len(parts) == 1 or parts[0] not in SECTIONS):
        return "is not in any of the bundle's folders"
    return ""


def _from_raw(raw: Mapping[str, Any]) -> BundleManifest:
    known = {field.name for field in fields(BundleManifest)}
    values = {name: value for name, value in raw.items() if name not in ("format", "platform")}
    if set(values) != known:
        raise ValueError(f"keys: {', '.join(sorted(set(values) ^ known))}")
    lists = {name: tuple(values[name]) for name in ("pythons", "models")}
    return BundleManifest(**{**values, **lists, "files": tuple(BundledFile(**file) for file in values["files"])})


def _check(manifest: BundleManifest) -> None:
    seen: set[str] = set()
    for file in manifest.files:
        problem = path_problem(file.path)
        if file.path in seen:
            problem = "is listed twice"
        elif file.path in (MANIFEST, SIGNATURE):
            problem = "cannot list itself"
        elif not _SHA256.fullmatch(file.sha256) or file.size < 0:
            problem = "has no valid size and SHA-256"
        if problem:
            raise BundleRefused(f"{MANIFEST}: {file.path!r} {problem}. Make the bundle again.")
        seen.add(file.path)
