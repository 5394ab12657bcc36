"""Whether every byte of the profile's models is the pinned one; each model is read once, however often it is asked for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from agent.operate.doctor.installation import Installation
from agent.operate.doctor.report import Row, Subject, split_advice
from models.errors import ModelError, ModelUnknown
from models.store import ModelState, ModelStatus, ModelStore, OnBytes

OnModel = Callable[[str, int], OnBytes]
"""Told the name and the bytes of a model that is about to be read; returns what is told of the bytes as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnceReadStore(ModelStore):
    """A store that remembers what it found: choosing a profile, checking and planning all ask for the same gigabytes."""

    on_model: OnModel
    remembered: dict[str, Path | ModelError] = field(default_factory=dict)

    def resolve(self, name: str, on_bytes: OnBytes | None = None) -> Path:
        """As the store does, the first time."""
        if name not in self.remembered:
            told = self.on_model(name, self.manifest.find(name).size)
            try:
                self.remembered[name] = ModelStore.resolve(self, name, on_bytes or told)
            except ModelError as error:
                self.remembered[name] = error
        found = self.remembered[name]
        if isinstance(found, ModelError):
            raise found
        return found


def check(installation: Installation) -> Iterator[Row]:
    """One row a model."""
    store = installation.store
    for name in installation.model_names:
        try:
            yield judge(store.status(name))
        except ModelUnknown as error:
            yield _subject(name).failed(str(error), fix="Correct engines: in configs/site.yaml, or configs/profiles.")


def judge(status: ModelStatus) -> Row:
    """The store has judged already."""
    subject = _subject(status.name)
    if status.state is ModelState.OK:
        files = len(status.model.files)
        return subject.ok(
            f"{status.model.size / 1e6:,.1f} MB in {files} {'file' if files == 1 else 'files'}, as pinned"
        )
    found, fix = split_advice(status.detail, otherwise="`make doctor` again when it is in place.")
    return subject.failed(found, fix=fix)


def _subject(name: str) -> Subject:
    return Subject("model", f"model {name}")
