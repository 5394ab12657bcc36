"""Whether the disks have room for what the profile still needs."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.operate.doctor.installation import Installation
from agent.operate.doctor.needs import DOWNLOAD_BYTES
from agent.operate.doctor.report import Row, Subject, shown_size
from models.store import ModelState

DISK = Subject("disk", "disk")
KEPT_FREE_BYTES = 2 * 2**30
"""For logs, records and caches to come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """Something that grows."""

    path: Path
    duty: str
    needed_bytes: int = 0
    """What is still to come into it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """One file system, and what of Callbox is on it."""

    duties: tuple[str, ...]
    total_bytes: int
    free_bytes: int
    """For this user."""
    needed_bytes: int


def check(installation: Installation) -> Iterator[Row]:
    """One row."""
    missing = find_missing(installation)
    unknown = tuple(name for name, size in missing.items() if size is None)
    missing_bytes = sum(size for size in missing.values() if size is not None)
    folders = (
        Folder(path=installation.store.root / "store", duty="models/store", needed_bytes=missing_bytes),
        Folder(path=installation.cache, duty=".cache"),
        Folder(path=installation.root / "out", duty="out"),
    )
    yield judge(find_disks(folders), unknown)


def find_missing(installation: Installation) -> dict[str, int | None]:
    """The profile's models that are still to be downloaded, with their bytes; None where nobody knows."""
    store = installation.store
    found = [store.status(name) for name in installation.model_names if name in store.manifest.models]
    missing = [status for status in found if status.state is ModelState.MISSING]
    return {status.name: status.model.size or _about(status.name) for status in missing}


def find_disks(folders: Iterable[Folder]) -> tuple[Disk, ...]:
    """The file systems that the folders are on, or will be on. Raises OSError."""
    by_device: dict[int, list[tuple[Folder, Path]]] = {}
    for folder in folders:
        there = nearest(folder.path)
        by_device.setdefault(there.stat().st_dev, []).append((folder, there))
    return tuple(_disk(found) for found in by_device.values())


def nearest(path: Path) -> Path:
    """The folder itself, or the one above it that exists."""
    return next(folder for folder in (path, *path.absolute().parents) if folder.exists())


def judge(disks: tuple[Disk, ...], unknown: tuple[str, ...] = ()) -> Row:
    """Room for what comes, and some to live in."""
    listed = "; ".join(map(_shown, disks))
    if unknown:
        listed += f"; not counted, size unknown before the download: {', '.join(unknown)}"
    full = [disk for disk in disks if disk.free_bytes < disk.needed_bytes]
    tight = [disk for disk in disks if disk.free_bytes < disk.needed_bytes + KEPT_FREE_BYTES]
    if full:
        short = shown_size(sum(disk.needed_bytes - disk.free_bytes for disk in full))
        return DISK.failed(listed, fix=f"Free {short} more, or make models/store a link to a larger disk.")
    if any(disk.free_bytes < KEPT_FREE_BYTES / 20 for disk in tight):
        return DISK.failed(listed, fix=f"Free {shown_size(KEPT_FREE_BYTES)}: nothing can be written any more.")
    if tight:
        return DISK.warning(
            listed, fix=f"Free some: {shown_size(KEPT_FREE_BYTES)} should be left for logs and records."
        )
    return DISK.ok(listed)


def _about(name: str) -> int | None:
    return int(DOWNLOAD_BYTES[name]) if name in DOWNLOAD_BYTES else None


def _disk(found: list[tuple[Folder, Path]]) -> Disk:
    state = os.statvfs(found[0][1])
    return Disk(
        duties=tuple(folder.duty for folder, _ in found),
        total_bytes=state.f_blocks * state.f_frsize,
        free_bytes=state.f_bavail * state.f_frsize,
        needed_bytes=sum(folder.needed_bytes for folder, _ in found),
    )


def _shown(disk: Disk) -> str:
    needed = f", {shown_size(disk.needed_bytes)} still to come" if disk.needed_bytes else ""
    return f"{', '.join(disk.duties)}: {shown_size(disk.free_bytes)} free of {shown_size(disk.total_bytes)}{needed}"
