"""Chooses the profile that a box can run, and says why."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.settings import PROFILES, Settings, load_settings
from models.manifest import InstalledPackage, WheelMember
from models.store import ModelStore, open_store
from serving.gpu.devices import Gpu, count_cards, list_gpus
from serving.gpu.libraries import missing_packages
from serving.gpu.plan import MIN_VLLM_CAPABILITY


@dataclass(frozen=True, slots=True)
class Choice:
    """A profile, and a clause that says why it was chosen."""

    profile: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What the choice depends on."""

    gpus: tuple[Gpu, ...]
    cards: int
    """NVIDIA GPUs on the bus, whether or not a driver answers."""
    missing_packages: tuple[str, ...]
    """Python packages of the gpu profile that are not installed."""


def this_machine() -> Machine:
    """Ask the driver and the bus, and look at the installed packages."""
    return Machine(gpus=list_gpus(), cards=count_cards(), missing_packages=missing_packages())


def choose_profile(
    store: ModelStore, *, machine: Machine | None = None, profiles: Path = PROFILES, site: Path | None = None
) -> Choice:
    """gpu if there is a GPU and its packages and models are installed, else cpu if its models are, else demo.

    The models are those in each profile's settings, including configs/site.yaml. Only their files' sizes are compared here;
    every byte is checked when an engine is loaded. Raises ConfigError or ModelUnknown.
    """
    machine = machine or this_machine()
    lacking = _lacking_for_gpu(machine, store, load_settings("gpu", profiles=profiles, site=site))
    if not lacking:
        return Choice("gpu", f"{_named(machine.gpus)} was found, and the profile's models are installed")
    cpu = load_settings("cpu", profiles=profiles, site=site)
    if not missing_models(cpu, store):
        return Choice("cpu", f"its models are installed; {lacking}")
    return Choice("demo", lacking if machine.gpus else f"{_lacking_models('cpu', cpu, store)}; {lacking}")


def settings_for(profile: str = "") -> Settings:
    """The settings of that profile, or of the best one this box can run. Raises ConfigError."""
    return load_settings(profile or choose_profile(open_store()).profile)


def missing_models(settings: Settings, store: ModelStore) -> tuple[str, ...]:
    """The models in these settings that must be downloaded first. Raises ModelUnknown."""
    return tuple(name for name in settings.model_names if _must_be_downloaded(name, store))


def _must_be_downloaded(name: str, store: ModelStore) -> bool:
    return not _comes_with_packages(name, store) and not store.is_present(name)


def _comes_with_packages(name: str, store: ModelStore) -> bool:
    """`make run` installs these itself, whatever the profile."""
    return isinstance(store.manifest.find(name).source, WheelMember | InstalledPackage)


def _lacking_for_gpu(machine: Machine, store: ModelStore, settings: Settings) -> str:
    """Why the profile gpu cannot run, as a clause; empty if it can."""
    if not machine.gpus:
        if machine.cards:
            return "an NVIDIA GPU was found, but its driver does not answer (`nvidia-smi` says why)"
        return "no NVIDIA GPU found"
    found = f"{_named(machine.gpus)} was found"
    if machine.gpus[0].compute_capability < MIN_VLLM_CAPABILITY:
        return f"{found}, but it is too old for profile gpu (which needs compute capability 8.0, Ampere)"
    if missing_models(settings, store):
        return f"{found}, but {_lacking_models('gpu', settings, store)}"
    if machine.missing_packages:
        packages = ", ".join(machine.missing_packages)
        return f"{found}, but these packages are missing: {packages} (`make setup PROFILE=gpu` installs them)"
    return ""


def _lacking_models(profile: str, settings: Settings, store: ModelStore) -> str:
    """Which models are missing and how to get them, as a clause."""
    missing = missing_models(settings, store)
    for name in missing:
        for other, model in store.manifest.models.items():
            if model.instead_of == name and store.is_present(other):
                line = f"engines: {{{model.stage}: {{model: {other}}}}}"
                return f"{name} is missing, but {other} is installed: `{line}` in configs/site.yaml uses it"
    command = f"`scripts/download_models.sh --profile {profile}` downloads"
    if not any(store.is_present(name) for name in settings.model_names if not _comes_with_packages(name, store)):
        return f"no models have been downloaded: {command} them"
    return f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing: {command} the rest"


def _named(gpus: Sequence[Gpu]) -> str:
    """As in `an NVIDIA L4`."""
    name = gpus[0].name if gpus[0].name.startswith("NVIDIA") else f"NVIDIA {gpus[0].name}"
    return f"an {name}" if len(gpus) == 1 else f"an {name} (first of {len(gpus)} GPUs)"
