"""The models of a profile: those already in the source or in a wheel, and those added separately."""

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
    """A verified model that the profile needs."""

    name: str
    model: Model
    folder: Path
    """Where its files are on this machine."""

    @property
    def is_stored(self) -> bool:
        """Whether the bundle contains it separately from the source."""
        return not isinstance(self.model.source, Shipped | InstalledPackage)

    @property
    def licence_texts(self) -> list[Path]:
        """Its licence files."""
        names = [file.path for file in self.model.files]
        return [self.folder / name for name in names if PurePosixPath(name).name.upper().startswith(_TEXTS)]


def find_models(root: Path, profile: str, report: Report) -> list[BundledModel]:
    """The profile's models, fully verified. Raises ModelError for the first that is missing or damaged."""
    store = open_store(root / "models")
    names = store.names_for(profile)
    advance = report.counted("models", sum(store.manifest.find(name).size for name in names))
    return [BundledModel(name, store.manifest.find(name), store.resolve(name, advance)) for name in names]


def add_models(root: Path, models: list[BundledModel], writer: BundleWriter) -> None:
    """Add the downloaded models, and the lock that pins them."""
    for model in models:
        for file in model.model.files if model.is_stored else ():
            writer.add_file(f"models/{model.name}/{file.path}", model.folder / file.path, sha256=file.sha256)
    if (lock := root / MODEL_LOCK).is_file():
        writer.add_bytes(MODEL_LOCK, lock.read_bytes())
