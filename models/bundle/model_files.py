"""The models of a profile: those that are in the source or in a wheel already, and those that come beside them."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from models.bundle.placing import MODEL_LOCK
from models.bundle.report import Report
from models.bundle.writer import BundleWriter
from models.manifest import InstalledPackage, Model, Shipped
from models.store import open_store

_TEXTS = ("LICEN", "USE_POLICY", "NOTICE", "MODEL_CARD", "COPYING", "FLITE-COPYRIGHT")


@dataclass(frozen=True, slots=True)
class BundledModel:
    """A model that the profile needs, checked."""

    name: str
    model: Model
    folder: Path
    """Where its files are on this machine."""

    @property
    def is_stored(self) -> bool:
        """Whether the bundle carries it by itself."""
        return not isinstance(self.model.source, Shipped | InstalledPackage)

    @property
    def licence_texts(self) -> list[Path]:
        """Those of its files that say what may be done with it."""
        names = [file.path for file in self.model.files]
        return [self.folder / name for name in names if PurePosixPath(name).name.upper().startswith(_TEXTS)]


def find_models(root: Path, profile: str, report: Report) -> list[BundledModel]:
    """Every byte is hashed. Raises ModelError for the first model that is missing or damaged."""
    store = open_store(root / "models")
    names = store.names_for(profile)
    advance = report.counted("models", sum(store.manifest.find(name).size for name in names))
    return [BundledModel(name, store.manifest.find(name), store.resolve(name, advance)) for name in names]


def add_models(root: Path, models: list[BundledModel], writer: BundleWriter) -> None:
    """The stored ones, and the lock that says which bytes of which commit they are."""
    for model in models:
        for file in model.model.files if model.is_stored else ():
            writer.add_file(f"models/{model.name}/{file.path}", model.folder / file.path, sha256=file.sha256)
    if (lock := root / MODEL_LOCK).is_file():
        writer.add_bytes(MODEL_LOCK, lock.read_bytes())
