"""Writes a bundle: every file is hashed as it is added. Large files are linked if the disk allows."""

import hashlib
import os
import shutil
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from models.bundle.archive import blocks
from models.bundle.contents import BundledFile
from models.bundle.progress import Advance
from models.store import sha256_of


class BundleWriter:
    """Fills a folder and keeps a record of what it added."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: list[BundledFile] = []

    def add_bytes(self, path: str, content: bytes, *, executable: bool = False) -> BundledFile:
        """Add a small file."""
        target = self._new(path)
        target.write_bytes(content)
        return self._keep(target, path, hashlib.sha256(content).hexdigest(), executable)

    def add_stream(self, path: str, stream: IO[bytes], *, executable: bool = False) -> BundledFile:
        """Add a file of any size from an open stream."""
        target, digest = self._new(path), hashlib.sha256()
        with target.open("xb") as copy:
            for block in blocks(stream):
                digest.update(block)
                copy.write(block)
        return self._keep(target, path, digest.hexdigest(), executable)

    def add_file(self, path: str, source: Path, *, sha256: str = "", executable: bool = False) -> BundledFile:
        """Add a file of this machine: linked on the same disk, else copied. `sha256`: if already known."""
        target = self._new(path)
        try:
            os.link(source.resolve(), target)
        except OSError:
            shutil.copyfile(source, target)
            sha256 = ""
        return self._keep(target, path, sha256 or sha256_of(target), executable)

    def _new(self, path: str) -> Path:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def _keep(self, target: Path, path: str, sha256: str, executable: bool) -> BundledFile:
        file = BundledFile(path, target.stat().st_size, sha256, executable)
        self.files.append(file)
        return file


def write_tar(
    folder: Path, first: Iterable[str], files: Iterable[BundledFile], tar: Path, *, epoch: int, advance: Advance
) -> None:
    """Write an uncompressed tar: `first`, then `files`. The same files give the same bytes."""
    executable = {file.path: file.executable for file in files}
    with tarfile.open(tar, "w", format=tarfile.PAX_FORMAT) as archive:
        for name in [*first, *(path for path in sorted(executable) if path not in first)]:
            member = tarfile.TarInfo(name)
            member.size = (folder / name).stat().st_size
            member.mtime, member.mode = epoch, 0o755 if executable.get(name) else 0o644
            with (folder / name).open("rb") as stream:
                archive.addfile(member, stream)
            advance(member.size)
