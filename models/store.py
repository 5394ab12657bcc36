"""Finds models' files on this machine and verifies them.

Shipped models are in the repository, downloaded ones in models/store/<name>/ (ignored by git), and some are part of an
installed Python package. Every byte is hashed each time a model is resolved: an engine never loads a file that differs
from the manifest, or from the lock that a download wrote. (15 MB take about 10 ms, 16 GB about as long as reading them.)
"""

import hashlib
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from models.errors import ChecksumMismatch, ModelMissing
from models.lockfile import load_lock, overlay
from models.manifest import InstalledPackage, Manifest, Model, ModelFile, Shipped, load_manifest

ROOT = Path(__file__).resolve().parent
ROOT_VARIABLE = "CALLBOX_MODELS"
"""The environment variable that names another folder, with a manifest.yaml, to use instead of models/."""

OnBytes = Callable[[int], None]
"""Called with the number of bytes just read."""

_BLOCK_BYTES = 1 << 20


class ModelState(StrEnum):
    """What a check of a model's files found."""

    OK = "ok"
    MISSING = "missing"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """The outcome of checking one model."""

    name: str
    model: Model
    state: ModelState
    detail: str = ""
    """What is wrong and what to do; empty if the model is fine."""


@dataclass(frozen=True, slots=True)
class ModelStore:
    """Finds models' folders and verifies every byte in them."""

    root: Path
    """The folder models/."""
    manifest: Manifest

    def resolve(self, name: str, on_bytes: OnBytes | None = None) -> Path:
        """The model's folder, after checking each of its files against its pinned size and SHA-256.

        `on_bytes` is called as bytes are hashed; together they are the model's size.

        Raises ModelUnknown, ModelMissing (names the command that gets the model) or ChecksumMismatch (names the file).
        """
        model = self.manifest.find(name)
        if not model.pinned:
            raise ModelMissing(f"Model '{name}' has not been downloaded. {_how_to_get(model)}")
        folder = self.folder(name)
        for file in model.files:
            self._check(name, model, folder, file, on_bytes)
        return folder

    def is_present(self, name: str) -> bool:
        """Whether every file of the model exists with its pinned size. Does not hash. Raises ModelUnknown."""
        model = self.manifest.find(name)
        try:
            folder = self.folder(name)
        except ModelMissing:
            return False
        return model.pinned and all(_has_size(folder / file.path, file.size) for file in model.files)

    def folder(self, name: str) -> Path:
        """Where the model's files belong, whether or not they exist. Raises ModelUnknown, or ModelMissing if they
        belong to a Python package that is not installed."""
        model = self.manifest.find(name)
        source = model.source
        if isinstance(source, Shipped):
            return self.root / source.folder
        if isinstance(source, InstalledPackage):
            spec = find_spec(source.module)  # finds the package without importing it, and so no inference library
            if spec is None or spec.origin is None:
                raise ModelMissing(f"Model '{name}' is not on this machine. {_how_to_get(model)}")
            return Path(spec.origin).parent / source.folder
        return self.root / "store" / name

    def names_for(self, profile: str) -> tuple[str, ...]:
        """The models that the profile needs, in the manifest's order.

        If a model is missing and an alternative to it is present, the alternative is named.
        """
        return tuple(
            self._present_instead_of(name) or name
            for name, model in self.manifest.models.items()
            if profile in model.profiles and not model.instead_of
        )

    def _present_instead_of(self, name: str) -> str | None:
        others = [other for other, model in self.manifest.models.items() if model.instead_of == name]
        if not others or self.is_present(name):
            return None
        return next((other for other in others if self.is_present(other)), None)

    def status(self, name: str, on_bytes: OnBytes | None = None) -> ModelStatus:
        """Check a model; problems with its files are reported, not raised. Raises ModelUnknown."""
        model = self.manifest.find(name)
        try:
            self.resolve(name, on_bytes)
        except ModelMissing as error:
            return ModelStatus(name, model, ModelState.MISSING, str(error))
        except ChecksumMismatch as error:
            return ModelStatus(name, model, ModelState.DAMAGED, str(error))
        return ModelStatus(name, model, ModelState.OK)

    def _check(self, name: str, model: Model, folder: Path, file: ModelFile, on_bytes: OnBytes | None) -> None:
        path = folder / file.path
        if not path.is_file():
            raise ModelMissing(f"Model '{name}': {self._shown(path)} is not on this machine. {_how_to_get(model)}")
        size = path.stat().st_size
        if size != file.size:
            reason = f"has {size} bytes, not {file.size}"
        elif (digest := sha256_of(path, on_bytes)) != file.sha256:
            reason = f"has the SHA-256 {digest}, not {file.sha256}"
        else:
            return
        raise ChecksumMismatch(f"Model '{name}': {self._shown(path)} {reason}. {_how_to_restore(model)}")

    def _shown(self, path: Path) -> str:
        """The path as shown to an operator: relative to the repository if it is inside."""
        repository = self.root.parent
        return str(path.relative_to(repository)) if path.is_relative_to(repository) else str(path)


def open_store(root: Path | None = None, *, unpin: Collection[str] = ()) -> ModelStore:
    """The store of this checkout, or of CALLBOX_MODELS, with the lock's pins except those for models in `unpin`.

    Raises ManifestInvalid or LockInvalid.
    """
    root = root or Path(os.environ.get(ROOT_VARIABLE) or ROOT)
    return ModelStore(root, overlay(load_manifest(root / "manifest.yaml"), load_lock(root), unpin=unpin))


def sha256_of(path: Path, on_bytes: OnBytes | None = None) -> str:
    """Lower-case hex SHA-256 of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
            if on_bytes:
                on_bytes(len(block))
    return digest.hexdigest()


def _has_size(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


def _how_to_get(model: Model) -> str:
    source = model.source
    if isinstance(source, Shipped):
        return f"It belongs to the repository: `git checkout -- models/{source.folder}` restores it."
    if isinstance(source, InstalledPackage):
        return f"It comes with the Python package {source.package} {source.version}: `make run` installs it."
    return f"Run `{source.command}`."


def _how_to_restore(model: Model) -> str:
    source = model.source
    if isinstance(source, Shipped):
        return (
            f"The file was changed or damaged and is not loaded. `git checkout -- models/{source.folder}` restores it."
        )
    if isinstance(source, InstalledPackage):
        return f"The file is not loaded. Reinstall the Python package {source.package} {source.version}."
    return f"The file was changed or damaged and is not loaded. `{source.command}` replaces it."
