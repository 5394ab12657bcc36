"""The record of an installed bundle, which makes updates and repeated installs safe. Standard library only."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from models.bundle.errors import TargetUnfit

RECORD = ".callbox-bundle.json"


@dataclass(frozen=True, slots=True)
class Record:
    """The last bundle that was installed, or whose install was interrupted."""

    commit: str = ""
    created_at: str = ""
    """When the bundle was made."""
    profile: str = ""
    complete: bool = False
    files: dict[str, str] = field(default_factory=dict)
    """SHA-256 of each source file as it was installed, by its path in the folder."""


def read_record(folder: Path) -> Record:
    """Empty if there is none or it is unreadable: then every file that differs counts as edited."""
    try:
        raw = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        commit, created_at, profile = (str(raw[name]) for name in ("commit", "created_at", "profile"))
        return Record(commit, created_at, profile, bool(raw["complete"]), dict(raw["files"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Record()


def write_record(folder: Path, record: Record) -> None:
    """Write it atomically."""
    partial = folder / f"{RECORD}.partial"
    with partial.open("w", encoding="utf-8") as stream:
        json.dump(asdict(record), stream, sort_keys=True, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(folder / RECORD)


def require_folder(folder: Path) -> None:
    """Raises TargetUnfit for a folder that holds something other than Callbox."""
    if folder.is_file():
        raise TargetUnfit(f"{folder} is a file. Name a folder.")
    if (
        not folder.exists()
        or all(path.name.startswith(RECORD) for path in folder.iterdir())
        or (folder / RECORD).exists()
    ):
        return
    if (folder / ".git").exists():
        raise TargetUnfit(f"{folder} is a git checkout: update it with git, or install --into another folder.")
    if not (folder / "agent" / "__main__.py").exists() or not (folder / "models" / "manifest.yaml").exists():
        raise TargetUnfit(f"{folder} has files in it that are not Callbox. Install --into a new or empty folder.")


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Lock the folder against a second install."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise TargetUnfit(f"Another install into {folder} is running. Wait until it has finished.") from None
    finally:
        os.close(descriptor)
