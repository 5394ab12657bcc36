"""Whether every byte of the profile's models is the pinned one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from agent.operate.doctor.installation import Installation
from agent.operate.doctor.report import Row, Subject, split_advice
from models.errors import ModelError, ModelUnknown
from models.store import ModelState, ModelStatus, ModelStore, OnBytes

OnModel = Callable[[str, int], OnBytes]
"""Called with the name and size in bytes of a model before it is read; what it returns is called as bytes are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnceReadStore(ModelStore):
    """A store that reads each model only once: choosing a profile, checking and planning ask for the same gigabytes."""

    on_model: OnModel
    results: dict[str, Path | ModelError] = field(default_factory=dict)

    def resolve(self, name: str, on_bytes: OnBytes | None = None) -> Path:
        """What ModelStore.resolve returned or raised the first time."""
        if name not in self.results:
            progress = self.on_model(name, self.manifest.find(name).size)
            try:
                self.results[name] = ModelStore.resolve(self, name, on_bytes or progress)
            except ModelError as error:
                self.results[name] = error
        result = self.results[name]
        if isinstance(result, ModelError):
            raise result
        return result


def check(installation: Installation) -> Iterator[Row]:
    """One row per model."""
    store = installation.store
    for name in installation.model_names:
        try:
            yield judge(store.status(name))
        except ModelUnknown as error:
            yield _subject(name).failed(str(error), fix="Correct `engines` in configs/site.yaml or configs/profiles.")


def judge(status: ModelStatus) -> Row:
    """The store's verdict as a row."""
    subject = _subject(status.name)
    if status.state is ModelState.OK:
        files = len(status.model.files)
        return subject.ok(
            f"{status.model.size / 1e6:,.1f} MB in {files} {'file' if files == 1 else 'files'}, as pinned"
        )
    found, fix = split_advice(status.detail, otherwise="Once it is in place, run `make doctor` again.")
    return subject.failed(found, fix=fix)


def _subject(name: str) -> Subject:
    return Subject("model", f"model {name}")
