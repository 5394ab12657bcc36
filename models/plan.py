"""Plans the download of one model: its files at a commit, from the lock or, the first time, from the hub."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from models.errors import DownloadFailed
from models.hub import Hub, HubFile
from models.lockfile import LockedModel
from models.manifest import Model, ModelFile, Repository

CONVERTED_SHARE = 0.6
"""Bytes of an int8 model per byte of the 16-bit model it is made from; a generous estimate."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One model's download."""

    name: str
    model: Model
    source: Repository
    revision: str
    files: Mapping[str, HubFile]
    """What to download, by path in the model's folder; smallest first."""
    pin: LockedModel | None
    """The files that it must produce. None: this download pins them."""

    @property
    def size(self) -> int:
        """Bytes to download."""
        return sum(file.size for file in self.files.values())

    @property
    def converted_size(self) -> int:
        """The most bytes that a conversion adds to the downloaded ones."""
        if not self.source.convert:
            return 0
        return sum(file.size for file in self.pin.files) if self.pin else int(self.size * CONVERTED_SHARE)


def make_plan(hub: Hub, name: str, model: Model, source: Repository, pin: LockedModel | None) -> Plan:
    """Plan the download. Asks the hub for what the lock does not say, and whether a gated repository is open. Raises DownloadFailed."""
    gated = bool(source.gate)
    locked = () if pin is None else (pin.source_files if source.convert else pin.files)
    if pin and locked:
        revision, files = pin.revision, {file.path: _at_hub(source, file) for file in locked}
    else:
        listing = hub.listing(source.repository, pin.revision if pin else source.revision, gated=gated)
        revision = listing.revision
        files = {path: _known(hub, source, revision, file) for path, file in select(listing.files, source).items()}
    ordered = dict(sorted(files.items(), key=lambda item: (item[1].size, item[0])))
    if gated:
        hub.head(source.repository, revision, next(iter(ordered.values())).path, gated=True)
    return Plan(name, model, source, revision, ordered, pin)


def select(files: Iterable[HubFile], source: Repository) -> dict[str, HubFile]:
    """The files that the manifest asks for, by path in the model's folder. Raises DownloadFailed if one is missing."""
    prefix = f"{source.folder}/" if source.folder else ""
    inside = {file.path.removeprefix(prefix): file for file in files if file.path.startswith(prefix)}
    for pattern in source.include:
        if not any(_matches(path, pattern) for path in inside):
            raise DownloadFailed(
                f"{source.repository} has no file {prefix}{pattern}: it was reorganized. Pin an older commit as `revision`"
                " in models/manifest.yaml."
            )
    patterns = (*source.include, *source.extras)
    return {path: file for path, file in inside.items() if any(_matches(path, pattern) for pattern in patterns)}


def _matches(path: str, pattern: str) -> bool:
    parts, patterns = path.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


def _at_hub(source: Repository, file: ModelFile) -> HubFile:
    return HubFile(f"{source.folder}/{file.path}" if source.folder else file.path, file.size, file.sha256)


def _known(hub: Hub, source: Repository, revision: str, file: HubFile) -> HubFile:
    """The file with its size and hash; mirrors that do not list them give them when asked for the file."""
    if file.size and file.known_by:
        return file
    found = hub.head(source.repository, revision, file.path, gated=bool(source.gate))
    if not found.size or not found.known_by:
        raise DownloadFailed(f"{hub.endpoint} gives no size or no hash of {file.path}. Use another mirror.")
    return found
