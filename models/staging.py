"""Where downloads are assembled before they move into the store.

A model is assembled in models/store/.downloads/<name>/, on the disk where it will stay. Whatever has its final name has been
checked, and after any interruption the next run continues from there.
"""

import fcntl
import hashlib
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from models.errors import ChecksumMismatch, DownloadFailed
from models.hub import Hub, HubFile
from models.manifest import ModelFile
from models.plan import Plan
from models.progress import Display
from models.store import OnBytes, sha256_of

_KEY_LENGTH = 12


@contextmanager
def staging_area(store: Path) -> Iterator[Path]:
    """models/store/.downloads, locked for this process. Raises DownloadFailed if another one is downloading."""
    area = store / ".downloads"
    try:
        area.mkdir(parents=True, exist_ok=True)
        stream = (area / "in-use").open("w")
    except OSError as error:
        raise DownloadFailed(
            f"{area} cannot be written ({error}). Make it writable and run the command again."
        ) from None
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DownloadFailed("Another download into models/store is running. Wait until it has finished.") from None
        yield area


def is_whole(path: Path, file: HubFile, on_bytes: OnBytes | None = None) -> bool:
    """Whether the file at the path is complete and correct."""
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    if file.sha256:
        return sha256_of(path, on_bytes) == file.sha256
    return blob_id_of(path) == file.blob_id


def blob_id_of(path: Path) -> str:
    """Git's SHA-1 of the file as a blob. Reads it into memory, so for small files only."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def partial_of(target: Path, file: HubFile) -> Path:
    """The partial download of exactly this file; another version has another name."""
    return target.with_name(f"{target.name}.{file.known_by[:_KEY_LENGTH]}.partial")


def fetch(hub: Hub, plan: Plan, path: str, folder: Path, display: Display) -> None:
    """Download one file of the plan into `folder`; it gets its name only once its hash is correct.

    Raises DownloadFailed (what has arrived is kept) or ChecksumMismatch (nothing is kept).
    """
    file, target = plan.files[path], folder / path
    partial = partial_of(target, file)
    target.parent.mkdir(parents=True, exist_ok=True)
    attempts = 2 if partial.exists() else 1  # what was there may have been damaged; a fresh download is not
    for _ in range(attempts):
        try:
            _fetch(hub, plan, path, partial, display)
        except ChecksumMismatch:
            partial.unlink(missing_ok=True)
            raise
        if _checked(partial, path, file, display):
            partial.replace(target)
            return
        partial.unlink()
    raise ChecksumMismatch(
        f"'{plan.name}': {hub.endpoint} sent bytes for {file.path} that do not have the hash {file.known_by}; they"
        " were not kept. Run the command again; if it happens again, do not trust that address: use another with --mirror."
    )


def install(staged: Path, folder: Path, files: Collection[str]) -> None:
    """Move a model's new files from `staged` into `folder`, and delete what does not belong to the model."""
    prune(staged, files)
    if not folder.exists():
        staged.rename(folder)
        return
    for path in files:
        if (staged / path).is_file():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (staged / path).replace(folder / path)
    prune(folder, files)
    shutil.rmtree(staged, ignore_errors=True)


def prune(folder: Path, files: Collection[str]) -> None:
    """Delete everything in the folder but these files."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file() and path.relative_to(folder).as_posix() not in files:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def pins_of(folder: Path) -> tuple[ModelFile, ...]:
    """Every file of the folder as a lock entry."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return tuple(
        ModelFile(path=path.relative_to(folder).as_posix(), size=path.stat().st_size, sha256=sha256_of(path))
        for path in paths
    )


def _fetch(hub: Hub, plan: Plan, path: str, partial: Path, display: Display) -> None:
    file = plan.files[path]
    with display.file(path, file.size) as bar:
        hub.fetch(plan.source.repository, plan.revision, file, partial, bar.at, gated=bool(plan.source.gate))


def _checked(partial: Path, path: str, file: HubFile, display: Display) -> bool:
    with display.check(path, file.size) as bar:
        return is_whole(partial, file, bar.add)
