"""Verifies a whole bundle: first the signature, then every file that exists or should. Standard library only."""

import hashlib
import tarfile
from dataclasses import dataclass
from pathlib import Path

from models.bundle.archive import Bundle, blocks, open_bundle
from models.bundle.contents import (
    MANIFEST,
    MAX_MANIFEST_BYTES,
    SECTIONS,
    SIGNATURE,
    BundledFile,
    BundleManifest,
    parse_manifest,
    path_problem,
)
from models.bundle.errors import BundleRefused
from models.bundle.progress import Advance, ProgressLines, megabytes
from models.bundle.signature import SIGNATURE_BYTES, fingerprint, is_signed, read_public_key

MAX_NAMED = 30
"""How many problems are listed; the rest are counted."""


@dataclass(frozen=True, slots=True)
class VerifiedBundle:
    """A bundle in which every byte is as the key's owner signed it."""

    bundle: Bundle
    manifest: BundleManifest


def verify(path: Path, public_key_file: Path) -> VerifiedBundle:
    """Verify a bundle. Raises BundleRefused, naming each file that was changed, is missing or was added, or TargetUnfit if this machine
    cannot check signatures."""
    public_key = read_public_key(public_key_file)
    bundle = open_bundle(path)
    manifest = _signed_manifest(bundle, public_key, public_key_file)
    problems = [*bundle.problems, *_names(bundle, manifest)]
    progress = ProgressLines("checked", manifest.size)
    for file in manifest.files:
        if file.path in bundle.names and (problem := _bytes_problem(bundle, file, progress.advance)):
            problems.append(problem)
    if problems:
        more = [f"and {len(problems) - MAX_NAMED} more"] if len(problems) > MAX_NAMED else []
        listed = "\n".join(f"  {problem}" for problem in [*problems[:MAX_NAMED], *more])
        raise BundleRefused(
            f"{path} is refused; nothing was installed. Copy it again, or have it made again:\n{listed}"
        )
    return VerifiedBundle(bundle, manifest)


def summary(verified: VerifiedBundle) -> list[str]:
    """The result as lines of text."""
    manifest = verified.manifest
    rows = [("part", "files", "size")]
    for section in ("", *SECTIONS):
        files = manifest.of(section)
        size = megabytes(sum(file.size for file in files))
        rows.append((section or "(root)", str(len(files)), size))
    rows.append(("all", str(len(manifest.files)), megabytes(manifest.size)))
    table = [f"  {part:<10}{files:>7}{size:>14}" for part, files, size in rows]
    return [
        f"{verified.bundle.path}: every file is as signed.",
        *table,
        f"  Callbox {manifest.version}, commit {manifest.commit[:12]}, made {manifest.created_at}",
        f"  profile {manifest.profile} for Python {' and '.join(manifest.pythons)}, glibc {manifest.glibc} or later,"
        f" livekit-server {manifest.livekit_server}",
        f"  signed by the key {manifest.signed_by}",
    ]


def _signed_manifest(bundle: Bundle, public_key: bytes, public_key_file: Path) -> BundleManifest:
    content = _read(bundle, MANIFEST, MAX_MANIFEST_BYTES)
    signature = _read(bundle, SIGNATURE, SIGNATURE_BYTES)
    if is_signed(content, signature, public_key):
        return parse_manifest(content)
    try:
        other = parse_manifest(content).signed_by
    except BundleRefused:
        other = ""
    reason = f"{MANIFEST} or {SIGNATURE} was changed"
    if other and other != fingerprint(public_key):
        reason = f"it claims to be signed with another key ({other})"
    raise BundleRefused(
        f"{bundle.path} is refused; nothing was installed. The signature is not that of {public_key_file}"
        f" ({fingerprint(public_key)}): {reason}. Ask whoever made the bundle, not whoever delivered it."
    )


def _read(bundle: Bundle, name: str, limit_bytes: int) -> bytes:
    if name not in bundle.names:
        raise BundleRefused(
            f"{bundle.path} is refused; nothing was installed. {name} is missing: this is not a bundle, or not a complete one."
        )
    try:
        with bundle.open(name) as stream:
            content = stream.read(limit_bytes + 1)
    except (OSError, tarfile.TarError) as error:
        raise BundleRefused(f"{name} cannot be read ({error}). Copy the bundle again.") from None
    if len(content) > limit_bytes:
        raise BundleRefused(
            f"{bundle.path} is refused; nothing was installed. {name} is longer than {limit_bytes} bytes."
        )
    return content


def _names(bundle: Bundle, manifest: BundleManifest) -> list[str]:
    listed = {file.path for file in manifest.files}
    missing = [f"{name!r} is missing" for name in sorted(listed - bundle.names)]
    added = sorted(bundle.names - listed - {MANIFEST, SIGNATURE})
    return missing + [f"{name!r} was added: {path_problem(name) or 'the manifest does not list it'}" for name in added]


def _bytes_problem(bundle: Bundle, file: BundledFile, advance: Advance) -> str:
    digest, size = hashlib.sha256(), 0
    try:
        with bundle.open(file.path) as stream:
            for block in blocks(stream):
                digest.update(block)
                size += len(block)
                advance(len(block))
                if size > file.size:
                    break
    except (OSError, tarfile.TarError) as error:
        return f"{file.path!r} cannot be read ({error})"
    if size != file.size:
        return f"{file.path!r} was changed: it does not have {file.size} bytes"
    if digest.hexdigest() != file.sha256:
        return f"{file.path!r} was changed: its SHA-256 is {digest.hexdigest()}, not {file.sha256}"
    return ""
