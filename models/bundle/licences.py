"""The licences folder: each part's licence, with its text."""

from collections.abc import Iterable
from pathlib import Path

from models.bundle.go_modules import GoModule, licence_texts
from models.bundle.model_files import BundledModel
from models.bundle.wheel_metadata import WheelMetadata
from models.bundle.writer import BundleWriter

_HEAD = """\
Licences of everything in this bundle, as the authors state them; the texts that came with each are in the folders here.
source/docs/licences.md says what you have to do to pass a bundle on.

"""


def add_licences(
    writer: BundleWriter, packages: Iterable[WheelMetadata], models: Iterable[BundledModel], modules: Iterable[GoModule]
) -> None:
    """Callbox's, each Python package's, livekit-server's with what is linked into it, and each model's."""
    rows: dict[str, str] = {}
    _add_own(writer)
    for package in {(package.name, package.version): package for package in packages}.values():
        folder = f"python/{package.name}-{package.version}"
        rows[folder] = package.licence + ("" if package.texts else " (no text in the package)")
        for name, text in package.texts.items():
            writer.add_bytes(f"licences/{folder}/{name}", text)
    for module in modules:
        texts = list(licence_texts(module))
        rows[f"go/{module.name}@{module.version}"] = (
            ", ".join(path.name for path in texts) or "(no text on this machine)"
        )
        for path in texts:
            writer.add_bytes(f"licences/go/{module.name}@{module.version}/{path.name}", path.read_bytes())
    for model in models:
        rows[f"models/{model.name}"] = model.model.licence
        for path in model.licence_texts:
            writer.add_bytes(f"licences/models/{model.name}/{path.name}", path.read_bytes())
    width = max(map(len, rows))
    table = "".join(f"{what:<{width}}  {licence}\n" for what, licence in sorted(rows.items()))
    writer.add_bytes("licences/README.txt", (_HEAD + table).encode())


def _add_own(writer: BundleWriter) -> None:
    for name in ("LICENSE", "NOTICE"):
        source: Path = writer.folder / "source" / name
        if source.is_file():
            writer.add_bytes(f"licences/callbox/{name}", source.read_bytes())
            if name == "LICENSE":  # the same licence, Apache-2.0
                writer.add_bytes("licences/livekit-server/LICENSE", source.read_bytes())
