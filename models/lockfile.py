"""models/lock.yaml: the commit and files that each downloaded model was pinned to by its first download.

The manifest says which repository, the lock which bytes of it. Committed or copied to other sites, it makes them all
download the same bytes.
"""

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError

from models.errors import LockInvalid
from models.manifest import (
    Commit,
    Manifest,
    Model,
    ModelFile,
    ModelName,
    Part,
    RelativePath,
    Repository,
    Text,
    explain,
    read_yaml,
)

FILE_NAME = "lock.yaml"
HEAD = """\
# Written by scripts/download_models.sh: which bytes of which commit each downloaded model consists of. Every load checks
# them, later downloads fetch them again. Commit this file, or carry it along, and every site gets the same bytes.
# `scripts/download_models.sh --update NAME` moves a pin.
"""


class LockedModel(Part):
    """A pin."""

    repository: Text
    folder: RelativePath | None = None
    revision: Commit
    files: tuple[ModelFile, ...] = Field(min_length=1)
    """The files in models/store/<name>/."""
    source_files: tuple[ModelFile, ...] = ()
    """The files that they were converted from, if they were converted."""


class Lock(Part):
    """All pins, by model name."""

    models: dict[ModelName, LockedModel] = Field(default_factory=dict)

    def with_pin(self, name: str, pin: LockedModel) -> "Lock":
        """A copy with this pin for the model."""
        return Lock(models={**self.models, name: pin})


def load_lock(root: Path) -> Lock:
    """The lock in the folder models/; empty if there is none. Raises LockInvalid, naming the file and the key."""
    path = root / FILE_NAME
    if not path.exists():
        return Lock()
    try:
        return Lock.model_validate(read_yaml(path, LockInvalid))
    except ValidationError as error:
        reasons = "\n".join(explain(path, issue) for issue in error.errors())
        raise LockInvalid(f"{reasons}\nRestore it from version control, or delete it and download again.") from None


def save_lock(root: Path, lock: Lock) -> None:
    """Write the lock atomically."""
    content: Mapping[str, Any] = lock.model_dump(mode="json", exclude_defaults=True)
    text = HEAD + yaml.safe_dump(content, sort_keys=True, width=200)
    partial = root / f"{FILE_NAME}.{os.getpid()}.partial"
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(root / FILE_NAME)
    finally:
        partial.unlink(missing_ok=True)


def overlay(manifest: Manifest, lock: Lock, *, unpin: Collection[str] = ()) -> Manifest:
    """The manifest with the lock's revisions and files; models in `unpin` stay as the manifest has them.

    Raises LockInvalid if a pin contradicts the manifest. Pins of models that are not in the manifest are ignored.
    """
    pinned = {
        name: _pinned(name, model, lock.models[name])
        for name, model in manifest.models.items()
        if name in lock.models and name not in unpin
    }
    return manifest.model_copy(update={"models": {**manifest.models, **pinned}})


def _pinned(name: str, model: Model, pin: LockedModel) -> Model:
    source = model.source
    if not isinstance(source, Repository):
        raise LockInvalid(
            f"models/{FILE_NAME} pins '{name}', which models/manifest.yaml does not take from a model repository."
            " Delete its entry in the lock."
        )
    stated = {"repository": source.repository, "folder": source.folder, "revision": source.revision or pin.revision}
    for key, value in stated.items():
        if getattr(pin, key) != value:
            raise LockInvalid(
                f"models/{FILE_NAME} pins '{name}' to the {key} {getattr(pin, key)}, but models/manifest.yaml says {value}."
                f" `scripts/download_models.sh --update {name}` moves the pin."
            )
    return model.model_copy(update={"files": pin.files, "source": source.model_copy(update={"revision": pin.revision})})
