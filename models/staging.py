"""Files on their way into the store: partial ones beside their place, whole ones under their names, then all at once.

A model is put together in models/store/.downloads/<name>/, on the disk where it will stay. Nothing under a final name is
anything but checked bytes, and whatever happens in between, the next run goes on from there.
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
    """models/store/.downloads, for this process alone. Raises DownloadFailed if another one is downloading."""
    area = store / ".downloads"
    try:
        area.mkdir(parents=True, exist_ok=True)
        stream = (area / "in-use").open("w")
    except OSError as error:
        raise DownloadFailed(f"{area} cannot be written ({error}). Make it writable and repeat the command.") from None
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DownloadFailed("Another download is running into models/store. Wait until it is over.") from None
        yield area


def is_whole(path: Path, file: HubFile, on_bytes: OnBytes | None = None) -> bool:
    """Whether the path holds the file's bytes."""
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    if file.sha256:
        return sha256_of(path, on_bytes) == file.sha256
    return blob_id_of(path) == file.blob_id


def blob_id_of(path: Path) -> str:
    """What git calls the file's content. For small files: it is read whole."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def partial_of(target: Path, file: HubFile) -> Path:
    """Where the file's bytes gather; other bytes gather elsewhere."""
    return target.with_name(f"{target.name}.{file.known_by[:_KEY_LENGTH]}.partial")


def bring(hub: Hub, plan: Plan, path: str, folder: Path, display: Display) -> None:
    """Download one file of the plan into `folder`; it appears under its name only if its hash is the right one.

    Raises DownloadFailed (what has arrived stays) or ChecksumMismatch (nothing stays).
    """
    file, target = plan.files[path], folder / path
    partial = partial_of(target, file)
    target.parent.mkdir(parents=True, exist_ok=True)
    for _ in range(2 if partial.exists() else 1):  # what lay there may have been damaged; what comes anew is not
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
        f"'{plan.name}': {hub.endpoint} sent other bytes for {file.path} than those known by {file.known_by}; nothing of it"
        " was kept. Repeat the command; if it stays so, do not trust that address: name another with --mirror."
    )


def install(staged: Path, folder: Path, files: Collection[str]) -> None:
    """Move a model's new files from `staged` into `folder`, and take away what does not belong to the model."""
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
    """Take everything out of the folder but those files."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file() and path.relative_to(folder).as_posix() not in files:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def pins_of(folder: Path) -> tuple[ModelFile, ...]:
    """Every file of the folder as a lock states it."""
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
