"""Which profile a box can run, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.settings import PROFILES, Settings, load_settings
from models.manifest import InstalledPackage, WheelMember
from models.store import ModelStore, open_store
from serving.gpu.devices import Gpu, list_gpus
from serving.gpu.libraries import missing_packages
from serving.gpu.plan import LEAST_FOR_VLLM

DEVICES = Path("/dev")
LEAST_CAPABILITY = LEAST_FOR_VLLM
"""Compute capability that the profile gpu needs."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A profile, and a clause that says why it was taken."""

    profile: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What of this machine decides."""

    gpus: tuple[Gpu, ...]
    has_device: bool
    """Whether there is a device file of an NVIDIA GPU, though no driver may answer."""
    missing_packages: tuple[str, ...]
    """Python packages of the gpu profile that are not installed."""


def this_machine() -> Machine:
    """Ask the driver and look at the installed packages."""
    return Machine(gpus=list_gpus(), has_device=any(DEVICES.glob("nvidia[0-9]*")), missing_packages=missing_packages())


def choose_profile(
    store: ModelStore, *, machine: Machine | None = None, profiles: Path = PROFILES, site: Path | None = None
) -> Choice:
    """gpu where a GPU, its packages and the models are, else cpu where its models are, else demo.

    The models are those that the settings of each profile name, configs/site.yaml included; only their files' sizes are
    looked at here, every byte is checked when an engine is loaded. Raises ConfigError or ModelUnknown.
    """
    machine = machine or this_machine()
    lacking = _lacking_for_gpu(machine, store, load_settings("gpu", profiles=profiles, site=site))
    if not lacking:
        return Choice("gpu", f"{_named(machine.gpus)} and the profile's models are here")
    cpu = load_settings("cpu", profiles=profiles, site=site)
    if not missing_models(cpu, store):
        return Choice("cpu", f"its models are here; {lacking}")
    return Choice("demo", lacking if machine.gpus else f"{_lacking_models('cpu', cpu, store)}; {lacking}")


def settings_for(profile: str = "") -> Settings:
    """The settings of that profile, or of the best one this box can run. Raises ConfigError."""
    return load_settings(profile or choose_profile(open_store()).profile)


def missing_models(settings: Settings, store: ModelStore) -> tuple[str, ...]:
    """The models that these settings name and that must be downloaded first. Raises ModelUnknown."""
    return tuple(name for name in settings.model_names if _must_be_got(name, store))


def _must_be_got(name: str, store: ModelStore) -> bool:
    return not _comes_with_packages(name, store) and not store.is_present(name)


def _comes_with_packages(name: str, store: ModelStore) -> bool:
    """`make run` itself brings these, whatever the profile."""
    return isinstance(store.manifest.find(name).source, WheelMember | InstalledPackage)


def _lacking_for_gpu(machine: Machine, store: ModelStore, settings: Settings) -> str:
    """Why the profile gpu cannot run, as a clause; empty if it can."""
    if not machine.gpus:
        return (
            "an NVIDIA device is here, but its driver does not answer (nvidia-smi says why)"
            if machine.has_device
            else "no NVIDIA GPU is here"
        )
    here = f"{_named(machine.gpus)} is here"
    if machine.gpus[0].compute_capability < LEAST_CAPABILITY:
        return f"{here}, but it is too old for the profile gpu (compute capability 8.0, Ampere, is the least)"
    if missing_models(settings, store):
        return f"{here}, but {_lacking_models('gpu', settings, store)}"
    if machine.missing_packages:
        packages = ", ".join(machine.missing_packages)
        return f"{here}, but the packages {packages} are not: `make setup PROFILE=gpu` installs them"
    return ""


def _lacking_models(profile: str, settings: Settings, store: ModelStore) -> str:
    """Which models are missing and what to do, as a clause."""
    missing = missing_models(settings, store)
    for name in missing:
        for other, model in store.manifest.models.items():
            if model.instead_of == name and store.is_present(other):
                line = f"engines: {{{model.stage}: {{model: {other}}}}}"
                return f"{name} is missing, and {other} is here: `{line}` in configs/site.yaml takes it"
    command = f"`scripts/download_models.sh --profile {profile}` gets"
    if not any(store.is_present(name) for name in settings.model_names if not _comes_with_packages(name, store)):
        return f"no downloaded models are here: {command} them"
    return f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing: {command} the rest"


def _named(gpus: Sequence[Gpu]) -> str:
    """As in `an NVIDIA L4`."""
    name = gpus[0].name if gpus[0].name.startswith("NVIDIA") else f"NVIDIA {gpus[0].name}"
    return f"an {name}" if len(gpus) == 1 else f"{len(gpus)} GPUs, the first an {name},"
