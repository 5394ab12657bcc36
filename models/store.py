"""Where models' bytes are on this machine, and whether they are the pinned ones.

Shipped models lie in the repository, fetched ones under models/store/<name>/ (ignored by git), and some came inside an
installed Python package. Every byte is hashed each time a model is resolved: an engine never loads a file that differs
from the manifest. (15 MB take about 10 ms, 16 GB about as long as reading them.)
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from models.errors import ChecksumMismatch, ModelMissing
from models.manifest import InstalledPackage, Manifest, Model, ModelFile, Shipped, load_manifest

ROOT = Path(__file__).resolve().parent


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
    """Finds models' folders and checks every byte in them."""

    root: Path
    """The folder models/."""
    manifest: Manifest

    def resolve(self, name: str) -> Path:
        """The folder of the model, after each of its files was checked against its pinned size and SHA-256.

        Raises ModelUnknown, ModelMissing (names the command that gets the model) or ChecksumMismatch (names the file).
        """
        model = self.manifest.find(name)
        if not model.pinned:
            raise ModelMissing(f"Model '{name}' has not been downloaded. {_how_to_get(model)}")
        folder = self.folder(name)
        for file in model.files:
            self._check(name, model, folder, file)
        return folder

    def folder(self, name: str) -> Path:
        """Where the model's files belong, whether they are there or not. Raises ModelUnknown, or ModelMissing if they
        belong to a Python package that is not installed."""
        model = self.manifest.find(name)
        source = model.source
        if isinstance(source, Shipped):
            return self.root / source.folder
        if isinstance(source, InstalledPackage):
            spec = find_spec(source.module)  # finds the package without running it: no inference library gets imported
            if spec is None or spec.origin is None:
                raise ModelMissing(f"Model '{name}' is not on this machine. {_how_to_get(model)}")
            return Path(spec.origin).parent / source.folder
        return self.root / "store" / name

    def names_for(self, profile: str) -> tuple[str, ...]:
        """The models that the profile needs, in the manifest's order."""
        return tuple(name for name, model in self.manifest.models.items() if profile in model.profiles)

    def status(self, name: str) -> ModelStatus:
        """Check a model without raising for what is wrong with its files. Raises ModelUnknown."""
        model = self.manifest.find(name)
        try:
            self.resolve(name)
        except ModelMissing as error:
            return ModelStatus(name, model, ModelState.MISSING, str(error))
        except ChecksumMismatch as error:
            return ModelStatus(name, model, ModelState.DAMAGED, str(error))
        return ModelStatus(name, model, ModelState.OK)

    def _check(self, name: str, model: Model, folder: Path, file: ModelFile) -> None:
        path = folder / file.path
        if not path.is_file():
            raise ModelMissing(f"Model '{name}': {self._shown(path)} is not on this machine. {_how_to_get(model)}")
        size = path.stat().st_size
        if size != file.size:
            reason = f"has {size} bytes instead of {file.size}"
        elif (digest := sha256_of(path)) != file.sha256:
            reason = f"has the SHA-256 {digest} instead of {file.sha256}"
        else:
            return
        raise ChecksumMismatch(f"Model '{name}': {self._shown(path)} {reason}. {_how_to_restore(model)}")

    def _shown(self, path: Path) -> str:
        """The path as an operator knows it: relative to the repository where it is in it."""
        repository = self.root.parent
        return str(path.relative_to(repository)) if path.is_relative_to(repository) else str(path)


def open_store(root: Path = ROOT) -> ModelStore:
    """The store of this checkout. Raises ManifestInvalid."""
    return ModelStore(root, load_manifest(root / "manifest.yaml"))


def sha256_of(path: Path) -> str:
    """Lower-case hex SHA-256 of a file, read in blocks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _how_to_get(model: Model) -> str:
    source = model.source
    if isinstance(source, Shipped):
        return f"It belongs to the repository: `git checkout -- models/{source.folder}` brings it back."
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
        return f"The file is not loaded. Install the Python package {source.package} {source.version} again."
    return f"The file was changed or damaged and is not loaded. Delete it and run `{source.command}`."
