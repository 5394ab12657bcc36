"""Downloads models into models/store: plans, checks the disk, downloads, converts, pins, and only then puts them in place."""

import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.table import Table

from models.commands import run_command
from models.errors import ChecksumMismatch, ConversionFailed, DiskTooSmall, DownloadFailed, ModelError
from models.hub import Hub
from models.lockfile import LockedModel, load_lock, save_lock
from models.manifest import InstalledPackage, ModelFile, Repository, Shipped, WheelMember
from models.plan import Plan, make_plan
from models.progress import Display, amount
from models.staging import fetch, install, is_whole, partial_of, pins_of, prune, staging_area
from models.store import ModelState, ModelStore, sha256_of

MODEL_CARD = "MODEL_CARD"
"""The file in which each Piper voice states the licence of its recordings."""


@dataclass(slots=True)
class Download:
    """One run. An error with one model does not stop the others."""

    store: ModelStore
    hub: Hub
    display: Display
    update: Collection[str] = ()
    """Models whose pin moves to the newest commit."""
    failures: list[ModelError] = field(default_factory=list)
    """Why models could not be downloaded."""

    def run(self, names: Sequence[str]) -> None:
        """Download these models. Raises DiskTooSmall before anything is downloaded; other errors go into `failures`."""
        wanted = [name for name in names if not self._is_here(name)]
        with staging_area(self.store.root / "store") as area:
            plans = [plan for name in wanted if (plan := self._plan(name))]
            self._announce(plans)
            missing = {plan.name: self._missing(area, plan) for plan in plans}
            self._check_disk(area, plans, missing)
            for plan in plans:
                with self._collecting_errors():
                    self._bring(area / plan.name, plan, missing[plan.name])
        for name in wanted:
            source = self.store.manifest.find(name).source
            if isinstance(source, WheelMember):
                with self._collecting_errors(), self.display.busy(name):
                    self.display.say(run_command(source.command, self.store.root, failed=DownloadFailed))

    def _is_here(self, name: str) -> bool:
        model = self.store.manifest.find(name)
        if name in self.update or not (model.pinned and self.store.is_present(name)):
            return self._is_no_download(name)
        with self.display.check(name, model.size) as bar:
            status = self.store.status(name, bar.add)
        if status.state is ModelState.OK:
            self.display.say(f"{name}: already downloaded.")
            return True
        return self._is_no_download(name)

    def _is_no_download(self, name: str) -> bool:
        """Whether the model comes with something else and cannot be downloaded; adds a failure if so."""
        status = self.store.status(name)
        if isinstance(status.model.source, Shipped | InstalledPackage):
            self.failures.append(
                DownloadFailed(status.detail or f"'{name}' comes with Callbox and has no pin to move.")
            )
            return True
        return False

    def _plan(self, name: str) -> Plan | None:
        model = self.store.manifest.find(name)
        source = model.source
        if not isinstance(source, Repository):
            return None
        pin = None if name in self.update else load_lock(self.store.root).models.get(name)
        if pin is None and source.revision and model.pinned:
            pin = LockedModel(
                repository=source.repository, folder=source.folder, revision=source.revision, files=model.files
            )
        with self._collecting_errors():
            return make_plan(self.hub, name, model, source, pin)
        return None

    def _announce(self, plans: Sequence[Plan]) -> None:
        if not plans:
            return
        table = Table(title=f"Downloads from {self.hub.endpoint}", title_justify="left")
        for heading in ("model", "size", "from", "licence"):
            table.add_column(heading, overflow="fold")
        for plan in plans:
            origin = f"{plan.source.repository}@{plan.revision[:8]}"
            table.add_row(plan.name, amount(plan.size), origin, plan.model.licence)
        self.display.say(table)
        for name, model in self.store.manifest.models.items():
            if model.instead_of in [plan.name for plan in plans]:
                self.display.say(
                    f"{name} can replace {model.instead_of}: {model.title}. To download it: --only {name}."
                )

    def _missing(self, area: Path, plan: Plan) -> list[str]:
        """The files that are complete neither in the store nor in the staging area."""
        places = [area / plan.name] if plan.source.convert else [self.store.folder(plan.name), area / plan.name]
        missing = []
        for path, file in plan.files.items():
            with self.display.check(path, file.size) as bar:
                if not any(is_whole(place / path, file, bar.add) for place in places):
                    missing.append(path)
        return missing

    def _check_disk(self, area: Path, plans: Sequence[Plan], missing: dict[str, list[str]]) -> None:
        to_fetch = sum(
            plan.files[path].size - _size(partial_of(area / plan.name / path, plan.files[path]))
            for plan in plans
            for path in missing[plan.name]
        )
        converted = sum(plan.converted_size for plan in plans)
        free = shutil.disk_usage(area).free
        if to_fetch + converted > free:
            conversion = f", {amount(converted)} of it for the conversion" if converted else ""
            raise DiskTooSmall(
                f"The download needs {amount(to_fetch + converted)} in {area.parent}{conversion}, but only {amount(free)} are free"
                f" there. Free {amount(to_fetch + converted - free)}, or make that folder a link to one on a larger"
                " disk, and run the command again."
            )
        self.display.total(to_fetch)

    def _bring(self, staged: Path, plan: Plan, missing: Sequence[str]) -> None:
        for path in missing:
            fetch(self.hub, plan, path, staged, self.display)
            if path == MODEL_CARD:
                self._show_card(plan.name, staged / path)
        folder = self.store.folder(plan.name)
        if plan.source.convert:
            made, source_files = self._convert(staged, plan), self._pins(plan, staged, staged)
            files = self._agreed(plan, pins_of(made))
        else:
            made, source_files = staged, ()
            files = self._pins(plan, staged, folder)
        self._pin(plan, files, source_files)
        install(made, folder, [file.path for file in files])
        shutil.rmtree(staged, ignore_errors=True)
        self.display.say(f"{plan.name}: {amount(sum(file.size for file in files))} in {folder}, every SHA-256 correct.")

    def _convert(self, staged: Path, plan: Plan) -> Path:
        """Make the model's files from the downloaded ones; returns their folder. An interrupted conversion starts again."""
        target = staged.with_name(f"{plan.name}.converted")
        shutil.rmtree(target, ignore_errors=True)
        prune(staged, plan.files.keys())
        with self.display.busy(f"converting {plan.name}"):
            run_command(plan.source.convert, self.store.root, staged, target, failed=ConversionFailed)
        return target

    def _agreed(self, plan: Plan, files: tuple[ModelFile, ...]) -> tuple[ModelFile, ...]:
        """The files that a conversion made, if they match the lock. Raises ChecksumMismatch."""
        if plan.pin and plan.pin.source_files:
            wanted = {file.path: file for file in plan.pin.files}
            others = sorted(file.path for file in files if wanted.pop(file.path, None) != file)
            if others or wanted:
                raise ChecksumMismatch(
                    f"'{plan.name}': the conversion's {', '.join([*others, *wanted])} differs from models/lock.yaml,"
                    " so it is not used. The lock was made with other versions of the Python packages: `make setup` installs"
                    f" this checkout's, `scripts/download_models.sh --update {plan.name}` moves the pin."
                )
        return files

    def _pins(self, plan: Plan, staged: Path, folder: Path) -> tuple[ModelFile, ...]:
        """The downloaded files as lock entries; those for which the hub gives no SHA-256 were checked by git's SHA-1."""
        pins = []
        for path, file in sorted(plan.files.items()):
            place = staged / path if (staged / path).is_file() else folder / path
            pins.append(ModelFile(path=path, size=file.size, sha256=file.sha256 or sha256_of(place)))
        return tuple(pins)

    def _pin(self, plan: Plan, files: tuple[ModelFile, ...], source_files: tuple[ModelFile, ...]) -> None:
        pin = LockedModel(
            repository=plan.source.repository,
            folder=plan.source.folder,
            revision=plan.revision,
            files=files,
            source_files=source_files,
        )
        lock = load_lock(self.store.root)
        if lock.models.get(plan.name) != pin:
            save_lock(self.store.root, lock.with_pin(plan.name, pin))

    def _show_card(self, name: str, card: Path) -> None:
        lines = [line.strip(" *-") for line in card.read_text(encoding="utf-8", errors="replace").splitlines()]
        stated = [line for line in lines if "licen" in line.lower()] or ["no licence stated"]
        self.display.say(f"{name}, from its {MODEL_CARD}: {'; '.join(stated)}")

    @contextmanager
    def _collecting_errors(self) -> Iterator[None]:
        try:
            yield
        except DiskTooSmall:
            raise
        except ModelError as error:
            self.failures.append(error)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
