"""Whether the disks have room for what the profile still needs."""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.operate.doctor.installation import Installation
from agent.operate.doctor.report import Row, Subject, format_size
from models.store import ModelState

DISK = Subject("disk", "disk")
RESERVE_BYTES = 2 * 2**30
"""For future logs, records and caches."""
FULL_BYTES = 100 * 2**20
"""With less than this, nothing can be written."""
DOWNLOAD_BYTES = {
    "whisper-base.en": 0.15e9,
    "llama-3.2-1b-instruct": 3.8e9,  # 2.5 GB are downloaded, and converted to 1.3 GB more
    "whisper-large-v3-turbo": 1.6e9,
    "llama-3.1-8b-instruct": 16.1e9,
    "llama-3.1-8b-instruct-fp8": 9.1e9,
    "piper-lessac-medium": 0.063e9,
}
"""Approximate disk space of a model whose bytes are not pinned before its first download, by its name in the manifest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder that grows."""

    path: Path
    label: str
    needed_bytes: int = 0
    """Still to be written into it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A file system, and Callbox's folders on it."""

    labels: tuple[str, ...]
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
        Folder(path=installation.store.root / "store", label="models/store", needed_bytes=missing_bytes),
        Folder(path=installation.cache, label=".cache"),
        Folder(path=installation.root / "out", label="out"),
    )
    yield judge(find_disks(folders), unknown)


def find_missing(installation: Installation) -> dict[str, int | None]:
    """The profile's models that are still to be downloaded, with their size in bytes; None if it is not known."""
    store = installation.store
    found = [store.status(name) for name in installation.model_names if name in store.manifest.models]
    missing = [status for status in found if status.state is ModelState.MISSING]
    return {status.name: status.model.size or _approximate_bytes(status.name) for status in missing}


def find_disks(folders: Iterable[Folder]) -> tuple[Disk, ...]:
    """The file systems that the folders are on, or will be on. Raises OSError."""
    by_device: dict[int, list[Folder]] = {}
    for folder in folders:
        by_device.setdefault(nearest(folder.path).stat().st_dev, []).append(folder)
    return tuple(map(_disk, by_device.values()))


def nearest(path: Path) -> Path:
    """The folder itself, or the nearest parent that exists."""
    return next(folder for folder in (path, *path.absolute().parents) if folder.exists())


def judge(disks: tuple[Disk, ...], unknown: tuple[str, ...] = ()) -> Row:
    """Room for the downloads and a reserve."""
    listed = "; ".join(map(_describe, disks))
    if unknown:
        listed += f"; not counted, size unknown before the download: {', '.join(unknown)}"
    short_bytes = sum(max(0, disk.needed_bytes - disk.free_bytes) for disk in disks)
    tight = [disk for disk in disks if disk.free_bytes < disk.needed_bytes + RESERVE_BYTES]
    if short_bytes:
        return DISK.failed(
            listed, fix=f"Free {format_size(short_bytes)} more, or make models/store a link to a larger disk."
        )
    if any(disk.free_bytes < FULL_BYTES for disk in tight):
        return DISK.failed(listed, fix=f"Free {format_size(RESERVE_BYTES)}: the disk is full.")
    if tight:
        return DISK.warning(
            listed, fix=f"Free some space: logs and records need a reserve of {format_size(RESERVE_BYTES)}."
        )
    return DISK.ok(listed)


def _approximate_bytes(name: str) -> int | None:
    return int(DOWNLOAD_BYTES[name]) if name in DOWNLOAD_BYTES else None


def _disk(folders: list[Folder]) -> Disk:
    usage = shutil.disk_usage(nearest(folders[0].path))
    return Disk(
        labels=tuple(folder.label for folder in folders),
        total_bytes=usage.total,
        free_bytes=usage.free,
        needed_bytes=sum(folder.needed_bytes for folder in folders),
    )


def _describe(disk: Disk) -> str:
    needed = f", {format_size(disk.needed_bytes)} still to download" if disk.needed_bytes else ""
    return f"{', '.join(disk.labels)}: {format_size(disk.free_bytes)} free of {format_size(disk.total_bytes)}{needed}"
