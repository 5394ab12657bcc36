"""Makes a bundle, on a machine that has the project set up and can reach a package index."""

import os
import shutil
import tomllib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from models.bundle import sbom
from models.bundle.contents import (
    BUILT_LOCK,
    INSTALLER,
    LIVEKIT_SERVER,
    MANIFEST,
    README,
    SBOM,
    SIGNATURE,
    BundleManifest,
)
from models.bundle.errors import BundleNotMade
from models.bundle.go_modules import modules_of
from models.bundle.keys import load_private_key, public_bytes
from models.bundle.licences import add_licences
from models.bundle.locked_wheels import Locked, locked_wheels
from models.bundle.model_files import add_models, find_models
from models.bundle.readme import installer, readme
from models.bundle.report import Report
from models.bundle.server import glibc_of, livekit_server, version_of
from models.bundle.signature import fingerprint
from models.bundle.source import Commit, add_source, head
from models.bundle.target import require_disk
from models.bundle.writer import BundleWriter, write_tar

PACKAGE_SETS = {"demo": "cpu", "cpu": "cpu", "gpu": "gpu"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to make."""

    root: Path
    """The checkout."""
    profile: str
    pythons: tuple[str, ...]
    out: Path
    """A folder to create, or a file that ends in .tar."""
    key: Path
    """The operator's private key."""


def create(order: Order, report: Report) -> BundleManifest:
    """Make the bundle; it gets its name only once it is complete. Raises BundleNotMade or ModelError."""
    key = load_private_key(order.key)
    if order.out.exists():
        raise BundleNotMade(f"{order.out} exists. Delete it, or choose another name.")
    is_tar = order.out.suffix == ".tar"
    partial = order.out.with_name(f"{order.out.name}.partial")
    staging = order.out.with_name(f"{order.out.name}.staging") if is_tar else partial
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    try:
        manifest = _fill(order, BundleWriter(staging), fingerprint(public_bytes(key)), report)
        content = manifest.to_bytes()
        (staging / MANIFEST).write_bytes(content)
        (staging / SIGNATURE).write_bytes(key.sign(content))
        if is_tar:
            require_disk({order.out.parent: manifest.size})
            advance = report.counted(f"writing {order.out.name}", manifest.size)
            first = (MANIFEST, SIGNATURE, README, INSTALLER)
            write_tar(staging, first, manifest.files, partial, epoch=manifest.source_date_epoch, advance=advance)
        partial.replace(order.out)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return manifest


def _fill(order: Order, writer: BundleWriter, signed_by: str, report: Report) -> BundleManifest:
    """Add everything but the manifest. Checks first for what may be missing on this machine, and downloads afterwards."""
    commit = _commit(order, report)
    program = livekit_server(order.root)
    models = find_models(order.root, order.profile, report)
    stored = [model for model in models if model.is_stored]
    _require_room(writer, order.root, sum(model.model.size for model in stored))
    add_models(order.root, models, writer)
    add_source(order.root, commit, writer)
    source = writer.folder / "source"
    locked = locked_wheels(source / "requirements", PACKAGE_SETS[order.profile], order, commit.epoch, report)
    _add_wheels(writer, locked)
    server = writer.add_file(LIVEKIT_SERVER, program, executable=True)
    report.step(f"{len(locked.wheels)} wheels, livekit-server, licences, bill of materials")
    created_at = _created_at()
    manifest = BundleManifest(
        version=_version(source),
        commit=commit.id,
        source_date_epoch=commit.epoch,
        created_at=created_at.isoformat(timespec="seconds"),
        profile=order.profile,
        package_set=PACKAGE_SETS[order.profile],
        pythons=order.pythons,
        glibc=".".join(map(str, max(locked.glibc, glibc_of(program)))),
        livekit_server=version_of(program),
        models=tuple(model.name for model in stored),
        unpacked_packages_bytes=locked.unpacked_bytes,
        signed_by=signed_by,
        files=(),
    )
    modules = modules_of(program)
    add_licences(writer, locked.metadata, models, modules)
    parts = [sbom.python_package(wheel, of) for wheel, of in zip(locked.wheels, locked.metadata, strict=True)]
    parts += sbom.livekit_server(manifest.livekit_server, server, modules)
    parts += [sbom.model(model.name, model.model) for model in models]
    writer.add_bytes(SBOM, sbom.sbom(manifest, created_at, parts))
    writer.add_bytes(INSTALLER, installer(source), executable=True)
    writer.add_bytes(README, readme(replace(manifest, files=tuple(writer.files))))
    return replace(manifest, files=tuple(sorted(writer.files, key=lambda file: file.path)))


def _commit(order: Order, report: Report) -> Commit:
    """The last commit; names the checkout's uncommitted files."""
    commit = head(order.root)
    if commit.uncommitted:
        shown = ", ".join(commit.uncommitted[:10]) + (", ..." if len(commit.uncommitted) > 10 else "")
        report.step(f"not in the bundle because not committed ({len(commit.uncommitted)} files): {shown}")
    report.step(f"source of commit {commit.id[:12]}")
    return commit


def _require_room(writer: BundleWriter, origin: Path, count: int) -> None:
    """Check the disk space for files that cannot be linked."""
    if writer.folder.stat().st_dev != origin.stat().st_dev:
        require_disk({writer.folder: count})


def _add_wheels(writer: BundleWriter, locked: Locked) -> None:
    _require_room(writer, locked.wheels[0].path, sum(wheel.path.stat().st_size for wheel in locked.wheels))
    for wheel in locked.wheels:
        writer.add_file(f"wheels/{wheel.path.name}", wheel.path, sha256=wheel.sha256)
    pins = {
        f"{wheel.package.name}=={wheel.package.version} --hash=sha256:{wheel.sha256}\n"
        for wheel in locked.wheels
        if wheel.is_built
    }
    head_line = "# Built for this bundle, because the index has only their source.\n"
    writer.add_bytes(BUILT_LOCK, (head_line + "".join(sorted(pins))).encode())


def _version(source: Path) -> str:
    return str(tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def _created_at() -> datetime:
    """Now, or SOURCE_DATE_EPOCH for a reproducible build."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    return datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC).replace(microsecond=0)
