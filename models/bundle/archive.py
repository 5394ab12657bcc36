"""Reads a bundle, a folder or a tar: its entries by name, their bytes in blocks. Standard library only."""

import os
import tarfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Protocol

from models.bundle.errors import BundleRefused

BLOCK_BYTES = 1 << 20


class Bundle(Protocol):
    """An open bundle; nothing in it is trusted."""

    @property
    def path(self) -> Path:
        """Where it is."""
        ...

    @property
    def names(self) -> frozenset[str]:
        """The names of its regular files."""
        ...

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence about each entry that is neither a regular file nor a folder, or that occurs twice."""
        ...

    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """The bytes of a regular file. Raises OSError or tarfile.TarError if they cannot be read."""
        ...


class FolderBundle:
    """A bundle that is a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        problems: list[str] = []
        self.names = frozenset(_walk(path, "", problems))
        self.problems = tuple(problems)

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open the file; never follows a link that has replaced it."""
        descriptor = os.open(self.path / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            yield stream


class TarBundle:
    """A bundle that is an uncompressed tar: its contents are mostly compressed already."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with tarfile.open(path, "r:") as tar:
                members = tar.getmembers()
        except (tarfile.TarError, OSError, EOFError) as error:
            raise BundleRefused(
                f"{path} is not a complete tar ({error}): it was truncated or damaged. Copy it again."
            ) from None
        self._members: dict[str, tarfile.TarInfo] = {}
        problems: list[str] = []
        for member in members:
            name = member.name.removeprefix("./")
            if member.isdir():
                continue
            if not member.isreg():
                problems.append(f"{name!r} is a link or a device, not a file")
            elif name in self._members:
                problems.append(f"{name!r} is in the tar twice")
            else:
                self._members[name] = member
        self.names = frozenset(self._members)
        self.problems = tuple(problems)

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Seeks to the member; nothing is unpacked."""
        with tarfile.open(self.path, "r:") as tar:
            stream = tar.extractfile(self._members[name])
            if stream is None:
                raise BundleRefused(f"{name!r} is not a file of {self.path}.")
            with stream:
                yield stream


def open_bundle(path: Path) -> Bundle:
    """Open a bundle. Raises BundleRefused if there is nothing to read."""
    if path.is_dir():
        return FolderBundle(path)
    if path.is_file():
        return TarBundle(path)
    raise BundleRefused(f"{path} does not exist. Name the bundle's folder, or its .tar.")


def blocks(stream: IO[bytes]) -> Iterator[bytes]:
    """Read a stream in blocks of 1 MB, so that a file of 16 GB needs little memory."""
    while block := stream.read(BLOCK_BYTES):
        yield block


def _walk(root: Path, inside: str, problems: list[str]) -> Iterator[str]:
    with os.scandir(root / inside) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            name = f"{inside}/{entry.name}" if inside else entry.name
            if entry.is_symlink():
                problems.append(f"{name!r} is a symbolic link, not a file")
            elif entry.is_dir(follow_symlinks=False):
                yield from _walk(root, name, problems)
            elif entry.is_file(follow_symlinks=False):
                yield name
            else:
                problems.append(f"{name!r} is a device or a socket, not a file")
