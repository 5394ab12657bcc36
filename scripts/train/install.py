"""Replace a shipped demo model with a rebuilt one and pin its new files in the manifest."""

import re
import shutil
from pathlib import Path

from models.errors import ManifestInvalid, ModelMissing
from models.manifest import ModelFile
from models.store import ModelStore, open_store, sha256_of
from scripts.train.plan import Recipe


def install(store: ModelStore, recipe: Recipe, built: Path) -> None:
    """Copy every file that the manifest lists and the build produced; licences stay as they are.

    Raises ModelMissing, before anything is copied, if the build produced nothing for a model.
    """
    copies: list[tuple[Path, Path]] = []
    for name, folder in recipe.products.items():
        files = [file.path for file in store.manifest.find(name).files if (built / folder / file.path).is_file()]
        if not files:
            raise ModelMissing(f"{built / folder} has no file of '{name}'. Build it first.")
        copies += [(built / folder / path, store.folder(name) / path) for path in files]
    for source, target in copies:
        shutil.copyfile(source, target)
    manifest = store.root / "manifest.yaml"
    text = manifest.read_text(encoding="utf-8")
    for name in recipe.products:
        text = repinned(text, name, store.manifest.find(name).files, store.folder(name))
    manifest.write_text(text, encoding="utf-8")
    fresh = open_store(store.root)
    for name in recipe.products:
        print(f"Installed {name} in {fresh.resolve(name)}. Update the figures in its README.", flush=True)


def repinned(text: str, name: str, files: tuple[ModelFile, ...], folder: Path) -> str:
    """The manifest's text with the current sizes and hashes of the model's files; comments and order stay."""
    block = re.search(rf"(?ms)^  {re.escape(name)}:\n.*?(?=^  \S|\Z)", text)
    if block is None:
        raise ManifestInvalid(f"models/manifest.yaml: '{name}' is not where it is expected.")
    changed = block[0]
    for file in files:
        path = folder / file.path
        before = f"{{path: {file.path}, size: {file.size}, sha256: {file.sha256}}}"
        after = f"{{path: {file.path}, size: {path.stat().st_size}, sha256: {sha256_of(path)}}}"
        if before not in changed:
            raise ManifestInvalid(
                f"models/manifest.yaml: '{name}': the line of {file.path} is not written as expected."
            )
        changed = changed.replace(before, after)
    return text[: block.start()] + changed + text[block.end() :]
